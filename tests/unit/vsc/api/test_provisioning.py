"""vsc.api.provisioning: cards made and found, readers, and what happens to them."""

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vsc
import vsc.factory
import vsc.reader
from card_os.pin import CharacterRule, PinPolicy
from tests.unit.vsc import rows, samples
from vsc import (
    Cancelled,
    CardExistsError,
    CardInUseError,
    CardNotFoundError,
    CardRemoved,
    Change,
    ChangeKind,
    PinPolicyViolation,
    PinScript,
    Question,
    QuestionKind,
    ReaderNotFoundError,
    RefusedError,
    VirtualCard,
    VscError,
)
from vsc.host import Tries
from vsc.machine import InProcessMachine, MachineReader, use
from vsc.reader import Reader
from vsc.store.memory import MemoryStore
from vsc.store.sqlite import SqliteStore

PIN = "24681357"
PATIENCE_S = 30
POLICY = PinPolicy(6, 12, digits=CharacterRule.REQUIRE_AT_LEAST_ONE)


@pytest.fixture
def machine() -> Iterator[InProcessMachine]:
    machine = InProcessMachine(MemoryStore(), pcsc=False)
    with use(machine):
        yield machine
    machine.close()


class TestCreate:
    def test_with_everything_said(self, machine: InProcessMachine) -> None:
        wanted = uuid.uuid4()
        card = vsc.create(
            "work",
            pin=PIN,
            admin_key=samples.ADMIN_KEY,
            policy=POLICY,
            tries=7,
            admin_tries=9,
            card_id=wanted,
            puk="87654321",
            profile="gids",
            label="A card ☂",
        )
        assert isinstance(card, VirtualCard)
        assert (card.name, card.label, card.id, card.admin_key) == ("work", "A card ☂", wanted, samples.ADMIN_KEY)
        assert (card.pin_tries, card.puk_tries, card.pin_policy) == (Tries(7, 7), Tries(7, 7), POLICY)
        card.verify_pin(PIN)

    def test_with_a_pin_alone(self, machine: InProcessMachine) -> None:
        first, second = vsc.create("first", pin=PIN), vsc.create("second", pin=PIN)
        assert first.label == "first"
        assert (first.pin_tries, first.puk_tries, first.pin_policy) == (Tries(5, 5), None, None)
        assert first.admin_key != second.admin_key
        assert first.id != second.id
        assert first.verify_admin_key(first.admin_key)

    def test_in_a_block(self, machine: InProcessMachine) -> None:
        with vsc.create("work", pin=PIN) as card:
            assert isinstance(card.reader, Reader)
            card.verify_pin(PIN)
        assert machine.store.exists("work")

    def test_by_default_in_the_home(self, home: Path) -> None:
        vsc.create("work", pin=PIN)
        assert SqliteStore(home).exists("work")

    @pytest.mark.parametrize(
        ("wrong", "error", "text"),
        [
            ({"admin_key": bytes(23)}, ValueError, "admin_key: 24 bytes are expected, not 23"),
            ({"admin_key": bytes(16)}, ValueError, "admin_key"),
            ({"admin_key": "text"}, TypeError, "admin_key: bytes are expected, not str"),
            ({"tries": 0}, ValueError, "1 to 15 tries"),
            ({"tries": 16}, ValueError, "1 to 15 tries"),
            ({"admin_tries": 0}, ValueError, "1 to 255 tries"),
            ({"profile": "none"}, VscError, "there is no profile 'none'; there is: gids, "),
            ({"puk": "1234567"}, RefusedError, "a PUK has 8 to 127 bytes"),
            ({"puk": "1" * 128}, RefusedError, "a PUK has 8 to 127 bytes"),
            ({"pin": "123"}, PinPolicyViolation, "a PIN has 4 to 127 characters"),
            ({"pin": ""}, PinPolicyViolation, "a PIN has 4 to 127 characters"),
            ({"pin": 12345678}, TypeError, "a PIN is str or bytes, not int"),
            ({"pin": PIN, "policy": PinPolicy(10)}, PinPolicyViolation, "a PIN has 10 to 127 characters"),
            ({"name": "no\nname"}, VscError, "printable"),
            ({"name": ""}, VscError, "1 to 80"),
        ],
    )
    def test_what_cannot_be(
        self, machine: InProcessMachine, wrong: dict[str, Any], error: type[Exception], text: str
    ) -> None:
        with pytest.raises(error, match=text) as caught:
            vsc.create(**{"name": "work", "pin": PIN, **wrong})
        assert PIN not in str(caught.value)
        assert list(machine.store.images()) == []

    def test_all_broken_rules_are_told(self, machine: InProcessMachine) -> None:
        with pytest.raises(PinPolicyViolation) as caught:
            vsc.create("work", pin="abcd ", policy=POLICY)
        assert caught.value.rules == (
            "a PIN has 6 to 12 characters",
            "digits are required, one at least",
            "blanks and other characters are not allowed",
        )

    def test_a_name_twice_is_told_before_anybody_is_asked(self, machine: InProcessMachine) -> None:
        vsc.create("work", pin=PIN)
        with pytest.raises(CardExistsError), vsc.user_interaction(PinScript()):
            vsc.create("work", pin=None)

    def test_the_pin_is_asked_for(self, machine: InProcessMachine) -> None:
        with vsc.user_interaction(PinScript(["abc", PIN])) as script:
            card = vsc.create("work", pin=None, policy=POLICY, label="Work")
        card.verify_pin(PIN)
        assert isinstance(script, PinScript)
        assert script.questions == [
            Question(QuestionKind.NEW_PIN, "Work", POLICY),
            Question(
                QuestionKind.NEW_PIN,
                "Work",
                POLICY,
                problem="the new PIN is refused: a PIN has 6 to 12 characters; digits are required, one at least",
            ),
        ]

    def test_cancelled(self, machine: InProcessMachine) -> None:
        with pytest.raises(Cancelled):
            vsc.create("work", pin=None, interaction=PinScript([None]))
        assert list(machine.store.images()) == []

    def test_blank(self, machine: InProcessMachine) -> None:
        card = vsc.create_blank("blank", tries=3, label="Blank")
        assert (card.label, card.pin_tries, card.id) == ("Blank", None, None)

    @given(st.text(max_size=300))
    def test_any_text_is_a_label(self, label: str) -> None:
        card = vsc.create("work", pin=PIN, label=label, store=MemoryStore())
        assert card.label.encode("utf-16-le", "surrogatepass") == label.encode("utf-16-le", "surrogatepass")


