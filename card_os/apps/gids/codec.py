"""The state of a GIDS application as bytes, for an image. Version 1: every later version reads it for ever.

Lengths are big-endian and stand before what they count. Values that have a wire form of their own (access rules,
CRTs, PIN policies, data objects, RSA keys) are kept in it.
"""

from construct import Bytes, Check, Const, GreedyBytes, Int8ub, Int16ub, Int32ub, Prefixed, PrefixedArray, Struct, this

from card_os.access import AccessRule
from card_os.admin import KEY_BYTES, AdminKey
from card_os.apps.gids.fcp import parse_uses
from card_os.apps.gids.state import DataFile, File, GidsState, KeyFile, LifeCycle, PrivateKey
from card_os.apps.gids.wire import EC_KINDS
from card_os.ec import CURVES, EcPrivateKey
from card_os.pin import Pin, PinPolicy
from card_os.rsa import RsaPrivateKey
from card_os.secret import Secret
from card_os.sw import CardError
from card_os.tlv import join, parse_all
from card_os.wire import Format, WireError

VERSION = 1

_SHORT = Prefixed(Int8ub, GreedyBytes)
_LONG = Prefixed(Int32ub, GreedyBytes)

STATE = Format(
    Struct(
        Const(b"GIDS"),
        "version" / Int8ub,
        Check(this.version == VERSION),
        "life_cycle" / Int8ub,
        "pin" / _SHORT,
        "puk" / _SHORT,
        "pin_policy" / _SHORT,
        "admin_try_limit" / Int8ub,
        "template" / _LONG,
        "fmd" / _LONG,
        "rule" / _SHORT,
        "files" / PrefixedArray(Int16ub, _LONG),
    )
)
"""The whole state. pin_policy: empty for none; admin_try_limit: 0 for none; files: in order of creation."""

PIN = Format(Struct("try_limit" / Int8ub, "tries_left" / Int8ub, "value" / GreedyBytes))
"""A PIN; no value: not set."""

_DATA_FILE, _NO_KEY, _ADMIN_KEY, _RSA_KEY, _EC_KEY = range(5)

FILE = Format(
    Struct(
        "kind" / Int8ub,
        "efid" / Int16ub,
        "is_active" / Int8ub,
        "born_operational" / Int8ub,
        Check((this.is_active <= 1) & (this.born_operational <= 1)),
        "rule" / _SHORT,
        "uses" / _LONG,
        "content" / _LONG,
    )
)
"""One file. kind 0: content is data objects; 1: a key file without key; 2 to 4: content is an admin, RSA or EC key."""

ADMIN_KEY = Format(Struct("try_limit" / Int8ub, "tries_left" / Int8ub, "value" / Bytes(KEY_BYTES)))
"""An admin key; try_limit 0: unlimited."""

EC_KEY = Format(Struct("bits" / Int16ub, "scalar" / GreedyBytes))
"""An elliptic curve key: field size in bits and the private scalar."""

_CURVE_BITS = {CURVES[kind].key_size: kind for kind in EC_KINDS.values()}


def encode(state: GidsState) -> bytes:
    """Returns the state as an image keeps it."""
    return STATE.build(
        {
            "version": VERSION,
            "life_cycle": int(state.life_cycle),
            "pin": _encode_pin(state.pin),
            "puk": _encode_pin(state.puk),
            "pin_policy": bytes(state.pin_policy) if state.pin_policy else b"",
            "admin_try_limit": state.admin_try_limit or 0,
            "template": state.template,
            "fmd": state.fmd,
            "rule": bytes(state.rule),
            "files": [_encode_file(file) for file in state.files],
        }
    )


def decode(raw: bytes) -> GidsState:
    """Reads what `encode` wrote; WireError for anything else."""
    c = STATE.parse(raw)
    try:
        return GidsState(
            life_cycle=LifeCycle(c.life_cycle),
            pin=_decode_pin(c.pin),
            puk=_decode_pin(c.puk),
            pin_policy=PinPolicy.parse(c.pin_policy) if c.pin_policy else None,
            admin_try_limit=c.admin_try_limit or None,
            template=c.template,
            fmd=c.fmd,
            rule=AccessRule.parse(c.rule),
            files=tuple(_decode_file(file) for file in c.files),
        )
    except (ValueError, CardError) as error:
        raise WireError(f"not the state of a GIDS application: {error}") from None


def _encode_pin(pin: Pin) -> bytes:
    value = pin.value.reveal() if pin.value else b""
    return PIN.build({"try_limit": pin.try_limit, "tries_left": pin.tries_left, "value": value})


def _decode_pin(raw: bytes) -> Pin:
    c = PIN.parse(raw)
    return Pin(Secret(c.value) if c.value else None, c.try_limit, c.tries_left)


def _encode_file(file: File) -> bytes:
    if isinstance(file, DataFile):
        kind, uses, content = _DATA_FILE, b"", join(file.objects)
    else:
        kind, content = _encode_key(file.key)
        uses = join(use.tlv(file.key_id) for use in file.uses)
    return FILE.build(
        {
            "kind": kind,
            "efid": file.efid,
            "is_active": int(file.is_active),
            "born_operational": int(file.born_operational),
            "rule": bytes(file.rule),
            "uses": uses,
            "content": content,
        }
    )


def check_file(file: File) -> None:
    """Refuses a file that would not be read back as it is: WireError, CardError."""
    if _decode_file(_encode_file(file)) != file:
        raise WireError("this cannot be kept")


def _encode_key(key: PrivateKey | None) -> tuple[int, bytes]:
    if key is None:
        return _NO_KEY, b""
    if isinstance(key, RsaPrivateKey):
        return _RSA_KEY, bytes(key)
    if isinstance(key, EcPrivateKey):
        return _EC_KEY, EC_KEY.build({"bits": CURVES[key.kind].key_size, "scalar": bytes(key)})
    limits = {"try_limit": key.try_limit or 0, "tries_left": key.tries_left}
    return _ADMIN_KEY, ADMIN_KEY.build({**limits, "value": key.value.reveal()})


def _decode_file(raw: bytes) -> File:
    c = FILE.parse(raw)
    rule, flags = AccessRule.parse(c.rule), (bool(c.is_active), bool(c.born_operational))
    if c.kind == _DATA_FILE:
        return DataFile(c.efid, rule, *flags, objects=parse_all(c.content))
    return KeyFile(c.efid, rule, parse_uses(c.uses), *flags, key=_decode_key(c.kind, c.content))


def _decode_key(kind: int, raw: bytes) -> PrivateKey | None:
    if kind == _NO_KEY and not raw:
        return None
    if kind == _RSA_KEY:
        # The numbers were checked when the key came to the card, and the check takes up to 0.3 s.
        return RsaPrivateKey.parse(raw, check=False)
    if kind == _EC_KEY:
        c = EC_KEY.parse(raw)
        if c.bits not in _CURVE_BITS:
            raise WireError(f"a curve of {c.bits} bits is unknown")
        return EcPrivateKey(_CURVE_BITS[c.bits], int.from_bytes(c.scalar, "big"))
    if kind == _ADMIN_KEY:
        c = ADMIN_KEY.parse(raw)
        return AdminKey(Secret(c.value), c.try_limit or None, c.tries_left)
    raise WireError(f"key kind {kind} is unknown")
