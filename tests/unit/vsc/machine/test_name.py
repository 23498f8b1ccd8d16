"""vsc.machine.name: ids of readers."""

from hypothesis import given
from hypothesis import strategies as st

from vsc.machine.name import reader_id

names = st.text(st.characters(codec="utf-8"))


@given(names, names)
def test_readers_of_one_name_alone_have_one_id(name: str, other: str) -> None:
    assert (reader_id(name) == reader_id(other)) == (name == other)


@given(names)
def test_an_id_is_one_word_of_ascii(name: str) -> None:
    assert reader_id(name).isascii()
    assert len(reader_id(name).split()) == 1


def test_it_is_the_same_for_ever() -> None:
    assert reader_id("Virtual Smart Card 00 00") == "vsc-reader:Virtual%20Smart%20Card%2000%2000"
