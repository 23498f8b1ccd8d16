"""vsc.store.directory: names, locks, and what a crash or a full disk leaves behind."""

import errno
import fcntl
import os
import signal
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.pin import Pin
from tests.unit.vsc import processes, samples
from vsc.cards import gids_state, powered
from vsc.errors import CardExistsError, CardInUseError, CardNotFoundError, ImageError, VscError
from vsc.store import directory
from vsc.store.directory import MAX_NAME_CHARACTERS, DirectoryStore, check_name
from vsc.store.image import Image


def only(home: Path, suffix: str) -> Path:
    (path,) = home.glob(f"*{suffix}")
    return path


def with_tries(image: Image, tries_left: int) -> Image:
    state = gids_state(image)
    return samples.image(image.name, replace(state, pin=replace(state.pin, tries_left=tries_left)))


def fingerprint(path: Path) -> tuple[bytes, int, int]:
    """Content, time of change, and which file it is."""
    status = path.stat()
    return path.read_bytes(), status.st_mtime_ns, status.st_ino


class TestNames:
    """A name is for people; it never becomes a path."""

    @pytest.mark.parametrize(
        "name",
        [
            "../x",
            "/etc/passwd",
            "a/b",
            ".",
            "..",
            "a\\b",
            "CON",
            "x.card",
            "%00",
            "~",
            "naïve ☂",
            "*",
            "a" * 80,
            "雪" * 80,
        ],
    )
    def test_a_strange_name_is_a_good_name(self, store: DirectoryStore, home: Path, name: str) -> None:
        before = set(home.parent.rglob("*"))
        store.create(samples.image(name))
        made = set(home.parent.rglob("*")) - before - {home}
        assert {path.parent for path in made} == {home}
        assert all(len(path.stem) == 32 and path.stem.isalnum() for path in made)
        assert store.read(name).name == name
        assert [image.name for image in store.images() if isinstance(image, Image)] == [name]
        store.destroy(name)
        assert list(home.iterdir()) == []

    @pytest.mark.parametrize(
        "name",
        [
            "",
            " ",
            " a",
            "a ",
            "-",
            "-rf",
            "--help",
            "a\nb",
            "a\x00b",
            "a\tb",
            "a\x1b[2J",
            "a" * 81,
            "\ud800",
            "\u202e",
            "\u200b",
        ],
    )
    def test_a_name_that_people_cannot_tell_or_type_is_refused(
        self, store: DirectoryStore, home: Path, name: str
    ) -> None:
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

    def test_two_spellings_of_one_character_are_one_name(self, store: DirectoryStore) -> None:
        composed, decomposed = "caf\u00e9", "cafe\u0301"
        store.create(samples.image(decomposed))
        assert store.exists(composed)
        assert store.exists(decomposed)
        assert store.read(decomposed) == store.read(composed)
        with pytest.raises(CardExistsError):
            store.create(samples.image(composed))

    def test_capitals_are_another_card(self, store: DirectoryStore) -> None:
        store.create(samples.image("work"))
        assert not store.exists("Work")

    @given(st.text(max_size=100))
    def test_any_name_is_refused_or_in_normal_form(self, name: str) -> None:
        try:
            good = check_name(name)
        except VscError:
            return
        assert check_name(good) == good
        assert 1 <= len(good) <= MAX_NAME_CHARACTERS
        assert good.isprintable()


