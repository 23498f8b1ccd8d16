"""What cards keep beside numbers and bytes, as kinds of a schema: PINs and their policy, keys, data objects.

Their bytes are those of a state of version 1, which every later version reads for ever.
"""

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from card_os import key as keys
from card_os.admin import KEY_BYTES, AdminKey
from card_os.admin import MAX_TRIES as MAX_ADMIN_TRIES
from card_os.description import Description, DescriptionError, Fields, hexadecimal
from card_os.ec import CURVES, EcPrivateKey, field_bytes
from card_os.fact import Fact, Kind
from card_os.key import PrivateKey
from card_os.key_kind import KeyKind
from card_os.pin import CHARACTER_CLASSES, MAX_BYTES, MAX_TRIES, MIN_BYTES, CharacterRule, Pin, PinPolicy
from card_os.rsa import RSA_BITS, RsaPrivateKey
from card_os.schema import MIN_PART_BYTES, Field, Known, Number, Part, Parts, Piece, Record, Word
from card_os.schema import Kind as SchemaKind
from card_os.secret import Secret
from card_os.symmetric import KEY_BYTES as SYMMETRIC
from card_os.symmetric import SymmetricKey
from card_os.tlv import Tlv, join, parse_all, parse_tags, tag_bytes
from card_os.wire import WireError
from card_os.words import byte_count, joined


class PinKind(Parts[Pin]):
    """A PIN or PUK: try limit and tries left, a byte each, then the value; without one it is not set."""

    def __init__(self, max_tries: int = MAX_TRIES) -> None:
        self._max_tries = max_tries

    def encode(self, value: Pin, owner: Any = None) -> bytes:
        return bytes([value.try_limit, value.tries_left]) + (value.value.reveal() if value.value else b"")

    def decode(self, raw: bytes) -> Pin:
        if len(raw) < 2:
            raise WireError("a PIN has two counters")
        return Pin(Secret(raw[2:]) if raw[2:] else None, raw[0], raw[1])

    def describe(self, value: Pin) -> Description:
        shown = hexadecimal(value.value.reveal()) if value.value else None
        return {"try_limit": value.try_limit, "tries_left": value.tries_left, "value": shown}

    def read_fields(self, fields: Fields) -> Pin:
        limit = fields.number("try_limit", 1, self._max_tries)
        left = fields.number("tries_left", 0, limit)
        value = None if fields.take_none("value") else fields.hexadecimal("value")
        if value is not None and not 1 <= len(value) <= MAX_BYTES:
            raise DescriptionError(f"{fields.path('value')}: not 1 to {MAX_BYTES} bytes")
        fields.end()
        return Pin(None if value is None else Secret(value), limit, left)

    def facts(self, value: Pin, name: str, *around: Any) -> Iterator[Fact]:
        yield Fact(Kind.SECRET, name, value.value)
        yield Fact(Kind.COUNTER, f"{name} tries", value.tries_left, str(value.tries_left))
        yield Fact(Kind.RULE, f"{name} try limit", value.try_limit, str(value.try_limit))


class PolicyKind(Parts[PinPolicy]):
    """Windows' PIN policy, in its own wire form."""

    _RECORD = Record(
        PinPolicy,
        *(Field(name, Number(1, MIN_BYTES, MAX_BYTES)) for name in ("min_length", "max_length")),
        *(
            Field(name, Word(CharacterRule, dict(zip(("allow", "require", "disallow"), CharacterRule, strict=True))))
            for name in CHARACTER_CLASSES
        ),
    )
    _WORDS = {CharacterRule.REQUIRE_AT_LEAST_ONE: "required", CharacterRule.DISALLOW: "disallowed"}  # noqa: RUF012

    def encode(self, value: PinPolicy, owner: Any = None) -> bytes:
        return bytes(value)

    def decode(self, raw: bytes) -> PinPolicy:
        return PinPolicy.parse(raw)

    def describe(self, value: PinPolicy) -> Description:
        return self._RECORD.describe(value)

    def read_fields(self, fields: Fields) -> PinPolicy:
        return self._RECORD.read_fields(fields)

    def facts(self, value: PinPolicy, name: str, *around: Any) -> Iterator[Fact]:
        rules = ((word, self._WORDS.get(getattr(value, word))) for word in CHARACTER_CLASSES)
        said = joined(
            f"{value.min_length} to {value.max_length} bytes", *(f"{word} {rule}" for word, rule in rules if rule)
        )
        yield Fact(Kind.RULE, name, value, said)


