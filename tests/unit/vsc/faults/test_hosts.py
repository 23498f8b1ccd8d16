"""What faults are for hosts in this process: the facade, the connection below it, and the one shaped like pyscard's.

docs/faults.md has these as a table; for hosts over PC/SC see tests/interop/test_faults.py.
"""

import pytest

from tests.unit.vsc.faults.hosts import SELECT, VERIFY
from vsc.api.card import Card
from vsc.errors import (
    CardRemoved,
    CardUnresponsive,
    CardWasReset,
    LostCardError,
    PinBlocked,
    SharingViolation,
    UnexpectedStatus,
    VscError,
    WrongPin,
)
from vsc.faults import inject
from vsc.machine.own import OwnReader
from vsc.pyscard import Connection, Failure
from vsc.reader import NotTransactedError, Reader, ServiceGoneError
from vsc.testing import SoftCard

ROWS: list[tuple[str, type[VscError] | None, Failure | str]] = [
    ("sw 6983 on VERIFY", PinBlocked, "6983"),
    ("answer 63C1 on VERIFY", WrongPin, "63C1"),
    ("delay 1ms on VERIFY", None, "9000"),
    ("mute on VERIFY", NotTransactedError, Failure.E_NOT_TRANSACTED),
    ("tear before commit 1", CardRemoved, Failure.W_REMOVED_CARD),
    ("tear after commit 1 and back", CardRemoved, Failure.W_REMOVED_CARD),
    ("cut on VERIFY", NotTransactedError, Failure.E_NOT_TRANSACTED),
    ("close on VERIFY", NotTransactedError, Failure.E_NOT_TRANSACTED),
    ("garble on VERIFY", UnexpectedStatus, "6FFF"),
    ("remove before VERIFY", CardRemoved, Failure.W_REMOVED_CARD),
    ("remove on VERIFY", CardRemoved, Failure.W_REMOVED_CARD),
    ("remove after VERIFY", None, "9000"),
    ("remove between SELECT and VERIFY and back", CardRemoved, Failure.W_REMOVED_CARD),
    ("swap before VERIFY", CardRemoved, Failure.W_REMOVED_CARD),
    ("reset before VERIFY", CardWasReset, Failure.W_RESET_CARD),
    ("share before VERIFY", SharingViolation, Failure.E_SHARING_VIOLATION),
    ("lose on VERIFY", NotTransactedError, Failure.E_NOT_TRANSACTED),
    ("gone before VERIFY", ServiceGoneError, Failure.E_NO_SERVICE),
]


@pytest.fixture
def card() -> SoftCard:
    card = SoftCard.make(seed=1)
    card.transmit(bytes.fromhex("0020008008") + b"00000000")  # So that the right PIN commits: it gives tries back.
    return card


@pytest.fixture
def reader(card: SoftCard) -> Reader:
    reader = Reader()
    reader.insert(card)
    return reader


@pytest.mark.parametrize(("text", "error", "code"), ROWS)
def test_through_the_facade(reader: Reader, text: str, error: type[VscError] | None, code: object) -> None:
    card = Card.in_reader(OwnReader(reader))
    plan = inject(reader, text)
    if error is None:
        card.verify_pin("12345678")
    else:
        with pytest.raises(error):
            card.verify_pin("12345678")
    plan.check()


@pytest.mark.parametrize("text", [text for text, error, _ in ROWS if error and not issubclass(error, CardRemoved)])
def test_the_facade_works_again_afterwards(reader: Reader, text: str) -> None:
    card = Card.in_reader(OwnReader(reader))
    inject(reader, text)
    with pytest.raises(VscError):
        card.verify_pin("12345678")
    card.verify_pin("12345678")


@pytest.mark.parametrize(("text", "error", "code"), ROWS)
def test_through_pyscards_shape(reader: Reader, text: str, error: type[VscError] | None, code: Failure | str) -> None:
    connection = Connection(reader)
    connection.connect()
    plan = inject(reader, text)
    connection.transmit(list(SELECT))
    if isinstance(code, str):
        _, sw1, sw2 = connection.transmit(list(VERIFY))
        assert f"{sw1:02X}{sw2:02X}" == code
    else:
        with pytest.raises(VscError) as caught:
            connection.transmit(list(VERIFY))
        assert getattr(caught.value, "hresult") & 0xFFFF_FFFF == code  # noqa: B009
        assert error is None or isinstance(caught.value, error) or error is CardWasReset
    plan.check()


def test_another_atr(reader: Reader) -> None:
    inject(reader, "atr 3B00 on reset")
    assert Card.in_reader(OwnReader(reader)).atr == b"\x3b\x00"


def test_no_answer_to_reset(reader: Reader) -> None:
    inject(reader, "mute on reset")
    with pytest.raises(CardUnresponsive):
        assert Card.in_reader(OwnReader(reader)).atr


def test_all_are_lost_cards_or_refusals() -> None:
    """Whoever catches LostCardError has all that took the card away."""
    for text, error, _ in ROWS:
        if error is not None and text.split()[0] not in ("sw", "answer", "garble"):
            assert issubclass(error, LostCardError), text
