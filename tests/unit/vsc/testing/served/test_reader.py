"""vsc.testing.served.reader: a reader there is a reader."""

import threading

import pytest

from vsc.pcsc import PcscError
from vsc.pinpad import PinPad, PinRequest, pin_source
from vsc.reader import CardRemovedError, EventKind, Exchange, Reader, ReaderBusyError, ReaderEvent
from vsc.serving.travel import TravelError
from vsc.testing import SoftCard
from vsc.testing.served import ServedReader, ServedService

SELECT = bytes.fromhex("00A4040009A00000039742544659")
PIN = b"12345678"
VERIFY_ON_PAD = bytes.fromhex("1E1E820000 0F04 02 00 0000 00 000000 05000000 0020008000")
FEATURES = 0x42000D48
VERIFY_DIRECT = 0x42330006


def test_nothing_of_a_reader_is_forgotten() -> None:
    """What Reader has and ServedReader does not say anew would act on nothing."""
    public = {name for name in vars(Reader) if not name.startswith("_")}
    assert public - {*vars(ServedReader)} == {"as_powered_card"}


def test_a_life(reader: ServedReader, service: ServedService) -> None:
    card, other = SoftCard.make(), SoftCard.make()
    assert (reader.card, reader.atr, reader.is_powered, reader.insertions) == (None, None, False, 0)
    with pytest.raises(CardRemovedError):
        reader.eject()
    reader.insert(card)
    with pytest.raises(ReaderBusyError):
        reader.insert(other)
    assert reader.atr == reader.power_on() == reader.reset() == reader.reset(warm=False) == card.atr
    assert (reader.insertions, reader.resets, reader.is_powered, reader.is_in_use_here) == (1, 2, True, False)
    reader.power_off(insertion=1)
    assert reader.transmit(SELECT, insertion=1)[-2:] == b"\x90\x00"
    reader.used()
    assert reader.idle_s is None
    with pytest.raises(TravelError, match="transactions"):
        reader.watch_transactions(lambda: True)
    assert reader.as_powered_card(insertion=1).atr == card.atr == reader.atr_of(1)
    assert reader.swap(other) is card
    with pytest.raises(CardRemovedError):
        reader.transmit(SELECT, insertion=1)
    assert reader.eject() is other
    assert [event.kind for event in reader.events][-3:] == [
        EventKind.EJECTED,
        EventKind.INSERTED,
        EventKind.EJECTED,
    ]
    assert repr(reader) == "<Reader 'One', empty>"
    with pytest.raises(PcscError, match="there is a reader 'One' already"):
        service.new_reader("One")
    with pytest.raises(ValueError, match="name"):
        service.new_reader("")


def test_the_trace_outlives_the_reader(reader: ServedReader) -> None:
    reader.insert(SoftCard.make())
    reader.transmit(SELECT)
    assert len(reader.trace.entries) == 2
    reader.trace.clear()
    assert "SELECT" not in reader.trace.text()
    reader.transmit(bytes.fromhex("0020008008") + PIN)
    reader.close()
    assert "VERIFY" in reader.trace.text()
    assert PIN.decode() not in reader.trace.text()


def test_who_waits_is_woken(reader: ServedReader) -> None:
    came = threading.Thread(target=lambda: reader.insert(SoftCard.make()))
    came.start()
    assert reader.wait_for(lambda reader: reader.card is not None, 30)
    came.join()
    assert not reader.wait_for(lambda reader: reader.card is None, 0.01)


def test_who_looks_on_is_told(reader: ServedReader) -> None:
    events: list[ReaderEvent] = []
    exchanges: list[Exchange] = []
    ends = reader.subscribe(events.append), reader.tap(exchanges.append)
    reader.insert(SoftCard.make())
    assert [event.kind for event in events] == [EventKind.INSERTED]
    reader.transmit(SELECT)
    assert [(exchange.command, exchange.insertion) for exchange in exchanges] == [(SELECT, 1)]
    for end in ends:
        end()
    reader.transmit(SELECT)
    reader.eject()
    assert (len(events), len(exchanges)) == (2, 1)


def test_who_looks_on_is_told_of_what_others_do(reader: ServedReader) -> None:
    told = threading.Event()
    end = reader.subscribe(lambda event: told.set())
    reader._process.call("lay", 5000, SoftCard.make())
    reader._process.call("reader", reader.slot, "insert", 5000)
    assert told.wait(30)
    end()


def right_pin(request: PinRequest) -> bytes:
    return PIN


def test_a_pin_pad(reader: ServedReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARD_PIN", "12345678")
    reader.insert(SoftCard.make())
    plain = reader.control(FEATURES, b"")
    for ask in (right_pin, pin_source("env:CARD_PIN")):
        PinPad(reader, ask)
        assert reader.controller is not None
        reader.transmit(SELECT)
        assert reader.control(VERIFY_DIRECT, VERIFY_ON_PAD) == b"\x90\x00"
    PinPad(reader, pin_source("cancel"))
    assert reader.control(VERIFY_DIRECT, VERIFY_ON_PAD) == b"\x64\x01"
    reader.controller = None
    assert (reader.control(FEATURES, b""), reader.controller) == (plain, None)
    with pytest.raises(TravelError, match="only a PinPad"):
        reader.controller = lambda code, data: b""
    with pytest.raises(TravelError, match="only faults"):
        reader.line = None
