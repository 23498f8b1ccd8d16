"""Answers as the card would: by what is asked for, not by its form, and by what was selected and proven before.

Where the log has what is asked for in several states, the answer of the very state that we are in counts; else one of
another, but never one that a PIN or key was needed for while none has been shown: that gets 6982. What is different
each time (a PIN, which no log holds; challenges and responses) is known by its header and length.

A host that has the card prove that it knows a key, too (mutual authentication), finds a log out: what was answered then
fits no other challenge. A *prover*, a card with that key, answers such commands in the log's place.
"""

from collections.abc import Iterator, Sequence

from card_os.sw import SW
from vpcd_bridge.port import PoweredCard
from vsc.masking.command import MaskedCommand
from vsc.masking.mask import mask
from vsc.replay.ask import GET_RESPONSE, Ask, Header, is_success, sw_of
from vsc.replay.conversation import MORE, OTHER_LE, Conversation, States, conversations
from vsc.replay.memory import Stretches, Uses, apdus
from vsc.trace.entry import Entry

_VARYING = frozenset({0x82, 0x86, 0x87, 0x88})
"""EXTERNAL, GENERAL (two) and INTERNAL AUTHENTICATE: random bytes go one way or the other."""
_PROVEN_ELSEWHERE = _VARYING | {0x84}
"""With a prover these are its own: GET CHALLENGE, too."""
_SETTING_UP = frozenset({0x22, 0xA4})
"""MANAGE SECURITY ENVIRONMENT and SELECT: the prover must hear of them."""
_FREE = frozenset({0x20, 0x21, 0x22, 0x24, 0x70, 0x84, 0xA4, GET_RESPONSE}) | _VARYING
"""What no card wants a PIN or key for first: proving one, and what leads there."""
_READ_BINARY = frozenset({0xB0, 0xB1})
_VERIFY = 0x20
_MOST_BYTES = 256


