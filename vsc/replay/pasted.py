"""What tools print of commands and answers, as people paste it into issues.

| tool | a command | its answer |
| --- | --- | --- |
| scriptor (pcsc-tools) | `> 00 A4 04 00` | `< 61 12 : …`, 16 bytes a line |
| opensc-tool -s | `Sending: 00 A4 04 00` | `Received (SW1=0x90, SW2=0x00):`, and a dump below it |
| yubico-piv-tool -v2 | `> 00 a4 04 00`, or `DBG ykpiv.c:12 (f): > 00a40400 (4)` | `< 90 00`, or the same with `<` |
| pyscard's ConsoleCardConnectionObserver | `> 00 A4 04 00` | `<  [] 90 00`, `< 61 12 90 00` |

Whatever else there is, prompts, echoes and what the tools say besides, is passed over. Arrows may be longer (`>>`,
`-->`, `=>`).
"""

import re
from dataclasses import dataclass, field

from vsc.masking.blackout import BYTE, ELLIPSIS, Dump, dump_of
from vsc.replay.log import ATR_BYTES, Draft, LogError, hex_of, numbered
from vsc.trace.entry import EntryKind

NAME = "output of a tool"

_BYTES_A_LINE = 16
_PIECE = rf"(?:{BYTE}|{ELLIPSIS})"
_BYTES = rf"{_PIECE}(?:[ :]?{_PIECE})*"
_BEFORE = r"^\s*(?:DBG [^>]*?\(\w*\): )?"
_COMMAND = re.compile(rf"{_BEFORE}(?:[-=]*>+|Sending:|APDU:) *(?P<bytes>{_BYTES}) *(?:\(\d+\) *)?$")
_ANSWER = re.compile(
    rf"{_BEFORE}(?:<+[-=]*|Received:|Response:|SW:) *(?P<bytes>(?:\[\] *)?{_BYTES}) *(?P<end>: .*|\(\d+\) *)?$"
)
_RECEIVED = re.compile(
    r"^\s*Received \(SW1=0x(?P<sw1>[0-9A-F]{2}), SW2=0x(?P<sw2>[0-9A-F]{2})\)(?P<more>:?)\s*$", re.IGNORECASE
)
_MORE = re.compile(rf"^(?P<bytes>{_BYTES}) *(?P<end>: .*)?$")
_NONE = re.compile(r"^\s*(?:unable to transmit|SCardTransmit failed|APDU transmit failed|< *KO: )", re.IGNORECASE)
_RESET = re.compile(r"^\s*> *RESET\s*$|^disconnecting from ", re.IGNORECASE)
_RESET_ANSWER = re.compile(rf"^\s*< *OK: (?P<bytes>{_BYTES})\s*$")
_ATR = re.compile(r"^\s*(?:Card )?(?:ATR *[:=] *)?(?P<bytes>3[BbFf](?:[ :]?[0-9a-fA-F]{2})+)\s*$")
_READER = re.compile(
    r"^(?:connecting to |Using reader with a card: |Using given card reader: |No reader given: using "
    r"|Connect reader '|Trying to connect to reader ')(?P<name>.*?)(?:'.*)?\s*$"
)
_SAID = re.compile(r"^\s*(?:[A-Za-z][\w.-]* .*|<.*(?: : .*|\[\].*))$")
"""What only a tool says, and nobody writes into a transcript."""


def recognises(text: str) -> bool:
    lines = numbered(text)
    said = any(_SAID.match(line) and not _ATR.match(line) for line in lines)
    return said and any(_COMMAND.match(line) for line in lines)


@dataclass(slots=True)
class _Parser:
    lines: list[str]
    draft: Draft = field(default_factory=Draft)
    reader: str = ""
    waiting: int | None = None
    at: int = 0

    def run(self) -> Draft:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            self.line(line)
        self.draft.unanswered([] if self.waiting is None else [self.waiting])
        return self.draft

    def line(self, line: str) -> None:
        if match := _COMMAND.match(line):
            # One that still waits never got its answer.
            self.waiting = self.draft.command(self.reader, self.dump(match["bytes"]), 0.0)
        elif match := _RECEIVED.match(line):
            self.answer(self.dump(f"{self.opensc_dump() if match['more'] else ''} {match['sw1']} {match['sw2']}"))
        elif match := _ANSWER.match(line):
            self.answer(self.dump(match["bytes"].removeprefix("[]") + self.continued(match)))
        elif match := _READER.match(line):
            self.reader = match["name"]
        elif match := _RESET_ANSWER.match(line) or _ATR.match(line):
            self.atr(hex_of(match["bytes"]))
        elif _RESET.match(line):
            self.draft.event(EntryKind.RESET, self.reader, 0.0)
        elif _NONE.match(line):
            self.waiting = None

    def dump(self, words: str) -> Dump:
        dump = dump_of(words)
        if dump is None:
            raise LogError(f"line {self.at}: the bytes cannot be read")
        return dump

    def answer(self, response: Dump) -> None:
        waiting, self.waiting = self.waiting, None
        if waiting is None:
            self.draft.warnings.append(f"line {self.at}: an answer whose command is not in the log: left out")
            return
        self.draft.answer(waiting, response, 0.0)

    def continued(self, match: re.Match[str]) -> str:
        """What scriptor has put on the lines below: it ends a line after 16 bytes, and the last one with words."""
        words = ""
        while not match["end"] and len(re.findall(BYTE, match["bytes"])) == _BYTES_A_LINE and self.at < len(self.lines):
            more = _MORE.match(self.lines[self.at])
            if more is None:
                break
            self.at += 1
            words += f" {more['bytes']}"
            match = more
        return words

    def opensc_dump(self) -> str:
        """The bytes of a dump, 16 a line, with letters behind them that may look like more bytes."""
        words = ""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            cut = re.match(rf"(?:{BYTE} )*{ELLIPSIS}\s*$", line)
            piece = cut[0] if cut else _seen(line)
            if not piece:
                break
            self.at += 1
            words += f" {piece}"
            if not cut and len(piece.split()) < _BYTES_A_LINE:
                break
        return words

    def atr(self, atr: bytes | None) -> None:
        if atr is None or len(atr) not in ATR_BYTES:
            return
        last = self.draft.entries[-1] if self.draft.entries else None
        if last is not None and last.kind is EntryKind.RESET and not last.atr:
            del self.draft.entries[-1]
            self.draft.event(EntryKind.RESET, last.reader, 0.0, atr)
        else:
            self.draft.event(EntryKind.INSERTED, self.reader, 0.0, atr)


def _seen(line: str) -> str:
    """The bytes of a line of a dump: as many as there are letters for; with some blacked out, all that look like it."""
    head = re.match(rf"(?:{BYTE} ){{1,{_BYTES_A_LINE}}}", f"{line} ")
    if head is None:
        return ""
    words = head[0].split()
    for count in range(len(words), 0, -1):
        try:
            letters = "".join(_letter(int(word, 16)) for word in words[:count])
        except ValueError:
            continue
        if line[3 * count :].strip() == letters.strip():
            return " ".join(words[:count])
    return " ".join(words)


def _letter(byte: int) -> str:
    return chr(byte) if 0x20 <= byte < 0x7F else "."


def parse(text: str) -> Draft:
    return _Parser(numbered(text)).run()
