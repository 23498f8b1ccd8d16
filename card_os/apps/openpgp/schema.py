"""The state of an OpenPGP card, declared: its bytes in an image, its description for people, its facts.

Version 1 of the bytes: every later version reads it for ever.
"""

from card_os.apps.openpgp.algorithm import Attributes
from card_os.apps.openpgp.state import HOLDER_OBJECTS, Holder, LifeCycle, OpenPgpState, Slot, StoredKey
from card_os.apps.openpgp.wire import FINGERPRINT_BYTES, OBJECT_WORDS, TIME_BYTES, Key, Origin, Touch
from card_os.fact import Kind as About
from card_os.kept import PinKind, PrivateKeyKind, SymmetricKeyKind
from card_os.pin import MAX_TRY_LIMIT
from card_os.schema import LONG, SHORT, Blob, Field, Flag, Many, Maybe, Number, Record, Wire, Word
from card_os.wire import WireError


def _slot(**values: object) -> Slot:
    for name in ("fingerprint", "ca_fingerprint"):
        if len(values[name]) != FINGERPRINT_BYTES:  # type: ignore[arg-type]
            raise WireError(f"a {name.replace('_', ' ')} has {FINGERPRINT_BYTES} bytes")
    slot = Slot(**values)  # type: ignore[arg-type]
    if slot.stored is not None and slot.stored.key.kind != slot.attributes.kind:
        raise WireError(f"a key of {slot.stored.key.kind} where one of {slot.attributes.kind} belongs")
    return slot


_PIN = PinKind(MAX_TRY_LIMIT)
_STORED = Record(
    StoredKey,
    Field("origin", Word(Origin), fact="origin of {1.name}"),
    Field("key", PrivateKeyKind(), LONG, fact="{1.name}"),
)
_SLOT = Record(
    _slot,
    Field("reference", Word(Key), fact=None),
    Field("attributes", Wire(Attributes.parse), SHORT, fact="attributes of {0.name}"),
    Field("fingerprint", Blob(About.OBJECT), SHORT, fact="fingerprint of {0.name}"),
    Field("ca_fingerprint", Blob(About.OBJECT), SHORT, fact="CA fingerprint of {0.name}"),
    Field("created", Number(TIME_BYTES), fact="creation time of {0.name}"),
    Field("touch", Word(Touch), fact="touch policy of {0.name}"),
    Field("certificate", Blob(About.OBJECT), LONG, fact="certificate of {0.name}"),
    Field("stored", Maybe(_STORED), LONG, named="key", fact="{0.name}"),
)
_HOLDER = Record(
    Holder,
    *(Field(name, Blob(About.OBJECT), LONG, fact=OBJECT_WORDS[tag]) for tag, name in HOLDER_OBJECTS.items()),
)

STATE = Record(
    OpenPgpState,
    Field("serial", Number(4, is_hex=True), fact="serial number"),
    Field("life_cycle", Word(LifeCycle)),
    Field("pin", _PIN, SHORT, fact="PIN"),
    Field("resetting_code", _PIN, SHORT),
    Field("admin", _PIN, SHORT, named="admin_pin", fact="admin PIN"),
    Field("signs_many", Flag(), fact="PIN is good for several signatures"),
    Field("signature_counter", Number(3)),
    Field("kdf", Blob(), SHORT, fact="KDF"),
    Field("aes", Maybe(SymmetricKeyKind()), SHORT, named="aes_key", fact="AES key"),
    Field("holder", _HOLDER, LONG),
    Field("slots", Many(_SLOT, lambda one: one.reference, "a key {:02X}", "reference", in_rows=True)),
    head=b"OPGP\x01",
)
