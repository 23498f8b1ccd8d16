"""vsc.filling.ber."""

from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from card_os.tlv import length_bytes
from tests.unit.vsc.filling import stuff
from vsc.filling.ber import MAX_NESTING, BerError, Element, Type, first


def tlv(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + length_bytes(len(content)) + content


def walk(element: Element) -> None:
    element.octets()
    for one in element.children() if element.tag & 0x20 else ():
        walk(one)


def test_what_follows_is_left_alone() -> None:
    found = first(bytes.fromhex("3003020107") + b"more")
    assert (found.tag, found.raw, found.content) == (
        Type.SEQUENCE,
        bytes.fromhex("3003020107"),
        bytes.fromhex("020107"),
    )
    assert [one.number() for one in found.sequence(1)] == [7]


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "30",
        "3001",
        "3081",
        "308201",
        "30850000000001",
        "0480",
        "1F8101",
        "3080",
        "30800000",
        "3080040141",
        "A0803080",
    ],
)
def test_what_is_cut_off_or_no_ber(raw: str) -> None:
    if raw == "30800000":
        assert first(bytes.fromhex(raw)).children() == ()
        return
    with pytest.raises(BerError):
        first(bytes.fromhex(raw))


def test_indefinite_lengths_and_strings_in_pieces() -> None:
    found = first(bytes.fromhex("3080 2480 0402 4142 2480 0401 43 0000 0000 0201 05 0000"))
    text, number = found.sequence(2)
    assert (text.octets(), number.number()) == (b"ABC", 5)
    assert found.raw[-2:] == bytes(2)


def test_nesting_has_a_bound() -> None:
    deep = b"\x24\x80" * (MAX_NESTING + 2) + bytes(2) * (MAX_NESTING + 2)
    with pytest.raises(BerError, match="too deeply"):
        first(deep)
    pieces = b""
    for _ in range(MAX_NESTING + 3):
        pieces = tlv(0x24, pieces)
    with pytest.raises(BerError, match="too deeply"):
        first(pieces).octets()


@pytest.mark.parametrize(
    ("act", "raw"),
    [
        (lambda one: one.children(), "040141"),
        (lambda one: one.expect(Type.SET), "040141"),
        (lambda one: one.sequence(2), "3003020101"),
        (lambda one: one.sequence(), "3103020101"),
        (lambda one: one.inner(), "A006020101020101"),
        (lambda one: one.number(), "040101"),
        (lambda one: one.oid(), "0600"),
        (lambda one: one.oid(), "06022A86"),
    ],
)
def test_another_structure(act: object, raw: str) -> None:
    with pytest.raises(BerError):
        act(first(bytes.fromhex(raw)))  # type: ignore[operator]


@given(st.integers(-(2**70), 2**70))
def test_numbers(number: int) -> None:
    content = number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
    assert first(tlv(0x02, content)).number() == number


@pytest.mark.parametrize("dotted", ["0.0", "1.2.840.113549.1.1.1", "2.5.4.3", "2.999.1", "2.16.840.1.101.3.4.2.1"])
def test_object_identifiers(dotted: str) -> None:
    from cryptography.hazmat import asn1

    assert first(asn1.encode_der(ObjectIdentifier(dotted))).oid() == dotted


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(BerError):
        walk(first(raw))


@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_a_file_that_is_changed_is_read_or_refused(at: int, patch: bytes) -> None:
    raw = stuff.key_file(Encoding.DER)
    with suppress(BerError):
        walk(first(raw[:at] + patch + raw[at + len(patch) :]))
