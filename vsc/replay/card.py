"""A card that answers from a log."""

from dataclasses import dataclass
from typing import get_args

from vpcd_bridge.port import PoweredCard
from vsc.masking.mask import mask
from vsc.profiles import PROFILES, Profile
from vsc.reader import NotTransactedError
from vsc.replay import opensc
from vsc.replay.ask import Ask, is_success, sw_of
from vsc.replay.learnt import Learnt
from vsc.replay.log import ATR_BYTES, Log, LogError
from vsc.replay.memory import ByCommand, InOrder, Memory, Mode, apdus
from vsc.replay.report import Report, report

_SELECT, _BY_NAME = 0xA4, 0x04
_NO_PRECISE_DIAGNOSIS = b"\x6f\x00"
"""What no card in health answers: hosts take a 6A82 or 6D00 in their stride, and go on with what they have not got."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a command. reason: why it was not answered from the log; None if it was."""

    reason: str | None = None


class ReplayCard:
    """A `PoweredCard` made of a log.

    mode: "strict": commands in the log's order, and no others; "command": each command, whenever it comes, gets what
    it got, each use moves on to its next recorded answer and the last one repeats; "learnt": likewise, but by what is
    asked for, in whatever form, and by what was selected and proven before. Commands are compared masked: any PIN of
    the same length is the one of the log.
    atr: what it answers to reset; None: what the log tells, or the one of the profile whose application the log
    selects. LogError if there is none, and for a log without APDUs; ValueError for an unknown mode, or for an ATR that
    has not 2 to 33 bytes.
    prover: mode "learnt" only: a card with the key that the card of the log had; it answers challenges, so that hosts
    that check such answers are content.

    A command that the log has no answer to gets 6F00; `report` tells of the first such.
    """

    def __init__(
        self, log: Log, mode: Mode = "strict", *, atr: bytes | None = None, prover: PoweredCard | None = None
    ) -> None:
        if mode not in get_args(Mode):
            raise ValueError(f"there is no mode {mode!r}; there are: {', '.join(get_args(Mode))}")
        if prover is not None and mode != "learnt":
            raise ValueError('a prover answers only in mode "learnt"')
        if len(log.readers) > 1:
            raise LogError(f"the log has APDUs of {len(log.readers)} readers: take those of one, log.of(name)")
        self._entries = log.entries
        self._apdus = apdus(log.entries)
        if not self._apdus:
            raise LogError("there is no APDU in the log, so there is no answer that a card could give")
        self._memory = _memory(log, mode, prover)
        self.mode = mode
        self.atr = atr or log.atr or _atr_of_profile(log)
        if len(self.atr) not in ATR_BYTES:
            raise ValueError("an ATR has 2 to 33 bytes")
        self.report: Report | None = None
        self.unknown_commands = 0
        """How many commands the log had no answer to."""
        self.last_outcome: Replayed | None = None

    def __repr__(self) -> str:
        return f"<ReplayCard {self.mode}, {self.position} of {len(self._apdus)} APDUs>"

    @property
    def position(self) -> int:
        """The number of the APDU that is next in the log, from 0."""
        return self._memory.position

    @property
    def unused(self) -> int:
        """How many APDUs of the log have not been asked for."""
        return self._memory.unused

    # --- a PoweredCard

    def power_on(self) -> bytes:
        return self.reset()

    def power_off(self) -> None:
        self.reset()

    def reset(self) -> bytes:
        self._memory.reset()
        self.last_outcome = None
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        """The log's answer. NotTransactedError where the card of the log gave none."""
        position = self.position
        response = self._memory.answer(command)
        self.last_outcome = Replayed(self._memory.guess or None)
        if response is None:
            return self._unknown(command, position)
        if not sw_of(response):
            self.last_outcome = Replayed("the card of the log gave no answer to this")
            raise NotTransactedError("the card of the log gave no answer to this")
        return response

    def _unknown(self, command: bytes, position: int) -> bytes:
        self.unknown_commands += 1
        if self.report is None:
            self.report = report(self._entries, position, mask(command))
        self.last_outcome = Replayed("the log has no answer to this")
        return _NO_PRECISE_DIAGNOSIS


def _memory(log: Log, mode: Mode, prover: PoweredCard | None) -> Memory:
    match mode:
        case "strict":
            return InOrder(log.entries)
        case "command":
            return ByCommand(log.entries)
        case "learnt":
            # OpenSC leaves PINs out, and all of their commands, unless OPENSC_DEBUG is more than 7.
            return Learnt(log.entries, prover, lacks_pins=log.format == opensc.NAME)


def profile_of(log: Log) -> Profile | None:
    """The profile that has the application which the log selects by its name; None if there is none."""
    for entry in apdus(log.entries):
        ask = Ask.of(entry.command)
        if (ask.header.ins, ask.header.p1) != (_SELECT, _BY_NAME) or not is_success(sw_of(entry.response)):
            continue
        for profile in PROFILES.values():
            for application in profile.applications:
                if ask.data and (application.is_named(ask.data) or ask.data.startswith(application.aid)):
                    return profile
    return None


def _atr_of_profile(log: Log) -> bytes:
    profile = profile_of(log)
    if profile is None:
        raise LogError("the log does not tell the card's ATR: say which it has (--atr, atr=)")
    return bytes(profile.atr)
