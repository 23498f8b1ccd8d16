"""What a card remembers, as far as its answers tell."""

import pytest

from vsc.masking.mask import mask
from vsc.replay.ask import Ask
from vsc.replay.state import State

GIDS, PIV = "00A4040009A0000003974254465900", "00A4040009A0000003080000100000"
PIN = (0x20, 0x80)


def after(*steps: str) -> State:
    """The state after "COMMAND SW"…"""
    state = State()
    for step in steps:
        command, _, sw = step.rpartition(" ")
        state = state.after(Ask.of(mask(bytes.fromhex(command))), int(sw, 16))
    return state


def test_a_selection_counts_if_it_succeeds() -> None:
    assert after(f"{GIDS} 6A82") == State()
    assert after(f"{GIDS} 9000") == after(f"{PIV} 9000", f"{GIDS} 6112") != after(f"{PIV} 9000")
    # Another P2 or Le is another form of the same.
    assert after(f"{GIDS} 9000") == after("00A4040C09A00000039742544659 9000")


def test_a_file_belongs_to_its_application() -> None:
    state = after(f"{GIDS} 9000", "00A4020C022F00 9000")
    assert (state.application, state.file) == (after(f"{GIDS} 9000").application, after("00A4020C022F00 9000").file)
    assert after(f"{GIDS} 9000", "00A4020C022F00 9000", f"{GIDS} 9000") == after(f"{GIDS} 9000")


def test_the_environment_is_the_last_one_set() -> None:
    set_one, set_two = "0022C1A403830180 9000", "002241B6068001578401 9000"
    assert after(set_one, set_two).environment == after(set_two).environment != after(set_one).environment


@pytest.mark.parametrize(
    ("steps", "proven"),
    [
        (["002000800431323334 9000"], {PIN}),
        (["002000800431323334 63C4"], set()),
        (["002000800431323334 9000", "002000800439393939 63C4"], set()),
        (["002000800431323334 9000", "002000800439393939 6983"], {PIN}),
        (["00200080 63C5"], set()),
        (["002000800431323334 9000", "00200080 9000"], {PIN}),
        (["002000800431323334 9000", "00200082 9000"], set()),  # GIDS: forget what was proven
        (["002000820431323334 9000", "00200082 9000"], {(0x20, 0x82)}),  # OpenPGP: PW1 has been verified
        (["002400800831323334 35363738 9000"], {PIN}),
        (["008200000801020304 05060708 9000"], {(0x82, 0)}),
        (["002000800431323334 9000", f"{PIV} 9000"], set()),
    ],
)
def test_what_is_proven(steps: list[str], proven: set[tuple[int, int]]) -> None:
    assert after(*steps).proven == proven


def test_selecting_the_same_application_again_forgets_nothing() -> None:
    login = "002000800431323334 9000"
    assert after(f"{GIDS} 9000", login, f"{GIDS} 9000").proven == {PIN}
