"""vsc.faults.plan: when faults strike, what the host of a reader gets, and what is told afterwards."""

import threading
from collections.abc import Callable

import pytest

from card_os.application import Application
from card_os.command import ANYBODY, Command
from tests.unit.vsc.faults.hosts import SELECT, VERIFY, verify
from vsc.errors import CardWasReset
from vsc.faults import Fault, FaultError, FaultSyntaxError, Plan, UnfiredFaultError, When, inject
from vsc.machine.own import OwnReader
from vsc.reader import (
    BrokenWireError,
    CardRemovedError,
    EventKind,
    Exchange,
    NotTransactedError,
    Reader,
    ReaderEvent,
    ServiceGoneError,
    SharedError,
)
from vsc.testing import SoftCard

WAIT_S = 20
OK = b"\x90\x00"


@pytest.fixture
def card() -> SoftCard:
    return SoftCard.make(seed=1)


@pytest.fixture
def reader(card: SoftCard) -> Reader:
    reader = Reader("mine")
    reader.insert(card)
    reader.power_on()
    return reader


@pytest.fixture
def heard(reader: Reader) -> list[Exchange]:
    heard: list[Exchange] = []
    reader.tap(heard.append)
    return heard


def telling(begun: threading.Event) -> When:
    """A predicate that is always true, and tells that it was asked."""

    def when(command: bytes, count: int) -> bool:
        begun.set()
        return True

    return when


def tries(card: SoftCard) -> int:
    left = card.fork().gids().pin_tries()
    assert left is not None
    return left.left


# --- the card layer


def test_a_status_word_in_place_of_the_answer_and_nothing_done(
    reader: Reader, card: SoftCard, heard: list[Exchange]
) -> None:
    before = tries(card)
    plan = inject(reader, "sw 6983 on VERIFY")
    assert reader.transmit(SELECT)[-2:] == OK
    assert reader.transmit(verify("00000000")) == b"\x69\x83"
    assert tries(card) == before
    assert reader.transmit(VERIFY) == OK, "once"
    assert [str(one) for one in plan.fired] == ["sw 6983 on VERIFY"]
    assert heard[1].reason == "fault: sw 6983 on VERIFY"
    assert heard[1].response == b"\x69\x83"
    plan.check()


def test_data_in_place_of_the_answer(reader: Reader) -> None:
    inject(reader, "answer DEADBEEF9000 on GET-DATA")
    assert reader.transmit(bytes.fromhex("00CB3FFF045C027F7100")) == bytes.fromhex("DEADBEEF9000")


def test_a_delay_is_waited_by_the_clock_that_is_given(reader: Reader, card: SoftCard, heard: list[Exchange]) -> None:
    waited: list[float] = []
    inject(reader, "delay 2s on VERIFY", "delay 500ms on VERIFY nth 2", wait=waited.append)
    assert reader.transmit(VERIFY) == OK
    assert reader.transmit(verify("00000000"))[:1] == b"\x63"
    assert waited == [2.0, 0.5]
    assert heard[0].reason == "fault: delay 2s on VERIFY"
    assert heard[1].reason.startswith("fault: delay 500ms on VERIFY nth 2; ")
    assert heard[1].reason.endswith(card.why), "why the card refused is said, too"


def test_a_delay_takes_time(reader: Reader, heard: list[Exchange]) -> None:
    inject(reader, "delay 3ms on VERIFY")
    assert reader.transmit(VERIFY) == OK
    assert heard[0].took_s >= 0.003


def test_a_delay_ends_when_the_card_is_taken_out(reader: Reader, card: SoftCard) -> None:
    begun, error = threading.Event(), list[Exception]()
    inject(reader, Fault.parse("delay 3600s on VERIFY", when=telling(begun)))

    def send() -> None:
        try:
            reader.transmit(verify("00000000"))
        except CardRemovedError as removed:
            error.append(removed)

    before = tries(card)
    thread = threading.Thread(target=send)
    thread.start()
    assert begun.wait(WAIT_S)
    reader.eject()
    thread.join(WAIT_S)
    assert not thread.is_alive()
    assert len(error) == 1
    assert tries(card) == before, "it had not begun"


