"""Faults as lines of English: what is written can be read, and nothing that is typed raises anything else."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsc.faults import Effect, Fault, FaultError, FaultSyntaxError, inject
from vsc.faults.command import application_names, names, spelt
from vsc.faults.strategies import faults
from vsc.reader import Reader, ReaderError
from vsc.testing import SoftCard

KEYWORDS = [
    *{word for effect in Effect for word in effect.value.split()},
    *("on", "before", "after", "between", "and", "in", "nth", "every", "optional", "back", "reset", "any", "INS", "20"),
    *("6F00", "3B00", "DEADBEEF9000", "2s", "0", "1", "5", "'", '"', ":", *map(spelt, names()), *application_names()),
]
COMMANDS = [
    bytes.fromhex("00A4040009A00000039742544659"),
    bytes.fromhex("0020008008") + b"12345678",
    bytes.fromhex("0020008008") + b"87654321",
    bytes.fromhex("00CB3FFF045C027F71"),
    bytes.fromhex("00A40000023F00"),
]


@given(fault=faults())
def test_what_is_written_can_be_read(fault: Fault) -> None:
    assert Fault.parse(str(fault)) == fault
    assert str(Fault.parse(str(fault).lower())) == str(fault)


@given(words=st.lists(st.sampled_from(KEYWORDS) | st.text(max_size=6), max_size=9))
def test_any_text_is_a_fault_or_an_error_with_its_place(words: list[str]) -> None:
    text = " ".join(words)
    fault, column = None, 1
    try:
        fault = Fault.parse(text)
    except FaultSyntaxError as error:
        column = error.column
    assert 1 <= column <= len(text) + 1
    assert fault is None or Fault.parse(str(fault)) == fault


@given(wanted=st.lists(faults(max_delay_ms=1), max_size=4), sent=st.lists(st.sampled_from(COMMANDS), max_size=8))
def test_whatever_strikes_a_host_gets_an_answer_or_an_error_of_the_reader(
    wanted: list[Fault], sent: list[bytes]
) -> None:
    reader, card = Reader(), SoftCard.make(seed=1)
    reader.insert(card)
    plan = inject(reader, *wanted, wait=lambda seconds: None)
    for command in sent:
        with suppress(ReaderError):
            assert len(reader.transmit(command)) >= 2
        if reader.card is None:
            reader.insert(card if card is not reader.card else SoftCard.make())
    struck, unfired = plan.fired, plan.unfired
    assert {str(one) for one in struck} | {str(one) for one in unfired} <= {str(one) for one in wanted}
    plan.clear()
    reader.reset()
    assert reader.transmit(COMMANDS[0])[-2:] == b"\x90\x00"


@given(fault=faults(effects=[effect for effect in Effect if effect.is_tear]))
def test_a_card_without_commits_and_a_fault_that_tears_them_do_not_meet(fault: Fault) -> None:
    reader = Reader()
    inject(reader, fault)
    with pytest.raises(FaultError, match="has no commits of ours"):
        reader.insert(Bare())
    assert reader.card is None


class Bare:
    """A card with nothing inside."""

    atr = b"\x3b\x00"

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        """Nothing to forget."""

    def reset(self) -> bytes:
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        return b"\x90\x00"
