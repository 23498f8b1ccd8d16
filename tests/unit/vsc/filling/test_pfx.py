"""vsc.filling.pfx, on files of `cryptography`; tests/interop/test_key_files.py has those of openssl."""

from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs12
from hypothesis import given
from hypothesis import strategies as st

from card_os.tlv import length_bytes
from tests.unit.vsc.filling import stuff
from tests.unit.vsc.filling.stuff import PASSWORD
from vsc.errors import DamagedFile, MaterialError, RefusedError, UnsupportedFeature, WrongPassword
from vsc.filling.ber import Element, first
from vsc.filling.pfx import Bag, is_pfx, open_pfx

INFO = stuff.key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, stuff.encryption(None))
CERTIFICATE = stuff.certificate().public_bytes(Encoding.DER)


@pytest.mark.parametrize("password", [PASSWORD, b"x", None])
def test_keys_and_certificates_with_their_names(password: bytes | None) -> None:
    raw = stuff.pfx(password=password)
    assert is_pfx(raw)
    found = open_pfx(raw, password)
    assert found.keys == (Bag(INFO, "Ada's key"),)
    assert found.certificates == (Bag(CERTIFICATE, "Ada's key"),)
    assert open_pfx(raw + b"more", password) == found


@pytest.mark.parametrize("password", [None, b""])
def test_no_password_and_an_empty_one_are_the_same(password: bytes | None) -> None:
    assert len(open_pfx(stuff.pfx(password=None), password).keys) == 1


@pytest.mark.parametrize(
    "scheme", [pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC, pkcs12.PBES.PBESv2SHA256AndAES256CBC], ids=str
)
def test_old_and_new_encryption(scheme: pkcs12.PBES) -> None:
    algorithm = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1).key_cert_algorithm(scheme).build(PASSWORD)
    raw = pkcs12.serialize_key_and_certificates(None, stuff.key(), stuff.certificate(), None, algorithm)
    assert open_pfx(raw, PASSWORD).keys == (Bag(INFO),)


@pytest.mark.parametrize("password", [None, b""])
def test_a_password_is_missing(password: bytes | None) -> None:
    with pytest.raises(WrongPassword, match=r"^the PFX file needs a password$"):
        open_pfx(stuff.pfx(), password)


@pytest.mark.parametrize("password", [b"wrong", b"\xff", PASSWORD + b"\x00", PASSWORD[:-1]])
def test_the_password_is_wrong(password: bytes) -> None:
    with pytest.raises(WrongPassword, match=r"^wrong password for the PFX file$") as caught:
        open_pfx(stuff.pfx(), password)
    assert isinstance(caught.value, RefusedError)


@pytest.mark.parametrize("raw", [b"", b"hello", stuff.key_file(), stuff.key_file(Encoding.DER), CERTIFICATE], ids=len)
def test_it_is_no_pfx(raw: bytes) -> None:
    assert not is_pfx(raw)
    with pytest.raises(MaterialError, match=r"^that is not a PFX file \(PKCS#12\)$"):
        open_pfx(raw, PASSWORD)


def test_it_is_cut_off() -> None:
    raw = stuff.pfx()
    for size in (20, 100, len(raw) - 1):
        with pytest.raises(DamagedFile, match=r"^the PFX file is damaged: cut off$"):
            open_pfx(raw[:size], PASSWORD)


def with_another_mac(raw: bytes) -> bytes:
    digest = first(raw).sequence(3)[2].sequence()[0].sequence()[1].content
    return raw.replace(digest, bytes(len(digest)))


def test_its_checksum_is_another_one() -> None:
    """The password opens it, so it is not the password that is wrong."""
    raw = with_another_mac(stuff.pfx())
    with pytest.raises(DamagedFile, match="the password opens it, but its checksum is another one"):
        open_pfx(raw, PASSWORD)
    with pytest.raises(WrongPassword):
        open_pfx(raw, b"wrong")


