"""The command table, tested from itself: what a row does not name is refused, in the order INS, P1-P2, Nc, access."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from card_os.apdu import CommandApdu
from card_os.apps.gids.commands import COMMANDS
from card_os.apps.gids.state import LifeCycle
from card_os.apps.gids.wire import Ins
from card_os.command import Command
from card_os.kernel import KernelIns
from card_os.words import objects
from tests.unit.card_os.apps.gids.gids_card import GidsCard, blank_card, ready_card, ready_state
from tests.unit.each import each

ROWS = sorted(COMMANDS.items())
NAMES = [row.name for _, row in ROWS]
ALL_P1P2 = range(0x10000)
LENGTHS = (*range(257), 1000)


def accepted_p1p2(row: Command) -> list[int]:
    return [value for value in ALL_P1P2 if value in row.p1p2]


def p1p2_outside(ins: int, row: Command) -> list[int]:
    """The neighbours of what the row accepts: one bit or one step away, and the corners."""
    accepted = accepted_p1p2(row)
    some = {*accepted[:8], *accepted[-8:], *accepted[:: max(1, len(accepted) // 16)]}
    near = {value ^ 1 << bit for value in some for bit in range(16)} | {value + 1 for value in some}
    near |= {0, 0x0100, 0x0001, 0x8000, 0xFFFF}
    # SELECT by name belongs to the kernel.
    kernel = range(0x0400, 0x0500) if ins == Ins.SELECT else range(0)
    return sorted(value for value in near & set(ALL_P1P2) if value not in row.p1p2 and value not in kernel)


def bytes_of(ins: int, p1p2: int, data: bytes = b"", cla: int = 0) -> bytes:
    return bytes(CommandApdu(cla, ins, p1p2 >> 8, p1p2 & 0xFF, data, extended=len(data) > 255))


def shortest(row: Command) -> bytes:
    return bytes(next(size for size in range(10) if size in row.nc))


def cards() -> Iterator[GidsCard]:
    """The card before, in and after its life, and with everything proved."""
    for life_cycle in LifeCycle:
        yield GidsCard(replace(ready_state(), life_cycle=life_cycle))
    card = ready_card()
    card.prove("both")
    yield card


@pytest.mark.parametrize(("ins", "row"), ROWS, ids=NAMES)
def test_p1p2_outside_the_row_is_6a86(ins: int, row: Command) -> None:
    outside = p1p2_outside(ins, row)
    assert outside
    for card in cards():
        before = card.card.persistent
        for p1p2 in outside:
            assert card.card.transmit(bytes_of(ins, p1p2, shortest(row))) == b"\x6a\x86", f"{p1p2:04X}"
            assert card.card.transmit(bytes_of(ins, p1p2, bytes(9))) == b"\x6a\x86", "P1-P2 comes before Nc"
        assert card.card.persistent == before


@pytest.mark.parametrize(("ins", "row"), ROWS, ids=NAMES)
def test_nc_outside_the_row_is_6700(ins: int, row: Command) -> None:
    p1p2 = accepted_p1p2(row)[0]
    outside = [size for size in LENGTHS if size not in row.nc]
    assert outside or ins == Ins.VERIFY
    for card in cards():
        before = card.card.persistent
        for size in outside:
            assert card.card.transmit(bytes_of(ins, p1p2, bytes(size))) == b"\x67\x00", size
        assert card.card.persistent == before


def test_instructions_outside_the_table_are_6d00() -> None:
    known = {*COMMANDS, *KernelIns}
    assert len(known) == len(COMMANDS) + 2, "SELECT is both the kernel's and ours"
    for card in (ready_card(), blank_card()):
        for ins in range(256):
            for cla in (0x00, 0x10):
                answer = card.card.transmit(bytes_of(ins, 0, b"", cla))
                assert (answer == b"\x6d\x00") == (ins not in known), f"{cla:02X} {ins:02X}"


@pytest.mark.parametrize(("ins", "row"), ROWS, ids=NAMES)
def test_only_rows_that_say_so_can_be_chained(ins: int, row: Command) -> None:
    p1p2, data = accepted_p1p2(row)[0], shortest(row)
    card = ready_card()
    answer = card.card.transmit(bytes_of(ins, p1p2, data, cla=0x10))
    assert answer == (b"\x90\x00" if row.chaining else b"\x68\x84")


@pytest.mark.parametrize("ins", [KernelIns.GET_RESPONSE, KernelIns.MANAGE_CHANNEL])
def test_the_kernels_commands_cannot_be_chained(ins: int) -> None:
    assert ready_card().send(f"10{ins:02X}000000") == "6884"


def test_the_rows_that_can_be_chained_are_those_of_the_specification() -> None:
    assert {row.name for row in COMMANDS.values() if row.chaining} == {
        "PUT DATA",
        "VERIFY",
        "GENERAL AUTHENTICATE",
        "PERFORM SECURITY OPERATION",
    }


@pytest.mark.parametrize(("ins", "row"), ROWS, ids=NAMES)
def test_every_row_names_itself_and_its_section(ins: int, row: Command) -> None:
    assert row.name == Ins(ins).name.replace("_", " ")
    assert row.spec.startswith("GIDS 2.0, 12.")
    assert row.access.words


def test_every_instruction_has_a_row() -> None:
    assert set(COMMANDS) == set(Ins)


@pytest.mark.parametrize(("ins", "row"), ROWS, ids=NAMES)
def test_samples_get_past_the_checks_of_their_row(ins: int, row: Command) -> None:
    assert row.samples or list(range(9)) != [size for size in range(9) if size in row.nc]
    for p1p2, data in row.samples:
        assert p1p2 in row.p1p2
        if row.is_tlv:
            assert objects(data), data.hex()
    assert any(len(data) in row.nc for _, data in row.samples) == bool(row.samples)


@pytest.mark.parametrize(("ins", "row"), ROWS, ids=NAMES)
def test_what_presents_a_secret_or_brings_one_hides_it(ins: int, row: Command) -> None:
    """But for the answer to a challenge, which is good once, and shows nothing of the key."""
    hidden = {p1p2 for p1p2 in ALL_P1P2 if p1p2 in row.hides}
    assert hidden == {
        Ins.VERIFY: {*ALL_P1P2},
        Ins.CHANGE_REFERENCE_DATA: {*ALL_P1P2},
        Ins.RESET_RETRY_COUNTER: {*ALL_P1P2},
        Ins.PUT_DATA: {0x3FFF, *range(0xB080, 0xB100)},
    }.get(Ins(ins), set())


def test_rows_that_change_what_the_card_keeps_say_so() -> None:
    """Those that do not are found by sending their samples to a card that is free to all."""
    for life_cycle in (LifeCycle.INITIALISATION, LifeCycle.OPERATIONAL):
        for ins, row in ROWS:
            for p1p2, data in row.samples:
                card = GidsCard(replace(ready_state(), life_cycle=life_cycle))
                if life_cycle == LifeCycle.OPERATIONAL:
                    card.prove("both")
                before = card.card.persistent
                card.card.transmit(bytes_of(ins, p1p2, data))
                assert row.changes or card.card.persistent == before, row.name


# Which commands get past the gate of the life cycle (gids.md 4), by first letters of the states.
GATES = {
    "VERIFY": "IO",
    "MANAGE SECURITY ENVIRONMENT": "O",
    "CHANGE REFERENCE DATA": "IO",
    "PERFORM SECURITY OPERATION": "O",
    "RESET RETRY COUNTER": "O",
    "ACTIVATE FILE": "IO",
    "GENERATE ASYMMETRIC KEY PAIR": "IO",
    "GENERAL AUTHENTICATE": "O",
    "INTERNAL AUTHENTICATE": "O",
    "SELECT": "CIOT",
    "GET DATA": "IOT",
    "PUT DATA": "CIO",
    "CREATE FILE": "IO",
    "DELETE FILE": "O",
    "TERMINATE DF": "O",
}


def test_the_gate_of_the_life_cycle() -> None:
    for ins, row in each(ROWS):
        for life_cycle in each(LifeCycle):
            card = GidsCard(replace(ready_state(), life_cycle=life_cycle))
            outcome = card.card.exchange(bytes_of(ins, accepted_p1p2(row)[0], shortest(row)))
            if life_cycle.name[0] in GATES[row.name]:
                assert outcome.reason is None or "terminated" not in outcome.reason.rule
                return
            assert outcome.response.sw == (0x6985 if life_cycle == LifeCycle.TERMINATED else 0x6986)
            assert outcome.reason is not None
            assert life_cycle.name.lower() in outcome.reason.rule
