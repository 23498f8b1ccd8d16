"""What a PIV application keeps, as one frozen tree, and what it forgets.

Objects and keys stand in the order of their tags and references, so that two cards with the same content are equal
whichever was written first.
"""

from dataclasses import dataclass, field, replace
from enum import IntEnum

from card_os.apps.piv.containers import PAIRING_CODE_DATA, container_words
from card_os.apps.piv.rules import Rules
from card_os.apps.piv.secure_messaging import SecureChannel
from card_os.apps.piv.wire import PinPolicy, Reference, Tag, TouchPolicy, UsagePolicy, key_words
from card_os.ec import EcPrivateKey
from card_os.key import PrivateKey
from card_os.pin import Pin
from card_os.secret import Secret
from card_os.symmetric import SymmetricKey
from card_os.tlv import parse_all
from card_os.wire import WireError

PIN_BYTES = 8
DEFAULT_TRIES = 3
DEFAULT_PIN = b"123456\xff\xff"
DEFAULT_PUK = b"12345678"
DEFAULT_ADMIN_KEY = bytes.fromhex("010203040506070801020304050607080102030405060708")
"""What every new YubiKey has, and every card that was reset."""


class Origin(IntEnum):
    """Where a private key was made (Yubico, tag 03 of its metadata)."""

    GENERATED = 0x01
    IMPORTED = 0x02


@dataclass(frozen=True, slots=True)
class DataObject:
    """What a host keeps on the card under a tag; tags of YubiKeys (5F0000) need not be such in BER."""

    tag: int
    value: bytes

    @property
    def name(self) -> str:
        return container_words(self.tag)


@dataclass(frozen=True, slots=True)
class Slot:
    """A private key and its rules. reference: 9A and so on."""

    reference: int
    key: PrivateKey
    origin: Origin
    pin_policy: PinPolicy
    touch_policy: TouchPolicy = TouchPolicy.NEVER

    @property
    def name(self) -> str:
        return key_words(self.reference)


@dataclass(frozen=True, slots=True)
class AdminKey:
    """Key 9B: of 3DES or AES."""

    key: SymmetricKey
    touch_policy: TouchPolicy = TouchPolicy.NEVER

    @property
    def is_default(self) -> bool:
        return len(self.key.value) == len(DEFAULT_ADMIN_KEY) and self.key.value.matches(DEFAULT_ADMIN_KEY)


@dataclass(frozen=True, slots=True)
class CardCertificate:
    """Key 04 for secure messaging and its certificate (CVC, the whole 7F21)."""

    key: EcPrivateKey
    cvc: bytes


@dataclass(frozen=True, slots=True)
class PivState:
    """Everything that a PIV application keeps.

    global_pin: None: there is none. sm: None: there is no secure messaging. objects: the content of each by tag: what
    stands in 53, or the value of a bare object.
    """

    pin: Pin
    puk: Pin
    admin: AdminKey
    global_pin: Pin | None = None
    sm: CardCertificate | None = None
    serial: int = 0
    objects: tuple[DataObject, ...] = ()
    slots: tuple[Slot, ...] = ()

    def object(self, tag: int) -> bytes | None:
        return next((one.value for one in self.objects if one.tag == tag), None)

    def with_object(self, tag: int, value: bytes) -> "PivState":
        """Returns the state with an object added or replaced."""
        others = [one for one in self.objects if one.tag != tag]
        return replace(self, objects=tuple(sorted((*others, DataObject(tag, value)), key=lambda one: one.tag)))

    def without_object(self, tag: int) -> "PivState":
        return replace(self, objects=tuple(one for one in self.objects if one.tag != tag))

    def slot(self, reference: int) -> Slot | None:
        return next((one for one in self.slots if one.reference == reference), None)

    def with_slot(self, new: Slot) -> "PivState":
        others = [one for one in self.slots if one.reference != new.reference]
        return replace(self, slots=tuple(sorted((*others, new), key=lambda one: one.reference)))

    def without_slot(self, reference: int) -> "PivState":
        return replace(self, slots=tuple(one for one in self.slots if one.reference != reference))

    @property
    def usage_policy(self) -> int:
        """The first byte of the discovery object's PIN usage policy; of a card without one, the PIN alone."""
        value = self._within(Tag.DISCOVERY, Tag.PIN_USAGE_POLICY)
        return value[0] if value else UsagePolicy.PIN

    @property
    def pairing_code(self) -> Secret | None:
        """Eight digits; None: there is none (part 1, 3.3.8)."""
        value = self._within(PAIRING_CODE_DATA, Tag.PAIRING_CODE)
        return Secret(value) if value else None

    def _within(self, container: int, tag: int) -> bytes | None:
        """The value of a tag within an object; None also where that is not BER-TLV."""
        try:
            objects = parse_all(self.object(container) or b"")
        except WireError:
            return None
        return next((one.value for one in objects if one.tag == tag), None)

    def pin_of(self, reference: int) -> Pin | None:
        """A PIN that exists on this card."""
        if reference == Reference.PIN:
            return self.pin
        if reference == Reference.PUK:
            return self.puk
        if reference == Reference.GLOBAL_PIN and self.usage_policy & UsagePolicy.GLOBAL_PIN:
            return self.global_pin
        return None

    def with_pin(self, reference: int, pin: Pin) -> "PivState":
        if reference == Reference.PUK:
            return replace(self, puk=pin)
        return replace(self, global_pin=pin) if reference == Reference.GLOBAL_PIN else replace(self, pin=pin)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the card has asked the administrator: encrypt this, or (the witness) decrypt its cryptogram."""

    value: bytes
    is_witness: bool


@dataclass(slots=True)
class PivVolatile:
    """What a reset or a deselection forgets.

    rules: the facts of this kind of card, here because handlers see nothing else of the application. verified:
    references of PINs that have been; is_fresh: whether the command before this one was a VERIFY that went well, which
    is what key 9C wants.
    """

    rules: Rules
    verified: set[int] = field(default_factory=set)
    is_fresh: bool = False
    is_admin: bool = False
    challenge: Challenge | None = None
    channel: SecureChannel | None = None
    answering: SecureChannel | None = None
    """Through which the last wrapped command came."""