def test_only_the_checksum_has_the_password() -> None:
    with pytest.raises(WrongPassword, match="wrong password"):
        open_pfx(with_another_mac(stuff.pfx(password=None)), b"x")


def tlv(tag: int, *parts: bytes | Element) -> bytes:
    content = b"".join(one.raw if isinstance(one, Element) else one for one in parts)
    return bytes([tag]) + length_bytes(len(content)) + content


def test_without_a_checksum() -> None:
    version, safe, _ = first(stuff.pfx()).sequence(3)
    raw = tlv(0x30, version, safe)
    assert len(open_pfx(raw, PASSWORD).keys) == 1
    with pytest.raises(WrongPassword):
        open_pfx(raw, b"wrong")


def in_ber(element: Element) -> bytes:
    """As Firefox and Java write it (X.690, 8.1.3.6 and 8.7): indefinite lengths, strings in pieces."""
    end = b"\0\0"
    if element.tag & 0x20:
        return bytes([element.tag, 0x80]) + b"".join(map(in_ber, element.children())) + end
    if element.tag == 0x04 and len(element.content) > 1:
        half = len(element.content) // 2
        return b"\x24\x80" + tlv(0x04, element.content[:half]) + tlv(0x04, element.content[half:]) + end
    return element.raw


@pytest.mark.parametrize("password", [PASSWORD, None])
def test_in_ber(password: bytes | None) -> None:
    raw = stuff.pfx(password=password)
    assert open_pfx(in_ber(first(raw)), password) == open_pfx(raw, password)


QUICK = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1).build(PASSWORD)
RAW = pkcs12.serialize_key_and_certificates(b"Ada", stuff.key(), stuff.certificate(), None, QUICK)


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_a_changed_byte_is_told_in_a_sentence_or_does_no_harm(at: int, change: int) -> None:
    with suppress(MaterialError):
        found = open_pfx(RAW[:at] + bytes([RAW[at] ^ change]) + RAW[at + 1 :], PASSWORD)
        assert found.keys in ((Bag(INFO, "Ada"),), ())


def test_bags_in_bags() -> None:
    """RFC 7292, section 4.2.6: a bag may hold bags."""
    version, safe, _ = first(stuff.pfx(password=None)).sequence(3)
    (info, *_) = first(safe.sequence(2)[1].inner().octets()).sequence()
    contents = info.sequence(2)[1].inner().octets()
    for depth, works in ((1, True), (8, True), (9, False)):
        inner = contents
        for _ in range(depth):
            bag = tlv(0x30, bytes.fromhex("060B2A864886F70D010C0A0106"), tlv(0xA0, inner))
            inner = tlv(0x30, bag)
        data = bytes.fromhex("06092A864886F70D010701")
        nested = tlv(0x30, data, tlv(0xA0, tlv(0x04, inner)))
        raw = tlv(0x30, version, tlv(0x30, data, tlv(0xA0, tlv(0x04, tlv(0x30, nested)))))
        if works:
            found = open_pfx(raw)
            assert found.keys or found.certificates
        else:
            with pytest.raises(DamagedFile, match="too deeply"):
                open_pfx(raw)


SIGNED, ENVELOPED = bytes.fromhex("06092A864886F70D010702"), bytes.fromhex("06092A864886F70D010703")


def test_what_is_protected_by_certificates() -> None:
    version, safe, _ = first(stuff.pfx()).sequence(3)
    kind, content = safe.sequence(2)
    with pytest.raises(UnsupportedFeature, match="signed in place of having a password"):
        open_pfx(tlv(0x30, version, tlv(0x30, SIGNED, content)), PASSWORD)
    enveloped = tlv(0xA0, tlv(0x04, tlv(0x30, tlv(0x30, ENVELOPED, content))))
    with pytest.raises(UnsupportedFeature, match="encrypted for a certificate"):
        open_pfx(tlv(0x30, version, tlv(0x30, kind, enveloped)), PASSWORD)
