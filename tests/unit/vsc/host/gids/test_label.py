"""vsc.host.gids.label."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsc.errors import VscError
from vsc.host.gids.label import MAX_UNITS, checked, fitted, units


@pytest.mark.parametrize("label", ["Ada", "a" * 39, "Ключ", "🔑" * 19, "Ada's key 2"])
def test_a_label_that_fits(label: str) -> None:
    assert checked(label, {"other"}) == label


@pytest.mark.parametrize("label", ["", " ", " a", "a ", "a\nb", "a\x00b", "a" * 40, "🔑" * 20, "\x1b[31m"])
def test_a_label_that_does_not(label: str) -> None:
    with pytest.raises(VscError, match="a label has 1 to 39 printable characters"):
        checked(label, ())


def test_a_label_that_the_card_has() -> None:
    with pytest.raises(VscError, match="the card has a container called 'Ada' already"):
        checked("Ada", {"Ada"})


@pytest.mark.parametrize(
    ("text", "taken", "label"),
    [
        ("Ada", (), "Ada"),
        ("Ada", {"Ada"}, "Ada 2"),
        ("Ada", {"Ada", "Ada 2"}, "Ada 3"),
        ("  Ada\n\tLovelace\x00 ", (), "Ada Lovelace"),
        ("", (), "key"),
        ("\x00", {"key"}, "key 2"),
        ("a" * 50, (), "a" * 39),
        ("a" * 50, {"a" * 39}, "a" * 37 + " 2"),
        ("🔑" * 30, (), "🔑" * 19),
        ("a" * 38 + " b", (), "a" * 38),
    ],
)
def test_a_label_is_made_to_fit(text: str, taken: set[str], label: str) -> None:
    assert fitted(text, taken) == label


@given(st.text(max_size=60), st.sets(st.text(max_size=3), max_size=3))
def test_whatever_is_made_would_pass(text: str, taken: set[str]) -> None:
    label = fitted(text, taken)
    assert checked(label, taken) == label
    assert units(label) <= MAX_UNITS
