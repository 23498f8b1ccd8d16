"""card_os.sw: words for every status word, and the error that carries one."""

import pytest

from card_os.sw import SW, CardError, Reason, WrongReference, meaning
from tests.unit.each import each


def test_every_status_word_of_this_card_has_words() -> None:
    for sw in each(SW):
        assert meaning(sw) != "unknown status word"


def test_no_two_status_words_read_alike() -> None:
    assert len({meaning(sw) for sw in SW}) == len(SW)


@pytest.mark.parametrize(
    ("sw", "words"),
    [
        (0x9000, "done"),
        (0x6100, "done, 256 or more bytes still to fetch"),
        (0x6101, "done, 1 bytes still to fetch"),
        (0x61FF, "done, 255 bytes still to fetch"),
        (0x6300, "verification failed"),
        (0x63C0, "not verified, 0 tries left"),
        (0x63CF, "not verified, 15 tries left"),
        (0x63BF, "unknown status word"),
        (0x63D0, "unknown status word"),
        (0x6C00, "wrong Le, 256 is right"),
        (0x6C05, "wrong Le, 5 is right"),
        (0x6982, "security status not satisfied"),
        (0x6F00, "no precise diagnosis"),
        (0x9001, "unknown status word"),
        (0x0000, "unknown status word"),
    ],
)
def test_meaning(sw: int, words: str) -> None:
    assert meaning(sw) == words


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason("wrong length"), "wrong length"),
        (Reason("wrong length", "PUT KEY"), "PUT KEY: wrong length"),
        (Reason("get is not allowed", "EF A011", "PIN"), "EF A011: get is not allowed (missing: PIN)"),
        (Reason("not allowed", missing="admin key"), "not allowed (missing: admin key)"),
    ],
)
def test_a_reason_reads_as_a_sentence(reason: Reason, text: str) -> None:
    assert str(reason) == text


def test_a_card_error_carries_status_word_and_reason() -> None:
    error = CardError(SW.SECURITY_STATUS_NOT_SATISFIED, "not allowed", subject="EF A011", missing="PIN")
    assert error.sw == 0x6982
    assert type(error.sw) is int
    assert error.reason == Reason("not allowed", "EF A011", "PIN")
    assert str(error) == "6982 EF A011: not allowed (missing: PIN)"


@pytest.mark.parametrize(("tries_left", "sw"), [(0, 0x63C0), (3, 0x63C3), (15, 0x63CF), (16, 0x63CF), (255, 0x63CF)])
def test_a_wrong_reference_tells_the_tries_left(tries_left: int, sw: int) -> None:
    error = WrongReference(tries_left, subject="PIN")
    assert error.sw == sw
    assert error.tries_left == tries_left
    assert error.reason.subject == "PIN"