class TestTemporaryCard:
    def test_it_is_open_in_the_block_and_gone_afterwards(self, home: Path) -> None:
        with vsc.temporary_card() as card:
            card.verify_pin("12345678")
            assert isinstance(card.reader, Reader)
        with pytest.raises(CardNotFoundError):
            card.verify_pin("12345678")
        assert not home.exists()

    def test_with_options(self, machine: InProcessMachine) -> None:
        store = MemoryStore()
        with vsc.temporary_card("mine", pin=PIN, tries=2, store=store) as card:
            assert (card.name, card.pin_tries) == ("mine", Tries(2, 2))
            assert store.exists("mine")
        assert not store.exists("mine")

    def test_an_error_in_the_block_and_one_that_is_deleted_early(self) -> None:
        store = MemoryStore()
        with pytest.raises(RuntimeError), vsc.temporary_card(store=store):
            raise RuntimeError
        with vsc.temporary_card(store=store) as card:
            card.delete()
        assert list(store.images()) == []

    def test_what_cannot_be(self) -> None:
        with pytest.raises(PinPolicyViolation), vsc.temporary_card(pin="1"):
            pass


class TestFinding:
    def test_all_cards_by_name(self, machine: InProcessMachine) -> None:
        for name in ("b", "a", "C"):
            vsc.create(name, pin=PIN)
        assert [card.name for card in vsc.cards()] == ["C", "a", "b"]
        assert vsc.cards(store=MemoryStore()) == []

    def test_one_that_cannot_be_read_is_named(self, store: SqliteStore, home: Path) -> None:
        vsc.create("good", pin=PIN)
        vsc.create("bad", pin=PIN)
        rows.put(home, b"nonsense", "bad")
        with pytest.warns(UserWarning, match="not JSON"):
            assert [card.name for card in vsc.cards()] == ["good"]

    def test_by_its_name(self, machine: InProcessMachine) -> None:
        vsc.create("work", pin=PIN)
        card = vsc.open("work")
        assert isinstance(card, VirtualCard)
        card.verify_pin(PIN)
        with pytest.raises(CardNotFoundError, match="'home'"):
            vsc.open("home")
        with pytest.raises(CardNotFoundError):
            vsc.open("work", store=MemoryStore())

    def test_a_handle_may_be_had_while_somebody_else_has_the_card(self, machine: InProcessMachine) -> None:
        with vsc.create("work", pin=PIN):
            other = vsc.open("work")
            with pytest.raises(CardInUseError):
                other.verify_pin(PIN)
        other.verify_pin(PIN)

    def test_by_the_name_of_its_reader_or_a_part_of_it(self, machine: InProcessMachine) -> None:
        names = []
        for name in ("first", "second"):
            vsc.create(name, pin=PIN, tries=len(name))
            names.append(machine.plug(name).name)
        assert vsc.open(reader=names[0]).pin_tries == Tries(5, 5)
        assert vsc.open(reader=names[1].removeprefix("Virtual")).pin_tries == Tries(6, 6)
        with pytest.raises(ReaderNotFoundError, match="there are several readers 'Virtual': "):
            vsc.open(reader="Virtual")
        with pytest.raises(ReaderNotFoundError, match=f"there is no reader 'ACS'; there is: {', '.join(names)}"):
            vsc.open(reader="ACS")

    def test_there_is_no_reader(self, machine: InProcessMachine) -> None:
        assert vsc.readers() == ()
        with pytest.raises(ReaderNotFoundError, match="there is no reader 'ACS'; there is: none"):
            vsc.open(reader="ACS")

    def test_card_or_reader(self, machine: InProcessMachine) -> None:
        with pytest.raises(TypeError):
            vsc.open()
        with pytest.raises(TypeError):
            vsc.open("work", reader="ACS")

    def test_the_readers_of_the_machine(self, machine: InProcessMachine) -> None:
        vsc.create("work", pin=PIN)
        reader = machine.plug("work")
        assert vsc.readers() == (reader,)
        assert [one.card_name for one in vsc.readers()] == ["work"]


