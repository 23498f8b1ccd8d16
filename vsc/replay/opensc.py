"""Debug logs of OpenSC: what a program wrote with OPENSC_DEBUG=3 or more in its environment.

    P:31945; T:0x140268152621120 22:20:24.016 [pkcs15-tool] reader-pcsc.c:325:pcsc_transmit: reader 'Reader 00 00'
    P:31945; T:0x140268152621120 22:20:24.016 [pkcs15-tool] reader-pcsc.c:326:pcsc_transmit:
    Outgoing APDU (12 bytes):
    00 A4 04 00 07 62 76 01 FF 00 00 00 .....bv.....

OpenSC of another compiler than GCC, as on Windows, leaves out file, line and function; up to 0.19 even `[program]`:

    P:1128; T:4344 2025-02-26 11:08:19.198 [cardmod] reader 'Reader 0'

Read: commands, answers, ATRs and resets. Several readers, threads and processes may write to one log, and the program
too: a command and its answer are brought together by process and thread. Logs of OpenSC up to 0.19 look a little
different (`Outgoing APDU data [   12 bytes] =====`) and are read as well.
"""

import re
from dataclasses import dataclass, field

from vsc.masking.blackout import BYTE, ELLIPSIS, Dump, dump_of
from vsc.replay.log import ATR_BYTES, Draft, LogError, hex_of, numbered
from vsc.trace.entry import EntryKind

NAME = "OpenSC debug log"

_BYTES_A_LINE = 16
_DAY_S = 86_400.0
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_DUMP = re.compile(r"^(Outgoing|Incoming) APDU (?:data \[ *(\d{1,7}) bytes?\]|\((\d{1,7}) bytes?\):)")
_PREFIX = re.compile(
    r"^(?:P:(?P<process>\d+); )?(?:(?:T:)?(?P<thread>\w+) )?(?:\d{4}-\d\d-\d\d )?"
    r"(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)\.(?P<ms>\d+)"
    r"(?P<program> \[[^\]]*\])?(?: (?:[A-Za-z]:)?[^ :]+:\d+:\w*:)?(?: (?P<words>.*))?$",
    re.ASCII,
)
_PAIRS = re.compile(rf"(?:{BYTE} ?)*")
_CUT = re.compile(rf"^(?:{BYTE} ?)*{ELLIPSIS}")
"""A line of a dump that somebody has cut off, and all below it."""
_READER = re.compile(r"^reader '(.*)'$")
_CHECKED = re.compile(r"^(.*) check$")
_ATR = re.compile(r"^ATR {2,}: ([0-9a-fA-F:]+)$")
_RESET = re.compile(r"^(.*):SCardReconnect returned: 0x0+$")


def recognises(text: str) -> bool:
    found = (_DUMP.match(line) or _PREFIX.match(line) for line in _plain(text))
    # A time alone may be anybody's.
    return any(match and (match.re is _DUMP or match["program"]) for match in found)


def _plain(text: str) -> list[str]:
    return numbered(_COLOUR.sub("", text))


@dataclass(slots=True)
class _Thread:
    """One thread of one process: the reader that it spoke of last, and the command that waits for its answer."""

    reader: str = ""
    waiting: int | None = None


@dataclass(slots=True)
class _Parser:
    lines: list[str]
    draft: Draft = field(default_factory=Draft)
    threads: dict[tuple[str, str], _Thread] = field(default_factory=dict)
    thread: _Thread = field(default_factory=_Thread)
    atrs: dict[str, bytes] = field(default_factory=dict)
    began: float | None = None
    seconds: float = 0.0

    def run(self) -> Draft:
        at = 0
        while at < len(self.lines):
            line = self.lines[at]
            at += 1
            if match := _DUMP.match(line):
                dumped, at = self.dump(at, int(match[2] or match[3]))
                if dumped is None:
                    break
                self.outgoing(dumped) if match[1] == "Outgoing" else self.incoming(dumped, at)
            elif match := _PREFIX.match(line):
                self.place(match)
                self.message(match["words"] or "")
        threads = {id(one): one for one in (*self.threads.values(), self.thread)}.values()
        self.draft.unanswered([one.waiting for one in threads if one.waiting is not None])
        return self.draft

    def dump(self, at: int, length: int) -> tuple[Dump | None, int]:
        """The bytes of a dump whose first line is that, and the line after it; None: the log ends before the dump."""
        words: list[str] = []
        while (left := length - _BYTES_A_LINE * len(words)) > 0:
            wanted = min(_BYTES_A_LINE, left)
            line = self.lines[at] if at < len(self.lines) else ""
            piece = dump_of(line[: 3 * wanted]) if _PAIRS.fullmatch(line[: 3 * wanted]) else None
            if piece is None or len(piece.raw) != wanted:
                if match := _CUT.match(line):
                    cut = dump_of(" ".join((*words, match[0])))
                    return (cut and cut.filled(max(0, length - len(cut.raw)))), at + 1
                if at >= len(self.lines) - 1:
                    self.draft.warnings.append("the log ends in the middle of an APDU: left out")
                    return None, at
                raise LogError(f"line {at + 1}: here should be {wanted} bytes of an APDU of {length}, in hexadecimal")
            words.append(line[: 3 * wanted])
            at += 1
        return dump_of(" ".join(words)), at

    def place(self, prefix: re.Match[str]) -> None:
        """Whose line it is, and when it was written."""
        key = (prefix["process"] or "", prefix["thread"] or "")
        self.thread = self.threads.setdefault(key, _Thread())
        # OpenSC on macOS wrote milliseconds that are none.
        milliseconds = int(prefix["ms"]) if len(prefix["ms"]) == 3 else 0
        clock = 3600 * int(prefix["h"]) + 60 * int(prefix["m"]) + int(prefix["s"]) + milliseconds / 1000
        if self.began is None:
            self.began = clock
        passed = clock - self.began
        while passed < self.seconds - _DAY_S / 2:  # Past midnight.
            passed += _DAY_S
        self.seconds = max(self.seconds, passed)

    def message(self, words: str) -> None:
        if match := _READER.match(words) or _CHECKED.match(words):
            self.thread.reader = match[1]
        elif match := _ATR.match(words):
            self.atr(hex_of(match[1]))
        elif match := _RESET.match(words):
            self.draft.event(EntryKind.RESET, match[1], self.seconds)
        elif words.startswith("unable to transmit"):
            self.thread.waiting = None

    def atr(self, atr: bytes | None) -> None:
        """OpenSC says it for each driver that it tries; only another one is another card."""
        reader = self.thread.reader
        if atr is None or len(atr) not in ATR_BYTES or self.atrs.get(reader) == atr:
            return
        self.atrs[reader] = atr
        self.draft.event(EntryKind.INSERTED, reader, self.seconds, atr)

    def outgoing(self, command: Dump) -> None:
        # One that still waits never got its answer.
        self.thread.waiting = self.draft.command(self.thread.reader, command, self.seconds)

    def incoming(self, response: Dump, at: int) -> None:
        waiting, self.thread.waiting = self.thread.waiting, None
        if waiting is None:
            self.draft.warnings.append(f"line {at}: an answer whose command is not in the log: left out")
            return
        self.draft.answer(waiting, response, self.seconds)


def parse(text: str) -> Draft:
    return _Parser(_plain(text)).run()
