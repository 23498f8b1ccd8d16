"""What differs from one OpenPGP card to the next: plain facts, given when the application is made."""

from dataclasses import dataclass

from card_os.apps.openpgp.algorithm import Attributes, attributes
from card_os.apps.openpgp.wire import Key
from card_os.key_kind import KeyKind
from card_os.pin import CharacterRule, PinPolicy
from card_os.sw import SW

_CURVES = (
    KeyKind.P256,
    KeyKind.P384,
    KeyKind.P521,
    KeyKind.BRAINPOOL_P256R1,
    KeyKind.BRAINPOOL_P384R1,
    KeyKind.BRAINPOOL_P512R1,
    KeyKind.SECP256K1,
    KeyKind.ED25519,
    KeyKind.X25519,
)
KINDS = (KeyKind.RSA_2048, KeyKind.RSA_3072, KeyKind.RSA_4096, *_CURVES)
UNMANAGED, YUBICO = 0xFFFE, 0x0006
"""Manufacturers: of cards with a serial number of their own choice, and of YubiKeys."""


@dataclass(frozen=True, slots=True)
class Yubico:
    """What makes an OpenPGP card a YubiKey: its firmware, and with it Yubico's commands and the key ATT."""

    version: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Rules:
    """The facts of one kind of OpenPGP card. wrong_password: 6982, or 63C0 for 63Cx with the tries left."""

    version: int = 0x0304
    manufacturer: int = UNMANAGED
    historical: bytes = bytes.fromhex("0031F573C001E0059000")
    """Of a card in operation; those of the ATR should be the same. Their C001 byte: E0 is chaining, extended length,
    and 7F66."""
    wrong_password: int = SW.SECURITY_STATUS_NOT_SATISFIED
    kinds: tuple[KeyKind, ...] = KINDS
    exponent_bits: int = 0x20
    """Of RSA attributes, where nobody says."""
    capabilities: int = 0x7F
    """First byte of C0: GET CHALLENGE, key import, PW status, private use objects, attributes, AES, KDF."""
    has_touch: bool = True
    """Whether there is a button, and a user interaction flag for each key."""
    max_challenge_bytes: int = 1024
    max_certificate_bytes: int = 2048
    max_object_bytes: int = 2048
    """Of login data, URL and private use objects."""
    max_apdu_bytes: int = 2048
    """What 7F66 says."""
    max_password_bytes: int = 127
    min_pin_bytes: int = 6
    min_admin_bytes: int = 8
    yubico: Yubico | None = None
    falsely_listed: tuple[bytes, ...] = ()
    """Attributes that the algorithm information has for each key, and that no key takes."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """Places for keys, in the order of data objects."""
        return tuple(Key) if self.yubico else (Key.SIGNATURE, Key.DECRYPTION, Key.AUTHENTICATION)

    def default_attributes(self, key: Key) -> Attributes:
        """Of a place on a new card."""
        return attributes(KeyKind.RSA_2048, key, exponent_bits=self.exponent_bits)

    def all_attributes(self, key: Key) -> tuple[Attributes, ...]:
        """Everything that may be put as the attributes of a place, in the order of `kinds`."""
        found = (attributes(kind, key, exponent_bits=self.exponent_bits) for kind in self.kinds)
        return tuple(one for one in found if one.fits(key))

    def allows(self, wanted: Attributes, key: Key) -> bool:
        return wanted.kind in self.kinds and wanted.fits(key)

    @property
    def pin_rules(self) -> PinPolicy:
        """What a new PIN is held to, as a policy."""
        return PinPolicy(self.min_pin_bytes, self.max_password_bytes, other=CharacterRule.ALLOW)

    @property
    def admin_rules(self) -> PinPolicy:
        """What a new admin PIN or resetting code is held to."""
        return PinPolicy(self.min_admin_bytes, self.max_password_bytes, other=CharacterRule.ALLOW)
