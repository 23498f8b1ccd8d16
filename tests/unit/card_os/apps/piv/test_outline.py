"""card_os.apps.piv.outline: what a card holds, for whoever knows no application."""

import gzip

import pytest

from card_os.apps.piv import Piv
from card_os.apps.piv.outline import MAX_CERTIFICATE_BYTES, certificate
from card_os.apps.piv.personalisation import certificate as content
from card_os.key_kind import KeyKind
from tests.unit.card_os.apps.piv.piv_card import GUID, STRICT, PivCard, new_state, slot_of
from vsc.profiles.piv import PIV
from vsc.store import Image
from vsc.store.archive import read_archive, write_archive


def test_a_card_in_outline() -> None:
    state = new_state(slot_of(0x9C, KeyKind.RSA_1024), slot_of(0x82), slot_of(0xF9))
    state = state.with_object(0x5FC105, content(b"DER"))
    found = Piv().outline(state)
    assert found.pin_policy == STRICT.pin_rules
    assert (found.application, found.identity) == ("PIV", GUID)
    assert [(one.name, one.tries_left, one.try_limit) for one in found.references] == [
        ("PIN", 3, 3),
        ("PUK", 3, 3),
        ("management key", None, None),
    ]
    assert [(one.number, one.name, one.use, one.kind, one.certificates) for one in found.slots] == [
        (0x9A, "9A", "authentication", None, (b"DER",)),
        (0x9C, "9C", "signature", KeyKind.RSA_1024, ()),
        (0x82, "82", "retired key management", KeyKind.P256, ()),
    ]


def test_an_archive_of_a_card_with_keys_is_read_back() -> None:
    state = new_state(slot_of(0x9A), slot_of(0x82)).with_object(0x5FC105, content(b"DER"))
    image = Image("card", PIV, PIV.persistent(state))
    assert read_archive(write_archive(image)) == image


def test_a_card_that_nobody_has_personalised_has_no_identity() -> None:
    state = new_state(guid=None)
    assert Piv().outline(state).identity is None
    assert Piv().outline(state.with_object(0x5FC102, b"\x34")).identity is None


def test_a_blocked_pin_shows() -> None:
    card = PivCard()
    for _ in range(3):
        card.verify("393939393939FFFF")
    pin = card.application.outline(card.state).reference("PIN")
    assert pin is not None
    assert pin.is_blocked


@pytest.mark.parametrize(
    ("raw", "der"),
    [
        (content(b"DER"), b"DER"),
        (b"\x70\x03DER", b"DER"),
        (b"\x70\x03DER\x71\x01\x00\xfe\x00", b"DER"),
        (content(gzip.compress(b"DER", mtime=0)).replace(b"\x71\x01\x00", b"\x71\x01\x01"), b"DER"),
        (b"\x70\x03DER\x71\x01\x01", b""),
        (b"", b""),
        (b"\x70\x09DER", b""),
        (b"\x53\x03DER", b""),
    ],
)
def test_a_certificate_is_read_compressed_or_not(raw: bytes, der: bytes) -> None:
    assert certificate(raw) == der


def test_what_is_compressed_has_a_bound() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    raw = content(bomb).replace(b"\x71\x01\x00", b"\x71\x01\x01")
    assert len(certificate(raw)) == MAX_CERTIFICATE_BYTES
