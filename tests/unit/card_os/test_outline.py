"""card_os.outline: what every application can say of what it holds."""

from card_os.application import Application
from card_os.outline import Outline, Reference


class Quiet(Application[bytes, None]):
    aid, name = b"\xf0QUIET", "quiet"
    commands = {}  # noqa: RUF012


def test_an_application_that_says_nothing_has_a_name() -> None:
    assert Quiet().outline(b"") == Outline("quiet")
    assert Outline("quiet").reference("PIN") is None


def test_reference_data_are_blocked_when_no_try_is_left() -> None:
    left = [Reference("PIN", tries, 3) for tries in (3, 1, 0)]
    assert [one.is_blocked for one in left] == [False, False, True]
    assert not Reference("admin key").is_blocked
    assert Outline("x", references=tuple(left)).reference("PIN") == left[0]
