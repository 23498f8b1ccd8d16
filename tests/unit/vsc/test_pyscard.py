"""vsc.pyscard: pyscard on our readers, with no PC/SC service."""

import gc
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

import vsc.pyscard
from tests.unit.vsc.test_reader import PATIENCE_S, FakeCard
from vsc.pyscard import RAW, T0, T1, CardGoneError, Connection, Disposition, Failure, NoCardError, Share, registered
from vsc.reader import CardRemovedError, EventKind, Reader, ReaderError

ATR_T1 = bytes.fromhex("3B800181")
ATR_BOTH = bytes.fromhex("3B80800101")
ATR_T0 = b"\x3b\x00"


@pytest.fixture
def card() -> FakeCard:
    return FakeCard(ATR_T1)


@pytest.fixture
def reader(card: FakeCard) -> Reader:
    reader = Reader("Ours 00 00")
    reader.insert(card)
    return reader


@pytest.fixture
def connection(reader: Reader) -> Any:
    connection = Connection(reader)
    connection.connect()
    return connection


def code_of(caught: pytest.ExceptionInfo[Any]) -> int:
    return int(caught.value.hresult) & 0xFFFF_FFFF


class Recorder:
    """An observer of connections, card monitors and reader monitors: puts what it is told into a queue."""

    def __init__(self) -> None:
        self.told: queue.Queue[Any] = queue.Queue()

    def update(self, observable: object, handlers: Any) -> None:
        self.told.put(handlers)

    def next(self) -> Any:
        return self.told.get(timeout=PATIENCE_S)


