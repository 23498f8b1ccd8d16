"""vsc.faults.tearing: the power goes before a commit or after it, and the card is what it was then."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from bench.null_card import NullCard
from card_os.memory import Persistent
from tests.unit.vsc.faults.hosts import SELECT, VERIFY, verify
from vsc.factory import create, powered
from vsc.faults import Fault, FaultError, inject
from vsc.reader import CardRemovedError, Exchange, Reader
from vsc.store.memory import MemoryStore
from vsc.testing import SoftCard

WRONG = verify("00000000")


@pytest.fixture
def card() -> SoftCard:
    return SoftCard.make(seed=1)


@pytest.fixture
def reader(card: SoftCard) -> Reader:
    reader = Reader("mine")
    reader.insert(card)
    return reader


def states(card: SoftCard, commands: list[bytes]) -> list[Persistent]:
    """What the card keeps at first, and after each commit that these commands make."""
    copy, seen = card.fork(), [card.persistent]

    def around(commit: Callable[[], None]) -> None:
        commit()
        seen.append(copy.persistent)

    copy.card.watch_commits(around)
    for command in commands:
        copy.transmit(command)
    return seen


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_card_is_what_it_was_at_that_moment(reader: Reader, card: SoftCard, moment: str, number: int) -> None:
    sent = [SELECT, WRONG, VERIFY]
    seen = states(card, sent)
    plan = inject(reader, f"tear {moment} commit {number}")
    with suppress(CardRemovedError):
        for command in sent:
            reader.transmit(command)
    assert card.persistent == seen[number if moment == "after" else number - 1]
    assert reader.card is None
    plan.check()


def test_a_torn_card_has_forgotten_what_a_reset_forgets(reader: Reader, card: SoftCard) -> None:
    inject(reader, "tear after commit 1 on VERIFY", "tear before commit 1 on CHANGE-REFERENCE-DATA")
    with pytest.raises(CardRemovedError):
        reader.transmit(WRONG)
    reader.insert(card)
    assert reader.transmit(VERIFY) == b"\x90\x00"
    with pytest.raises(CardRemovedError):
        reader.transmit(bytes.fromhex("0024008010") + b"1234567887654321")
    assert card.transmit(bytes.fromhex("00CB3FFF045C027F7100")) is not None
    reader.insert(card)
    assert reader.transmit(VERIFY) == b"\x90\x00", "the old PIN still holds"


def test_only_the_commits_of_one_command_count(reader: Reader, card: SoftCard) -> None:
    inject(reader, "tear before commit 1 on CHANGE-REFERENCE-DATA")
    reader.transmit(WRONG)
    reader.transmit(VERIFY)
    assert reader.card is card


def test_the_host_and_the_trace_are_told(reader: Reader) -> None:
    heard: list[Exchange] = []
    reader.tap(heard.append)
    inject(reader, "tear before commit 1 on VERIFY")
    with pytest.raises(CardRemovedError, match="was taken out of 'mine'"):
        reader.transmit(WRONG)
    assert [(one.response, one.reason) for one in heard] == [(b"", "fault: tear before commit 1 on VERIFY")]


def test_a_torn_card_comes_back(reader: Reader, card: SoftCard) -> None:
    inject(reader, "tear after commit 1 every and back")
    for stay in (1, 2, 3):
        assert reader.insertions == stay
        with pytest.raises(CardRemovedError):
            reader.transmit(WRONG)
        assert reader.card is card
    left = card.gids().pin_tries()
    assert left is not None
    assert left.left == 2


def test_a_card_that_is_put_in_meanwhile_is_left_there(reader: Reader) -> None:
    other = SoftCard.make()
    reader.subscribe(lambda event: reader.insert(other) if reader.card is None else None)
    inject(reader, "tear after commit 1 and back")
    with pytest.raises(CardRemovedError):
        reader.transmit(WRONG)
    assert reader.card is other


def test_nobody_watches_when_it_is_over(reader: Reader, card: SoftCard) -> None:
    inject(reader, "tear before commit 1")
    with pytest.raises(CardRemovedError):
        reader.transmit(WRONG)
    before = card.persistent
    card.power_on()
    card.transmit(WRONG)
    assert card.persistent != before


@pytest.mark.parametrize(("moment", "is_kept"), [("before", False), ("after", True)])
def test_a_card_of_the_store_too(moment: str, is_kept: bool) -> None:
    store = MemoryStore()
    before = create("work", pin=b"12345678", store=store).persistent
    with powered("work", store=store) as card:
        reader = Reader()
        reader.insert(card)
        inject(reader, f"tear {moment} commit 1 on VERIFY")
        with pytest.raises(CardRemovedError):
            reader.transmit(WRONG)
    assert (store.read("work").persistent != before) is is_kept
    with powered("work", store=store) as card:
        assert card.transmit(VERIFY) == b"\x90\x00"


def test_a_card_without_commits_is_refused_when_it_comes_or_when_the_fault_does() -> None:
    reader = Reader("mine")
    inject(reader, "tear before commit 1")
    with pytest.raises(FaultError, match="'tear before commit 1 on any' cannot strike in 'mine'"):
        reader.insert(NullCard())
    assert reader.card is None
    other = Reader()
    other.insert(NullCard())
    with pytest.raises(FaultError, match="that card has no commits of ours to cut"):
        inject(other, "tear before commit 1")
    assert other.line is None


def test_by_a_predicate(reader: Reader, card: SoftCard) -> None:
    inject(reader, Fault.parse("tear before commit 1 on VERIFY", when=lambda command, count: count == 2))
    reader.transmit(WRONG)
    before = card.persistent
    with pytest.raises(CardRemovedError):
        reader.transmit(WRONG)
    assert card.persistent == before


class Careless(NullCard):
    """A card that goes on writing while a power cut passes through."""

    def __init__(self) -> None:
        self.written: list[int] = []
        self.around: Callable[[Callable[[], None]], None] | None = None

    def watch_commits(self, around: Callable[[Callable[[], None]], None] | None) -> None:
        self.around = around

    def transmit(self, command: bytes) -> bytes:
        assert self.around is not None
        try:
            self.around(lambda: self.written.append(1))
        finally:
            self.around(lambda: self.written.append(2))
        return b"\x90\x00"


def test_what_runs_on_after_the_cut_writes_nothing() -> None:
    reader, card = Reader(), Careless()
    reader.insert(card)
    inject(reader, "tear after commit 1")
    with pytest.raises(CardRemovedError):
        reader.transmit(WRONG)
    assert card.written == [1]
    assert card.around is None