class AdminKeyKind(Parts[AdminKey]):
    """A symmetric key that is proved: try limit (0: unlimited) and tries left, a byte each, then its 24 bytes."""

    size = 2 + KEY_BYTES

    def encode(self, value: AdminKey, owner: Any = None) -> bytes:
        return bytes([value.try_limit or 0, value.tries_left]) + value.value.reveal()

    def decode(self, raw: bytes) -> AdminKey:
        if len(raw) != self.size:
            raise WireError(f"an admin key has {KEY_BYTES} bytes")
        return AdminKey(Secret(raw[2:]), raw[0] or None, raw[1])

    def describe(self, value: AdminKey) -> Description:
        tries: Description = {"try_limit": value.try_limit, "tries_left": value.tries_left}
        return {**tries, "value": hexadecimal(value.value.reveal())}

    def read_fields(self, fields: Fields) -> AdminKey:
        limit = fields.number_or_none("try_limit", 1, MAX_ADMIN_TRIES)
        left = fields.number("tries_left", 0, limit or 0)
        value = fields.hexadecimal("value")
        if len(value) != KEY_BYTES:
            raise DescriptionError(f"{fields.path('value')}: an admin key has {KEY_BYTES} bytes")
        fields.end()
        return AdminKey(Secret(value), limit, left)

    def facts(self, value: AdminKey, name: str, *around: Any) -> Iterator[Fact]:
        yield Fact(Kind.SECRET, name, value.value)
        if value.try_limit is not None:
            yield Fact(Kind.COUNTER, f"{name} tries", value.tries_left, str(value.tries_left))
        yield Fact(Kind.RULE, f"try limit of {name}", value.try_limit, str(value.try_limit or "none"))


_PEM_LINE = 64
_RSA_HEAD, _RSA_FOOT = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"


class RsaKind(Parts[RsaPrivateKey]):
    """An RSA key: RSAPrivateKey (RFC 8017); for people that in PEM, so that every number comes back as it was."""

    def encode(self, value: RsaPrivateKey, owner: Any = None) -> bytes:
        return bytes(value)

    def decode(self, raw: bytes) -> RsaPrivateKey:
        # The numbers were checked when the key came to the card, and the check takes up to 0.3 s.
        return RsaPrivateKey.parse(raw, check=False)

    def describe(self, value: RsaPrivateKey) -> Description:
        text = b64encode(bytes(value)).decode()
        lines = [text[at : at + _PEM_LINE] for at in range(0, len(text), _PEM_LINE)]
        return {"pem": [_RSA_HEAD, *lines, _RSA_FOOT]}

    def read_fields(self, fields: Fields) -> RsaPrivateKey:
        lines = fields.lines("pem")
        with fields.naming("pem"):
            if lines[:1] != [_RSA_HEAD] or lines[-1:] != [_RSA_FOOT]:
                raise ValueError("not an RSA PRIVATE KEY (PKCS#1) in PEM")
            key = RsaPrivateKey.parse(b64decode("".join(lines[1:-1]), validate=True))
        fields.end()
        return key

    def facts(self, value: RsaPrivateKey, name: str, *around: Any) -> Iterator[Fact]:
        yield Fact(Kind.KEY, name, value, f"RSA {value.bits}")


class EcKind(Parts[EcPrivateKey]):
    """A key on one of some curves, no two of a size: that, in bits, two bytes; the scalar. For people SEC 1 in PEM."""

    def __init__(self, curves: Collection[KeyKind]) -> None:
        self._by_bits = {CURVES[kind].key_size: kind for kind in curves}

    def encode(self, value: EcPrivateKey, owner: Any = None) -> bytes:
        scalar = value.scalar.to_bytes(field_bytes(value.kind), "big")
        return CURVES[value.kind].key_size.to_bytes(2, "big") + scalar

    def decode(self, raw: bytes) -> EcPrivateKey:
        kind = self._by_bits.get(int.from_bytes(raw[:2], "big"))
        if kind is None or len(raw) < 2:
            raise WireError("not a key of a known curve")
        return EcPrivateKey(kind, int.from_bytes(raw[2:], "big"))

    def describe(self, value: EcPrivateKey) -> Description:
        pem = value.library_key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        return {"pem": pem.decode().splitlines()}

    def read_fields(self, fields: Fields) -> EcPrivateKey:
        pem = "\n".join(fields.lines("pem")).encode()
        with fields.naming("pem"):
            try:
                key = load_pem_private_key(pem, None)
            except (ValueError, TypeError, UnsupportedAlgorithm):
                raise ValueError("not a private key in PEM") from None
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError("not an elliptic curve key")
            own = EcPrivateKey.from_library(key)
            if own.kind not in self._by_bits.values():
                raise ValueError(f"a key of {own.kind} cannot be kept here")
        fields.end()
        return own

    def facts(self, value: EcPrivateKey, name: str, *around: Any) -> Iterator[Fact]:
        yield Fact(Kind.KEY, name, value, str(value.kind))