class TestFiles:
    def test_only_the_owner_reads_them(self, store: DirectoryStore, home: Path) -> None:
        old = os.umask(0)
        try:
            store.create(samples.image())
            with store.open("work") as card:
                card.save(with_tries(card.image, 1))
        finally:
            os.umask(old)
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()} == {0o600}

    def test_folders_above_are_made(self, home: Path) -> None:
        store = DirectoryStore(home / "a" / "b")
        store.create(samples.image())
        assert store.exists("work")

    def test_two_cards_of_one_name_are_refused_and_the_first_stays(self, store: DirectoryStore, home: Path) -> None:
        store.create(samples.image())
        before = fingerprint(only(home, ".card"))
        with pytest.raises(CardExistsError, match="there is a card called 'work' already"):
            store.create(with_tries(samples.image(), 1))
        assert fingerprint(only(home, ".card")) == before

    def test_destroy_leaves_nothing(self, store: DirectoryStore, home: Path) -> None:
        store.create(samples.image())
        only(home, ".card").with_suffix(".new").write_bytes(b"left by a crash")
        store.destroy("work")
        assert list(home.iterdir()) == []
        assert not store.exists("work")
        store.create(samples.image())
        assert store.exists("work")

    def test_a_damaged_card_can_be_destroyed(self, store: DirectoryStore, home: Path) -> None:
        store.create(samples.image())
        only(home, ".card").write_bytes(b"damaged")
        store.destroy("work")
        assert list(home.iterdir()) == []

    def test_a_card_that_is_not_there(self, store: DirectoryStore, home: Path) -> None:
        for action in (store.read, store.destroy, lambda name: store.open(name).__enter__()):
            with pytest.raises(CardNotFoundError, match="there is no card called 'work'"):
                action("work")
        assert not home.exists()
        assert list(store.images()) == []

    def test_a_folder_that_is_none(self, store: DirectoryStore, home: Path) -> None:
        home.write_text("a file")
        with pytest.raises(VscError, match="cannot be made: File exists"):
            store.create(samples.image())
        with pytest.raises(VscError, match="cannot be read: Not a directory"):
            store.read("work")
        with pytest.raises(VscError, match="cannot be read: Not a directory"):
            list(store.images())
        assert home.read_text() == "a file"


class TestDamage:
    """An image that cannot be used is refused and stays as it is."""

    @pytest.mark.parametrize(
        "raw",
        [b"", b"damaged", b'{"format": "virtual smart card image", "version": 2}', bytes(samples.image())[:100]],
        ids=["empty", "damaged", "newer", "cut"],
    )
    def test_it_is_never_replaced(self, store: DirectoryStore, home: Path, raw: bytes) -> None:
        store.create(samples.image())
        path = only(home, ".card")
        path.write_bytes(raw)
        before = fingerprint(path)
        with pytest.raises(ImageError, match="card 'work': the"):
            store.read("work")
        with pytest.raises(ImageError, match="card 'work': the"), store.open("work"):
            pass
        with pytest.raises(CardExistsError):
            store.create(samples.image())
        assert fingerprint(path) == before

    def test_the_others_are_listed(self, store: DirectoryStore, home: Path) -> None:
        store.create(samples.image("bad"))
        path = only(home, ".card")
        path.write_bytes(b"damaged")
        store.create(samples.image("good"))
        (home / "folder.card").mkdir()
        found = list(store.images())
        assert [one.name for one in found if isinstance(one, Image)] == ["good"]
        texts = sorted(str(one) for one in found if isinstance(one, ImageError))
        assert texts == sorted(
            ["folder.card: Is a directory", f"{path.name}: the image is not JSON: it is damaged or no card"]
        )

    def test_a_file_under_another_cards_name_is_no_card(self, store: DirectoryStore, home: Path) -> None:
        store.create(samples.image("one"))
        first = only(home, ".card")
        store.create(samples.image("two"))
        (second,) = set(home.glob("*.card")) - {first}
        second.write_bytes(first.read_bytes())
        with pytest.raises(ImageError, match="that of another card, 'one'"):
            store.read("two")
        found = list(store.images())
        assert [one.name for one in found if isinstance(one, Image)] == ["one"]
        assert [str(one) for one in found if isinstance(one, ImageError)] == [f"{second.name}: the file is misnamed"]

    def test_a_card_destroyed_while_the_folder_is_read_is_left_out(
        self,
        store: DirectoryStore,
    ) -> None:
        store.create(samples.image("one"))
        store.create(samples.image("two"))
        found = store.images()
        first = next(found)
        assert isinstance(first, Image)
        store.destroy("two" if first.name == "one" else "one")
        assert list(found) == []


