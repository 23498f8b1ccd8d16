"""vsc.filling.pbe: its parts that files of openssl do not show; tests/interop/test_key_files.py has every scheme."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vsc.filling.test_pfx import tlv
from vsc.errors import MaterialError, UnsupportedFeature
from vsc.filling.ber import first
from vsc.filling.bounds import MAX_ITERATIONS, Budget
from vsc.filling.pbe import Password, _pkcs12_key, decipher, spellings

SHA1_3DES = bytes.fromhex("060A2A864886F70D010C0103")
PBES2 = bytes.fromhex("06092A864886F70D01050D")
PBKDF2 = bytes.fromhex("06092A864886F70D01050C")
SCRYPT = bytes.fromhex("06092B06010401DA47040B")
AES = tlv(0x30, bytes.fromhex("060960864801650304012A"), tlv(0x04, bytes(16)))
ADA = Password(b"ada", "ada\0".encode("utf-16-be"))


def number(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def run(algorithm: bytes) -> bytes:
    return decipher(first(algorithm), ADA, bytes(16), Budget("file"))


def test_spellings() -> None:
    assert [(one.raw, one.bmp) for one in spellings(None)] == [(b"", b"\0\0"), (b"", b"")]
    assert [one.bmp for one in spellings(b"ab")] == [b"\0a\0b\0\0"]
    assert [one.bmp for one in spellings("\u00e4".encode())] == [b"\0\xe4\0\0", b"\0\xc3\0\xa4\0\0"]
    assert [one.bmp for one in spellings(b"\xff")] == [b"\0\xff\0\0"]
    assert spellings(b"a\0b") == ()
    assert "ada" not in repr(ADA)


def test_the_key_of_a_password() -> None:
    """Vectors that implementations of PKCS#12 share: password "smeg", one iteration, SHA-1."""
    password = "smeg\0".encode("utf-16-be")
    salt = bytes.fromhex("0A58CF64530D823F")
    key = _pkcs12_key(password, salt, 1, 1, 24, "sha1")
    assert key.hex().upper() == "8AAAE6297B6CB04642AB5B077851284EB7128F1A2A7FBCA3"
    iv = _pkcs12_key(password, salt, 2, 1, 8, "sha1")
    assert iv.hex().upper() == "79993DFE048D3B76"


@pytest.mark.parametrize("count", [MAX_ITERATIONS + 1, 2**31 - 1, 2**80])
def test_too_many_iterations_are_not_begun(count: int) -> None:
    parameters = tlv(0x30, tlv(0x04, bytes(8)), number(count))
    for algorithm in (
        tlv(0x30, SHA1_3DES, parameters),
        tlv(0x30, PBES2, tlv(0x30, tlv(0x30, PBKDF2, parameters), AES)),
    ):
        with pytest.raises(MaterialError, match=f"hashed {count} times: more than is allowed"):
            run(algorithm)


@pytest.mark.parametrize(("n", "r", "p"), [(1 << 20, 8, 1), (1 << 14, 8, 1 << 10), (0, 8, 1)])
def test_too_much_memory_is_not_asked_for(n: int, r: int, p: int) -> None:
    parameters = tlv(0x30, tlv(0x04, bytes(8)), number(n), number(r), number(p))
    with pytest.raises(MaterialError, match="scrypt"):
        run(tlv(0x30, PBES2, tlv(0x30, tlv(0x30, SCRYPT, parameters), AES)))


@pytest.mark.parametrize("count", [0, -1])
def test_no_iterations(count: int) -> None:
    parameters = tlv(0x30, tlv(0x04, bytes(8)), tlv(0x02, count.to_bytes(1, "big", signed=True)))
    with pytest.raises(MaterialError, match="damaged"):
        run(tlv(0x30, SHA1_3DES, parameters))


UNKNOWN = bytes.fromhex("06032A0304")


@pytest.mark.parametrize(
    ("algorithm", "words"),
    [
        (tlv(0x30, UNKNOWN), "encryption with 1.2.3.4 is not supported"),
        (tlv(0x30, PBES2, tlv(0x30, tlv(0x30, PBKDF2), tlv(0x30, UNKNOWN))), "the cipher 1.2.3.4 is not supported"),
        (tlv(0x30, PBES2, tlv(0x30, tlv(0x30, UNKNOWN, tlv(0x30, b"\5\0\5\0")), AES)), "key derivation with 1.2.3.4"),
        (
            tlv(
                0x30,
                PBES2,
                tlv(
                    0x30,
                    tlv(0x30, PBKDF2, tlv(0x30, tlv(0x04, b"x"), number(1), tlv(0x30, UNKNOWN))),
                    AES,
                ),
            ),
            "the hash 1.2.3.4 is not supported",
        ),
    ],
)
def test_what_is_not_known_is_named(algorithm: bytes, words: str) -> None:
    with pytest.raises(UnsupportedFeature, match=words):
        run(algorithm)


@given(st.binary(max_size=40))
def test_any_parameters_are_an_error_or_give_bytes(raw: bytes) -> None:
    try:
        found = run(tlv(0x30, SHA1_3DES, raw))
    except (ValueError, MaterialError):
        return
    assert isinstance(found, bytes)
