"""vsc.filling.key_file, on files of `cryptography`; tests/interop/test_key_files.py has those of openssl and ssh."""

import base64
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vsc.filling import stuff
from tests.unit.vsc.filling.stuff import PASSWORD
from vsc.errors import DamagedFile, MaterialError, UnsupportedFeature, WrongPassword
from vsc.filling.key_file import PrivateKey, read_keys

NUMBERS = stuff.key().private_numbers()
FORMS = [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH]


def read(raw: bytes, password: bytes | None = None) -> PrivateKey:
    (found,) = read_keys(raw, password)
    assert isinstance(found, PrivateKey)
    return found


def is_ada(found: PrivateKey) -> bool:
    return found.key.private_numbers() == NUMBERS  # type: ignore[union-attr]


@given(
    st.sampled_from(FORMS),
    st.sampled_from([None, PASSWORD]),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 1999), st.integers(1, 255)), min_size=1, max_size=3),
    st.integers(0, 2000) | st.none(),
)
def test_a_changed_one_is_read_or_refused(
    form: PrivateFormat, password: bytes | None, is_inside: bool, changes: list[tuple[int, int]], cut: int | None
) -> None:
    """Changed as a file, and within its PEM, whose letters are mostly right then. No hang: bounds refuse first."""
    raw = stuff.key_file(Encoding.PEM, form, password=password)
    head, body = raw.split(b"-----\n")[:2]
    is_inside &= b":" not in body  # A traditional key that is encrypted has headers.
    content = bytearray(base64.b64decode(body.partition(b"-----")[0]) if is_inside else raw)
    for at, change in changes:
        content[at % len(content)] ^= change
    del content[cut:]
    if is_inside:
        label = head.removeprefix(b"-----BEGIN ")
        content = bytearray(b"%s-----\n%s-----END %s-----\n" % (head, base64.encodebytes(content), label))
    with suppress(MaterialError):
        list(read_keys(bytes(content), password))


@pytest.mark.parametrize("password", [None, PASSWORD])
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("form", FORMS)
def test_every_usual_form(encoding: Encoding, form: PrivateFormat, password: bytes | None) -> None:
    if encoding == Encoding.DER and (form == PrivateFormat.OpenSSH or (password and form != PrivateFormat.PKCS8)):
        return  # PKCS#1 in DER knows no encryption, and OpenSSH no DER.
    raw = stuff.key_file(encoding, form, password=password)
    assert is_ada(read(raw, password))
    assert is_ada(read(raw.replace(b"\n", b"\r\n") if encoding == Encoding.PEM else raw, password))


@pytest.mark.parametrize("form", FORMS)
def test_a_password_too_much_does_no_harm(form: PrivateFormat) -> None:
    assert is_ada(read(stuff.key_file(form=form), PASSWORD))


@pytest.mark.parametrize("form", FORMS)
def test_the_password_is_wrong_or_missing(form: PrivateFormat) -> None:
    raw = stuff.key_file(form=form, password=PASSWORD)
    for wrong in (b"wrong", b"\xff", PASSWORD + b"\0"):
        with pytest.raises(WrongPassword, match=r"^wrong password for the key file$"):
            read(raw, wrong)
    for missing in (None, b""):
        with pytest.raises(WrongPassword, match=r"^the key file needs a password$"):
            read(raw, missing)


def test_several_and_what_stands_between_them() -> None:
    other = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    certificate = stuff.certificate().public_bytes(Encoding.PEM)
    raw = b"Bag Attributes\n" + stuff.key_file() + certificate + stuff.key_file(private=other)
    first, second = read_keys(raw)
    assert isinstance(first, PrivateKey)
    assert isinstance(second, PrivateKey)
    assert (is_ada(first), type(second.key).__name__) == (True, type(other).__name__)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_as_windows_programs_write_text(encoding: str) -> None:
    assert is_ada(read(stuff.key_file().decode().encode(encoding)))


NONE = [b"", b"hello", b"-----BEGIN", stuff.pfx(), b"\x30\x03\x02\x01\x00"]


@pytest.mark.parametrize("raw", NONE, ids=len)
def test_it_is_no_key(raw: bytes) -> None:
    with pytest.raises(MaterialError, match=r"^that is not a private key in PEM, DER or OpenSSH's format$"):
        read(raw)


def test_it_is_something_else() -> None:
    with pytest.raises(MaterialError, match=r"OpenSSH's format: it has certificate$"):
        read(stuff.certificate().public_bytes(Encoding.PEM))


def test_damage() -> None:
    pem = stuff.key_file()
    with pytest.raises(DamagedFile, match=r"cut off: '-----BEGIN PRIVATE KEY-----' has no end"):
        read(pem[:200])
    with pytest.raises(DamagedFile, match=r"its base64 is wrong"):
        read(pem[:40] + b"*" + pem[41:])
    half = pem[:100] + pem[300:]
    with pytest.raises(DamagedFile, match=r"^the key file is damaged"):
        read(half)


def test_a_kind_that_nobody_knows_is_told_with_its_reason() -> None:
    # The OID of rsaEncryption, changed to one that there is not.
    raw = stuff.key_file(Encoding.DER).replace(bytes.fromhex("2A864886F70D010101"), bytes.fromhex("2A864886F70D010163"))
    (found,) = read_keys(raw)
    assert isinstance(found, UnsupportedFeature)
    assert "not supported" in str(found)


def test_rsassa_pss() -> None:
    """The same key, said to be for RSASSA-PSS alone (RFC 4055): its parameters are left out."""
    oid = bytes.fromhex("2A864886F70D0101")
    raw = stuff.key_file(Encoding.DER).replace(oid + b"\x01\x05\x00", oid + b"\x0a\x30\x00")
    found = read(raw)
    assert (is_ada(found), found.is_pss_only) == (True, True)
    assert not read(stuff.key_file()).is_pss_only
