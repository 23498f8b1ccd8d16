"""The state of a PIV application as bytes for an image."""

from construct import (
    Check,
    Const,
    GreedyBytes,
    Int8ub,
    Int16ub,
    Int24ub,
    Int32ub,
    Prefixed,
    PrefixedArray,
    Struct,
    this,
)

from card_os import key as keys
from card_os.apps.piv.state import AdminKey, CardCertificate, DataObject, Origin, PivState, Slot
from card_os.apps.piv.wire import PinPolicy, TouchPolicy
from card_os.ec import EcPrivateKey
from card_os.pin import Pin
from card_os.secret import Secret
from card_os.symmetric import SymmetricKey
from card_os.wire import Format, WireError

VERSION = 1
_SHORT = Prefixed(Int8ub, GreedyBytes)
_LONG = Prefixed(Int32ub, GreedyBytes)

STATE = Format(
    Struct(
        Const(b"PIV"),
        "version" / Int8ub,
        Check(this.version == VERSION),
        "pin" / _SHORT,
        "puk" / _SHORT,
        "global_pin" / _SHORT,
        "admin" / _SHORT,
        "sm_key" / _SHORT,
        "cvc" / _LONG,
        "serial" / Int32ub,
        "objects" / PrefixedArray(Int16ub, _LONG),
        "slots" / PrefixedArray(Int16ub, _LONG),
    )
)
OBJECT = Format(Struct("tag" / Int24ub, "value" / GreedyBytes))
PIN = Format(Struct("try_limit" / Int8ub, "tries_left" / Int8ub, "value" / GreedyBytes))
ADMIN = Format(Struct("touch_policy" / Int8ub, "key" / GreedyBytes))
SLOT = Format(
    Struct("reference" / Int8ub, "origin" / Int8ub, "pin_policy" / Int8ub, "touch_policy" / Int8ub, "key" / GreedyBytes)
)


def encode(state: PivState) -> bytes:
    return STATE.build(
        {
            "version": VERSION,
            "pin": _pin(state.pin),
            "puk": _pin(state.puk),
            "global_pin": _pin(state.global_pin) if state.global_pin else b"",
            "admin": ADMIN.build({"touch_policy": int(state.admin.touch_policy), "key": keys.encode(state.admin.key)}),
            "sm_key": keys.encode(state.sm.key) if state.sm else b"",
            "cvc": state.sm.cvc if state.sm else b"",
            "serial": state.serial,
            "objects": [OBJECT.build({"tag": one.tag, "value": one.value}) for one in state.objects],
            "slots": [_slot(slot) for slot in state.slots],
        }
    )


def _pin(pin: Pin) -> bytes:
    value = pin.value.reveal() if pin.value else b""
    return PIN.build({"try_limit": pin.try_limit, "tries_left": pin.tries_left, "value": value})


def _slot(slot: Slot) -> bytes:
    return SLOT.build(
        {
            "reference": slot.reference,
            "origin": int(slot.origin),
            "pin_policy": int(slot.pin_policy),
            "touch_policy": int(slot.touch_policy),
            "key": keys.encode(slot.key),
        }
    )


def decode(raw: bytes) -> PivState:
    c = STATE.parse(raw)
    try:
        admin = ADMIN.parse(c.admin)
        cipher, sm_key = keys.decode(admin.key), keys.decode(c.sm_key) if c.sm_key else None
        if not isinstance(cipher, SymmetricKey) or not isinstance(sm_key, EcPrivateKey | None):
            raise WireError("a key of another kind is expected")
        return PivState(
            pin=_read_pin(c.pin),
            puk=_read_pin(c.puk),
            admin=AdminKey(cipher, TouchPolicy(admin.touch_policy)),
            global_pin=_read_pin(c.global_pin) if c.global_pin else None,
            sm=CardCertificate(sm_key, c.cvc) if sm_key else None,
            serial=c.serial,
            objects=tuple(DataObject(o.tag, o.value) for o in map(OBJECT.parse, c.objects)),
            slots=tuple(map(_read_slot, c.slots)),
        )
    except ValueError as error:
        raise WireError(f"not the state of a PIV application: {error}") from None


def _read_pin(raw: bytes) -> Pin:
    c = PIN.parse(raw)
    return Pin(Secret(c.value) if c.value else None, c.try_limit, c.tries_left)


def _read_slot(raw: bytes) -> Slot:
    c = SLOT.parse(raw)
    return Slot(
        c.reference,
        keys.decode_private(c.key),
        Origin(c.origin),
        PinPolicy(c.pin_policy),
        TouchPolicy(c.touch_policy),
    )
