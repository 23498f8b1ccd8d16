"""A log as conversations: what was asked, in whatever form, and the whole answer, however it was fetched.

A host may send a long command in one extended APDU or as a chain, and get a long answer at once or by GET RESPONSE
(61xx), with the right Le or after 6Cxx told it. Which of these, is a matter of host and reader; what was asked and
answered is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vsc.masking.command import MaskedCommand
from vsc.replay.ask import GET_RESPONSE, Ask, is_success, sw_of
from vsc.replay.state import State
from vsc.trace.entry import Entry, EntryKind

MORE, OTHER_LE = 0x61, 0x6C


@dataclass(frozen=True, slots=True)
class Conversation:
    """A command and its answer.

    start, end: the APDUs of the log that it was, `end` left out; place: the one that was answered, the last of a chain.
    raw: that APDU's command; first: its answer as it was, perhaps with 61xx. data, sw: the whole answer. state: what
    the card's was before.
    """

    start: int
    place: int
    end: int
    ask: Ask
    raw: MaskedCommand
    state: State
    first: bytes
    data: bytes
    sw: int


class States:
    """The state of each logical channel, as commands and their answers go by."""

    def __init__(self) -> None:
        self._states: dict[int, State] = {}

    def of(self, ask: Ask) -> State:
        return self._states.get(ask.channel, State())

    def see(self, ask: Ask, sw: int) -> None:
        self._states[ask.channel] = self.of(ask).after(ask, sw)

    def reset(self) -> None:
        self._states.clear()


def conversations(entries: Sequence[Entry]) -> list[Conversation]:
    """Those of a log of one card."""
    found: list[Conversation] = []
    states, parts, start = States(), None, 0
    all_apdus = [entry for entry in entries if entry.kind is EntryKind.APDU]
    place, end = -1, 0
    for entry in entries:
        if entry.kind is not EntryKind.APDU:
            states.reset()
            parts = None
            continue
        place += 1
        if place < end:
            continue  # A GET RESPONSE of the one before.
        piece = Ask.of(entry.command)
        start = place if parts is None else start
        if piece.is_part and is_success(sw_of(entry.response)):
            parts = piece.after(parts)
            continue
        ask, parts = piece.after(parts), None
        data, sw, end = _fetched(all_apdus, place, piece.channel)
        state = states.of(ask)
        found.append(Conversation(start, place, end, ask, entry.command, state, entry.response, data, sw))
        states.see(ask, sw)
    return found


def _fetched(apdus: Sequence[Entry], place: int, channel: int) -> tuple[bytes, int, int]:
    """The whole answer to the command at that place, its status word, and the place after it."""
    response = apdus[place].response
    data, sw = response[:-2], sw_of(response)
    end = place + 1
    while sw >> 8 == MORE and end < len(apdus):
        ask = Ask.of(apdus[end].command)
        if ask.header.ins != GET_RESPONSE or ask.channel != channel:
            break
        response = apdus[end].response
        end += 1
        if sw_of(response) >> 8 != OTHER_LE:
            data, sw = data + response[:-2], sw_of(response)
    return data, sw, end
