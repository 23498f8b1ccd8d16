"""What must be refused as long as nobody has proved anything, for tests of the card."""

from collections.abc import Sequence

from card_os.apdu import CommandApdu
from card_os.apps.piv.containers import CHUID, CONTAINERS
from card_os.apps.piv.state import PivState
from card_os.apps.piv.wire import ALGORITHM_OF, Ins, Key, PinPolicy, Reference, Tag
from card_os.key_kind import KeyKind
from card_os.tlv import Tlv, tag_bytes


def protected(state: PivState) -> Sequence[bytes]:
    """Asks whether the PIN is verified, reads objects that want it, uses keys that do, writes and makes keys."""
    commands = [bytes([0, Ins.VERIFY, 0, Reference.PIN])]
    for container in CONTAINERS.values():
        if container.needs_pin:
            commands.append(_command(Ins.GET_DATA, 0x3FFF, bytes(Tlv(Tag.TAG_LIST, tag_bytes(container.tag)))))
    commands.append(_command(Ins.PUT_DATA, 0x3FFF, bytes(Tlv(Tag.TAG_LIST, tag_bytes(CHUID))) + bytes(Tlv(Tag.DATA))))
    commands.append(_command(Ins.GENERATE_ASYMMETRIC_KEY_PAIR, Key.SIGNATURE, bytes.fromhex("AC03800111")))
    for slot in state.slots:
        if slot.pin_policy != PinPolicy.NEVER and slot.reference != Key.ATTESTATION:
            tag = Tag.EXPONENTIATION if slot.key.kind == KeyKind.X25519 else Tag.CHALLENGE
            inner = bytes(Tlv(Tag.RESPONSE)) + bytes(Tlv(tag, bytes(32)))
            p1p2 = ALGORITHM_OF[slot.key.kind] << 8 | slot.reference
            commands.append(_command(Ins.GENERAL_AUTHENTICATE, p1p2, bytes(Tlv(Tag.DYNAMIC_AUTHENTICATION, inner))))
    return commands


def _command(ins: int, p1p2: int, data: bytes) -> bytes:
    return bytes(CommandApdu(0, ins, p1p2 >> 8, p1p2 & 0xFF, data))
