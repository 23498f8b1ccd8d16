"""Logs of pcscd: what `pcscd --apdu --foreground --debug` says, or what it left in the system's log.

    00000003 APDU: 00 A4 04 00 07 62 76 01 FF 00 00 00
    00000512 SW: 6A 82

The numbers are microseconds since the line before. With `--debug` pcscd says which client talks to which reader, so
that the APDUs of several readers can be told apart, and the ATRs; with `--apdu` alone it says neither.
"""

import re
from dataclasses import dataclass, field

from vsc.masking.blackout import Dump, dump_of
from vsc.replay.log import ATR_BYTES, Draft, LogError, hex_of, numbered
from vsc.trace.entry import EntryKind

NAME = "log of pcscd --apdu"

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LINE = re.compile(
    r"^(?:(?P<clock>\d{8})|.*?\bpcscd\[\d+\]:(?: (?P<more>\d{8}))?) (?:\[(?P<thread>\d+)\] )?(?P<words>.*)$", re.ASCII
)
_OURS = re.compile(r"^(?:APDU: |SW: |Card ATR: |[\w./-]+:\d+:\w+\(\) )")
_CLIENT = re.compile(r"Received command: \w+ from client (\d+)$")
_AUTHORIZED = re.compile(r"Authorized client for '(.*)'$")
_INSERTED = re.compile(r"Card inserted into (.*)$")
_REMOVED = re.compile(r"Card Removed From (.*)$", re.IGNORECASE)
_RESET = re.compile(
    r"SCardReconnect\(\) Reset complete|SCardReconnect\(\) powerState: POWER_STATE_POWERED"
    r"|SCard(?:Connect|Reconnect)\(\) power up complete|SCardDisconnect\(\) dwDisposition: [12]$"
)
_FAILED = re.compile(r"TRANSMIT for client \d+, rv=(?!SCARD_S_SUCCESS)")


def recognises(text: str) -> bool:
    matches = (_LINE.match(line) for line in _plain(text))
    return any(match and _OURS.match(match["words"]) for match in matches)


def _plain(text: str) -> list[str]:
    return numbered(_COLOUR.sub("", text))


@dataclass(slots=True)
class _Client:
    """A program that is connected: its reader, and its command that waits for its answer."""

    reader: str = ""
    waiting: int | None = None


@dataclass(slots=True)
class _Parser:
    lines: list[str]
    is_whole: bool
    draft: Draft = field(default_factory=Draft)
    clients: dict[str, _Client] = field(default_factory=dict)
    client: _Client = field(default_factory=_Client)
    place: str = ""
    """The reader that the ATR of the next line belongs to."""
    microseconds: int = 0

    @property
    def seconds(self) -> float:
        return self.microseconds / 1_000_000

    def run(self) -> Draft:
        for number, line in enumerate(self.lines, 1):
            match = _LINE.match(line)
            if match is None:
                continue
            self.microseconds += int(match["clock"] or match["more"] or 0)
            words = match["words"]
            if words.startswith(("APDU: ", "SW: ")):
                kind, _, dump = words.partition(": ")
                data = dump_of(dump)
                if number == len(self.lines) and not self.is_whole:
                    self.draft.warnings.append(f"line {number}: the log ends in the middle of an APDU: left out")
                    break
                if data is None or (kind == "APDU" and not data.raw):
                    raise LogError(f"line {number}: here should be the bytes of an APDU, in hexadecimal")
                self.command(data) if kind == "APDU" else self.answer(data, number)
            else:
                self.message(words)
        waiting = [one.waiting for one in self._all() if one.waiting is not None]
        self.draft.unanswered(waiting)
        return self.draft

    def command(self, command: Dump) -> None:
        self.client.waiting = self.draft.command(self.client.reader, command, self.seconds)

    def answer(self, response: Dump, number: int) -> None:
        """Of no bytes where the card went silent: pcscd writes `SW: ` all the same."""
        # While the card computed another client may have said something.
        one = self.client if self.client.waiting is not None else self._only_waiting()
        if one is None or one.waiting is None:
            self.draft.warnings.append(f"line {number}: an answer whose command is not in the log: left out")
            return
        self.draft.answer(one.waiting, response, self.seconds)
        one.waiting = None

    def message(self, words: str) -> None:
        if match := _CLIENT.search(words):
            self.client = self.clients.setdefault(match[1], _Client())
            self.place = self.client.reader
        elif match := _AUTHORIZED.search(words):
            self.client.reader = self.place = match[1]
        elif match := _INSERTED.search(words):
            self.place = match[1]
            self.draft.event(EntryKind.INSERTED, match[1], self.seconds)
        elif match := _REMOVED.search(words):
            self.draft.event(EntryKind.EJECTED, match[1], self.seconds)
        elif words.startswith("Card ATR: "):
            self.atr(hex_of(words.partition(": ")[2]))
        elif _RESET.search(words):
            self.draft.event(EntryKind.RESET, self.client.reader, self.seconds)
        elif _FAILED.search(words):
            self.client.waiting = None

    def atr(self, atr: bytes | None) -> None:
        """It follows what made the card say it: an insertion, or a reset."""
        if atr is None or len(atr) not in ATR_BYTES:
            return
        last = self.draft.entries[-1] if self.draft.entries else None
        if last is not None and last.kind is not EntryKind.APDU and last.reader == self.place and not last.atr:
            del self.draft.entries[-1]
            self.draft.event(last.kind, last.reader, last.seconds, atr)
        else:
            self.draft.event(EntryKind.RESET, self.place, self.seconds, atr)

    def _all(self) -> list[_Client]:
        return list({id(one): one for one in (self.client, *self.clients.values())}.values())

    def _only_waiting(self) -> _Client | None:
        waiting = [one for one in self._all() if one.waiting is not None]
        return min(waiting, key=lambda one: one.waiting or 0) if waiting else None


def parse(text: str) -> Draft:
    return _Parser(_plain(text), text.endswith("\n")).run()
