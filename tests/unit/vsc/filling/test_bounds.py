"""What strangers may have our machine compute, and what they may not."""

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from tests.unit.vsc.filling import stuff
from vsc.errors import MaterialError, UnsupportedFeature, WrongPassword
from vsc.filling.ber import MAX_NESTING
from vsc.filling.bounds import MAX_ITERATIONS, MAX_SCRYPT_BYTES, Budget, validated
from vsc.filling.key_file import read_keys
from vsc.filling.material import Contents, read_key_and_certificate, read_pfx

PASSWORD = stuff.PASSWORD
INT_MAX = 2**31 - 1


def tlv(tag: int, *values: bytes) -> bytes:
    value = b"".join(values)
    size = len(value)
    long = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 0x80 else bytes([0x80 + len(long)]) + long) + value


def integer(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(text: str) -> bytes:
    return tlv(6, bytes.fromhex(text))


PBKDF2, PBES2, AES = "2a864886f70d01050c", "2a864886f70d01050d", "60864801650304012a"


def pkcs8(derivation: bytes) -> bytes:
    """An EncryptedPrivateKeyInfo (RFC 5958, section 3) of PBES2; what it holds is of no matter."""
    scheme = tlv(0x30, oid(AES), tlv(4, bytes(16)))
    return tlv(0x30, tlv(0x30, oid(PBES2), tlv(0x30, derivation, scheme)), tlv(4, bytes(64)))


def pbkdf2(iterations: int) -> bytes:
    return tlv(0x30, oid(PBKDF2), tlv(0x30, tlv(4, bytes(8)), integer(iterations)))


def scrypt(n: int, r: int = 8, p: int = 1) -> bytes:
    return tlv(0x30, oid("2b06010401da47040b"), tlv(0x30, tlv(4, bytes(8)), integer(n), integer(r), integer(p)))


def pbes1(name: str, iterations: int) -> bytes:
    algorithm = tlv(0x30, oid(name), tlv(0x30, tlv(4, bytes(8)), integer(iterations)))
    return tlv(0x30, algorithm, tlv(4, bytes(64)))


def pem(der: bytes, *, header: str = "") -> bytes:
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{header}{body}-----END ENCRYPTED PRIVATE KEY-----\n".encode()


# Each took hours, all of memory, or both, and Ctrl-C did not end it.
ENDLESS_KEYS = {
    "PBKDF2": pkcs8(pbkdf2(INT_MAX)),
    "PBKDF2, PEM": pem(pkcs8(pbkdf2(INT_MAX))),
    "PBKDF2, PEM with a header": pem(pkcs8(pbkdf2(INT_MAX)), header="Comment: AAAA\n\n"),
    "scrypt, memory": pkcs8(scrypt(1 << 30)),
    "scrypt, time": pkcs8(scrypt(1 << 14, p=1 << 20)),
    "PBES1": pbes1("2a864886f70d01050a", INT_MAX),
    "PKCS#12's own": pbes1("2a864886f70d010c0103", INT_MAX),
}


@pytest.mark.parametrize("name", ENDLESS_KEYS)
def test_a_key_that_asks_for_hours_is_refused_at_once(name: str) -> None:
    with pytest.raises(MaterialError, match="more than is allowed") as caught:
        read_key_and_certificate(ENDLESS_KEYS[name], password=PASSWORD)
    assert not isinstance(caught.value, WrongPassword)


def endless_pfx(where: str) -> bytes:
    """A PFX (RFC 7292) that asks for as much in its MAC, in its encrypted certificates, or in the bag of its key."""
    count = {name: INT_MAX if name == where else 1 for name in ("MAC", "certificates", "key")}
    data, encrypted = "2a864886f70d010701", "2a864886f70d010706"
    bag = tlv(0x30, oid("2a864886f70d010c0a0102"), tlv(0xA0, pbes1("2a864886f70d010c0103", count["key"])))
    content = tlv(
        0x30,
        oid(data),
        tlv(0x30, oid("2a864886f70d010c0103"), tlv(0x30, tlv(4, bytes(8)), integer(count["certificates"]))),
        tlv(0x80, bytes(64)),
    )
    safe = tlv(
        0x30,
        tlv(0x30, oid(data), tlv(0xA0, tlv(4, tlv(0x30, bag)))),
        tlv(0x30, oid(encrypted), tlv(0xA0, tlv(0x30, integer(0), content))),
    )
    sha1 = tlv(0x30, oid("2b0e03021a"), tlv(5))
    mac = tlv(0x30, tlv(0x30, sha1, tlv(4, bytes(20))), tlv(4, bytes(8)), integer(count["MAC"]))
    return tlv(0x30, integer(3), tlv(0x30, oid(data), tlv(0xA0, tlv(4, safe))), mac)


@pytest.mark.parametrize("where", ["MAC", "certificates", "key"])
def test_so_is_a_pfx(where: str) -> None:
    # MAC and key come first, and this is not their password: so far the certificates are not tried.
    words = "wrong password" if where == "certificates" else "hashed 2147483647 times: more than is allowed"
    with pytest.raises(MaterialError, match=words):
        read_pfx(endless_pfx(where), PASSWORD)


def is_ada(found: Contents) -> bool:
    return found.keys[0].key.private_numbers() == stuff.key().private_numbers()  # type: ignore[union-attr]


def test_what_programs_write_is_read() -> None:
    strong = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(600_000).build(PASSWORD)
    raw = serialize_key_and_certificates(None, stuff.key(), stuff.certificate(), None, strong)
    assert is_ada(read_pfx(raw, PASSWORD))
    key = stuff.key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD))
    assert is_ada(read_key_and_certificate(key, password=PASSWORD))