class PrivateKeyKind(Parts[PrivateKey]):
    """A private key of any kind, as `card_os.key` keeps it; for people its kind, and PEM."""

    _KINDS = {str(kind): kind for kind in KeyKind if kind not in SYMMETRIC}  # noqa: RUF012

    def encode(self, value: PrivateKey, owner: Any = None) -> bytes:
        return keys.encode(value)

    def decode(self, raw: bytes) -> PrivateKey:
        return keys.decode_private(raw)

    def describe(self, value: PrivateKey) -> Description:
        if isinstance(value, RsaPrivateKey):
            return {"type": str(value.kind), **RsaKind().describe(value)}
        ec_form = PrivateFormat.TraditionalOpenSSL if isinstance(value, EcPrivateKey) else PrivateFormat.PKCS8
        pem = value.library_key().private_bytes(Encoding.PEM, ec_form, NoEncryption())
        return {"type": str(value.kind), "pem": pem.decode().splitlines()}

    def read_fields(self, fields: Fields) -> PrivateKey:
        kind = fields.word("type", self._KINDS)
        key = RsaKind().read_fields(fields) if kind in RSA_BITS else self._from_pem(fields)
        if key.kind != kind:
            raise DescriptionError(f"{fields.path('pem')}: a key of {key.kind}, not of {kind}")
        return key

    def _from_pem(self, fields: Fields) -> PrivateKey:
        pem = "\n".join(fields.lines("pem")).encode()
        with fields.naming("pem"):
            try:
                key = load_pem_private_key(pem, None)
            except (ValueError, TypeError, UnsupportedAlgorithm):
                raise ValueError("not a private key in PEM") from None
            own = keys.from_library(key)
        fields.end()
        return own

    def facts(self, value: PrivateKey, name: str, *around: Any) -> Iterator[Fact]:
        yield Fact(Kind.KEY, name, value, str(value.kind))


class SymmetricKeyKind(Parts[SymmetricKey]):
    """A symmetric key that does not count tries, as `card_os.key` keeps it; for people its cipher, and hexadecimal."""

    _KINDS = {str(kind): kind for kind in SYMMETRIC}  # noqa: RUF012

    def encode(self, value: SymmetricKey, owner: Any = None) -> bytes:
        return keys.encode(value)

    def decode(self, raw: bytes) -> SymmetricKey:
        key = keys.decode(raw)
        if not isinstance(key, SymmetricKey):
            raise WireError("a symmetric key is expected")
        return key

    def describe(self, value: SymmetricKey) -> Description:
        return {"cipher": str(value.kind), "value": hexadecimal(value.value.reveal())}

    def read_fields(self, fields: Fields) -> SymmetricKey:
        kind = fields.word("cipher", self._KINDS)
        key = fields.made("value", lambda raw: SymmetricKey.of(kind, raw))
        fields.end()
        return key

    def facts(self, value: SymmetricKey, name: str, *around: Any) -> Iterator[Fact]:
        yield Fact(Kind.SECRET, name, value.value)
        yield Fact(Kind.RULE, f"cipher of the {name}", value.kind, str(value.kind))


class Objects(SchemaKind[tuple[Tlv, ...]]):
    """Data objects, one after another, no tag twice. The name of their facts says where they are: `in A012`."""

    def encode(self, value: tuple[Tlv, ...], owner: Any = None) -> bytes:
        return join(value)

    def pieces(self, value: tuple[Tlv, ...], owner: Any, known: Known) -> list[Piece]:
        return [_piece(one) for one in value]

    def decode(self, raw: bytes) -> tuple[Tlv, ...]:
        return parse_all(raw)

    def describe(self, value: tuple[Tlv, ...]) -> object:
        return [{"tag": tag_bytes(one.tag).hex().upper(), "value": hexadecimal(one.value)} for one in value]

    def read(self, fields: Fields, name: str) -> tuple[Tlv, ...]:
        found: dict[int, Tlv] = {}
        for each in fields.each(name):
            tags = each.made("tag", parse_tags)
            if len(tags) != 1:
                raise DescriptionError(f"{each.path('tag')}: not one tag")
            if tags[0] in found:
                raise DescriptionError(f"{each.path('tag')}: there is an object {tags[0]:X} already")
            found[tags[0]] = Tlv(tags[0], each.hexadecimal("value"))
            each.end()
        return tuple(found.values())

    def facts(self, value: tuple[Tlv, ...], name: str, *around: Any) -> Iterator[Fact]:
        for one in value:
            yield Fact(Kind.OBJECT, f"object {one.tag:02X} {name}", one.value, byte_count(len(one.value)))


def _piece(one: Tlv) -> Piece:
    if len(one.value) < MIN_PART_BYTES:
        return bytes(one)
    return Part(one, one.size, partial(bytes, one))
