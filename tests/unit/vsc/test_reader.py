"""Readers: what goes in and out, who is told, and who waits for whom."""

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from card_os.card import Card
from vpcd_bridge.port import PoweredCard
from vsc.factory import fresh
from vsc.reader import (
    DEFAULT_NAME,
    MAX_LOG_EVENTS,
    CardRemovedError,
    EventKind,
    Exchange,
    Reader,
    ReaderBusyError,
    ReaderError,
    ReaderEvent,
)

PATIENCE_S = 10.0
"""Nothing waits this long unless it is broken."""


class FakeCard:
    """Answers with its command, and writes down what is done to it."""

    def __init__(self, atr: bytes = b"\x3b\x00") -> None:
        self.atr = atr
        self.calls: list[str] = []

    def power_on(self) -> bytes:
        self.calls.append("on")
        return self.atr

    def power_off(self) -> None:
        self.calls.append("off")

    def reset(self) -> bytes:
        self.calls.append("reset")
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        self.calls.append(command.hex())
        return command + b"\x90\x00"


class SlowCard(FakeCard):
    """Computes until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.has_started = threading.Event()
        self.may_end = threading.Event()

    def transmit(self, command: bytes) -> bytes:
        self.has_started.set()
        assert self.may_end.wait(PATIENCE_S)
        return super().transmit(command)


@contextmanager
def in_thread(work: Callable[[], Any]) -> Iterator["Future[Any]"]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(work)


@contextmanager
def computing(reader: Reader, card: SlowCard) -> Iterator["Future[Any]"]:
    """A command that runs until the block, or the test, lets the card go."""
    with in_thread(lambda: reader.transmit(b"long")) as running:
        assert card.has_started.wait(PATIENCE_S)
        try:
            yield running
        finally:
            card.may_end.set()


def kinds(reader: Reader) -> list[EventKind]:
    return [event.kind for event in reader.events]


@pytest.mark.parametrize("name", [DEFAULT_NAME, "x", "x" * 127, "é" * 63, "Leser 中"])
def test_name(name: str) -> None:
    assert Reader(name).name == name


@pytest.mark.parametrize("name", ["", "x" * 128, "é" * 64, "a\0b", "a\nb", "\ud800"])
def test_bad_name(name: str) -> None:
    with pytest.raises(ValueError):
        Reader(name)


def test_empty() -> None:
    reader = Reader()
    assert (reader.card, reader.atr, reader.is_powered, reader.insertions, reader.resets) == (None, None, False, 0, 0)
    assert reader.events == ()
    reader.power_off()
    for use in (
        reader.eject,
        reader.power_on,
        reader.reset,
        lambda: reader.transmit(b""),
        lambda: reader.swap(FakeCard()),
    ):
        with pytest.raises(CardRemovedError):
            use()
    assert reader.events == ()


def test_life_of_a_card() -> None:
    reader, card = Reader("one"), FakeCard()
    reader.insert(card)
    assert (reader.card, reader.atr, reader.is_powered, reader.insertions) == (card, card.atr, False, 1)
    assert reader.power_on() == card.atr
    assert (reader.is_powered, reader.resets) == (True, 0)
    assert reader.transmit(b"\x00\xa4") == b"\x00\xa4\x90\x00"
    assert reader.reset() == reader.reset(warm=False) == card.atr
    reader.power_off()
    reader.power_off()
    assert (reader.is_powered, reader.resets) == (False, 3)
    assert reader.eject() is card
    assert card.calls == ["off", "on", "00a4", "reset", "off", "on", "off", "off"]
    assert reader.events == tuple(
        ReaderEvent(number, "one", kind, 1)
        for number, kind in enumerate(
            [
                EventKind.INSERTED,
                EventKind.POWERED_ON,
                EventKind.WARM_RESET,
                EventKind.COLD_RESET,
                EventKind.POWERED_OFF,
                EventKind.EJECTED,
            ],
            1,
        )
    )


def test_insertion_takes_power_away() -> None:
    """Whatever was verified on the card before must not be in a reader."""
    card = FakeCard()
    Reader().insert(card)
    assert card.calls == ["off"]


def test_powers_on_for_a_command() -> None:
    reader, card = Reader(), FakeCard()
    reader.insert(card)
    reader.transmit(b"\x01")
    reader.transmit(b"\x02")
    assert card.calls == ["off", "on", "01", "02"]
    assert kinds(reader) == [EventKind.INSERTED, EventKind.POWERED_ON]


@pytest.mark.parametrize("warm", [True, False])
def test_reset_without_power_is_power_on(warm: bool) -> None:
    reader, card = Reader(), FakeCard()
    reader.insert(card)
    reader.reset(warm=warm)
    assert card.calls == ["off", "on"]
    assert (kinds(reader)[-1], reader.resets) == (EventKind.POWERED_ON, 0)


def test_power_on_of_a_powered_card() -> None:
    reader, card = Reader(), FakeCard()
    reader.insert(card)
    reader.power_on()
    assert reader.power_on(only_if_off=True) == card.atr
    assert card.calls == ["off", "on"]
    reader.power_on()
    assert card.calls == ["off", "on", "reset"]
    assert kinds(reader)[-1] is EventKind.WARM_RESET


def test_atr_may_change_with_a_reset() -> None:
    reader, card = Reader(), FakeCard(b"\x3b\x00")
    reader.insert(card)
    card.atr = b"\x3b\x01\x02"
    assert reader.atr == b"\x3b\x00"
    reader.power_on()
    assert reader.atr == reader.atr_of(1) == b"\x3b\x01\x02"


def test_busy() -> None:
    reader, card = Reader(), FakeCard()
    reader.insert(card)
    for other in (card, FakeCard()):
        with pytest.raises(ReaderBusyError):
            reader.insert(other)
    assert reader.card is card
    assert reader.insertions == 1
    assert card.calls == ["off"]


def test_one_reader_a_card() -> None:
    one, two, card = Reader("one"), Reader("two"), FakeCard()
    one.insert(card)
    two.insert(FakeCard())
    with pytest.raises(ReaderError, match="'one'"):
        two.swap(card)
    two.eject()
    with pytest.raises(ReaderError, match="'one'"):
        two.insert(card)
    two.insert(one.eject())
    assert two.card is card


def test_a_forgotten_reader_frees_its_card() -> None:
    card = FakeCard()
    Reader("gone").insert(card)
    gc.collect()
    reader = Reader()
    reader.insert(card)
    assert reader.card is card


def test_swap() -> None:
    reader, old, new = Reader(), FakeCard(), FakeCard(b"\x3b\x01\x05")
    reader.insert(old)
    reader.power_on()
    seen: list[tuple[EventKind, object]] = []
    reader.subscribe(lambda event: seen.append((event.kind, reader.card)))
    assert reader.swap(new) is old
    assert seen == [(EventKind.EJECTED, new), (EventKind.INSERTED, new)]
    assert old.calls[-1] == "off"
    assert (reader.atr, reader.is_powered, reader.insertions) == (new.atr, False, 2)
    assert [event.insertion for event in reader.events] == [1, 1, 1, 2]
    with pytest.raises(CardRemovedError):
        reader.transmit(b"", insertion=1)
    reader.transmit(b"", insertion=2)


def test_swap_with_itself() -> None:
    reader, card = Reader(), FakeCard()
    reader.insert(card)
    reader.power_on()
    assert reader.swap(card) is card
    assert not reader.is_powered
    assert kinds(reader)[-2:] == [EventKind.EJECTED, EventKind.INSERTED]
    assert reader.eject() is card


def test_a_card_that_fails_at_the_door_stays_out() -> None:
    class Broken(FakeCard):
        def power_off(self) -> None:
            super().power_off()
            if len(self.calls) == 1:
                raise RuntimeError("broken")

    reader, card = Reader(), Broken()
    with pytest.raises(RuntimeError):
        reader.insert(card)
    assert reader.card is None
    reader.insert(card)
    assert reader.insertions == 1


def test_what_a_card_raises_comes_out() -> None:
    class Broken(FakeCard):
        def transmit(self, command: bytes) -> bytes:
            raise RuntimeError("broken")

    reader = Reader()
    reader.insert(Broken())
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            reader.transmit(b"")


def test_handles_are_bound_to_a_stay() -> None:
    reader, card = Reader(), FakeCard()
    reader.insert(card)
    view, bound = reader.as_powered_card(), reader.as_powered_card(insertion=1)
    assert view.power_on() == bound.reset() == view.atr == bound.atr == card.atr
    assert bound.transmit(b"\x07") == b"\x07\x90\x00"
    reader.swap(FakeCard())
    assert view.transmit(b"\x08") == b"\x08\x90\x00"
    bound.power_off()
    assert kinds(reader)[-1] is EventKind.POWERED_ON
    for use in (bound.power_on, bound.reset, lambda: bound.transmit(b""), lambda: bound.atr):
        with pytest.raises(CardRemovedError):
            use()
    view.power_off()
    assert kinds(reader)[-1] is EventKind.POWERED_OFF
    reader.eject()
    with pytest.raises(CardRemovedError):
        _ = view.atr


def test_control_codes_that_it_does_not_know() -> None:
    assert Reader().control(0x42000D49, b"") is None


def test_log_is_bounded() -> None:
    reader, card = Reader(), FakeCard()
    for _ in range(MAX_LOG_EVENTS):
        reader.insert(card)
        reader.eject()
    numbers = [event.number for event in reader.events]
    assert numbers == list(range(MAX_LOG_EVENTS + 1, 2 * MAX_LOG_EVENTS + 1))


class TestObservers:
    def test_each_event_once_in_order(self) -> None:
        reader, card = Reader(), FakeCard()
        seen: list[ReaderEvent] = []
        reader.insert(card)
        end = reader.subscribe(seen.append)
        reader.subscribe(seen.append)
        reader.power_on()
        reader.eject()
        assert seen == [event for event in reader.events[1:] for _ in range(2)]
        end()
        end()
        reader.insert(card)
        assert seen[4:] == [reader.events[-1]]

    def test_may_call_back(self) -> None:
        """An event that an observer causes comes after the one it was told, for every observer."""
        reader, card = Reader(), FakeCard()
        seen: list[EventKind] = []

        def powers_on(event: ReaderEvent) -> None:
            if event.kind is EventKind.INSERTED:
                reader.power_on()
                reader.eject()

        reader.subscribe(powers_on)
        reader.subscribe(lambda event: seen.append(event.kind))
        reader.insert(card)
        assert seen == [EventKind.INSERTED, EventKind.POWERED_ON, EventKind.EJECTED] == kinds(reader)

    def test_that_raises(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reader, seen = Reader(), list[ReaderEvent]()
        raised: list[BaseException | None] = []
        monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: raised.append(unraisable.exc_value))

        def raises(event: ReaderEvent) -> None:
            raise RuntimeError(event.kind)

        reader.subscribe(raises)
        reader.subscribe(seen.append)
        reader.insert(FakeCard())
        assert [event.kind for event in seen] == [EventKind.INSERTED]
        assert [str(error) for error in raised] == ["EventKind.INSERTED"]

    def test_ended_by_another(self) -> None:
        reader, seen = Reader(), list[ReaderEvent]()
        reader.subscribe(lambda event: end())
        end = reader.subscribe(seen.append)
        reader.insert(FakeCard())
        assert seen == []

    def test_of_many_threads_see_one_order(self) -> None:
        reader = Reader()
        seen: list[int] = []
        others: list[int] = []
        reader.subscribe(lambda event: seen.append(event.number))
        reader.subscribe(lambda event: others.append(event.number))
        start = threading.Barrier(4)

        def churn() -> None:
            card = FakeCard()
            start.wait(PATIENCE_S)
            for _ in range(200):
                try:
                    reader.insert(card)
                    reader.power_on()
                    reader.swap(card)
                    reader.eject()
                except ReaderError:
                    pass

        threads = [threading.Thread(target=churn) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        assert [event.number for event in reader.events] == list(range(1, len(reader.events) + 1)) == seen == others
        inserted = [event for event in reader.events if event.kind is EventKind.INSERTED]
        assert [event.insertion for event in inserted] == list(range(1, reader.insertions + 1))
        is_in = False
        for event in reader.events:
            if event.kind is EventKind.INSERTED:
                assert not is_in
                is_in = True
            else:
                assert is_in
                is_in = event.kind is not EventKind.EJECTED


class TestWaiting:
    def test_holds_already(self) -> None:
        assert Reader().wait_for(lambda reader: reader.card is None, 0)

    def test_runs_out(self) -> None:
        assert not Reader().wait_for(lambda reader: reader.card is not None, 0.001)
        assert not Reader().wait_for(lambda reader: False, -1)

    def test_is_woken(self) -> None:
        reader, asked = Reader(), threading.Event()

        def is_in(reader: Reader) -> bool:
            asked.set()
            return reader.is_powered

        with in_thread(lambda: reader.wait_for(is_in)) as waiting:
            assert asked.wait(PATIENCE_S)
            reader.insert(FakeCard())
            reader.power_on()
            assert waiting.result(PATIENCE_S)

    def test_is_woken_when_a_card_leaves(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reader, waits = Reader(), threading.Event()
        reader.insert(FakeCard())
        wait, woken = reader._changed.wait, list[bool]()

        def told(timeout: float | None = None) -> bool:
            waits.set()  # With the lock, which the wait itself gives back.
            woken.append(wait(timeout))
            return woken[-1]

        monkeypatch.setattr(reader._changed, "wait", told)
        with in_thread(lambda: reader.wait_for(lambda reader: reader.card is None, PATIENCE_S)) as waiting:
            assert waits.wait(PATIENCE_S)
            reader.eject()
            assert waiting.result(2 * PATIENCE_S)
        assert woken == [True], "and not because time was up"

    def test_condition_may_use_the_reader(self) -> None:
        reader = Reader()
        reader.insert(FakeCard())
        assert reader.wait_for(lambda reader: reader.transmit(b"") == b"\x90\x00", PATIENCE_S)


class TestThreads:
    def test_eject_does_not_wait_for_a_command(self) -> None:
        reader, card = Reader(), SlowCard()
        reader.insert(card)
        with computing(reader, card) as running:
            assert reader.eject() is card
            assert not running.done()
            assert card.calls == ["off", "on"]
            card.may_end.set()
            with pytest.raises(CardRemovedError):
                running.result(PATIENCE_S)
        assert card.calls == ["off", "on", b"long".hex(), "off"]

    def test_swap_does_not_wait_for_a_command(self) -> None:
        reader, card, other = Reader(), SlowCard(), FakeCard()
        reader.insert(card)
        with computing(reader, card) as running:
            assert reader.swap(other) is card
            assert reader.transmit(b"\x01") == b"\x01\x90\x00"
            card.may_end.set()
            with pytest.raises(CardRemovedError):
                running.result(PATIENCE_S)
        assert reader.card is other

    def test_who_waits_behind_a_command_learns_at_once(self) -> None:
        reader, card = Reader(), SlowCard()
        reader.insert(card)
        with computing(reader, card), in_thread(lambda: reader.transmit(b"next")) as waiting:
            reader.eject()
            with pytest.raises(CardRemovedError):
                waiting.result(PATIENCE_S)
            card.may_end.set()

    @pytest.mark.parametrize("elsewhere", [False, True])
    def test_a_computing_card_goes_in_when_it_is_done(self, elsewhere: bool) -> None:
        reader, card = Reader(), SlowCard()
        reader.insert(card)
        target = Reader() if elsewhere else reader
        with computing(reader, card) as running:
            reader.eject()
            with in_thread(lambda: target.insert(card)) as inserting:
                assert not target.wait_for(lambda target: target.card is card, 0.02)
                card.may_end.set()
                inserting.result(PATIENCE_S)
            assert target.card is card
            with pytest.raises(CardRemovedError):
                running.result(PATIENCE_S)
        assert card.calls == ["off", "on", b"long".hex(), "off", "off"]

    def test_an_insert_that_waited_may_find_the_reader_taken(self) -> None:
        reader, card, quick = Reader(), SlowCard(), FakeCard()
        reader.insert(card)
        with computing(reader, card):
            reader.eject()
            with in_thread(lambda: reader.insert(card)) as inserting:
                reader.insert(quick)
                card.may_end.set()
                with pytest.raises(ReaderBusyError):
                    inserting.result(PATIENCE_S)
        assert reader.card is quick
        Reader().insert(card)

    def test_commands_come_one_at_a_time(self) -> None:
        inside: list[int] = []
        most: list[int] = []

        class Counting(FakeCard):
            def transmit(self, command: bytes) -> bytes:
                inside.append(1)
                most.append(len(inside))
                threading.Event().wait(0)
                inside.pop()
                return super().transmit(command)

        reader = Reader()
        reader.insert(Counting())
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: reader.transmit(bytes([number])), range(200)))
        assert set(most) == {1}
        assert len(most) == 200

    def test_a_card_may_throw_itself_out(self) -> None:
        """What a fault does: the card is gone in the middle of a command."""
        reader = Reader()

        class Jumping(FakeCard):
            def transmit(self, command: bytes) -> bytes:
                reader.eject()
                return super().transmit(command)

        card = Jumping()
        reader.insert(card)
        with pytest.raises(CardRemovedError):
            reader.transmit(b"\x01")
        assert card.calls[-1] == "off"
        reader.insert(card)
        assert reader.insertions == 2

    def test_a_card_that_throws_itself_out_is_told_of_when_its_command_has_ended(self) -> None:
        """Observers may use the card, so nobody may have its turn; and who looks on hears of the command first."""
        reader = Reader()
        heard: list[str] = []

        class Jumping(FakeCard):
            def transmit(self, command: bytes) -> bytes:
                reader.eject()
                return super().transmit(command)

        def put_back(event: ReaderEvent) -> None:
            heard.append(event.kind.name)
            if event.kind is EventKind.EJECTED:
                reader.insert(card)

        card = Jumping()
        reader.insert(card)
        reader.tap(lambda exchange: heard.append(f"{exchange.response!r} {exchange.reason}"))
        reader.subscribe(put_back)
        with pytest.raises(CardRemovedError):
            reader.transmit(b"\x01")
        no_answer = f"b'' the card was taken out of {reader.name!r}"
        assert heard == [no_answer, "POWERED_ON", "EJECTED", "INSERTED"]
        assert reader.card is card

    @pytest.mark.parametrize("use", ["insert", "transmit"])
    def test_a_command_cannot_wait_for_itself(self, use: str) -> None:
        reader, other = Reader(), Reader()

        class Reentrant(FakeCard):
            def transmit(self, command: bytes) -> bytes:
                assert reader.is_in_use_here
                if use == "transmit":
                    return reader.transmit(command)
                reader.eject()
                other.insert(self)
                return command

        reader.insert(Reentrant())
        with pytest.raises(ReaderError):
            reader.transmit(b"")
        assert not reader.is_in_use_here
        assert other.card is None


# --- taps and the line


def gids_card() -> Card:
    return fresh("gids", pin=b"12345678", admin_key=bytes(24))


def test_a_tap_hears_each_exchange_with_the_cards_reason() -> None:
    reader, heard = Reader("here"), list[Exchange]()
    reader.insert(gids_card())
    end = reader.tap(heard.append)
    reader.transmit(bytes.fromhex("00CBA014045C02DF2000"))
    reader.transmit(bytes.fromhex("00A40400"))
    end()
    reader.transmit(bytes.fromhex("00A40400"))

    assert [(one.reader, one.insertion, one.response[-2:].hex()) for one in heard] == [
        ("here", 1, "6982"),
        ("here", 1, "6a87"),
    ]
    assert "admin key" in heard[0].reason
    assert heard[0].took_s >= 0


def test_one_that_looks_on_sees_no_pin_by_accident() -> None:
    reader, heard = Reader(), list[Exchange]()
    reader.insert(gids_card())
    reader.tap(heard.append)
    reader.transmit(b"\x00\x20\x00\x80\x0824681357")
    assert "3234" not in repr(heard)
    assert repr(heard[0]) == "<Exchange 0020008008… -> 63C4>"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_tap_that_fails_changes_nothing_for_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    reader = Reader()
    reader.insert(gids_card())
    reader.tap(lambda exchange: 1 / 0)  # type: ignore[arg-type]
    assert reader.transmit(bytes.fromhex("00A40400"))[-2:].hex() == "6a87"
    assert len(told) == 1


class Refusing:
    """A line that keeps a diary, and lets nothing through."""

    def __init__(self) -> None:
        self.diary: list[str] = []

    def entering(self, reader: Reader, card: PoweredCard) -> None:
        self.diary.append("entering")

    def before(self, reader: Reader, command: bytes) -> str:
        self.diary.append("before")
        return ""

    def transmit(self, reader: Reader, command: bytes, card: PoweredCard) -> tuple[bytes, str]:
        self.diary.append("transmit")
        return b"\x6f\x00", "not today"

    def after(self, reader: Reader, command: bytes, response: bytes) -> None:
        self.diary.append("after " + response.hex())

    def atr(self, reader: Reader, atr: bytes) -> bytes:
        self.diary.append("atr")
        return b"\x3b\x00"


def test_a_line_stands_between_hosts_and_card() -> None:
    reader, line, heard = Reader(), Refusing(), list[Exchange]()
    reader.insert(gids_card())
    reader.line = line
    reader.tap(heard.append)
    assert reader.power_on() == b"\x3b\x00"
    assert reader.transmit(bytes.fromhex("00A40400")) == b"\x6f\x00"
    reader.announce(b"")
    reader.transmit(bytes.fromhex("00A40400"), announced=True)
    assert line.diary == ["atr", "before", "transmit", "after 6f00", "before", "transmit", "after 6f00"]
    assert heard[0].reason == "not today"
