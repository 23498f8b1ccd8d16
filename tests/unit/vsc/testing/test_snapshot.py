"""Snapshots: what a card keeps, at one moment, and cards that are made of them."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from card_os.application import Application
from card_os.atr import Atr, Interface
from card_os.card import Card
from card_os.memory import Persistent
from tests.unit.vsc.testing.gids_life import imported_key
from vsc.errors import VscError
from vsc.factory import create, powered
from vsc.profiles import Profile
from vsc.reader import Reader
from vsc.store.faulty import Fault, FaultyStore
from vsc.store.image import Image
from vsc.store.memory import MemoryStore
from vsc.testing import SoftCard
from vsc.testing.diff import diff
from vsc.testing.snapshot import Snapshot
from vsc.world import SeededEnv

PIN = b"12345678"
VERIFY = bytes.fromhex("0020008008") + PIN
WRONG = bytes.fromhex("0020008008") + b"00000000"
STATE = bytes.fromhex("00200080")
CHALLENGES = [
    bytes.fromhex(command) for command in ("00A4040009A00000039742544659", "0022C1A403830180", "00870000047C028100")
]


def challenge(card: SoftCard) -> bytes:
    """What a card that was just reset gives as its first random bytes."""
    return [card.transmit(command) for command in CHALLENGES][-1]


def test_a_snapshot_is_a_value() -> None:
    card = SoftCard.make(seed=1)
    first, second = card.snapshot(), card.snapshot()
    assert first == second
    assert hash(first) == hash(second)
    card.transmit(WRONG)
    assert card.snapshot() != first
    assert repr(first) == "<Snapshot of a gids card>"
    assert first.persistent == SoftCard.make(seed=1).persistent


def test_restore_makes_the_card_what_it_was_and_forgets_what_was_verified() -> None:
    card = SoftCard.make()
    before = card.snapshot()
    card.transmit(VERIFY)
    card.gids().verify_pin(PIN)
    card.gids().change_pin(old=PIN, new=b"87654321")
    card.transmit(WRONG)
    card.restore(before)
    assert card.snapshot() == before
    assert not card.diff(before)
    assert card.transmit(STATE).hex() == "63c5"
    assert card.transmit(VERIFY).hex() == "9000"


def test_restore_resets_also_when_nothing_has_changed() -> None:
    card = SoftCard.make()
    before = card.snapshot()
    card.transmit(VERIFY)
    card.restore(before)
    assert card.transmit(STATE).hex() == "63c5"
    assert card.last_outcome is not None
    card.restore(before)
    assert card.last_outcome is None


def test_a_restored_seeded_card_repeats_itself() -> None:
    card = SoftCard.make(seed=2)
    before = card.snapshot()
    first = challenge(card)
    assert challenge(card) != first
    for _ in range(2):
        card.restore(before)
        assert challenge(card) == first


def test_a_card_can_become_another_one_of_its_kind() -> None:
    one = SoftCard.make(pin="12345678", seed=3)
    other = SoftCard.make(pin="87654321", puk="12341234", seed=4)
    one.restore(other.snapshot())
    assert (one.pin, one.puk) == ("87654321", "12341234")
    assert one.snapshot() == other.snapshot()
    assert challenge(one) == challenge(other)


class Other(Application[bytes, None]):
    aid = bytes.fromhex("F0010203040506")
    name = "other"
    commands = {}  # noqa: RUF012


def other_profile() -> Profile:
    return Profile("other", "another card", Atr((Interface(),)), (Other(),))


def test_a_card_of_another_profile_is_refused() -> None:
    profile = other_profile()
    other = SoftCard(profile, profile.persistent(b""), SeededEnv(1))
    card = SoftCard.make()
    before = card.snapshot()
    with pytest.raises(VscError, match="a card of profile gids cannot become one of profile other"):
        card.restore(other.snapshot())
    assert card.snapshot() == before
    with pytest.raises(ValueError, match="a card with other applications"):
        card.card.restore(other.persistent)
    with pytest.raises(ValueError, match="cards with different applications"):
        diff(card, other)


def test_a_fork_is_a_card_of_its_own() -> None:
    card = SoftCard.make(seed=5)
    card.transmit(VERIFY)
    fork = card.fork()
    assert fork.snapshot() == card.snapshot()
    assert fork.transmit(STATE).hex() == "63c5", "nothing is verified on it"
    assert card.transmit(STATE).hex() == "9000", "and this one has not been touched"
    fork.transmit(WRONG)
    assert list(diff(card, fork)) == ["PIN tries 5 -> 4"]
    assert (fork.pin, fork.admin_key, fork.profile) == (card.pin, card.admin_key, card.profile)


def test_both_cards_of_a_fork_go_on_alike() -> None:
    card = SoftCard.make(seed=6)
    challenge(card)
    fork = card.fork()
    assert [challenge(fork) for _ in range(3)] == [challenge(card) for _ in range(3)]


def test_a_fork_of_an_unseeded_card_has_its_own_chance() -> None:
    card = SoftCard.make()
    assert challenge(card.fork()) != challenge(card)


def test_a_fork_is_in_no_reader() -> None:
    reader, card = Reader(), SoftCard.make()
    reader.insert(card)
    fork = card.fork()
    assert reader.card is card
    Reader("another").insert(fork)


def test_a_fork_of_a_subclass_is_one() -> None:
    class Mine(SoftCard):
        pass

    assert type(Mine.make().fork()) is Mine


# --- cards of a store


def test_what_is_restored_is_in_the_store() -> None:
    store = MemoryStore()
    create("work", pin=PIN, store=store)
    with powered("work", store=store) as card:
        before = card.persistent
        card.transmit(WRONG)
        changed = store.read("work")
        card.restore(before)
        assert store.read("work").persistent == before == card.persistent
        assert list(diff(store.read("work"), changed)) == ["PIN tries 5 -> 4"]


def test_a_fork_of_a_stored_card_is_not_stored() -> None:
    store = MemoryStore()
    create("work", pin=PIN, store=store)
    with powered("work", store=store) as card:
        fork = card.fork(SeededEnv(1))
        assert fork.transmit(WRONG).hex() == "63c4"
        assert store.read("work").persistent == card.persistent != fork.persistent
        assert list(diff(card, fork)) == ["PIN tries 5 -> 4"]


def test_a_store_that_fails_leaves_the_card_as_it_is() -> None:
    inner = MemoryStore()
    create("work", pin=PIN, store=inner)
    store = FaultyStore(inner, {2: Fault.REFUSED})
    with powered("work", store=store) as card:
        before = card.persistent
        card.transmit(WRONG)
        with pytest.raises(OSError, match="write 2"):
            card.restore(before)
        assert store.read("work").persistent == card.persistent != before


def test_a_restore_is_no_commit_of_a_command() -> None:
    card = SoftCard.make()
    before = card.snapshot()
    card.transmit(WRONG)
    card.card.watch_commits(lambda commit: pytest.fail("nobody sent a command"))
    card.restore(before)


# --- seeded


def history(card: SoftCard) -> bytes:
    """Runs something of everything; returns the digest of all answers and of the image."""
    answers = hashlib.sha256()
    transmit = card.card.transmit

    def noted(command: bytes) -> bytes:
        answer = transmit(command)
        answers.update(command + answer)
        return answer

    card.card.transmit = noted  # type: ignore[method-assign]
    host = card.gids()
    host.verify_pin(PIN)
    host.generate_key(1024, name="made")
    host.import_key(imported_key(), name="brought")
    host.write_certificate(0, bytes(500))
    host.sign(0, b"data")
    challenge(card)
    answers.update(bytes(Image("card", card.profile, card.persistent)))
    return answers.digest()


def test_seeded_cards_are_the_same_byte_for_byte_in_another_process_too() -> None:
    here = history(SoftCard.make(seed="a seed"))
    assert history(SoftCard.make(seed="a seed")) == here
    assert history(SoftCard.make(seed="another")) != here
    code = (
        "from tests.unit.vsc.testing.test_snapshot import history; from vsc.testing import SoftCard;"
        "print(history(SoftCard.make(seed='a seed')).hex())"
    )
    root = Path(__file__).parents[4]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == here.hex()


def test_a_snapshot_of_a_plain_card_needs_no_soft_card() -> None:
    """A card of card_os is a value by itself."""
    profile = other_profile()
    card: Card = profile.card(profile.persistent(b"one"), SeededEnv(1))
    before = card.persistent
    card.restore(Persistent(((Other.aid, b"two"),)))
    assert list(diff(Snapshot(profile, before, SeededEnv(1)), card)) == ["state changed"]