def test_a_budget_is_for_the_whole_file() -> None:
    budget = Budget("file")
    assert budget.iterations(MAX_ITERATIONS - 1) == MAX_ITERATIONS - 1
    assert budget.iterations(1) == 1
    with pytest.raises(MaterialError):
        budget.iterations(1)


@pytest.mark.parametrize("spend", [lambda b: b.iterations(0), lambda b: b.iterations(-1), lambda b: b.scrypt(0, 8, 1)])
def test_nobody_is_given_anything_back(spend: Callable[[Budget], object]) -> None:
    with pytest.raises(MaterialError, match="damaged"):
        spend(Budget("file"))


def test_many_small_ones_are_one_large_one() -> None:
    """Of a file with many keys, each of which asks for a little."""
    many = b"".join([pem(pkcs8(pbkdf2(MAX_ITERATIONS // 10 - 1)))] * 12)
    with pytest.raises(MaterialError):
        list(read_keys(many, PASSWORD))
    budget = Budget("file")
    for _ in range(19):
        budget.scrypt(MAX_SCRYPT_BYTES // (128 * 8), 8, 1)
    with pytest.raises(MaterialError, match="for more scrypt"):
        budget.scrypt(MAX_SCRYPT_BYTES // (128 * 8), 8, 1)


def test_rounds_of_bcrypt() -> None:
    raw = stuff.key_file(form=PrivateFormat.OpenSSH, password=PASSWORD)
    der = base64.b64decode(b"".join(raw.splitlines()[1:-1]))
    # What the library writes: 16 rounds; as a file may have them, all bits set.
    options = der.index(b"bcrypt") + 6 + 4 + 4 + 16
    assert der[options : options + 4] == (16).to_bytes(4, "big")
    endless = base64.encodebytes(der[:options] + b"\xff" * 4 + der[options + 4 :])
    text = b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + endless + b"-----END OPENSSH PRIVATE KEY-----\n"
    with pytest.raises(MaterialError, match="4294967295 rounds of bcrypt: more than is allowed"):
        read_key_and_certificate(text, password=PASSWORD)


def test_nesting_has_a_bound() -> None:
    raw = b""
    for _ in range(MAX_NESTING + 2):
        raw = tlv(0x30, raw)
    for deep in (raw, b"\x30\x80" * 400_000):
        with pytest.raises(MaterialError):
            read_key_and_certificate(deep)


@pytest.mark.parametrize("tiny", [b"\x30\x00", b"\x04\x00", b"\x05\x00"])
def test_a_megabyte_of_tiny_elements_is_not_looked_through(tiny: bytes) -> None:
    raw = tlv(0x30, integer(3), tlv(0x30, oid("2a864886f70d010701"), tlv(0xA0, tlv(4, tlv(0x30, tiny * 400_000)))))
    with pytest.raises(MaterialError, match="parts"):
        read_pfx(raw, PASSWORD)
    with pytest.raises(MaterialError):
        read_key_and_certificate(tlv(0x30, tiny * 400_000))


def rsa_der(n: int, p: int, q: int) -> bytes:
    """An RSAPrivateKey (RFC 8017, appendix A.1.2) of any numbers."""
    return tlv(0x30, *map(integer, (0, n, 65537, 3, p, q, 3, 3, 3)))


def test_a_prime_as_large_as_a_file_is_not_tried() -> None:
    """The library would look for hours whether it is one."""
    modulus = stuff.key().private_numbers().public_numbers.n
    with pytest.raises(MaterialError, match="larger than its modulus"):
        read_key_and_certificate(rsa_der(modulus, (1 << 120_000) + 1, 5))
    with pytest.raises(UnsupportedFeature, match="16384 is the most"):
        read_key_and_certificate(rsa_der((1 << 120_000) + 1, (1 << 60_000) + 1, 5))


def test_numbers_that_do_not_fit_are_still_no_key() -> None:
    modulus = stuff.key().private_numbers().public_numbers.n
    with pytest.raises(MaterialError, match="damaged"):
        read_key_and_certificate(rsa_der(modulus, 7, 5))
    raw = stuff.key().private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    key = load_der_private_key(raw, None, unsafe_skip_rsa_key_validation=True)
    assert validated(key, what="file").private_numbers() == stuff.key().private_numbers()  # type: ignore[arg-type]