class TestLock:
    def test_one_writer_at_a_time_in_one_process(self, store: DirectoryStore) -> None:
        store.create(samples.image())
        with store.open("work"):
            with pytest.raises(CardInUseError, match="card 'work' is in use by another process"), store.open("work"):
                pass
            with pytest.raises(CardInUseError):
                store.destroy("work")
        with store.open("work"):
            pass

    def test_another_process_keeps_us_out_until_it_is_killed(self, store: DirectoryStore, home: Path) -> None:
        store.create(samples.image())
        store.create(samples.image("other"))
        before = fingerprint(store._path("work"))
        with processes.holding(home, "work") as holder:
            with pytest.raises(CardInUseError), store.open("work"):
                pass
            with pytest.raises(CardInUseError):
                store.destroy("work")
            with pytest.raises(CardInUseError):
                store.create(samples.image())
            assert store.read("work") == samples.image()
            assert len(list(store.images())) == 2
            with store.open("other"):
                pass
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            with store.open("work") as card:
                assert card.image == samples.image()
        assert fingerprint(store._path("work")) == before

    def test_a_lock_on_a_card_destroyed_meanwhile_is_taken_again(
        self, store: DirectoryStore, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.create(samples.image())
        really = fcntl.flock
        calls: list[int] = []

        def destroyed_before(descriptor: int, operation: int) -> None:
            if not calls:
                only(home, ".lock").unlink()
            calls.append(operation)
            really(descriptor, operation)

        monkeypatch.setattr(fcntl, "flock", destroyed_before)
        with store.open("work"):
            assert only(home, ".lock").exists()
            with pytest.raises(CardInUseError), store.open("work"):
                pass
        assert len(calls) == 3

    def test_a_lock_that_cannot_be_made_is_told(self, store: DirectoryStore, home: Path) -> None:
        store.create(samples.image())
        only(home, ".lock").unlink()
        only(home, ".card").with_suffix(".lock").mkdir()
        with pytest.raises(VscError, match="card 'work' cannot be locked: Is a directory"), store.open("work"):
            pass

    def test_an_open_card_is_read_after_the_lock_is_ours(
        self, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.create(samples.image())
        really = directory._lock

        def changed_before(path: Path, name: str) -> int:
            directory._write(path.with_suffix(".card"), bytes(with_tries(samples.image(), 1)))
            return really(path, name)

        monkeypatch.setattr(directory, "_lock", changed_before)
        with store.open("work") as card:
            assert gids_state(card.image).pin.tries_left == 1

    def test_a_closed_card_is_not_written(self, store: DirectoryStore) -> None:
        store.create(samples.image())
        with store.open("work") as card:
            pass
        with pytest.raises(ValueError, match="card 'work' is closed"):
            card.save(with_tries(card.image, 1))
        assert store.read("work") == samples.image()


class TestCrash:
    def test_what_a_crash_left_is_harmless(self, store: DirectoryStore, home: Path) -> None:
        store.create(samples.image())
        left = only(home, ".card").with_suffix(".new")
        left.write_bytes(bytes(with_tries(samples.image(), 0)))
        left.chmod(0o644)
        assert store.read("work") == samples.image()
        assert len(list(store.images())) == 1
        changed = with_tries(samples.image(), 1)
        with store.open("work") as card:
            card.save(changed)
        assert store.read("work") == changed
        assert not left.exists()
        assert stat.S_IMODE(only(home, ".card").stat().st_mode) == 0o600

    @pytest.mark.parametrize("step", ["fsync", "replace"])
    def test_before_the_rename_the_old_image_stands(
        self, store: DirectoryStore, home: Path, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        store.create(samples.image())
        before = fingerprint(only(home, ".card"))

        def power_cut(*arguments: object) -> None:
            raise SystemExit("power cut")

        monkeypatch.setattr(*{"fsync": (os, "fsync", power_cut), "replace": (Path, "replace", power_cut)}[step])
        with pytest.raises(SystemExit), store.open("work") as card:
            card.save(with_tries(card.image, 1))
        monkeypatch.undo()
        assert fingerprint(only(home, ".card")) == before
        assert DirectoryStore(home).read("work") == samples.image()

    def test_content_is_synced_before_the_rename_and_the_folder_after(
        self, store: DirectoryStore, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.create(samples.image())
        steps: list[str] = []
        fsync, rename = os.fsync, Path.replace

        def synced(descriptor: int) -> None:
            steps.append(f"sync {Path(os.readlink(f'/proc/self/fd/{descriptor}')).suffix or 'folder'}")
            fsync(descriptor)

        def renamed(path: Path, target: Path) -> Path:
            steps.append(f"rename {path.suffix} {target.suffix}")
            return rename(path, target)

        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(Path, "replace", renamed)
        with store.open("work") as card:
            card.save(with_tries(card.image, 1))
        assert steps == ["sync .new", "rename .new .card", "sync folder"]

    def test_a_symlink_in_the_place_of_the_new_file_is_not_followed(self, store: DirectoryStore, home: Path) -> None:
        store.create(samples.image())
        victim = home.parent / "victim"
        victim.write_text("precious")
        only(home, ".card").with_suffix(".new").symlink_to(victim)
        with store.open("work") as card:
            card.save(with_tries(card.image, 1))
        assert victim.read_text() == "precious"
        assert not only(home, ".card").is_symlink()
        assert gids_state(store.read("work")).pin.tries_left == 1


class TestFullDisk:
    @pytest.fixture
    def full_disk(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
        def fail(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        return lambda: monkeypatch.setattr(os, "fsync", fail)

    def test_a_card_that_cannot_be_made_leaves_no_secret_behind(
        self, store: DirectoryStore, home: Path, full_disk: Callable[[], None]
    ) -> None:
        full_disk()
        with pytest.raises(VscError, match="card 'work' cannot be written: No space left on device"):
            store.create(samples.image())
        assert not store.exists("work")
        assert {path.suffix for path in home.iterdir()} == {".lock"}

    def test_no_pin_is_compared(self, store: DirectoryStore, home: Path, full_disk: Callable[[], None]) -> None:
        store.create(samples.image())
        before = fingerprint(only(home, ".card"))
        with powered("work") as card:
            start = card.persistent
            full_disk()
            right, wrong = (card.transmit(bytes.fromhex(apdu)) for apdu in (samples.VERIFY, samples.WRONG_VERIFY))
            assert right == wrong == bytes.fromhex("6581")
            assert card.persistent == start
            assert card.transmit(bytes.fromhex(samples.PIN_STATUS)) == bytes.fromhex("63C3")
        assert fingerprint(only(home, ".card")) == before

    def test_the_card_goes_on_when_there_is_space_again(
        self, store: DirectoryStore, home: Path, full_disk: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.create(samples.image())
        with powered("work") as card:
            full_disk()
            assert card.transmit(bytes.fromhex(samples.WRONG_VERIFY)) == bytes.fromhex("6581")
            monkeypatch.undo()
            assert card.transmit(bytes.fromhex(samples.WRONG_VERIFY)) == bytes.fromhex("63C2")
        assert gids_state(DirectoryStore(home).read("work")).pin.tries_left == 2

    def test_a_file_that_may_not_grow(self, store: DirectoryStore, home: Path) -> None:
        store.create(samples.image())
        before = fingerprint(only(home, ".card"))
        code = (
            "import resource, sys, vsc\n"
            "with vsc.powered('work') as card:\n"
            "    start = card.persistent\n"
            "    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            "    print(*(card.transmit(bytes.fromhex(one)).hex() for one in sys.argv[1:]), card.persistent == start)\n"
        )
        done = processes.python(home, code, samples.VERIFY, samples.WRONG_VERIFY, samples.PIN_STATUS)
        assert done.stdout.split() == ["6581", "6581", "63c3", "True"]
        assert fingerprint(only(home, ".card")) == before
        assert not list(home.glob("*.new"))


def test_a_pin_counter_saved_is_a_pin_counter_read(store: DirectoryStore) -> None:
    store.create(samples.image())
    with store.open("work") as card:
        for left in (2, 1, 0):
            card.save(with_tries(card.image, left))
            assert gids_state(store.read("work")).pin == Pin(gids_state(card.image).pin.value, 3, left)
