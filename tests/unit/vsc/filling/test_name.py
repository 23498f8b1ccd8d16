"""vsc.filling.name."""

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from vsc.errors import VscError
from vsc.filling.ber import first
from vsc.filling.name import (
    ATTRIBUTES,
    UnreadableName,
    attributes,
    common_name,
    common_name_of,
    rfc4514,
    shown,
    subject_name,
)

TAKEN = [
    ("CN=Ada", "CN=Ada"),
    ("CN=Ada Lovelace,O=Example", "CN=Ada Lovelace,O=Example"),
    ("CN=a\\,b", "CN=a\\,b"),
    ("C=DE,CN=ü", "C=DE,CN=ü"),
    ("CN=A,emailAddress=a@b.c", "CN=A,emailAddress=a@b.c"),
    ("CN=A,E=a@b.c", "CN=A,emailAddress=a@b.c"),
    ("cn=a", "CN=a"),
    ("commonName=a", "CN=a"),
    ("/CN=a", "CN=a"),
    ("/O=Example/CN=a\\/b,c", "CN=a/b\\,c,O=Example"),
    ("CN=a,serialNumber=12,title=Dr", "CN=a,serialNumber=12,title=Dr"),
    ("CN=a+UID=b,O=x", "CN=a+UID=b,O=x"),
    ("CN = a , O = b", "CN=a,O=b"),
    ("2.5.4.3=x", "CN=x"),
    ("OID.2.5.4.12=x", "title=x"),
    ("1.2.3.4=x", "1.2.3.4=x"),
    ("CN=\\C3\\BC", "CN=ü"),
    ("CN=a=b", "CN=a=b"),
]


@pytest.mark.parametrize(("text", "found"), TAKEN, ids=[text for text, _ in TAKEN])
def test_a_subject(text: str, found: str) -> None:
    assert shown(subject_name(text)) == found


REFUSED = [
    ("Ada", "'Ada' is not of the form NAME=VALUE"),
    ("CN=", "'CN=' is not of the form"),
    ("CN=a,", "an empty part is not of the form"),
    ("CN=a,,O=b", "an empty part is not of the form"),
    ("CN=a,X=1", "'X' is no part of a name; there is CN, "),
    ("CN=a,C=DEU", "'C=DEU' is wrong: Attribute's length must be"),
    ("CN=" + "a" * 65, "is wrong: Attribute's length must be"),
    ("CN=a\\", "is wrong"),
    ("CN=a,serialNumber=a_b", "'serialNumber=a_b' is wrong: it has letters, digits and"),
    ("CN=a,emailAddress=ü@b.c", "'emailAddress=ü@b.c' is wrong: it has ASCII only"),
    ("CN=\x00", "is wrong"),
    ("CN=\ud800", "is wrong"),
    ("", "at least one part"),
    ("/", "at least one part"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_the_part_that_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(VscError) as caught:
        subject_name(text)
    assert words in str(caught.value)


@given(st.text(max_size=30) | st.from_regex(r"/?([A-Za-z]{1,14}=[^=]{0,9}[,/+]?){1,4}", fullmatch=True))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        name = subject_name(text)
    except VscError:
        return
    assert list(name)
    assert rfc4514(attributes(first(name.public_bytes()))) == shown(name)


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20), st.sampled_from(["CN", "title", "O"])
)
def test_names_are_written_as_the_library_does(text: str, label: str) -> None:
    name = x509.Name([x509.NameAttribute(ATTRIBUTES[label], text), x509.NameAttribute(ATTRIBUTES["OU"], "x")])
    assert rfc4514(attributes(first(name.public_bytes()))) == shown(name)


def name_of(tag: int, content: bytes) -> bytes:
    """CN, as a string of that type."""
    value = bytes([tag, len(content)]) + content
    attribute = bytes([0x30, len(value) + 5]) + bytes.fromhex("0603550403") + value
    rdn = bytes([0x31, len(attribute)]) + attribute
    return bytes([0x30, len(rdn)]) + rdn


STRINGS = [
    (0x0C, "Zoë".encode(), "Zoë"),
    (0x12, b"12", "12"),
    (0x13, b"Smith & Sons_Co*@", "Smith & Sons_Co*@"),
    (0x14, b"Zo\xeb", "Zoë"),
    (0x16, b"a\xeb", "aë"),
    (0x1A, b"abc", "abc"),
    (0x1C, "Zoë".encode("utf-32-be"), "Zoë"),
    (0x1E, "Zoë".encode("utf-16-be"), "Zoë"),
]


@pytest.mark.parametrize(("tag", "content", "text"), STRINGS)
def test_strings_of_every_type(tag: int, content: bytes, text: str) -> None:
    read = attributes(first(name_of(tag, content)))
    assert (common_name(read), rfc4514(read)) == (text, f"CN={text}")


def test_a_value_that_is_no_string_is_shown_as_its_bytes() -> None:
    read = attributes(first(name_of(0x03, b"\x00\x07")))
    assert (common_name(read), rfc4514(read)) == ("CN=#03020007", "CN=#03020007")


@pytest.mark.parametrize(
    "raw", [name_of(0x0C, b"\xff"), name_of(0x1E, b"a"), name_of(0x1C, b"\xff" * 4), bytes.fromhex("3003020101")]
)
def test_a_name_that_cannot_be_read(raw: bytes) -> None:
    with pytest.raises(UnreadableName):
        attributes(first(raw))


def test_what_people_know_a_subject_by() -> None:
    names = ("CN=a,O=b", "O=Example,C=DE", "CN=a,CN=b")
    assert [common_name_of(subject_name(one)) for one in names] == ["a", "O=Example,C=DE", "a"]
    for one in names:
        read = attributes(first(subject_name(one).public_bytes()))
        assert common_name(read) == common_name_of(subject_name(one))
    assert common_name(attributes(first(x509.Name([]).public_bytes()))) is None
