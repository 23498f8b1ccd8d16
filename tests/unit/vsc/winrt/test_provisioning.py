"""Cards that cannot be managed, or only in part; names that are taken."""

import uuid
from collections.abc import Callable, Iterator

import pytest

from tests.rows.foreign import ForeignReader, Neighbourhood, Powered
from tests.unit.vsc.host.cards import Double, Recorded
from vsc.api import provisioning
from vsc.interaction import PinScript, user_interaction
from vsc.machine import InProcessMachine, use_everywhere
from vsc.store.memory import MemoryStore
from vsc.winrt import hresult
from vsc.winrt.errors import WinRTError
from vsc.winrt.pin_policy import SmartCardPinPolicy
from vsc.winrt.provisioning import SmartCardProvisioning
from vsc.winrt.readers import SmartCard, cards_in, reader_for

KEY = bytes(range(24))


@pytest.fixture(autouse=True)
def machine() -> Iterator[InProcessMachine]:
    machine = InProcessMachine(MemoryStore(), pcsc=False)
    use_everywhere(machine)
    yield machine
    use_everywhere(None)
    machine.close()


def code_of(call: Callable[[], object]) -> int:
    with pytest.raises(WinRTError) as raised:
        call()
    return raised.value.winerror


def in_foreign_reader(machine: InProcessMachine, card: Double) -> SmartCard:
    reader = ForeignReader(Powered(card))
    use_everywhere(Neighbourhood(machine, reader))
    (found,) = cards_in(reader_for(reader))
    return found


class Stranger(Double):
    """Knows no application."""

    def transmit(self, command: bytes) -> bytes:
        return b"\x6a\x82"


class Blank(Recorded):
    """The recorded card without a file system; it knows nothing else."""

    def transmit(self, command: bytes) -> bytes:
        known = any(command == one for one, _ in self.pairs)
        return super().transmit(command) if known else b"\x6a\x82"


def test_a_card_without_gids_cannot_be_managed(machine: InProcessMachine) -> None:
    card = in_foreign_reader(machine, Stranger())
    managed = SmartCardProvisioning.from_smart_card_async(card)
    assert code_of(managed.get) == hresult.SCARD_E_UNSUPPORTED_FEATURE
    assert bytes(card.get_answer_to_reset_async().get()) == bytes.fromhex("3B00")


def test_a_card_without_a_file_system_has_no_id(machine: InProcessMachine) -> None:
    blank = SmartCardProvisioning.from_smart_card_async(in_foreign_reader(machine, Blank("probe"))).get()
    assert code_of(blank.get_id_async().get) == hresult.SCARD_E_UNSUPPORTED_FEATURE
    assert blank.get_name_async().get() == blank.smart_card.reader.name


def test_a_card_that_is_gone_has_no_answer_to_reset(machine: InProcessMachine) -> None:
    provisioning.create("work", pin="12345678")
    (card,) = cards_in(reader_for(machine.plug("work")))
    machine.unplug("work")
    assert code_of(card.get_answer_to_reset_async().get) == hresult.SCARD_W_REMOVED_CARD
    assert code_of(SmartCardProvisioning.from_smart_card_async(card).get) in (
        hresult.SCARD_W_REMOVED_CARD,
        hresult.SCARD_E_UNKNOWN_READER,
    )


def test_a_name_and_an_id_that_are_taken_leave_a_random_name(machine: InProcessMachine) -> None:
    card_id = uuid.uuid4()
    for name in ("Alice", f"card-{card_id}"):
        provisioning.create(name, pin="12345678")
    with user_interaction(PinScript(["12345678"])):
        create = SmartCardProvisioning.request_virtual_smart_card_creation_async
        made = create("Alice", KEY, SmartCardPinPolicy(), card_id).get()
    assert made is not None
    assert made.get_name_async().get() == "Alice"
    assert len(list(machine.store.images())) == 3


def test_nobody_to_ask_is_an_error_and_leaves_nothing(
    machine: InProcessMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("TerminalInteraction", "PinentryInteraction"):
        monkeypatch.setattr(f"vsc.interaction.{kind}.is_available", lambda: False)
    create = SmartCardProvisioning.request_virtual_smart_card_creation_async
    assert code_of(lambda: create("Alice", KEY, SmartCardPinPolicy()).get()) == hresult.E_UNEXPECTED
    assert list(machine.store.images()) == []


@pytest.mark.parametrize("profile", ["piv", "yubikey"])
def test_a_piv_card_has_its_pin_changed_and_names_the_puk_where_it_is_reset(
    machine: InProcessMachine, profile: str
) -> None:
    made = provisioning.create("ada", pin="123456", profile=profile)
    (card,) = cards_in(reader_for(machine.plug("ada")))
    managed = SmartCardProvisioning.from_smart_card_async(card).get()
    assert managed.get_id_async().get() == made.id
    with user_interaction(PinScript(["123456", "246813"])):
        assert managed.request_pin_change_async().get()
    made.verify_pin("246813")
    asked: list[object] = []
    with (
        user_interaction(PinScript([])),
        pytest.raises(WinRTError, match="reset with its PUK, not with the admin key") as raised,
    ):
        managed.request_pin_reset_async(lambda sender, request: asked.append(request)).get()
    assert raised.value.winerror == hresult.SCARD_E_UNSUPPORTED_FEATURE
    assert asked == []
    with managed.get_challenge_context_async().get() as context:
        assert not context.verify_response_async(bytes(8)).get()
