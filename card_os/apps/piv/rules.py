"""What differs from one PIV card to the next: plain facts, given when the application is made, never a branch by name.

NIST leaves some things to the card, and cards in the field decide some others in their own way (piv.md section 12).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from card_os.apps.piv.wire import RETIRED_KEYS, Key, PinPolicy
from card_os.key_kind import KeyKind
from card_os.pin import CharacterRule
from card_os.pin import PinPolicy as PinCharacters
from card_os.sw import SW

NIST_KINDS = frozenset({KeyKind.RSA_2048, KeyKind.RSA_3072, KeyKind.P256, KeyKind.P384})
RETIRED_KINDS = frozenset({KeyKind.RSA_1024})
SLOTS: tuple[int, ...] = (
    *map(int, (Key.AUTHENTICATION, Key.SIGNATURE, Key.MANAGEMENT, Key.CARD_AUTHENTICATION)),
    *RETIRED_KEYS,
)
"""Where private keys of the cardholder go, in the order of key references as people list them."""


@dataclass(frozen=True, slots=True)
class Yubico:
    """What makes a PIV card a YubiKey: its version and which of Yubico's commands it has (piv.md section 8)."""

    version: tuple[int, int, int]
    form_factor: int = 0x01
    has_metadata: bool = True
    has_move: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """The facts of one kind of PIV card.

    is_contactless: it is reached without contact, so NIST's third column holds. kinds: of keys that are made and
    imported; retired_kinds: more of them, in slots 82 to 95 only. agreeing: keys that may agree on secrets (85).
    """

    label: str = ""
    short_aid: bool = False
    """Whether SELECT answers only the PIX under 4F, as cards did before SP 800-73-5."""
    keeps_status_on_reselect: bool = True
    is_contactless: bool = False
    kinds: frozenset[KeyKind] = NIST_KINDS
    retired_kinds: frozenset[KeyKind] = RETIRED_KINDS
    ciphers: frozenset[KeyKind] = frozenset({KeyKind.TDES, KeyKind.AES_128, KeyKind.AES_192, KeyKind.AES_256})
    default_cipher: KeyKind = KeyKind.TDES
    """Of the management key that a reset leaves."""
    agreeing: frozenset[int] = frozenset({Key.MANAGEMENT, *RETIRED_KEYS})
    other_objects: range = range(0)
    """Tags that are objects beside NIST's."""
    max_object_bytes: int = 32_768
    max_bytes: int = 262_144
    """Room for all objects."""
    counts_malformed_pins: bool = False
    """Whether a PIN that cannot be one is compared and counted; else it is 6A80 and costs nothing."""
    digits_only: bool = True
    """Whether a PIN is of digits; else of any 6 to 8 bytes."""
    blocked_status: int = 0x63C0
    """What VERIFY without data says of a blocked PIN."""
    no_key: int = SW.INCORRECT_P1P2
    """What using an empty slot is answered."""
    kept_tries: int = 1
    """Tries of the PIN that cannot be spent without contact (part 2, 3.2.1)."""
    has_secure_messaging: bool = True
    takes_unpadded: bool = True
    """Whether CHANGE REFERENCE DATA may be wrapped without padding, as OpenSC 0.26 and 0.27 do."""
    yubico: Yubico | None = None
    pin_policies: dict[int, PinPolicy] = field(
        default_factory=lambda: {Key.SIGNATURE: PinPolicy.ALWAYS, Key.CARD_AUTHENTICATION: PinPolicy.NEVER}
    )
    """When the key of a slot wants the PIN where nobody says; of others once."""

    @property
    def traits(self) -> Mapping[str, str | tuple[str, ...]]:
        """Each fact in words for people."""
        return {one.name.replace("_", " "): _words(getattr(self, one.name)) for one in fields(self)}

    @property
    def pin_rules(self) -> PinCharacters:
        """The same of a new PIN, as a policy."""
        if not self.digits_only:
            return PinCharacters(6, 8, other=CharacterRule.ALLOW)
        no = CharacterRule.DISALLOW
        return PinCharacters(6, 8, uppercase=no, lowercase=no, special=no)

    def allows(self, reference: int, kind: KeyKind) -> bool:
        """Whether a key of this kind may be in this slot."""
        return kind in self.kinds or (reference in RETIRED_KEYS and kind in self.retired_kinds)

    def default_pin_policy(self, reference: int) -> PinPolicy:
        return self.pin_policies.get(reference, PinPolicy.ONCE)


def _words(value: object) -> str | tuple[str, ...]:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Yubico):
        return f"version {'.'.join(map(str, value.version))}"
    if isinstance(value, range):
        return f"{value.start:X} to {value.stop - 1:X}" if value else "none"
    if isinstance(value, frozenset):
        return tuple(sorted(f"{one:02X}" if isinstance(one, int) else str(one) for one in value))
    if isinstance(value, Mapping):
        return tuple(f"{key:02X} {policy.name.lower()}" for key, policy in value.items())
    if isinstance(value, int) and value > 0x6000 and value <= 0x6FFF:
        return f"{value:04X}"
    return str(value) if value not in ("", None) else "none"
