"""Rows 54 to 60: cards that go, and cards that are deleted. (winrt-smartcards.md, section 8; some live, too.)"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rows import app
from tests.rows.app import Heard
from tests.rows.test_readers_and_cards import eject
from vsc.machine import InProcessMachine, use
from vsc.winrt import hresult, simulate
from vsc.winrt.enums import SmartCardReaderKind, SmartCardReaderStatus, SmartCardStatus
from vsc.winrt.errors import WinRTError
from vsc.winrt.readers import CardRemovedEventArgs


def code_of(call: Callable[[], object]) -> int:
    with pytest.raises(WinRTError) as raised:
        call()
    return raised.value.winerror


def test_row_54_a_card_that_is_taken_out_is_told_of(machine: InProcessMachine) -> None:
    card = app.create().smart_card
    heard = Heard()
    token = card.reader.add_card_removed(heard)
    put_back = eject(machine)
    sender, args = heard.next()
    assert sender is card.reader
    assert isinstance(args, CardRemovedEventArgs)
    assert args.smart_card.reader is card.reader
    assert args.smart_card.get_status_async().get() == SmartCardStatus.DISCONNECTED
    put_back()
    # Put back in it is another stay: what pointed to the first one stays dead.
    assert card.get_status_async().get() == SmartCardStatus.DISCONNECTED
    card.reader.remove_card_removed(token)


def test_row_55_the_handler_hangs_on_the_cards_reader(machine: InProcessMachine) -> None:
    card = app.create().smart_card
    heard, late = Heard(), Heard()
    reader = card.reader
    tokens = [reader.add_card_removed(heard), reader.add_card_removed(late)]
    reader.remove_card_removed(tokens[1])
    put_back = eject(machine)
    heard.next()
    put_back()
    eject(machine)
    heard.next()
    assert late.is_silent
    reader.remove_card_removed(tokens[0])


def test_row_56_a_reader_that_goes_takes_its_card_with_it_once(machine: InProcessMachine) -> None:
    made = app.create("leaves")
    heard = Heard()
    reader = made.smart_card.reader
    token = reader.add_card_removed(heard)
    machine.unplug("leaves")
    _, args = heard.next()
    assert args.smart_card.reader is reader
    assert reader.get_status_async().get() == SmartCardReaderStatus.DISCONNECTED
    machine.plug("leaves")
    reader.remove_card_removed(token)
    assert heard.is_silent


def test_row_57_a_card_knows_its_reader() -> None:
    made = app.create()
    (found,) = app.readers()
    (card,) = found.find_all_cards_async().get()
    assert card.reader is found
    assert made.smart_card.reader.device_id == found.device_id


def test_row_58_get_the_card_then_delete_it() -> None:
    app.create()
    (reader,) = app.readers()
    (card,) = reader.find_all_cards_async().get()
    assert app.delete(card) is True


def test_row_58_a_card_that_is_not_ours_cannot_be_deleted(beside: str) -> None:
    (reader,) = app.readers(SmartCardReaderKind.GENERIC)
    (card,) = reader.find_all_cards_async().get()
    assert code_of(lambda: app.delete(card)) == hresult.SCARD_E_UNSUPPORTED_FEATURE
    assert len(reader.find_all_cards_async().get()) == 1


def test_row_59_a_deleted_card_is_gone(machine: InProcessMachine) -> None:
    made = app.create()
    assert app.delete(made.smart_card) is True
    assert app.readers() == []
    assert list(machine.store.images()) == []


def test_row_59_on_disk_nothing_of_it_is_left(tmp_path: Path) -> None:
    with use(InProcessMachine(pcsc=False)) as machine:
        try:
            made = app.create("gone for good")
            assert [image.name for image in machine.store.images()] == ["gone for good"]  # type: ignore[union-attr]
            assert app.delete(made.smart_card)
            assert list(machine.store.images()) == []
        finally:
            machine.close()
    for path in (tmp_path / "cards").rglob("*"):
        assert not path.is_file() or b"gone for good" not in path.read_bytes()


def test_row_59_cancelled_it_is_still_there(machine: InProcessMachine) -> None:
    made = app.create()
    assert app.delete(made.smart_card, consent=False) is False
    assert len(app.readers()) == len(list(machine.store.images())) == 1
    assert app.verify_pin(made.smart_card, app.PIN) == app.OK


def test_row_59_who_is_no_administrator_cannot_delete() -> None:
    made = app.create()
    with simulate(administrator=False):
        assert code_of(lambda: app.delete(made.smart_card)) == hresult.E_ACCESSDENIED
    assert len(app.readers()) == 1


def test_row_60_deletion_is_told_of_once_and_what_pointed_there_is_dead() -> None:
    made = app.create()
    heard = Heard()
    card = made.smart_card
    token = card.reader.add_card_removed(heard)
    app.delete(card)
    sender, _ = heard.next()
    assert sender is card.reader
    assert card.get_status_async().get() == SmartCardStatus.DISCONNECTED
    assert card.reader.get_status_async().get() == SmartCardReaderStatus.DISCONNECTED
    dead = {hresult.SCARD_W_REMOVED_CARD, hresult.SCARD_E_UNKNOWN_READER}
    assert code_of(lambda: card.connect_async().get()) in dead
    assert code_of(lambda: made.get_id_async().get()) in dead
    assert code_of(lambda: app.delete(card)) in dead
    assert len(card.reader.find_all_cards_async().get()) == 0
    card.reader.remove_card_removed(token)
    assert heard.is_silent
