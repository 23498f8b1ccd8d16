"""Readers beside a model of them: any order of insertions, ejections, swaps, resets and commands, on two readers."""

from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.unit.vsc.test_reader import FakeCard
from vsc.reader import CardRemovedError, EventKind, Reader, ReaderBusyError, ReaderError, ReaderEvent

readers = st.sampled_from([0, 1])
cards = st.sampled_from([0, 1, 2])


class Slot:
    """What a reader is, on a few lines."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.card: int | None = None
        self.is_powered = False
        self.insertions = 0
        self.resets = 0
        self.log: list[ReaderEvent] = []

    def record(self, kind: EventKind) -> None:
        self.log.append(ReaderEvent(len(self.log) + 1, self.name, kind, self.insertions))

    def put(self, card: int) -> None:
        self.card, self.is_powered, self.resets = card, False, 0
        self.insertions += 1
        self.record(EventKind.INSERTED)

    def take(self) -> int | None:
        card, self.card, self.is_powered, self.resets = self.card, None, False, 0
        self.record(EventKind.EJECTED)
        return card

    def power(self) -> None:
        if not self.is_powered:
            self.is_powered = True
            self.record(EventKind.POWERED_ON)


class ReaderMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.readers = [Reader("left"), Reader("right")]
        self.slots = [Slot("left"), Slot("right")]
        self.cards = [FakeCard(bytes([0x3B, 0x01, number])) for number in range(3)]
        self.heard: list[list[ReaderEvent]] = [[], []]
        for reader, heard in zip(self.readers, self.heard, strict=True):
            reader.subscribe(heard.append)

    def refusal(self, at: int, card: int) -> type[ReaderError] | None:
        """Why a card cannot go into a reader that has room."""
        return ReaderError if self.slots[1 - at].card == card else None

    @rule(at=readers, card=cards)
    def insert(self, at: int, card: int) -> None:
        refusal = ReaderBusyError if self.slots[at].card is not None else self.refusal(at, card)
        if refusal:
            self.is_refused(refusal, lambda: self.readers[at].insert(self.cards[card]))
        else:
            self.readers[at].insert(self.cards[card])
            self.slots[at].put(card)

    @rule(at=readers)
    def eject(self, at: int) -> None:
        if self.slots[at].card is None:
            self.is_refused(CardRemovedError, self.readers[at].eject)
        else:
            card = self.slots[at].take()
            assert card is not None
            assert self.readers[at].eject() is self.cards[card]
            assert self.cards[card].calls[-1] == "off"

    @rule(at=readers, card=cards)
    def swap(self, at: int, card: int) -> None:
        before = self.slots[at].card
        refusal = CardRemovedError if before is None else self.refusal(at, card)
        if refusal or before is None:
            self.is_refused(refusal, lambda: self.readers[at].swap(self.cards[card]))
        else:
            assert self.readers[at].swap(self.cards[card]) is self.cards[before]
            self.slots[at].take()
            self.slots[at].put(card)

    @rule(at=readers, warm=st.booleans())
    def reset(self, at: int, warm: bool) -> None:
        slot = self.slots[at]
        if slot.card is None:
            self.is_refused(CardRemovedError, self.readers[at].reset)
            return
        assert self.readers[at].reset(warm=warm) == self.cards[slot.card].atr
        if slot.is_powered:
            slot.resets += 1
            slot.record(EventKind.WARM_RESET if warm else EventKind.COLD_RESET)
        slot.power()

    @rule(at=readers)
    def power_on(self, at: int) -> None:
        slot = self.slots[at]
        if slot.card is None:
            self.is_refused(CardRemovedError, self.readers[at].power_on)
            return
        assert self.readers[at].power_on() == self.cards[slot.card].atr
        if slot.is_powered:
            slot.resets += 1
            slot.record(EventKind.WARM_RESET)
        slot.power()

    @rule(at=readers)
    def power_off(self, at: int) -> None:
        self.readers[at].power_off()
        slot = self.slots[at]
        if slot.is_powered:
            slot.is_powered = False
            slot.resets += 1
            slot.record(EventKind.POWERED_OFF)

    @rule(at=readers, command=st.binary(max_size=8), back=st.sampled_from([None, 0, 1]))
    def transmit(self, at: int, command: bytes, back: int | None) -> None:
        """back: how many insertions ago the handle was made; None for no handle."""
        slot = self.slots[at]
        insertion = None if back is None else slot.insertions - back
        if slot.card is None or back == 1:
            self.is_refused(CardRemovedError, lambda: self.readers[at].transmit(command, insertion=insertion))
        else:
            assert self.readers[at].transmit(command, insertion=insertion) == command + b"\x90\x00"
            assert self.cards[slot.card].calls[-1] == command.hex()
            slot.power()

    def is_refused(self, refusal: type[ReaderError] | None, use: Callable[[], object]) -> None:
        assert refusal is not None
        with pytest.raises(ReaderError) as caught:
            use()
        assert caught.type is refusal

    @invariant()
    def agree(self) -> None:
        for reader, slot, heard in zip(self.readers, self.slots, self.heard, strict=True):
            card = None if slot.card is None else self.cards[slot.card]
            assert reader.card is card
            assert reader.atr == (card.atr if card else None)
            assert reader.is_powered == slot.is_powered
            assert reader.insertions == slot.insertions
            assert reader.resets == slot.resets
            assert list(reader.events) == slot.log == heard
            assert [event.number for event in heard] == list(range(1, len(heard) + 1))


TestReaders = ReaderMachine.TestCase
