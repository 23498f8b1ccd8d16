"""What a PIV card holds, for whoever knows no application: its PINs, its management key, and its slots."""

import zlib

from card_os.apps.piv.containers import CERTIFICATES, CHUID
from card_os.apps.piv.rules import SLOTS, Rules
from card_os.apps.piv.state import PivState
from card_os.apps.piv.wire import Key
from card_os.outline import Outline, Reference, Slot
from card_os.tlv import parse_all
from card_os.wire import WireError

_GUID, _CERTIFICATE, _INFO = 0x34, 0x70, 0x71
_COMPRESSED = b"\x01"
_GZIP = 16 + zlib.MAX_WBITS
MAX_CERTIFICATE_BYTES = 65_536
"""Of one that was compressed."""
_USES = {
    Key.AUTHENTICATION: "authentication",
    Key.SIGNATURE: "signature",
    Key.MANAGEMENT: "key management",
    Key.CARD_AUTHENTICATION: "card authentication",
}


def outline(state: PivState, rules: Rules) -> Outline:
    """identity: the GUID of the CHUID. Slots, numbered by their key references: those with a key or a certificate."""
    references = [Reference("PIN", state.pin.tries_left, state.pin.try_limit)]
    if state.global_pin is not None:
        references.append(Reference("global PIN", state.global_pin.tries_left, state.global_pin.try_limit))
    references.append(Reference("PUK", state.puk.tries_left, state.puk.try_limit))
    references.append(Reference("management key"))
    slots = tuple(slot for reference in SLOTS if (slot := _slot(state, reference)) is not None)
    return Outline("PIV", "operational", _within(state.object(CHUID), _GUID), tuple(references), rules.pin_rules, slots)


def _slot(state: PivState, reference: int) -> Slot | None:
    key, content = state.slot(reference), state.object(CERTIFICATES[reference])
    if key is None and content is None:
        return None
    use = _USES.get(Key(reference), "") if reference in list(Key) else "retired key management"
    certificates = () if content is None else (certificate(content),)
    return Slot(reference, f"{reference:02X}", use, key.key.kind if key else None, certificates)


def certificate(content: bytes) -> bytes:
    """The certificate in a certificate object, in DER, compressed or not; empty if it cannot be read."""
    der = _within(content, _CERTIFICATE) or b""
    if _within(content, _INFO) != _COMPRESSED:
        return der
    try:
        return zlib.decompressobj(_GZIP).decompress(der, MAX_CERTIFICATE_BYTES)
    except zlib.error:
        return b""


def _within(content: bytes | None, tag: int) -> bytes | None:
    try:
        objects = parse_all(content or b"")
    except WireError:
        return None
    return next((one.value for one in objects if one.tag == tag), None)
