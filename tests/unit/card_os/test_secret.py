"""card_os.secret: what is never shown."""

import pytest

from card_os.admin import AdminKey
from card_os.pin import Pin
from card_os.secret import Secret

VALUE = b"correct horse battery 24"


@pytest.mark.parametrize("holder", [Secret(VALUE), Pin(Secret(VALUE)), AdminKey.new(VALUE)], ids=["bare", "PIN", "key"])
@pytest.mark.parametrize("form", ["{}", "{!r}", "{!s}", "{!a}"])
def test_no_way_of_printing_shows_the_value(holder: object, form: str) -> None:
    text = form.format(holder)
    assert "Secret(" in text
    assert "horse" not in text
    assert VALUE.hex() not in text.lower()


def test_reveal_gives_the_value() -> None:
    assert Secret(VALUE).reveal() == VALUE
    assert len(Secret(VALUE)) == len(VALUE)


@pytest.mark.parametrize("guess", [b"", VALUE[:-1], VALUE + b"\x00", b"X" + VALUE[1:]])
def test_only_the_value_itself_matches(guess: bytes) -> None:
    assert not Secret(VALUE).matches(guess)
    assert Secret(VALUE).matches(VALUE)


def test_secrets_compare_and_hash_as_values() -> None:
    assert Secret(VALUE) == Secret(VALUE) != Secret(b"")
    assert len({Secret(VALUE), Secret(VALUE)}) == 1
