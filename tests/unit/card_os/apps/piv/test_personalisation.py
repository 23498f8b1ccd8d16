"""card_os.apps.piv.personalisation and cvc: what an issuer puts on a card (piv.md sections 3 and 11.1)."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from hypothesis import given
from hypothesis import strategies as st

from card_os.apps.piv import personalisation as made
from card_os.apps.piv.cvc import card_verifiable_certificate
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.tlv import Tlv, join, parse_all
from tests.unit.card_os.apps.piv.piv_card import GUID, key_of
from tests.unit.card_os.apps.piv.test_secure_messaging import CVC, D_CARD

guids = st.binary(min_size=16, max_size=16)


def bcd_digits(raw: bytes) -> str:
    """The 40 characters of a FASC-N: five bits each, four of them least significant first, then odd parity."""
    bits = "".join(f"{byte:08b}" for byte in raw)
    words = {"11010": "S", "10110": "F", "11111": "E"}
    groups = [bits[at : at + 5] for at in range(0, 200, 5)]
    assert all(group.count("1") % 2 for group in groups[:-1])
    return "".join(words.get(group) or str(int(group[3::-1], 2)) for group in groups[:-1])


def test_the_fasc_n_is_of_no_agency() -> None:
    assert bcd_digits(made.FASC_N) == "S9999F9999F999999F0F1F0000000000300001E"


@given(guids)
def test_chuid_and_ccc_are_those_of_yubico_piv_tool_but_for_the_expiry(guid: bytes) -> None:
    chuid = "3019" + made.FASC_N.hex() + "3410" + guid.hex() + "3508" + b"20491231".hex() + "3e00fe00"
    assert made.chuid(guid).hex() == chuid
    ccc = "f015a000000116ff02" + guid[:14].hex() + "f10121f20121f300f40100f50110f600f700fa00fb00fc00fd00fe00"
    assert made.capability_container(guid[:14]).hex() == ccc
    assert len(bytes.fromhex(ccc)) == 0x33


def test_the_small_objects() -> None:
    assert made.discovery(0x60, 0x10).hex() == "4f0ba0000003080000100001005f2f026010"
    assert made.key_history(0).hex() == "c10100c20100fe00"
    assert made.certificate(b"DER").hex() == "7003444552710100fe00"
    assert made.certificate(b"DER", b"\x7f\x21\x00").hex() == "70034445527101007f2100fe00"
    assert made.pairing_code_data(b"12345678").hex() == "99083132333435363738fe00"
    assert made.padded(b"123456") == b"123456\xff\xff"


def test_the_certificate_of_the_worked_vector_has_the_same_form() -> None:
    signature = next(one for one in parse_all(parse_all(CVC)[0].value) if one.tag == 0x5F37).value
    der = parse_all(parse_all(signature)[0].value)[1].value[1:]
    built = card_verifiable_certificate(
        EcPrivateKey(KeyKind.P256, D_CARD),
        bytes.fromhex("C0FFEE0102034405860708090A0B0C0D"),
        bytes.fromhex("BAC49973D95925FB"),
        lambda body: der,
    )
    assert built == CVC


@pytest.mark.parametrize("kind", [KeyKind.P256, KeyKind.P384], ids=str)
def test_the_signature_is_over_everything_before_it(kind: KeyKind) -> None:
    key, signer = key_of(kind), key_of(kind, 1)
    assert isinstance(key, EcPrivateKey)
    assert isinstance(signer, EcPrivateKey)
    algorithm = ec.ECDSA(SHA256() if kind == KeyKind.P256 else SHA384())
    raw = card_verifiable_certificate(key, GUID, bytes(8), lambda body: signer.library_key().sign(body, algorithm))
    (outer,) = parse_all(raw)
    *body, last = parse_all(outer.value)
    assert (outer.tag, [one.tag for one in body], last.tag) == (0x7F21, [0x5F29, 0x42, 0x5F20, 0x7F49, 0x5F4C], 0x5F37)
    assert body[3].value.endswith(bytes(Tlv(0x86, key.point)))
    identifier, bits = parse_all(parse_all(last.value)[0].value)
    signer.library_key().public_key().verify(bits.value[1:], join(body), algorithm)
    assert identifier.value[-1] == {KeyKind.P256: 2, KeyKind.P384: 3}[kind]