class Learnt:
    """A `Memory` of conversations.

    prover: see above. lacks_pins: whoever wrote the log left out the commands with PINs; any PIN is right then.
    """

    def __init__(
        self, entries: Sequence[Entry], prover: PoweredCard | None = None, *, lacks_pins: bool = False
    ) -> None:
        self._prover = prover
        self._lacks_pins = lacks_pins
        self._count = len(apdus(entries))
        self._known = conversations(entries)
        self._by_place = {one.place: one for one in self._known}
        self._by_header: dict[Header, list[Conversation]] = {}
        for one in self._known:
            if not one.ask.is_part:
                self._by_header.setdefault(one.ask.header, []).append(one)
        self._stretches = Stretches(entries)
        self._uses = Uses(self._stretches)
        self._states = States()
        self._parts: Ask | None = None
        self._rest: tuple[bytes, int] | None = None
        """What GET RESPONSE still fetches: the bytes, and the status word after the last of them."""
        self._used: set[int] = set()
        self.position = 0
        self.guess = ""

    @property
    def unused(self) -> int:
        return self._count - len(self._used)

    def reset(self) -> None:
        self._stretches.reset()
        self._uses.forget()
        self._states.reset()
        self._parts = self._rest = None
        if self._prover is not None:
            self._prover.reset()

    def answer(self, command: bytes) -> bytes | None:
        self._stretches.ask()
        self.guess = ""
        masked = mask(command)
        piece = Ask.of(masked)
        if piece.header.ins == GET_RESPONSE and self._rest is not None:
            return self._deliver(piece, *self._rest)
        self._rest = None
        if piece.is_part:
            return self._take_part(piece, masked)
        ask, self._parts = piece.after(self._parts), None
        found = self._find(ask, masked)
        if (proof := self._prove(ask, command)) is not None:
            if found is not None:
                self._use(found)
            return proof
        if found is None:
            return self._guess(ask)
        if _is_refused_now(found, self._states.of(ask).proven):
            self.guess = "in the log this comes only after a PIN or key was right"
            return SW.SECURITY_STATUS_NOT_SATISFIED.to_bytes(2, "big")
        # As the log has it: what is blacked out in it is blacked out in its states, too.
        self._states.see(found.ask if found.ask.unknown else ask, found.sw)
        self._use(found)
        if found.raw.matches(masked):
            self._rest = (found.data[len(found.first) - 2 :], found.sw) if sw_of(found.first) >> 8 == MORE else None
            return found.first
        return self._deliver(piece, found.data, found.sw)

    def _use(self, found: Conversation) -> None:
        self._used.update(range(found.start, found.end))
        self.position = found.end

    def _prove(self, ask: Ask, command: bytes) -> bytes | None:
        """What the prover says to a challenge or a response; None to all else."""
        if self._prover is None or ask.header.ins not in _PROVEN_ELSEWHERE | _SETTING_UP:
            return None
        response = self._prover.transmit(command)
        if ask.header.ins in _SETTING_UP:
            return None
        self.guess = "answered with the key, not from the log"
        self._states.see(ask, sw_of(response))
        return response

    def _take_part(self, piece: Ask, masked: MaskedCommand) -> bytes:
        """One piece of a chain: taken, unless the log has a refusal for just this one."""
        refusals = [one.place for one in self._known if one.raw.matches(masked) and one.ask.is_part]
        if refusals:
            self._parts = None
            return self._by_place[self._uses.next_of(refusals)].first
        self._parts = piece.after(self._parts)
        return SW.OK.to_bytes(2, "big")

    def _deliver(self, asked: Ask, data: bytes, sw: int) -> bytes:
        """As much of an answer as the host takes at once."""
        most = asked.max_answer_bytes
        if len(data) <= most:
            self._rest = None
            return data + sw.to_bytes(2, "big")
        if asked.header.ins in _READ_BINARY:
            return data[:most] + SW.OK.to_bytes(2, "big")  # Le is how much of the file to read.
        self._rest = (data[most:], sw)
        left = len(data) - most
        return data[:most] + bytes((MORE, left if left < _MOST_BYTES else 0))

    def _find(self, ask: Ask, masked: MaskedCommand) -> Conversation | None:
        for tier in self._tiers(ask, masked):
            if tier:
                return self._by_place[self._uses.next_of([one.place for one in tier])]
        return None

    def _tiers(self, ask: Ask, masked: MaskedCommand) -> Iterator[list[Conversation]]:
        """The conversations to choose from, best first."""
        state = self._states.of(ask)
        same_header = self._by_header.get(ask.header, [])
        same_raw = [one for one in same_header if one.raw.matches(masked) and one.ask.matches(ask)]
        # 6Cxx is an answer to that one Le.
        same = [one for one in same_header if one.ask.matches(ask) and one.sw >> 8 != OTHER_LE]
        for alike in (same_raw, same):
            yield [one for one in alike if one.state == state]
        if ask.header.ins in _VARYING or ask.hidden_bytes:
            varying = [one for one in same_header if bool(one.ask.data_bytes) == bool(ask.data_bytes)]
            same_length = [one for one in varying if one.ask.data_bytes == ask.data_bytes]
            for alike in (same_length, varying):
                yield [one for one in alike if one.state == state]
        else:
            same_length = varying = []
        for alike in (same_raw, same, same_length, varying):
            allowed = [one for one in alike if not _is_refused_now(one, state.proven)]
            yield [one for one in allowed if one.state.application == state.application]
            yield allowed
        yield same_raw or same

    def _guess(self, ask: Ask) -> bytes | None:
        """What any card says to some commands."""
        ins, _, p2 = ask.header[1:]
        if ins != _VERIFY:
            return None
        if not ask.data_bytes and (_VERIFY, p2) in self._states.of(ask).proven:
            self.guess = "this PIN has been verified"
        elif ask.data_bytes and self._lacks_pins:
            # The state stays as it is: in the log, too, nobody saw what was proven.
            self.guess = "no PIN is in the log: any is right"
        else:
            return None
        return SW.OK.to_bytes(2, "big")


def _is_refused_now(one: Conversation, proven: frozenset[tuple[int, int]]) -> bool:
    """Whether the log has a success that more had been proven for than has been now: then it may have been needed."""
    may_need = is_success(one.sw) and one.ask.header.ins not in _FREE
    return may_need and bool(one.state.proven) and not proven
