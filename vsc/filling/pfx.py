"""What is in a PFX (PKCS#12, RFC 7292): every key and every certificate, as bytes, with their names.

`cryptography` has one key of it, and no certificate whose names it cannot read; so the bags are opened here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from vsc.errors import DamagedFile, MaterialError, UnsupportedFeature
from vsc.filling import pbe
from vsc.filling.ber import BerError, Element, Type, first
from vsc.filling.bounds import Budget
from vsc.filling.failure import password_error, reading

FILE = "PFX file"
_VERSION = bytes.fromhex("020103")
_DATA = "1.2.840.113549.1.7.1"
_ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
_BAG = "1.2.840.113549.1.12.10.1."
_KEY_BAG, _SHROUDED_BAG, _CERTIFICATE_BAG, _NESTED_BAG = (f"{_BAG}{kind}" for kind in (1, 2, 3, 6))
_X509 = "1.2.840.113549.1.9.22.1"
_FRIENDLY_NAME = "1.2.840.113549.1.9.20"
_CONTENT = 0xA0
_MAX_NESTING = 8


@dataclass(frozen=True, slots=True)
class Bag:
    """A key (PKCS#8, not encrypted) or a certificate in DER. name: its friendly name."""

    der: bytes = field(repr=False)
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Bags:
    """The content of a PFX, in its order."""

    keys: tuple[Bag, ...]
    certificates: tuple[Bag, ...]


def is_pfx(raw: bytes) -> bool:
    """Whether a file begins as a PFX does."""
    return raw[:1] == b"\x30" and _VERSION in raw[2:10]


def open_pfx(raw: bytes, password: bytes | None = None) -> Bags:
    """Reads a PFX. password: UTF-8; None and empty are the same.

    WrongPassword, DamagedFile, UnsupportedFeature; MaterialError: not a PFX.
    """
    if not is_pfx(raw):
        raise MaterialError("that is not a PFX file (PKCS#12)")
    budget = Budget(FILE)
    with reading(FILE):
        _, safe, *mac = first(raw).sequence(2)
        kind, content = _content_info(safe)
        if kind != _DATA:
            raise UnsupportedFeature("the PFX file is signed in place of having a password, which is not supported")
        inside = content.octets()
        ways = pbe.spellings(password)
        is_encrypted = _is_encrypted(inside)
        right = (one for one in ways if not mac or pbe.mac_is_right(mac[0], one, inside, budget))
        way = next(right, None) if mac or not is_encrypted else None
        if way is not None:
            return _open(inside, way, budget)
    # What tells whether a password is right is now that it opens the file.
    for way in ways if is_encrypted else ():
        opened = _tried(inside, way, budget)
        if opened is not None and mac:
            raise DamagedFile("the PFX file is damaged: the password opens it, but its checksum is another one")
        if opened is not None:
            return opened
    raise password_error(FILE, password)


def _tried(inside: bytes, password: pbe.Password, budget: Budget) -> Bags | None:
    """None: it does not open so."""
    try:
        with reading(FILE):
            return _open(inside, password, budget)
    except DamagedFile:
        return None


def _is_encrypted(inside: bytes) -> bool:
    """Whether anything in it is, so that it takes the right password to open it."""
    for info in first(inside).sequence():
        kind, content = _content_info(info)
        if kind == _ENCRYPTED_DATA:
            return True
        if kind == _DATA and any(bag == _SHROUDED_BAG for bag, _, _ in _bags(first(content.octets()), 0)):
            return True
    return False


def _open(inside: bytes, password: pbe.Password, budget: Budget) -> Bags:
    keys: list[Bag] = []
    certificates: list[Bag] = []
    for info in first(inside).sequence():
        for kind, value, name in _bags(first(_safe_contents(info, password, budget)), 0):
            if kind == _KEY_BAG:
                keys.append(Bag(value.raw, name))
            elif kind == _SHROUDED_BAG:
                keys.append(Bag(private_key_info(value, password, budget), name))
            elif kind == _CERTIFICATE_BAG:
                form, inner = value.sequence(2)[:2]
                if form.oid() == _X509:
                    certificates.append(Bag(inner.inner().octets(), name))
    return Bags(tuple(keys), tuple(certificates))


def private_key_info(encrypted: Element, password: pbe.Password, budget: Budget) -> bytes:
    """Deciphers an EncryptedPrivateKeyInfo (RFC 5958). ValueError: what comes of it is no PrivateKeyInfo."""
    algorithm, data = encrypted.sequence(2)[:2]
    plain = pbe.decipher(algorithm, password, data.octets(Type.OCTET_STRING), budget)
    first(plain).sequence(3)
    return plain


def _content_info(info: Element) -> tuple[str, Element]:
    kind, content = info.sequence(2)[:2]
    return kind.oid(), content.expect(_CONTENT).inner()


def _safe_contents(info: Element, password: pbe.Password, budget: Budget) -> bytes:
    kind, content = _content_info(info)
    if kind == _DATA:
        return content.octets()
    if kind != _ENCRYPTED_DATA:
        raise UnsupportedFeature("the PFX file is encrypted for a certificate, not with a password: not supported")
    _, algorithm, *data = content.sequence(2)[1].sequence(2)
    return pbe.decipher(algorithm, password, data[0].octets(), budget) if data else b"\x30\x00"


def _bags(contents: Element, nesting: int) -> Iterator[tuple[str, Element, str | None]]:
    if nesting > _MAX_NESTING:
        raise BerError("nested too deeply")
    for bag in contents.sequence():
        kind, value, *attributes = bag.sequence(2)
        if kind.oid() == _NESTED_BAG:
            yield from _bags(value.inner(), nesting + 1)
        else:
            yield kind.oid(), value.inner(), _friendly_name(attributes)


def _friendly_name(attributes: list[Element]) -> str | None:
    for one in attributes[0].children() if attributes else ():
        kind, values = one.sequence(2)[:2]
        found = values.children()
        if kind.oid() == _FRIENDLY_NAME and found:
            return found[0].content.decode("utf-16-be", "replace") or None
    return None
