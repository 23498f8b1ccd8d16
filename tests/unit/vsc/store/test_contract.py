"""What every store does (`vsc.store.Store`): one suite for the database, for encrypted cards in it, and for memory."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from card_os.application import Application
from card_os.pin import Pin
from tests.unit.vsc import processes, samples
from tests.unit.vsc.samples import gids_state
from vsc.errors import CardExistsError, CardInUseError, CardNotFoundError, VscError
from vsc.factory import create, powered
from vsc.profiles import GIDS
from vsc.store import Image, Store
from vsc.store.memory import MemoryStore
from vsc.store.sqlite import SqliteStore

LOW_COST = 16
"""For scrypt: tests make many keys."""

MakeStore = Callable[[Path], Store]
STORES: dict[str, MakeStore] = {
    "database": SqliteStore,
    "encrypted": lambda folder: SqliteStore(folder, passphrase=b"open sesame", scrypt_cost=LOW_COST),
    "memory": lambda folder: MemoryStore(),
}

STRANGE = ["../x", "/etc/passwd", "a/b", ".", "..", "a\\b", "CON", "x.card", "%00", "~", "naïve ☂", "*", "'; --"]
STRANGE += ["a" * 80, "雪" * 80, "\N{KEY}"]
REFUSED = ["", " ", " a", "a ", "-", "-rf", "--help", "a\nb", "a\x00b", "a\tb", "a\x1b[2J", "a" * 81]
REFUSED += ["\ud800", "\u202e", "\u200b"]


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, home: Path) -> Store:
    return STORES[request.param](home)


def with_tries(image: Image, tries_left: int) -> Image:
    state = gids_state(image)
    return image.with_persistent(GIDS.persistent(replace(state, pin=replace(state.pin, tries_left=tries_left))))


def names(store: Store) -> list[str]:
    found = list(store.images())
    assert all(isinstance(one, Image) for one in found)
    return [one.name for one in found if isinstance(one, Image)]


class TestNames:
    """A name is for people; it never becomes a path, nor SQL."""

    @pytest.mark.parametrize("name", STRANGE)
    def test_a_strange_name_is_a_good_name(self, store: Store, home: Path, name: str) -> None:
        before = set(home.parent.rglob("*"))
        store.create(samples.image(name))
        made = set(home.parent.rglob("*")) - before - {home}
        assert {path.parent for path in made} <= {home}
        assert store.read(name).name == name
        assert names(store) == [name]
        store.destroy(name)
        assert names(store) == []

    @pytest.mark.parametrize("name", REFUSED)
    def test_a_name_that_people_cannot_tell_or_type_is_refused(self, store: Store, home: Path, name: str) -> None:
        actions: list[Callable[[], object]] = [
            lambda: store.create(samples.image(name)),
            lambda: store.read(name),
            lambda: store.exists(name),
            lambda: store.destroy(name),
            lambda: store.open(name).__enter__(),
        ]
        for action in actions:
            with pytest.raises(VscError, match="1 to 80 printable characters"):
                action()
        assert not home.exists()

    def test_two_spellings_of_one_character_are_one_name(self, store: Store) -> None:
        composed, decomposed = "caf\u00e9", "cafe\u0301"
        store.create(samples.image(decomposed))
        assert store.exists(composed)
        assert store.exists(decomposed)
        assert store.read(decomposed) == store.read(composed)
        with pytest.raises(CardExistsError):
            store.create(samples.image(composed))

    def test_capitals_are_another_card(self, store: Store) -> None:
        store.create(samples.image("work"))
        assert not store.exists("Work")

    def test_they_are_listed_in_order(self, store: Store) -> None:
        for name in ("b", "c", "a"):
            store.create(samples.image(name))
        assert names(store) == ["a", "b", "c"]

    @pytest.mark.parametrize("label", ["", "Card friendly name", "\N{KEY} ☂", "x" * 5000, "a\nb\x00", "\ud800"])
    def test_labels_are_any_text_and_need_not_differ(self, store: Store, label: str) -> None:
        for name in ("one", "two"):
            store.create(replace(samples.image(name), label=label))
        assert [store.read(name).label for name in ("one", "two")] == [label, label]


class TestBounds:
    """What commands of the card could not have made does not come in by another way."""

    def test_a_card_with_an_object_too_large(self, store: Store) -> None:
        place = samples.CERTIFICATE_PLACE
        with pytest.raises(
            VscError, match="card 'work' is too large: file A010, object DF24: 16385 bytes, and an object"
        ):
            store.create(samples.image(card_state=samples.with_content(samples.state(), place, bytes(16_385))))
        assert not store.exists("work")
        store.create(samples.image(card_state=samples.with_content(samples.state(), place, bytes(16_384))))

    def test_a_label_too_long(self, store: Store) -> None:
        with pytest.raises(VscError, match="a label has up to 8192 characters, not 8193"):
            store.create(replace(samples.image(), label="x" * 8193))
        with pytest.raises(VscError, match="a label has up to 8192"):
            create("work", pin=samples.PIN, label="x" * 100_000, store=store)
        store.create(replace(samples.image(), label="x" * 8192))
        with store.open("work") as card:
            with pytest.raises(VscError, match="a label has up to 8192"):
                card.save(replace(card.image, label="x" * 8193))
            card.save(with_tries(card.image, 1))
        assert store.read("work").label == "x" * 8192


class TestCards:
    def test_what_is_put_in_comes_out(self, store: Store) -> None:
        image = replace(samples.golden_image(), label="Ada")
        store.create(image)
        assert store.read("golden") == image
        assert list(store.images()) == [image]
        with store.open("golden") as card:
            assert card.image == image

    def test_a_second_card_of_that_name_is_refused_and_the_first_stays(self, store: Store) -> None:
        store.create(samples.image())
        with pytest.raises(CardExistsError, match="there is a card called 'work' already"):
            store.create(with_tries(samples.image(), 1))
        assert store.read("work") == samples.image()

    def test_destroyed_is_gone_and_the_name_is_free(self, store: Store) -> None:
        store.create(samples.image())
        store.create(samples.image("other"))
        store.destroy("work")
        assert not store.exists("work")
        assert names(store) == ["other"]
        store.create(with_tries(samples.image(), 1))
        assert gids_state(store.read("work")).pin.tries_left == 1

    def test_a_card_that_is_not_there(self, store: Store, home: Path) -> None:
        for action in (store.read, store.destroy, lambda name: store.open(name).__enter__()):
            with pytest.raises(CardNotFoundError, match="there is no card called 'work'"):
                action("work")
        assert not store.exists("work")
        assert not home.exists()
        assert list(store.images()) == []

    def test_a_card_destroyed_while_they_are_listed(self, store: Store) -> None:
        store.create(samples.image("one"))
        store.create(samples.image("two"))
        found = store.images()
        next(found)
        store.destroy("two")
        list(found)
        assert names(store) == ["one"]


class TestChanges:
    def test_what_is_saved_is_read_at_once(self, store: Store) -> None:
        store.create(samples.image())
        with store.open("work") as card:
            for left in (2, 1, 0):
                card.save(with_tries(card.image, left))
                assert gids_state(card.image).pin.tries_left == left
                assert gids_state(store.read("work")).pin == Pin(gids_state(card.image).pin.value, 3, left)
        with store.open("work") as card:
            assert gids_state(card.image).pin.tries_left == 0

    def test_a_label_can_change(self, store: Store) -> None:
        store.create(samples.image())
        with store.open("work") as card:
            card.save(replace(card.image, label="new"))
        assert store.read("work").label == "new"

    def test_a_closed_card_is_not_written(self, store: Store) -> None:
        store.create(samples.image())
        with store.open("work") as card:
            pass
        with pytest.raises(ValueError, match="card 'work' is closed"):
            card.save(with_tries(card.image, 1))
        assert store.read("work") == samples.image()

    def test_an_image_of_another_card_is_not_written(self, store: Store) -> None:
        store.create(samples.image())
        with store.open("work") as card, pytest.raises(ValueError, match="not an image of card 'work'"):
            card.save(samples.image("other"))
        assert store.read("work") == samples.image()

    def test_a_card_that_is_used_by_another_thread_than_opened_it(self, store: Store) -> None:
        store.create(samples.image())
        answers: list[str] = []
        with powered("work", store=store) as card:
            thread = threading.Thread(
                target=lambda: answers.append(card.transmit(bytes.fromhex(samples.WRONG_VERIFY)).hex())
            )
            thread.start()
            thread.join()
        assert answers == ["63c2"]
        assert gids_state(store.read("work")).pin.tries_left == 2

    def test_a_counter_that_changes_has_the_card_encoded_once_and_nothing_parsed(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.create(samples.image())
        made: list[str] = []

        def counted(name: str) -> Callable[..., Any]:
            real = getattr(Application, name)

            def call(*arguments: Any) -> Any:
                made.append(name)
                return real(*arguments)

            return call

        with powered("work", store=store) as card:
            for name in ("encode", "decode"):
                monkeypatch.setattr(Application, name, counted(name))
            assert card.transmit(bytes.fromhex(samples.WRONG_VERIFY)) == b"\x63\xc2"
        assert made in ([], ["encode"])
        assert type(GIDS.applications[0]).encode is Application.encode

    def test_a_card_made_and_used_through_it(self, store: Store) -> None:
        create("work", pin=samples.PIN, store=store)
        with powered("work", store=store) as card:
            assert card.transmit(bytes.fromhex(samples.VERIFY)) == b"\x90\x00"
            assert store.read("work").persistent == card.persistent


class TestOneWriter:
    def test_at_a_time(self, store: Store) -> None:
        store.create(samples.image())
        store.create(samples.image("other"))
        with store.open("work"):
            with pytest.raises(CardInUseError, match="card 'work' is in use by another process"), store.open("work"):
                pass
            with pytest.raises(CardInUseError):
                store.destroy("work")
            with store.open("other"):
                pass
            assert store.exists("work")
            assert len(names(store)) == 2
        with store.open("work"):
            pass

    def test_an_error_gives_the_card_back(self, store: Store) -> None:
        store.create(samples.image())
        with pytest.raises(RuntimeError, match="mine"), store.open("work"):
            raise RuntimeError("mine")
        with store.open("work"):
            pass


FORKS = """
import os, sys
from pathlib import Path
from tests.unit.vsc import samples
from tests.unit.vsc.store.test_contract import STORES
from vsc.factory import powered
wrong = bytes.fromhex(samples.WRONG_VERIFY)
store = STORES[sys.argv[1]](Path(sys.argv[2]))
store.create(samples.image())
with powered("work", store=store) as card:
    for _ in range(2):
        if not os.fork():
            print(card.transmit(wrong).hex(), flush=True)
            os._exit(0)
        os.wait()
        print(card.transmit(wrong).hex(), flush=True)
"""


@pytest.mark.parametrize("kind", list(STORES))
def test_a_forked_child_changes_no_card_of_its_parents(home: Path, kind: str) -> None:
    """In memory it would change a copy that nobody finds, and have one more guess with every fork."""
    assert processes.python(home, FORKS, kind, str(home)).stdout.split() == ["6581", "63c2", "6581", "63c1"]
