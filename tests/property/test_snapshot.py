"""Snapshots, forks and differences over histories of commands: sensible ones, and any bytes between them."""

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from card_os.apps.gids.state import GidsState
from card_os.memory import Persistent
from tests.unit.card_os.apps.gids.gids_card import ADMIN_KEY, create, exchange_crts, key_fcp
from vsc.errors import VscError
from vsc.host import AdminKeyResponder
from vsc.testing import SoftCard, tear_everywhere
from vsc.testing.diff import diff
from vsc.testing.quick import QuickEnv

PINS = ["12345678", "87654321", "24681357"]
NEW_ADMIN_KEY = bytes(range(100, 124))
SECRETS = [pin.encode() for pin in PINS] + [ADMIN_KEY, NEW_ADMIN_KEY]

Step = tuple[str, int]
"""What is done, and a number that says with what."""


def start() -> SoftCard:
    card = SoftCard.make(pin=PINS[0], admin_key=ADMIN_KEY, admin_tries=4, seed="start")
    return SoftCard(card.profile, card.persistent, QuickEnv("history"), pin=PINS[0], admin_key=ADMIN_KEY)


def verify(card: SoftCard, number: int) -> None:
    card.transmit(bytes.fromhex("0020008008") + PINS[number % 3].encode())


def change(card: SoftCard, number: int) -> None:
    card.transmit(bytes.fromhex("0024008010") + (PINS[number % 3] + PINS[number // 3 % 3]).encode())


def reset_pin(card: SoftCard, number: int) -> None:
    key = [ADMIN_KEY, NEW_ADMIN_KEY][number % 2]
    card.gids().reset_pin(new=PINS[number // 2 % 3].encode(), respond=AdminKeyResponder(key))


def change_admin_key(card: SoftCard, number: int) -> None:
    host = card.gids()
    host.authenticate(AdminKeyResponder([ADMIN_KEY, NEW_ADMIN_KEY][number % 2]))
    host.change_admin_key([ADMIN_KEY, NEW_ADMIN_KEY][number // 2 % 2])


def write(card: SoftCard, number: int) -> None:
    value = bytes(number % 50)
    card.transmit(bytes.fromhex(f"00DBA010{len(value) + 3:02X}DF3{number % 4:X}{len(value):02X}") + value)


def make_key(card: SoftCard, number: int) -> None:
    crts = key_fcp(exchange_crts(6, 0x81 + number % 2), 0xB081 + number % 2)
    for command in (create(crts), "00440000", f"0047000008AC0680010683018{1 + number % 2}"):
        card.transmit(bytes.fromhex(command))


def delete(card: SoftCard, number: int) -> None:
    for command in (f"00A4000C02B08{1 + number % 2}", "00E40000"):
        card.transmit(bytes.fromhex(command))


def reset(card: SoftCard, number: int) -> None:
    card.reset()


STEPS = {one.__name__: one for one in (verify, change, reset_pin, change_admin_key, write, make_key, delete, reset)}
HISTORIES = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 60)) | st.binary(max_size=30), max_size=12
)


def play(history: list[Step | bytes], card: SoftCard) -> list[bytes]:
    """Plays a history; returns the card's answers to the bytes in it."""
    answers = []
    for step in history:
        if isinstance(step, bytes):
            answers.append(card.transmit(step))
            continue
        try:
            STEPS[step[0]](card, step[1])
        except VscError as error:
            answers.append(str(error).encode())
    return answers


@given(HISTORIES, HISTORIES)
def test_restoring_leaves_no_difference(first: list[Step | bytes], second: list[Step | bytes]) -> None:
    card = start()
    play(first, card)
    before = card.snapshot()
    play(second, card)
    changed = card.snapshot()
    assert bool(card.diff(before)) == (before != changed)
    card.restore(before)
    assert card.snapshot() == before
    assert not card.diff(before)
    assert not diff(changed, changed)


@given(HISTORIES, HISTORIES)
def test_the_same_commands_make_the_same_card_again(first: list[Step | bytes], second: list[Step | bytes]) -> None:
    """By a second card of the same seed, by a fork, and by going back."""
    card, twin = start(), start()
    assert play(first, card) == play(first, twin)
    card.reset()
    before, fork = card.snapshot(), card.fork()
    answers = play(second, card)
    after = card.snapshot()
    assert play(second, fork) == answers
    assert fork.snapshot() == after
    card.restore(before)
    assert play(second, card) == answers
    assert card.snapshot() == after
    image = [application.encode(after.persistent.state(application.aid)) for application in card.profile.applications]
    twin.reset()
    play(second, twin)
    assert [one.encode(twin.persistent.state(one.aid)) for one in twin.profile.applications] == image


@given(HISTORIES, HISTORIES)
def test_a_fork_and_its_card_leave_each_other_alone(first: list[Step | bytes], second: list[Step | bytes]) -> None:
    card = start()
    play(first, card)
    fork, before = card.fork(), card.snapshot()
    play(second, fork)
    assert card.snapshot() == before


@given(HISTORIES, HISTORIES)
def test_a_difference_shows_no_secret(first: list[Step | bytes], second: list[Step | bytes]) -> None:
    card = start()
    play(first, card)
    before = card.snapshot()
    play(second, card)
    text = str(card.diff(before)).lower() + str(diff(card, before)).lower()
    for secret in [*SECRETS, *private_numbers(card.persistent), *private_numbers(before.persistent)]:
        assert secret.hex() not in text
        assert secret.decode("latin-1").lower() not in text


def private_numbers(persistent: Persistent) -> list[bytes]:
    """The key material of all keys, as their description has it."""
    (state,) = (state for _, state in persistent.applications)
    assert isinstance(state, GidsState)
    found = []
    for file in state.files:
        for number in ("d", "p", "q"):
            if value := getattr(getattr(file, "key", None), number, 0):
                found.append(value.to_bytes((value.bit_length() + 7) // 8, "big")[:16])
    return found


@given(HISTORIES.map(lambda steps: steps[:5]))
def test_no_history_is_torn(history: list[Step | bytes]) -> None:
    """Every power cut of any history leaves the card whole."""
    report = tear_everywhere(partial(play, history), card=start)
    assert report.cuts == 2 * report.commits
