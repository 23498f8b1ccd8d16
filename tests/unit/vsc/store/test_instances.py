"""vsc.store.instances: numbers that are the lowest free, and stay with their cards."""

import stat
from pathlib import Path

import pytest
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.strategies import sampled_from

import vsc
from vsc.errors import CardNotFoundError, VscError
from vsc.store.instances import FILE, Instances, instance_id, parse_instance_id
from vsc.store.sqlite import SqliteStore

NAMES = sampled_from(["work", "home", "ä", "x"])


@pytest.mark.parametrize(
    "text",
    [
        r"ROOT\SMARTCARDREADER\0012",
        r"root\SmartCardReader\0012",
        "ROOTSMARTCARDREADER0012",
        r" ROOT\SMARTCARDREADER\0012 ",
    ],
)
def test_an_id_as_windows_or_a_shell_without_quotes_has_it(text: str) -> None:
    assert parse_instance_id(text) == 12


@pytest.mark.parametrize("text", ["", "0", "0000", r"ROOT\SMARTCARDREADER\0", r"ROOT\SMARTCARDREADER\00000", "work"])
def test_another_text_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="an instance id looks like"):
        parse_instance_id(text)


@pytest.mark.parametrize("number", [0, 1, 9999])
def test_an_id_there_and_back(number: int) -> None:
    assert parse_instance_id(instance_id(number)) == number


def test_the_file_is_for_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "cards"
    assert Instances(folder, lambda name: True).give("work") == 0
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"", b"[]", b'{"work": "0"}', b"\xff"])
def test_a_damaged_file_is_told_and_left(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    instances = Instances(tmp_path, lambda name: True)
    for use in (lambda: instances.give("work"), lambda: instances.name_of(0), lambda: instances.forget("work")):
        with pytest.raises(VscError, match=r"instances\.json is damaged"):
            use()
    assert (tmp_path / FILE).read_bytes() == content


class Numbers(RuleBasedStateMachine):
    """Cards come and go, with a word to `Instances` or without, beside a model."""

    @initialize()
    def start(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.cards: set[str] = set()
        self.numbers: dict[str, int] = {}
        self.instances = Instances(Path(self.folder.name), lambda name: name in self.cards)

    @rule(name=NAMES)
    def make(self, name: str) -> None:
        if name not in self.cards:
            self.numbers.pop(name, None)
            free = next(number for number in range(9) if number not in self.numbers.values())
            assert self.instances.give(name) == free
            self.cards.add(name)
            self.numbers[name] = free
        assert self.instances.give(name) == self.numbers[name]

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        if name in self.cards:
            self.cards.discard(name)
            self.numbers.pop(name)
            self.instances.forget(name)

    @rule(name=NAMES)
    def delete_unheard(self, name: str) -> None:
        self.cards.discard(name)
        self.numbers.pop(name, None)

    @invariant()
    def each_number_leads_to_its_card(self) -> None:
        for number in range(5):
            name = next((one for one, other in self.numbers.items() if other == number), None)
            if name is None:
                with pytest.raises(CardNotFoundError):
                    self.instances.name_of(number)
            else:
                assert self.instances.name_of(number) == name

    def teardown(self) -> None:
        self.folder.cleanup()


TestNumbers = Numbers.TestCase


def test_a_card_that_is_deleted_anywhere_gives_its_number_back(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    instances = Instances(tmp_path, store.exists)
    vsc.create("work", pin="12345678", store=store)
    assert instances.give("work") == 0
    vsc.open("work", store=store).delete()
    vsc.create("work", pin="12345678", store=store)
    with pytest.raises(CardNotFoundError):
        instances.name_of(0)


def test_a_damaged_file_keeps_the_card(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    card = vsc.create("work", pin="12345678", store=store)
    (tmp_path / FILE).write_text('{"work": -1}')
    with pytest.raises(VscError, match="damaged"):
        card.delete()
    assert store.exists("work")
