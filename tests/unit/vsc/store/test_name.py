"""vsc.store.name: what a card may be called."""

from hypothesis import given
from hypothesis import strategies as st

from vsc.errors import VscError
from vsc.store.name import MAX_NAME_CHARACTERS, check_name, file_stem


@given(st.text(max_size=100))
def test_any_name_is_refused_or_in_normal_form(name: str) -> None:
    try:
        good = check_name(name)
    except VscError:
        return
    assert check_name(good) == good
    assert 1 <= len(good) <= MAX_NAME_CHARACTERS
    assert good.isprintable()


@given(st.text(max_size=100))
def test_no_name_becomes_a_path(name: str) -> None:
    assert len(file_stem(name)) == 32
    assert file_stem(name).isalnum()


def test_files_are_called_as_in_version_0_1() -> None:
    assert file_stem("golden") == "dd56de4137951d9c92681b03416ec15f"