class TestConnection:
    def test_connect_transmit_disconnect(self, reader: Reader, card: FakeCard) -> None:
        connection = Connection(reader)
        connection.connect()
        assert connection.getATR() == list(ATR_T1)
        assert connection.getProtocol() == T1
        assert connection.getReader() == "Ours 00 00"
        assert connection.transmit([0x00, 0xA4]) == ([0x00, 0xA4], 0x90, 0x00)
        assert connection.transmit([0x01], T1) == ([0x01], 0x90, 0x00)
        connection.disconnect()
        connection.disconnect()
        assert card.calls == ["off", "on", "00a4", "01", "off"]

    def test_context_manager(self, reader: Reader) -> None:
        with Connection(reader) as connection:
            connection.connect()
        assert not reader.is_powered

    def test_empty_reader(self) -> None:
        connection = Connection(Reader())
        with pytest.raises(NoCardError) as caught:
            connection.connect()
        assert isinstance(caught.value, CardRemovedError)
        assert code_of(caught) == Failure.E_NO_SMARTCARD

    def test_not_connected(self, reader: Reader) -> None:
        connection = Connection(reader)
        for use in (connection.reconnect, connection.getATR, lambda: connection.transmit([0])):
            with pytest.raises(ReaderError, match="not connected"):
                use()

    def test_card_gone(self, connection: Any, reader: Reader) -> None:
        """Another card, or the same again, is not the one that was connected."""
        card = reader.eject()
        for _ in range(2):
            for use in (connection.getATR, lambda: connection.transmit([0])):
                with pytest.raises(CardGoneError) as caught:
                    use()
                assert isinstance(caught.value, CardRemovedError)
                assert code_of(caught) == Failure.W_REMOVED_CARD
            if reader.card is None:
                reader.insert(card)
        connection.reconnect()
        assert connection.transmit([1]) == ([1], 0x90, 0x00)
        connection.disconnect()

    def test_disconnect_leaves_another_card_alone(self, connection: Any, reader: Reader) -> None:
        other = FakeCard()
        reader.swap(other)
        reader.power_on()
        connection.disconnect()
        assert other.calls == ["off", "on"]

    def test_reconnect_to_nothing(self, connection: Any, reader: Reader) -> None:
        reader.eject()
        with pytest.raises(NoCardError):
            connection.reconnect()
        with pytest.raises(ReaderError, match="not connected"):
            connection.reconnect()

    def test_reset_by_another(self, connection: Any, reader: Reader) -> None:
        reader.reset()
        for _ in range(2):
            with pytest.raises(ReaderError) as caught:
                connection.transmit([0])
            assert code_of(caught) == Failure.W_RESET_CARD
        assert connection.getATR() == list(ATR_T1)
        other = Connection(reader)
        other.connect()
        assert other.transmit([0]) == ([0], 0x90, 0x00)
        connection.reconnect(disposition=Disposition.LEAVE)
        assert connection.transmit([0]) == other.transmit([0]) == ([0], 0x90, 0x00)
        other.disconnect()
        with pytest.raises(ReaderError) as caught:
            connection.transmit([0])
        assert code_of(caught) == Failure.W_RESET_CARD

    @pytest.mark.parametrize(
        ("disposition", "calls"),
        [(None, ["off"]), (Disposition.LEAVE, []), (Disposition.RESET, ["reset"]), (Disposition.EJECT, ["off"])],
    )
    def test_disposition_of_connect(
        self,
        reader: Reader,
        card: FakeCard,
        disposition: Disposition | None,
        calls: list[str],
    ) -> None:
        connection = Connection(reader)
        connection.connect(disposition=disposition)
        connection.disconnect()
        assert card.calls == ["off", "on", *calls]

    @pytest.mark.parametrize(
        ("disposition", "calls"),
        [(None, ["reset"]), (Disposition.LEAVE, []), (Disposition.UNPOWER, ["off", "on"])],
    )
    def test_disposition_of_reconnect(
        self, connection: Any, card: FakeCard, disposition: Disposition | None, calls: list[str]
    ) -> None:
        connection.reconnect(disposition=disposition)
        assert card.calls == ["off", "on", *calls]
        assert connection.transmit([0]) == ([0], 0x90, 0x00)

    def test_protocols(self) -> None:
        reader = Reader()
        connection = Connection(reader)
        for atr, wanted, active in [
            (ATR_T0, None, T0),
            (ATR_BOTH, T0 | T1, T1),
            (ATR_BOTH, T0, T0),
            (ATR_T1, T1, T1),
            (ATR_T1, RAW | T0, RAW),
            (b"\xff\xff", T1, T1),
        ]:
            reader.insert(FakeCard(atr))
            connection.setProtocol(T0 | T1)
            connection.connect(wanted)
            assert connection.getProtocol() == active
            connection.disconnect()
            reader.eject()
        reader.insert(FakeCard(ATR_T1))
        with pytest.raises(ReaderError) as caught:
            connection.connect(T0)
        assert code_of(caught) == Failure.E_PROTO_MISMATCH
        connection.connect(T1)
        with pytest.raises(ReaderError) as caught:
            connection.transmit([0], T0)
        assert code_of(caught) == Failure.E_PROTO_MISMATCH

    def test_sharing(self, connection: Any, reader: Reader) -> None:
        other = Connection(reader)
        with pytest.raises(ReaderError) as caught:
            other.connect(mode=Share.EXCLUSIVE)
        assert code_of(caught) == Failure.E_SHARING_VIOLATION
        other.connect()
        other.disconnect()
        connection.reconnect(mode=Share.EXCLUSIVE)
        with pytest.raises(ReaderError):
            other.connect()
        Connection(Reader()).connect(mode=Share.DIRECT)
        connection.disconnect()
        other.connect(mode=Share.EXCLUSIVE)

    def test_a_dropped_connection_shares_nothing(self, reader: Reader) -> None:
        Connection(reader).connect(mode=Share.EXCLUSIVE)
        gc.collect()
        Connection(reader).connect(mode=Share.EXCLUSIVE)
        assert reader.is_powered

    def test_direct(self) -> None:
        class Echo(Reader):
            def control(self, code: int, data: bytes) -> bytes | None:
                return data if code == 1 else None

        connection = Connection(Echo("Leser"))
        connection.connect(mode=Share.DIRECT)
        assert connection.control(1, [1, 2]) == [1, 2]
        uses: list[Callable[[], object]] = [lambda: connection.control(2, []), lambda: connection.getAttrib(1)]
        for use in uses:
            with pytest.raises(ReaderError) as caught:
                use()
            assert code_of(caught) == Failure.E_UNSUPPORTED_FEATURE
        with pytest.raises(ReaderError, match="not to a card"):
            connection.transmit([0])
        assert bytes(connection.getAttrib(0x7FFF0003)) == b"Leser"

    def test_atr_attribute(self, connection: Any) -> None:
        assert connection.getAttrib(0x00090303) == list(ATR_T1)

    @pytest.mark.parametrize("command", [[256], [-1], 5, ["a"], [1.5]])
    def test_bad_command(self, connection: Any, command: Any) -> None:
        with pytest.raises((TypeError, ValueError)):
            connection.transmit(command)

    def test_observers(self, reader: Reader) -> None:
        connection, recorder = Connection(reader), Recorder()
        connection.addObserver(recorder)
        assert connection.countObservers() == 1
        connection.connect()
        connection.transmit([0xA4])
        connection.reconnect()
        connection.release()
        connection.release()
        connection.deleteObserver(recorder)
        connection.connect()
        told = [recorder.next() for _ in range(recorder.told.qsize())]
        assert [event.type for event in told] == [
            "connect",
            "command",
            "response",
            "reconnect",
            "release",
            "disconnect",
        ]
        assert [event.args for event in told[1:3]] == [[[0xA4], None], [[0xA4], 0x90, 0x00]]

    def test_error_checking_chain(self, connection: Any) -> None:
        checked: list[Any] = []
        connection.setErrorCheckingChain([lambda *answer: checked.append(answer)])
        connection.transmit([1])
        assert checked == [([1], 0x90, 0x00)]

    def test_disconnect_in_a_command_leaves_the_card(self) -> None:
        """pyscard's card services disconnect in their finalizer, which may run anywhere."""

        class Finalizing(FakeCard):
            def transmit(self, command: bytes) -> bytes:
                ours.disconnect()
                return super().transmit(command)

        reader = Reader()
        reader.insert(Finalizing())
        ours = Connection(reader)
        ours.connect()
        assert ours.transmit([1]) == ([1], 0x90, 0x00)
        assert reader.is_powered

    def test_eject_during_a_command(self) -> None:
        reader = Reader()

        class Jumping(FakeCard):
            def transmit(self, command: bytes) -> bytes:
                reader.eject()
                return super().transmit(command)

        reader.insert(Jumping())
        connection = Connection(reader)
        connection.connect()
        with pytest.raises(CardGoneError):
            connection.transmit([1])


