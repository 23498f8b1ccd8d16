"""What an OpenPGP card keeps, as one frozen tree, and what it forgets."""

from dataclasses import dataclass, field, replace
from enum import IntEnum

from card_os.apps.openpgp.algorithm import Attributes
from card_os.apps.openpgp.rules import Rules
from card_os.apps.openpgp.wire import FINGERPRINT_BYTES, KEY_WORDS, Key, Origin, Password, Tag, Touch
from card_os.key import PrivateKey
from card_os.pin import Pin
from card_os.symmetric import SymmetricKey

DEFAULT_TRIES = 3
DEFAULT_PIN = b"123456"
DEFAULT_ADMIN_PIN = b"12345678"
NO_KDF = bytes.fromhex("810100")
_NO_FINGERPRINT = bytes(FINGERPRINT_BYTES)


class LifeCycle(IntEnum):
    """As the status indicator of the historical bytes says it."""

    TERMINATED = 0x03
    OPERATIONAL = 0x05


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A private key, and where it was made."""

    key: PrivateKey
    origin: Origin


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a key, and what hosts keep about it. created: seconds since 1970; certificate: DER, or empty."""

    reference: Key
    attributes: Attributes
    stored: StoredKey | None = None
    fingerprint: bytes = _NO_FINGERPRINT
    ca_fingerprint: bytes = _NO_FINGERPRINT
    created: int = 0
    touch: Touch = Touch.OFF
    certificate: bytes = b""

    @property
    def name(self) -> str:
        return KEY_WORDS[self.reference]


@dataclass(frozen=True, slots=True)
class Holder:
    """What hosts keep about the cardholder, and the four objects for private use."""

    name: bytes = b""
    language: bytes = b""
    sex: bytes = b""
    login: bytes = b""
    url: bytes = b""
    private_1: bytes = b""
    private_2: bytes = b""
    private_3: bytes = b""
    private_4: bytes = b""


HOLDER_OBJECTS = {
    Tag.NAME: "name",
    Tag.LANGUAGE: "language",
    Tag.SEX: "sex",
    Tag.LOGIN: "login",
    Tag.URL: "url",
    Tag.PRIVATE_1: "private_1",
    Tag.PRIVATE_2: "private_2",
    Tag.PRIVATE_3: "private_3",
    Tag.PRIVATE_4: "private_4",
}
"""Which attribute of `Holder` a data object is."""


@dataclass(frozen=True, slots=True)
class OpenPgpState:
    """Everything that an OpenPGP card keeps.

    pin: PW1; admin: PW3; resetting_code: without a value: not set. signs_many: whether PW1 as 81 holds for more than
    one signature. kdf: the value of F9.
    """

    serial: int
    slots: tuple[Slot, ...]
    pin: Pin
    admin: Pin
    resetting_code: Pin
    life_cycle: LifeCycle = LifeCycle.OPERATIONAL
    signs_many: bool = False
    signature_counter: int = 0
    kdf: bytes = NO_KDF
    aes: SymmetricKey | None = None
    holder: Holder = Holder()

    def slot(self, key: int) -> Slot | None:
        return next((one for one in self.slots if one.reference == key), None)

    def with_slot(self, new: Slot) -> "OpenPgpState":
        """Returns the state with a slot in place of the one of the same key."""
        slots = tuple(new if one.reference == new.reference else one for one in self.slots)
        return replace(self, slots=slots)

    def with_key(self, key: int, new: StoredKey) -> "OpenPgpState":
        """Returns the state with another private key; of the signature key the counter begins anew."""
        slot = self.slot(key)
        assert slot is not None
        state = self.with_slot(replace(slot, stored=new))
        return replace(state, signature_counter=0) if key == Key.SIGNATURE else state

    def password(self, reference: int) -> Pin:
        return self.admin if reference == Password.ADMIN else self.pin

    def with_password(self, reference: int, pin: Pin) -> "OpenPgpState":
        return replace(self, admin=pin) if reference == Password.ADMIN else replace(self, pin=pin)


@dataclass(slots=True)
class OpenPgpVolatile:
    """What a reset or a deselection forgets.

    rules: the facts of this kind of card, here because handlers see nothing else of the application. verified: which
    states of passwords hold. occurrence: of 7F21, for the next command; has_read: whether it has been read since it was
    selected. decipher, authenticate: keys that PSO: DECIPHER and INTERNAL AUTHENTICATE use.
    """

    rules: Rules
    verified: set[int] = field(default_factory=set)
    occurrence: int = 0
    has_read: bool = False
    decipher: Key = Key.DECRYPTION
    authenticate: Key = Key.AUTHENTICATION

    def forget_choices(self) -> None:
        """What SELECT puts back; the states of passwords stay."""
        self.occurrence, self.has_read = 0, False
        self.decipher, self.authenticate = Key.DECRYPTION, Key.AUTHENTICATION