def test_a_delay_does_not_begin_once_the_plan_is_cleared(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = inject(reader, "delay 3600s on VERIFY")
    subscribe = reader.subscribe

    def late(observer: Callable[[ReaderEvent], None]) -> Callable[[], None]:
        plan.clear()  # The delay is decided, and nobody waits yet.
        return subscribe(observer)

    monkeypatch.setattr(reader, "subscribe", late)
    assert reader.transmit(VERIFY) == OK


def test_a_delay_ends_when_the_plan_is_cleared(reader: Reader) -> None:
    begun, answers = threading.Event(), list[bytes]()
    plan = inject(reader, Fault.parse("delay 3600s on VERIFY", when=telling(begun)))
    thread = threading.Thread(target=lambda: answers.append(reader.transmit(VERIFY)))
    thread.start()
    assert begun.wait(WAIT_S)
    plan.clear()
    thread.join(WAIT_S)
    assert answers == [OK]


def test_a_mute_card(reader: Reader, card: SoftCard, heard: list[Exchange]) -> None:
    before = tries(card)
    inject(reader, "mute on VERIFY")
    with pytest.raises(NotTransactedError, match=r"^fault: mute on VERIFY$"):
        reader.transmit(verify("00000000"))
    assert tries(card) == before
    assert (heard[0].response, heard[0].reason) == (b"", "fault: mute on VERIFY")
    assert reader.transmit(VERIFY) == OK


def test_another_atr(reader: Reader, card: SoftCard) -> None:
    inject(reader, "atr 3B00 on reset")
    assert reader.reset() == reader.atr == b"\x3b\x00"
    assert reader.reset() == card.atr


def test_a_card_that_does_not_answer_to_reset(reader: Reader) -> None:
    inject(reader, "mute on reset nth 2")
    assert reader.reset()
    assert reader.reset(warm=False) == reader.atr == b""


# --- the transport


def test_half_an_answer(reader: Reader, heard: list[Exchange]) -> None:
    inject(reader, "cut on VERIFY")
    with pytest.raises(BrokenWireError) as caught:
        reader.transmit(VERIFY)
    assert caught.value.cut_answer == OK
    assert (heard[0].response, heard[0].reason) == (b"", "fault: cut on VERIFY")


def test_an_end_in_place_of_an_answer(reader: Reader, card: SoftCard) -> None:
    before = tries(card)
    inject(reader, "close on VERIFY")
    with pytest.raises(BrokenWireError) as caught:
        reader.transmit(verify("00000000"))
    assert caught.value.cut_answer == b""
    assert tries(card) == before - 1, "the card has done it"


def test_every_bit_turned_round(reader: Reader, heard: list[Exchange]) -> None:
    inject(reader, "garble on VERIFY")
    assert reader.transmit(VERIFY) == heard[0].response == b"\x6f\xff"


# --- PC/SC


def test_removed_after_some_commands(reader: Reader) -> None:
    inject(reader, "remove after 2")
    assert [reader.transmit(one)[-2:] for one in (SELECT, VERIFY)] == [OK, OK]
    assert reader.card is None
    with pytest.raises(CardRemovedError):
        reader.transmit(VERIFY)


def test_removed_after_and_before_a_command(reader: Reader, card: SoftCard, heard: list[Exchange]) -> None:
    inject(reader, "remove after SELECT", "remove before VERIFY")
    assert reader.transmit(SELECT)[-2:] == OK
    assert reader.card is None
    reader.insert(card)
    with pytest.raises(CardRemovedError):
        reader.transmit(VERIFY)
    assert [(one.command, one.response[-2:], one.reason) for one in heard] == [
        (SELECT, OK, ""),
        (VERIFY, b"", "fault: remove before VERIFY"),
    ]


def test_removed_while_it_computes(reader: Reader, card: SoftCard) -> None:
    before = tries(card)
    inject(reader, "remove on VERIFY")
    with pytest.raises(CardRemovedError):
        reader.transmit(verify("00000000"))
    assert reader.card is None
    assert tries(card) == before - 1, "the card has done it"


def test_removed_between_two_commands(reader: Reader, card: SoftCard) -> None:
    plan = inject(reader, "remove between VERIFY and SELECT")
    reader.transmit(SELECT)
    reader.transmit(VERIFY)
    assert plan.fired == ()
    with pytest.raises(CardRemovedError):
        reader.transmit(SELECT)
    assert reader.card is None
    assert len(plan.fired) == 1


def test_the_second_of_two_commands_alone_is_not_between(reader: Reader) -> None:
    inject(reader, "remove between VERIFY and SELECT")
    reader.transmit(SELECT)
    reader.transmit(SELECT)
    assert reader.card is not None


@pytest.mark.parametrize("text", ["remove before VERIFY and back", "remove on VERIFY and back"])
def test_removed_and_back(reader: Reader, card: SoftCard, text: str) -> None:
    inject(reader, text)
    stay = reader.insertions
    with pytest.raises(CardRemovedError):
        reader.transmit(VERIFY, insertion=stay)
    assert reader.card is card
    assert reader.insertions == stay + 1
    assert reader.transmit(VERIFY) == OK


def test_who_keeps_no_handle_talks_to_the_card_that_came_back(reader: Reader, heard: list[Exchange]) -> None:
    inject(reader, "remove before VERIFY and back")
    assert reader.transmit(VERIFY) == OK
    assert [one.reason for one in heard] == ["fault: remove before VERIFY and back", ""]


def test_swapped_for_a_card_of_ones_own(reader: Reader) -> None:
    other = SoftCard.make(pin="11111111")
    inject(reader, Fault.parse("swap before VERIFY", card=other))
    assert reader.transmit(VERIFY)[:1] == b"\x63"
    assert reader.card is other


def test_swapped_for_one_that_is_made_on_the_spot(reader: Reader, card: SoftCard) -> None:
    made: list[SoftCard] = []

    def make(reader: Reader) -> SoftCard:
        made.append(SoftCard.make())
        return made[-1]

    inject(reader, Fault.parse("swap after SELECT every", card=make))
    reader.transmit(SELECT)
    reader.transmit(SELECT)
    assert len(made) == 2
    assert reader.card is made[1]


def test_swapped_for_a_fresh_card(reader: Reader, card: SoftCard) -> None:
    inject(reader, "swap after SELECT")
    reader.transmit(SELECT)
    assert reader.card is not card
    assert reader.atr == card.atr
    assert reader.transmit(VERIFY) == OK


def test_reset_by_another_client(reader: Reader, heard: list[Exchange]) -> None:
    inject(reader, "reset before VERIFY")
    reader.transmit(SELECT)
    assert reader.transmit(VERIFY) == OK
    assert reader.events[-1].kind is EventKind.WARM_RESET
    assert heard[1].reason == "fault: reset before VERIFY"


@pytest.mark.parametrize(
    ("text", "error"), [("share before VERIFY", SharedError), ("gone before VERIFY", ServiceGoneError)]
)
def test_a_command_that_does_not_get_through(
    reader: Reader, card: SoftCard, heard: list[Exchange], text: str, error: type[Exception]
) -> None:
    before = tries(card)
    inject(reader, text)
    with pytest.raises(error, match=f"^fault: {text}$"):
        reader.transmit(verify("00000000"))
    assert tries(card) == before
    assert [(one.response, one.reason) for one in heard] == [(b"", f"fault: {text}")]
    assert reader.transmit(VERIFY) == OK


class Clock:
    """Seconds, as a test sets them."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("vsc.reader.reader.monotonic", clock)
    return clock


def test_a_transaction_that_stalls(reader: Reader, heard: list[Exchange], clock: Clock) -> None:
    """As Windows has it: five seconds without a command, and the card is reset."""
    plan = inject(reader, "stall 5s")
    connection = OwnReader(reader).connect()
    with connection.transaction(), connection.transaction():
        for idle_s in (4.75, 4.75):
            clock.now += idle_s
            assert reader.idle_s == idle_s
            assert connection.transmit(VERIFY) == OK
        clock.now += 5
        with pytest.raises(CardWasReset):
            connection.transmit(VERIFY)
    plan.check()
    assert "fault: stall 5s before any" in [exchange.reason for exchange in heard]


def test_outside_a_transaction_nobody_counts(reader: Reader, clock: Clock) -> None:
    plan = inject(reader, "stall 5s")
    connection = OwnReader(reader).connect()
    with connection.transaction():
        connection.transmit(SELECT)
    clock.now += 60
    assert reader.idle_s is None
    assert connection.transmit(VERIFY) == OK
    clock.now += 60
    with connection.transaction():  # The time begins with it.
        assert connection.transmit(VERIFY) == OK
    assert plan.unfired


def test_only_stalls_are_counted(reader: Reader, clock: Clock) -> None:
    plan = inject(reader, "stall 5s before VERIFY nth 2")
    connection = OwnReader(reader).connect()
    with connection.transaction():
        for idle_s in (0, 5, 1):
            clock.now += idle_s
            assert connection.transmit(VERIFY) == OK
        clock.now += 5
        assert connection.transmit(SELECT).endswith(OK)
        clock.now += 5
        with pytest.raises(CardWasReset):
            connection.transmit(VERIFY)
    plan.check()


def test_a_lost_answer(reader: Reader, card: SoftCard) -> None:
    before = tries(card)
    inject(reader, "lose on VERIFY")
    with pytest.raises(NotTransactedError, match=r"^fault: lose on VERIFY$"):
        reader.transmit(verify("00000000"))
    assert tries(card) == before - 1, "the card has done it"


def test_an_empty_reader_has_nothing_to_take_away(reader: Reader, card: SoftCard) -> None:
    plan = inject(reader, "remove before VERIFY")
    reader.eject()
    with pytest.raises(CardRemovedError):
        reader.transmit(VERIFY)
    assert plan.fired == ()
    reader.insert(card)
    with pytest.raises(CardRemovedError):
        reader.transmit(VERIFY)
    assert len(plan.fired) == 1


# --- which commands, how often


def test_the_nth_and_then_every_one(reader: Reader) -> None:
    inject(reader, "sw 6F00 on VERIFY nth 2 every")
    assert [reader.transmit(one)[-2:].hex() for one in (VERIFY, SELECT, VERIFY, SELECT, VERIFY)] == [
        *("9000", "9000", "6f00", "9000", "6f00")
    ]


def test_only_one_fault_is_the_answer_and_the_next_one_waits(reader: Reader) -> None:
    plan = inject(reader, "sw 6F00 on VERIFY", "sw 6F01 on VERIFY", "delay 1ms on VERIFY")
    assert [reader.transmit(VERIFY).hex() for _ in range(3)] == ["6f00", "6f01", "9000"]
    assert len(plan.fired) == 3


def test_a_predicate_sees_the_command_and_how_many_there_were(reader: Reader) -> None:
    seen: list[tuple[bytes, int]] = []

    def when(command: bytes, count: int) -> bool:
        seen.append((command, count))
        return command == verify("11111111")

    inject(reader, Fault.parse("sw 6F00 on VERIFY", when=when))
    sent = [VERIFY, SELECT, verify("11111111")]
    assert [reader.transmit(one)[-2:].hex() for one in sent] == ["9000", "9000", "6f00"]
    assert seen == [(VERIFY, 1), (verify("11111111"), 2)]


def test_an_application_by_name(reader: Reader) -> None:
    """It is selected after a reset; what is selected elsewhere stays what it was when that is refused."""
    inject(reader, "sw 6F00 on VERIFY in GIDS every")
    assert reader.transmit(VERIFY) == b"\x6f\x00"
    assert reader.transmit(bytes.fromhex("00A4040006A00000000101")) == b"\x6a\x82"
    assert reader.transmit(VERIFY) == b"\x6f\x00"
    reader.reset()
    reader.transmit(SELECT)
    assert reader.transmit(VERIFY) == b"\x6f\x00"


def test_a_card_of_others_has_no_application_of_ours() -> None:
    reader = Reader()
    reader.insert(Selecting())
    inject(reader, "sw 6F00 on VERIFY in GIDS every optional")
    assert reader.transmit(VERIFY) == OK
    reader.transmit(SELECT)
    assert reader.transmit(VERIFY) == b"\x6f\x00", "until it is selected"
    reader.transmit(bytes.fromhex("00A4040006A00000000101"))
    assert reader.transmit(VERIFY) == OK


class Selecting:
    """A card that answers 9000 to everything."""

    atr = b"\x3b\x00"

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        """It remembers nothing."""

    def reset(self) -> bytes:
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        return OK


# --- the plan


def test_several_injections_are_one_plan(reader: Reader) -> None:
    plan = inject(reader, "sw 6F00 on VERIFY")
    assert inject(reader, Fault.parse("mute on SELECT")) is plan is reader.line
    assert [str(one) for one in plan.faults] == ["sw 6F00 on VERIFY", "mute on SELECT"]
    assert repr(plan) == "<Plan for 'mine': sw 6F00 on VERIFY, mute on SELECT>"


def test_a_fault_that_never_struck_is_named_with_the_commands_that_came(reader: Reader) -> None:
    plan = inject(
        reader, "sw 6F00 on GET-DATA", "mute on SELECT nth 9", "lose on VERIFY optional", "share before VERIFY"
    )
    for one in (SELECT, SELECT):
        reader.transmit(one)
    with pytest.raises(SharedError):
        reader.transmit(VERIFY)
    assert [str(one) for one in plan.unfired] == ["sw 6F00 on GET-DATA", "mute on SELECT nth 9"]
    with pytest.raises(UnfiredFaultError) as caught:
        plan.check()
    assert str(caught.value) == (
        "in 'mine' 'sw 6F00 on GET-DATA', 'mute on SELECT nth 9' never struck: what came was SELECT (2 times), VERIFY"
    )


def test_what_came_has_the_names_of_a_card_with_tables_of_its_own(reader: Reader) -> None:
    class Purse(Application[bytes, None]):
        aid, name = b"\xf0PURSE", "purse"
        commands = {0x54: Command("DEBIT", {0}, {2}, ANYBODY, lambda session, apdu: b"", "ours")}  # noqa: RUF012

    class Own(SoftCard):
        applications = (Purse(),)

    reader.swap(Own.make())
    plan = inject(reader, "mute on VERIFY")
    reader.transmit(bytes.fromhex("0054000002 0064"))
    with pytest.raises(UnfiredFaultError, match=r"what came was DEBIT$"):
        plan.check()


def test_where_no_command_came_that_is_said(reader: Reader) -> None:
    with pytest.raises(UnfiredFaultError, match="never struck: no command came at all"):
        inject(reader, "mute").check()


def test_a_plan_that_is_cleared_lets_everything_pass(reader: Reader) -> None:
    plan = inject(reader, "mute every", "sw 6F00 on VERIFY")
    plan.clear()
    assert reader.transmit(VERIFY) == OK
    plan.check()
    assert plan.fired == plan.unfired == plan.faults == ()


def test_nothing_is_armed_when_one_of_them_is_no_fault(reader: Reader) -> None:
    with pytest.raises(FaultSyntaxError):
        inject(reader, "mute on VERIFY", "nonsense")
    assert reader.line is None
    plan = inject(reader)
    with pytest.raises(FaultSyntaxError):
        inject(reader, "mute on VERIFY", "nonsense")
    assert plan.faults == ()


def test_a_line_of_somebody_else_is_left_alone(reader: Reader) -> None:
    reader.line = other = Plan(reader)
    assert inject(reader) is other
    reader.line = object()  # type: ignore[assignment]
    with pytest.raises(FaultError, match="something else stands in the line of 'mine'"):
        inject(reader, "mute")


def test_what_a_predicate_raises_comes_to_whoever_sent(reader: Reader) -> None:
    inject(reader, Fault.parse("mute on VERIFY", when=lambda command, count: bool(1 // 0)))
    with pytest.raises(ZeroDivisionError):
        reader.transmit(VERIFY)
    reader.transmit(SELECT)


def test_many_threads_and_each_fault_strikes_as_often_as_it_shall(reader: Reader) -> None:
    plan = inject(reader, "sw 6F00 on VERIFY nth 50", "sw 6F01 on VERIFY nth 10 every")
    answers: list[bytes] = []

    def send() -> None:
        answers.extend(reader.transmit(VERIFY) for _ in range(25))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert sorted(map(bytes.hex, answers)) == ["6f00"] + ["6f01"] * 90 + ["9000"] * 9
    plan.check()


@pytest.mark.parametrize(
    "text", ["share before VERIFY", "remove before VERIFY and back", "remove after VERIFY and back"]
)
def test_many_threads_and_what_strikes_once_strikes_once(reader: Reader, text: str) -> None:
    inject(reader, text)
    errors: list[Exception] = []

    def send() -> None:
        for _ in range(50):
            try:
                reader.transmit(VERIFY)
            except SharedError as error:
                errors.append(error)
            except CardRemovedError:
                pass  # It was another thread's command that had the card taken out.

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert len(errors) == (text == "share before VERIFY")
    assert reader.insertions == 1 + text.endswith("back")


def test_the_card_that_comes_back_is_seen_by_observers(reader: Reader) -> None:
    events: list[ReaderEvent] = []
    reader.subscribe(events.append)
    inject(reader, "tear after commit 1 and back")
    with pytest.raises(CardRemovedError):
        reader.transmit(verify("00000000"))
    assert [event.kind for event in events] == [EventKind.EJECTED, EventKind.INSERTED]


@pytest.mark.parametrize("what", [7, None, b"mute on any"])
def test_what_can_be_no_fault(reader: Reader, what: object) -> None:
    with pytest.raises(FaultError, match=f"a fault is a text, .*, or a Fault, not {type(what).__name__}"):
        inject(reader, what)  # type: ignore[arg-type]
