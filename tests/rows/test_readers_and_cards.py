"""Rows 3 to 16: readers, cards in them, cards that come. (winrt-smartcards.md, section 8; rows 1 and 2 are live.)"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.rows import app
from tests.rows.app import NAME, Heard
from vsc.interaction import PinScript, set_user_interaction
from vsc.machine import InProcessMachine
from vsc.unraisable import Unraisable
from vsc.winrt import hresult, simulate
from vsc.winrt.devices_enumeration import DeviceInformation
from vsc.winrt.enums import SmartCardReaderKind
from vsc.winrt.errors import WinRTError
from vsc.winrt.provisioning import SmartCardProvisioning
from vsc.winrt.readers import CardAddedEventArgs, SmartCard, SmartCardReader

ALL = SmartCardReader.get_device_selector


def devices(selector: str | None = None) -> Sequence[DeviceInformation]:
    return DeviceInformation.find_all_async_aqs_filter(ALL() if selector is None else selector).get()


# --- row 3: from many kinds of programs


async def life_of_a_card() -> list[object]:
    """The same scenario for all: create, list, delete."""
    made = await SmartCardProvisioning.request_virtual_smart_card_creation_async(NAME, app.KEY, app.policy())
    assert made is not None
    found = [device.name for device in await DeviceInformation.find_all_async_aqs_filter(ALL())]
    name = await made.get_name_async()
    deleted = await SmartCardProvisioning.request_virtual_smart_card_deletion_async(made.smart_card)
    return [len(found), name, deleted, len(devices())]


def life_of_a_card_blocking() -> list[object]:
    made = SmartCardProvisioning.request_virtual_smart_card_creation_async(NAME, app.KEY, app.policy()).get()
    assert made is not None
    found = [device.name for device in devices()]
    name = made.get_name_async().get()
    deleted = SmartCardProvisioning.request_virtual_smart_card_deletion_async(made.smart_card).get()
    return [len(found), name, deleted, len(devices())]


def in_a_thread() -> list[object]:
    done: list[object] = []
    thread = threading.Thread(target=lambda: done.extend(life_of_a_card_blocking()))
    thread.start()
    thread.join()
    return done


@pytest.mark.parametrize("way", [lambda: asyncio.run(life_of_a_card()), life_of_a_card_blocking, in_a_thread])
def test_row_03_the_same_from_asyncio_a_script_and_a_thread(way: Any) -> None:
    set_user_interaction(PinScript([app.PIN]))
    try:
        assert way() == [1, NAME, True, 0]
    finally:
        set_user_interaction(None)


# --- row 4: the capability


def test_row_04_no_capability_is_needed() -> None:
    assert devices() == [] or list(devices()) == []


def test_row_04_a_missing_capability_can_be_simulated() -> None:
    made = app.create()
    calls: list[Callable[[], object]] = [
        ALL,
        lambda: ALL(SmartCardReaderKind.TPM),
        lambda: SmartCardReader.from_id_async(made.smart_card.reader.device_id).get(),
        lambda: SmartCardProvisioning.from_smart_card_async(made.smart_card).get(),
        lambda: app.create("another"),
        lambda: app.delete(made.smart_card),
        lambda: devices(""),
    ]
    with simulate(capability=False):
        for call in calls:
            with pytest.raises(OSError) as raised:
                call()
            assert raised.value.winerror == hresult.E_ACCESSDENIED == -2147024891  # type: ignore[attr-defined]
    assert len(devices()) == 1


# --- rows 5 to 8: selectors and devices


def test_row_05_the_selector_is_a_stable_text_that_selects() -> None:
    assert isinstance(ALL(), str)
    assert ALL() == ALL() != ""
    app.create()
    assert len(devices(ALL())) == 1
    with pytest.raises(WinRTError) as raised:
        devices("System.Devices.InterfaceClassGuid:=printer")
    assert raised.value.winerror == hresult.E_INVALIDARG


def test_row_06_a_selector_of_one_kind(beside: str) -> None:
    made = app.create()
    names = {kind: [device.name for device in devices(ALL(kind))] for kind in SmartCardReaderKind}
    ours = made.smart_card.reader.name
    assert names[SmartCardReaderKind.TPM] == [ours]
    assert names[SmartCardReaderKind.GENERIC] == [beside]
    assert set(names[SmartCardReaderKind.ANY]) == {ours, beside}
    assert names[SmartCardReaderKind.NFC] == []
    assert {reader.kind for reader in app.readers()} == {SmartCardReaderKind.TPM, SmartCardReaderKind.GENERIC}
    with pytest.warns(DeprecationWarning, match="with_kind"):
        assert SmartCardReader.get_device_selector_with_kind(SmartCardReaderKind.TPM) == ALL(SmartCardReaderKind.TPM)
    with pytest.raises(WinRTError) as raised:
        ALL(SmartCardReaderKind(99))
    assert raised.value.winerror == hresult.E_INVALIDARG


def test_row_07_the_devices_follow_the_cards() -> None:
    counts = [len(devices())]
    first = app.create("first")
    counts.append(len(devices()))
    second = app.create("second")
    counts.append(len(devices()))
    app.delete(first.smart_card)
    counts.append(len(devices()))
    app.delete(second.smart_card)
    assert [*counts, len(devices())] == [0, 1, 2, 1, 0]
    assert len(DeviceInformation.find_all_async(ALL(), None).get()) == 0


def test_row_08_a_device_leads_to_its_reader() -> None:
    for name in ("one", "two", "three"):
        app.create(name)
    for device in devices():
        reader = SmartCardReader.from_id_async(device.id).get()
        assert isinstance(reader, SmartCardReader)
        assert reader.device_id == device.id
        assert reader.name == device.name
        assert DeviceInformation.create_from_id_async(device.id).get().name == device.name
    assert len({device.id for device in devices()}) == 3


def test_row_08_an_unknown_id_is_an_error() -> None:
    with pytest.raises(OSError) as raised:
        SmartCardReader.from_id_async("nowhere").get()
    assert raised.value.winerror == hresult.ERROR_FILE_NOT_FOUND  # type: ignore[attr-defined]


# --- rows 9 and 10: cards in readers


def eject(machine: InProcessMachine) -> Any:
    """Takes the card out of the reader, which stays; returns what puts it back."""
    slot: Any = machine.readers()[0].slot  # type: ignore[attr-defined]
    card = slot.eject()
    return lambda: slot.insert(card)


def test_row_09_the_cards_in_a_reader_are_a_sequence(machine: InProcessMachine) -> None:
    reader = app.create().smart_card.reader
    cards = reader.find_all_cards_async().get()
    assert isinstance(cards, Sequence)
    assert len(cards) == 1
    assert isinstance(cards[0], SmartCard)
    assert list(cards) == list(cards[:1]) == [cards[-1]]
    put_back = eject(machine)
    assert len(reader.find_all_cards_async().get()) == 0
    put_back()
    assert len(reader.find_all_cards_async().get()) == 1


def test_row_10_pairs_of_reader_and_card_can_be_listed() -> None:
    made = {name: app.create(name).smart_card.reader.name for name in ("work", "home")}
    pairs = {
        SmartCardProvisioning.from_smart_card_async(card).get().get_name_async().get(): reader.name
        for reader in app.readers()
        for card in reader.find_all_cards_async().get()
    }
    assert pairs == made


# --- rows 11 to 14: cards that come


def test_row_11_an_inserted_card_is_told_of(machine: InProcessMachine) -> None:
    reader = app.create().smart_card.reader
    put_back = eject(machine)
    heard = Heard()
    token = reader.add_card_added(heard)
    put_back()
    _, args = heard.next()
    assert isinstance(args, CardAddedEventArgs)
    assert args.smart_card.reader is reader
    reader.remove_card_added(token)


def test_row_12_the_handler_gets_sender_and_arguments(machine: InProcessMachine) -> None:
    reader = app.create().smart_card.reader
    heard = Heard()
    token = reader.add_card_added(heard)
    sender, args = heard.next()
    assert sender is reader
    assert isinstance(args.smart_card, SmartCard)
    assert isinstance(token, int)
    assert token != 0
    reader.remove_card_added(token)


def test_row_12_a_coroutine_function_is_refused() -> None:
    reader = app.create().smart_card.reader

    async def handler(sender: object, args: object) -> None: ...

    with pytest.raises(TypeError):
        reader.add_card_added(handler)


def test_row_13_a_card_that_is_in_already_is_told_of_on_another_thread() -> None:
    reader = app.create().smart_card.reader
    threads: list[int] = []
    heard = Heard()

    def handler(sender: object, args: object) -> None:
        threads.append(threading.get_ident())
        heard(sender, args)

    token = reader.add_card_added(handler)
    heard.next()
    assert threads != [threading.get_ident()]
    reader.remove_card_added(token)


def test_row_14_a_handler_is_removed_by_its_token(machine: InProcessMachine) -> None:
    reader = app.create().smart_card.reader
    removed, kept = Heard(), Heard()
    tokens = [reader.add_card_added(removed), reader.add_card_added(kept)]
    removed.next()
    kept.next()
    reader.remove_card_added(tokens[0])
    reader.remove_card_added(tokens[0])
    eject(machine)()
    kept.next()
    assert removed.is_silent
    reader.remove_card_added(tokens[1])


def test_row_14_a_handler_that_raises_does_not_stop_the_others(unraised: list[Unraisable]) -> None:
    reader = app.create().smart_card.reader

    def fail(sender: object, args: object) -> None:
        raise RuntimeError("oh")

    heard = Heard()
    tokens = [reader.add_card_added(fail), reader.add_card_added(heard)]
    heard.next()
    assert [one.exc_type for one in unraised] == [RuntimeError]
    for token in tokens:
        reader.remove_card_added(token)


# --- rows 15 and 16: from a card to its management


def test_row_15_every_listed_card_can_be_managed() -> None:
    for name in ("one", "two"):
        app.create(name)
    for reader in app.readers():
        for card in reader.find_all_cards_async().get():
            provisioning = SmartCardProvisioning.from_smart_card_async(card).get()
            assert provisioning.smart_card is card


def test_row_15_only_a_smart_card_will_do() -> None:
    for wrong in ("card", None, 5):
        with pytest.raises(TypeError):
            SmartCardProvisioning.from_smart_card_async(wrong)  # type: ignore[arg-type]


def test_row_16_id_and_name_can_be_read() -> None:
    made = app.create()
    again = SmartCardProvisioning.from_smart_card_async(made.smart_card).get()
    assert made.get_id_async().get() == again.get_id_async().get()
    assert again.get_name_async().get() == NAME