def told(change: Change) -> tuple[ChangeKind, str, int | None]:
    return change.kind, change.reader.name, change.insertion


class TestEvents:
    def test_what_is_there_comes_first_and_then_what_happens(self, machine: InProcessMachine) -> None:
        card = vsc.create("work", pin=PIN)
        reader = machine.plug("work")
        stay = reader.insertion
        with vsc.events() as events:
            assert iter(events) is events
            assert told(next(events)) == (ChangeKind.READER_ADDED, reader.name, None)
            assert told(next(events)) == (ChangeKind.CARD_ADDED, reader.name, stay)
            card.delete()
            assert told(next(events)) == (ChangeKind.CARD_REMOVED, reader.name, stay)
            assert told(next(events)) == (ChangeKind.READER_REMOVED, reader.name, None)
        assert list(events) == []

    def test_it_ends_when_nothing_happens_for_so_long(self, machine: InProcessMachine) -> None:
        assert list(vsc.events(timeout_s=0)) == []

    def test_closing_it_wakes_whoever_waits(self, machine: InProcessMachine) -> None:
        events = vsc.events()
        seen: list[Change] = []
        waiting = threading.Thread(target=lambda: seen.extend(events))
        waiting.start()
        events.close()
        events.close()
        waiting.join()
        assert seen == []

    def test_by_callback_until_it_is_ended(self, machine: InProcessMachine) -> None:
        vsc.create("work", pin=PIN)
        added, removed, kinds = threading.Event(), threading.Event(), []

        def note(change: Change) -> None:
            kinds.append(change.kind)
            if change.kind is ChangeKind.CARD_ADDED:
                added.set()
            if change.kind is ChangeKind.READER_REMOVED:
                removed.set()

        end = vsc.watch(note)
        machine.plug("work")
        assert added.wait(PATIENCE_S)
        machine.unplug("work")
        assert removed.wait(PATIENCE_S)
        end()
        machine.plug("work")
        assert kinds == [
            ChangeKind.READER_ADDED,
            ChangeKind.CARD_ADDED,
            ChangeKind.CARD_REMOVED,
            ChangeKind.READER_REMOVED,
        ]

    def test_a_card_in_a_block_is_no_event(self, machine: InProcessMachine) -> None:
        with vsc.events(timeout_s=0) as events, vsc.temporary_card():
            assert list(events) == []

    def test_an_empty_reader_has_no_card_to_open(self, machine: InProcessMachine) -> None:
        vsc.create("work", pin=PIN)
        reader: MachineReader = machine.plug("work")
        machine.unplug("work")
        with pytest.raises(CardRemoved):
            vsc.open(reader=reader)


@pytest.mark.parametrize(("name", "value"), [("policy", {}), ("policy", "minlen=4"), ("card_id", "1234")])
def test_arguments_of_another_type_are_named(name: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"{name}: a .* is expected"):
        vsc.create("work", pin=PIN, store=MemoryStore(), **{name: value})  # type: ignore[arg-type]
