"""A PIV application in facts, and what tests of the card ask of every application beside them."""

from collections.abc import Iterator, Sequence

from card_os.apdu import CommandApdu
from card_os.apps.piv.containers import CHUID, CONTAINERS, container_words
from card_os.apps.piv.state import PivState, Slot
from card_os.apps.piv.wire import ALGORITHM_OF, Ins, Key, PinPolicy, Reference, Tag, key_words, pin_words
from card_os.fact import Fact, Kind
from card_os.key_kind import KeyKind
from card_os.tlv import Tlv, tag_bytes
from card_os.words import byte_count


def facts(state: PivState) -> Iterator[Fact]:
    """Every part of the state."""
    for reference, pin in ((Reference.PIN, state.pin), (Reference.PUK, state.puk), (0, state.global_pin)):
        if pin is not None:
            name = pin_words(reference)
            yield Fact(Kind.SECRET, name, pin.value)
            yield Fact(Kind.COUNTER, f"{name} tries", pin.tries_left, str(pin.tries_left))
            yield Fact(Kind.RULE, f"{name} try limit", pin.try_limit, str(pin.try_limit))
    admin = state.admin
    yield Fact(Kind.SECRET, "management key", admin.key.value)
    yield Fact(Kind.RULE, "algorithm of the management key", admin.key.kind, str(admin.key.kind))
    yield Fact(Kind.RULE, "touch policy of the management key", admin.touch_policy, admin.touch_policy.name.lower())
    yield Fact(Kind.RULE, "serial number", state.serial, str(state.serial))
    if state.sm is not None:
        yield Fact(Kind.KEY, "secure messaging key", state.sm.key, str(state.sm.key.kind))
        yield Fact(Kind.OBJECT, "card verifiable certificate", state.sm.cvc, byte_count(len(state.sm.cvc)))
    for slot in state.slots:
        yield from _slot(slot)
    for one in state.objects:
        yield Fact(Kind.OBJECT, container_words(one.tag), one.value, byte_count(len(one.value)))


def _slot(slot: Slot) -> Iterator[Fact]:
    name = key_words(slot.reference)
    yield Fact(Kind.KEY, name, slot.key, str(slot.key.kind))
    yield Fact(Kind.RULE, f"origin of {name}", slot.origin, slot.origin.name.lower())
    policies = f"PIN {slot.pin_policy.name.lower()}, touch {slot.touch_policy.name.lower()}"
    yield Fact(Kind.RULE, f"policies of {name}", (slot.pin_policy, slot.touch_policy), policies)


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
