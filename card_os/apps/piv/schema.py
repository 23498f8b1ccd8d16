"""The state of a PIV application, declared: its bytes in an image, its description for people, its facts.

Version 1 of the bytes: every later version reads it for ever.
"""

from typing import Any

from card_os.apps.piv.state import AdminKey, CardCertificate, DataObject, Origin, PivState, Slot
from card_os.apps.piv.wire import PinPolicy, TouchPolicy
from card_os.ec import EcPrivateKey
from card_os.fact import Kind as About
from card_os.kept import PinKind, PrivateKeyKind, SymmetricKeyKind
from card_os.pin import MAX_TRY_LIMIT
from card_os.schema import LONG, SHORT, Blob, Field, Many, Maybe, Number, Record, Word
from card_os.wire import WireError


def _certificate(key: object, cvc: bytes) -> CardCertificate:
    if not isinstance(key, EcPrivateKey):
        raise WireError("the key of secure messaging is an elliptic curve key")
    return CardCertificate(key, cvc)


def _state(**values: Any) -> PivState:
    """Objects and keys stand in the order of their tags and references, wherever they come from."""
    values["objects"] = tuple(sorted(values["objects"], key=lambda one: one.tag))
    values["slots"] = tuple(sorted(values["slots"], key=lambda one: one.reference))
    return PivState(**values)


_PIN = PinKind(MAX_TRY_LIMIT)
_ADMIN = Record(
    AdminKey,
    Field("touch_policy", Word(TouchPolicy), fact="touch policy of the management key"),
    Field("key", SymmetricKeyKind(), fact="management key"),
)
_CERTIFICATE = Record(
    _certificate,
    Field("key", PrivateKeyKind(), LONG, fact="secure messaging key"),
    Field("cvc", Blob(About.OBJECT), LONG, fact="card verifiable certificate"),
)
_OBJECT = Record(
    DataObject,
    Field("tag", Number(3, is_hex=True), fact=None),
    Field("value", Blob(About.OBJECT), LONG, fact="{0.name}"),
)
_SLOT = Record(
    Slot,
    Field("reference", Number(1, is_hex=True), fact=None),
    Field("origin", Word(Origin), fact="origin of {0.name}"),
    Field("pin_policy", Word(PinPolicy), fact="PIN policy of {0.name}"),
    Field("touch_policy", Word(TouchPolicy), fact="touch policy of {0.name}"),
    Field("key", PrivateKeyKind(), LONG, fact="{0.name}"),
)

STATE = Record(
    _state,
    Field("pin", _PIN, SHORT, fact="PIN"),
    Field("puk", _PIN, SHORT, fact="PUK"),
    Field("global_pin", Maybe(_PIN), SHORT, fact="global PIN"),
    Field("admin", _ADMIN, SHORT, named="management_key"),
    Field("sm", Maybe(_CERTIFICATE), LONG, named="secure_messaging"),
    Field("serial", Number(4), named="serial_number"),
    Field("objects", Many(_OBJECT, lambda one: one.tag, "an object {:X}", "tag", in_rows=True), LONG),
    Field("slots", Many(_SLOT, lambda one: one.reference, "a key {:02X}", "reference", in_rows=True)),
    head=b"PIV\x01",
)