def test_without_pyscard_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)
    for name in [name for name in sys.modules if name.startswith(("smartcard.", "vsc.pyscard"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(vsc, "pyscard", vsc.pyscard)  # The import below would replace it.
    with pytest.raises(ImportError, match=r"needs pyscard: pip install 'virtual-smart-card\[pcsc\]'"):
        import_module("vsc.pyscard")


def smartcard(name: str) -> Any:
    """A name of pyscard's, as existing code would import it."""
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(f"smartcard.{module}" if module else "smartcard"), attribute)


def names() -> list[str]:
    return [str(reader) for reader in smartcard("System.readers")()]


@pytest.fixture
def no_pcsc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks a PC/SC service in these tests finds none, even if there is one."""
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", "/nonexistent/pcscd.comm")


@pytest.mark.usefixtures("no_pcsc")
class TestPyscard:
    @pytest.fixture
    def in_use(self, reader: Reader) -> Iterator[Reader]:
        with registered(reader):
            yield reader

    def test_is_a_card_connection(self, reader: Reader) -> None:
        assert isinstance(Connection(reader), smartcard("CardConnection.CardConnection"))

    def test_exceptions_are_pyscards(self) -> None:
        with pytest.raises(smartcard("Exceptions.NoCardException"), match="No smart card inserted"):
            Connection(Reader()).connect()
        with pytest.raises(smartcard("Exceptions.CardConnectionException")):
            Connection(Reader()).getATR()

    @pytest.mark.parametrize("failure", Failure)
    def test_codes_are_pcscs(self, failure: Failure) -> None:
        assert smartcard(f"scard.SCARD_{failure.name}") & 0xFFFF_FFFF == failure

    @pytest.mark.parametrize("share", Share)
    def test_share_modes_are_pcscs(self, share: Share) -> None:
        assert smartcard(f"scard.SCARD_SHARE_{share.name}") == share

    @pytest.mark.parametrize("disposition", Disposition)
    def test_dispositions_are_pcscs(self, disposition: Disposition) -> None:
        assert smartcard(f"scard.SCARD_{disposition.name}_CARD") == disposition

    def test_protocols_are_pyscards(self) -> None:
        there = smartcard("CardConnection.CardConnection")
        assert (there.T0_protocol, there.T1_protocol, there.RAW_protocol) == (T0, T1, RAW)

    def test_readers(self, in_use: Reader) -> None:
        (found,) = smartcard("System.readers")()
        assert isinstance(found, smartcard("reader.Reader.Reader"))
        assert found == smartcard("System.readers")()[0]
        assert str(found) == found.name == in_use.name
        assert smartcard("listReaders")() == [in_use.name]
        connection = found.createConnection()
        connection.connect()
        assert connection.transmit([0x00]) == ([0x00], 0x90, 0x00)

    def test_decorators(self, in_use: Reader) -> None:
        connection = smartcard("ExclusiveConnectCardConnection.ExclusiveConnectCardConnection")(Connection(in_use))
        with connection:
            connection.connect()
            assert connection.transmit([1]) == ([1], 0x90, 0x00)
        assert not in_use.is_powered

    def test_session(self, in_use: Reader) -> None:
        session = smartcard("Session")(in_use.name)
        assert session.getATR() == list(ATR_T1)
        assert session.sendCommandAPDU([1]) == ([1], 0x90, 0x00)
        session.close()

    def test_console_observer(self, in_use: Reader, capsys: pytest.CaptureFixture[str]) -> None:
        connection = Connection(in_use)
        connection.addObserver(smartcard("CardConnectionObserver.ConsoleCardConnectionObserver")())
        connection.connect()
        connection.transmit([0x00, 0xA4])
        assert "> 00 A4" in capsys.readouterr().out

    def test_error_checking_chain(self, in_use: Reader) -> None:
        class Refusing(FakeCard):
            def transmit(self, command: bytes) -> bytes:
                return b"\x69\x82"

        in_use.swap(Refusing(ATR_T1))
        chain = [
            smartcard("sw.ErrorCheckingChain.ErrorCheckingChain")(
                [], smartcard("sw.ISO7816_4ErrorChecker.ISO7816_4ErrorChecker")()
            )
        ]
        connection = Connection(in_use)
        connection.setErrorCheckingChain(chain)
        connection.connect()
        with pytest.raises(smartcard("sw.SWExceptions.CheckingErrorException")):
            connection.transmit([0])

    def test_card_request_finds_a_card(self, in_use: Reader) -> None:
        empty = Reader("empty")
        with registered(empty):
            request = smartcard("CardRequest.CardRequest")
            service = request(timeout=0).waitforcard()
            service.connection.connect()
            assert service.connection.getReader() == in_use.name
            assert request(timeout=0, readers=[in_use.name]).waitforcard() is not None
            assert len(request(timeout=0).getReaders()) == 2
            for readers in (["empty"], ["unknown"], []):
                with pytest.raises(smartcard("Exceptions.CardRequestTimeoutException")):
                    request(timeout=0, readers=readers).waitforcard()

    def test_card_request_of_a_type(self, in_use: Reader) -> None:
        request, of_atr = smartcard("CardRequest.CardRequest"), smartcard("CardType.ATRCardType")
        request(timeout=0, cardType=of_atr(list(ATR_T1))).waitforcard()
        with pytest.raises(smartcard("Exceptions.CardRequestTimeoutException")):
            request(timeout=0, cardType=of_atr(list(ATR_T0))).waitforcard()

    def test_card_request_for_a_new_card(self, in_use: Reader) -> None:
        request = smartcard("CardRequest.CardRequest")
        with pytest.raises(smartcard("Exceptions.CardRequestTimeoutException")):
            request(timeout=0.01, newcardonly=True).waitforcard()
        asked, found = threading.Event(), queue.Queue[Any]()

        class AnyCard(smartcard("CardType.AnyCardType")):  # type: ignore[misc]
            def matches(self, atr: list[int], reader: Any = None) -> bool:
                asked.set()
                return True

        def wait() -> None:
            found.put(request(timeout=None, newcardonly=True, cardType=AnyCard()).waitforcard())

        waiting = threading.Thread(target=wait)
        waiting.start()
        while not asked.is_set():
            in_use.swap(FakeCard(ATR_T0))  # The thread may not be waiting yet; the next card is new in any case.
        service = found.get(timeout=PATIENCE_S)
        waiting.join(PATIENCE_S)
        service.connection.connect()
        assert service.connection.getATR() == list(ATR_T0)

    def test_card_monitor(self, in_use: Reader) -> None:
        monitor, recorder = smartcard("CardMonitoring.CardMonitor")(), Recorder()
        monitor.addObserver(recorder)
        there: list[list[int]] = []
        while not there:  # Told at once what is known, which may be nothing yet.
            there = [card.atr for card in recorder.next()[0]]
        assert there == [list(ATR_T1)]
        for _ in range(3):
            card = in_use.eject()
            added, removed = recorder.next()
            assert (added, [one.atr for one in removed]) == ([], [list(ATR_T1)])
            in_use.insert(card)
            added, removed = recorder.next()
            assert ([one.atr for one in added], removed) == ([list(ATR_T1)], [])
        connection = added[0].createConnection()
        connection.connect()
        assert connection.transmit([1]) == ([1], 0x90, 0x00)
        in_use.swap(FakeCard(ATR_T1))
        assert len(recorder.next()[1]) == len(recorder.next()[0]) == 1
        monitor.deleteObserver(recorder)

    def test_card_monitor_ends_with_the_block(self, reader: Reader) -> None:
        before = threading.active_count()
        for _ in range(3):
            recorder = Recorder()
            with registered(reader):
                smartcard("CardMonitoring.CardMonitor")().addObserver(recorder)
                while not recorder.next()[0]:
                    pass
            assert [card.atr for card in recorder.next()[1]] == [list(ATR_T1)]
            assert threading.active_count() == before

    def test_reader_monitor(self, in_use: Reader) -> None:
        recorder = Recorder()
        monitor = smartcard("ReaderMonitoring.ReaderMonitor")(period=0.01)
        monitor.addObserver(recorder)
        assert [str(reader) for reader in recorder.next()[0]] == [in_use.name]
        with registered(Reader("second")):
            assert [str(reader) for reader in recorder.next()[0]] == ["second"]
        assert [str(reader) for reader in recorder.next()[1]] == ["second"]
        monitor.deleteObserver(recorder)

    def test_a_card_request_hears_of_readers(self, in_use: Reader) -> None:
        request = smartcard("CardRequest.CardRequest")(timeout=PATIENCE_S)
        assert len(request.waitforcardevent()) == 1
        second = Reader("second")
        second.insert(FakeCard(ATR_T0))
        with registered(second):
            assert [card.reader for card in request.waitforcardevent()] == [in_use.name, "second"]
        assert [card.reader for card in request.waitforcardevent()] == [in_use.name]

    def test_a_card_event_may_not_come(self, in_use: Reader) -> None:
        request = smartcard("CardRequest.CardRequest")(timeout=0.01)
        request.waitforcardevent()
        with pytest.raises(smartcard("Exceptions.CardRequestTimeoutException")):
            request.waitforcardevent()
        assert in_use.events[-1].kind is EventKind.INSERTED

    def test_blocks_add_up(self, in_use: Reader) -> None:
        with registered(Reader("second"), Reader("third")):
            assert names() == [in_use.name, "second", "third"]
            with pytest.raises(ValueError, match="second"), registered(Reader("second")):
                pass
        assert names() == [in_use.name]

    def test_undoes_itself(self, reader: Reader) -> None:
        def state() -> tuple[object, ...]:
            monitoring = import_module("smartcard.CardMonitoring")
            return (
                list(smartcard("reader.ReaderFactory.ReaderFactory").factorymethods),
                smartcard("CardRequest.PCSCCardRequest"),
                monitoring.CardMonitor.instance,
                monitoring.CardMonitoringThread.instance,
            )

        def fails() -> None:
            with registered(reader):
                assert state() != before
                smartcard("CardMonitoring.CardMonitor")()
                raise RuntimeError

        before = state()
        with pytest.raises(RuntimeError):
            fails()
        assert state() == before
        with pytest.raises(smartcard("pcsc.PCSCExceptions.EstablishContextException")):
            names()
