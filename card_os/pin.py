"""PINs: a policy for new ones, a retry counter, and a comparison that cannot be repeated for free.

A `Pin` is a value; the functions here return what becomes of it. `verify` commits the counter *down before* it
compares, so that a card that loses power in the middle has spent a try, never gained one. Any application can use it.

Any policy will do that says what it is that a new PIN breaks (`Policy`). The one here, `PinPolicy`, is Windows': two
lengths and four classes of printable ASCII, each allowed, required or disallowed, plus "other" for every byte outside
those classes (space among them). Its wire form is that of [MS-TPMVSC] 2.2.2.1.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Protocol

from construct import Check, Const, Int32ul, Struct, this

from card_os.secret import Secret
from card_os.sw import SW, CardError, WrongReference
from card_os.wire import Format, WireError

MIN_BYTES = 4
MAX_BYTES = 127
DEFAULT_TRIES = 5
MAX_TRIES = 15
"""What 63Cx can say; an application may have more."""
MAX_TRY_LIMIT = 255

_CLASS_WORDS = {
    "uppercase": "capital letters",
    "lowercase": "small letters",
    "digits": "digits",
    "special": "special characters",
    "other": "blanks and other characters",
}
CHARACTER_CLASSES = tuple(_CLASS_WORDS)

PIN_POLICY = Format(
    Struct(
        Const(1, Int32ul),
        "min_length" / Int32ul,
        "max_length" / Int32ul,
        *(name / Int32ul for name in CHARACTER_CLASSES),
        *(Check(this[name] <= 2) for name in CHARACTER_CLASSES),
    )
)
"""Eight 32-bit little-endian integers: 1, lengths, one rule a class ([MS-TPMVSC] 2.2.2.1 PinPolicySerialization)."""


class CharacterRule(IntEnum):
    """What a policy says of one class of characters (WinRT SmartCardPinCharacterPolicyOption)."""

    ALLOW = 0
    REQUIRE_AT_LEAST_ONE = 1
    DISALLOW = 2

    def __repr__(self) -> str:
        # A policy that a failing test prints can be pasted.
        return f"CharacterRule.{self.name}"


def character_class(byte: int) -> str:
    """Names the class of one byte of a PIN: uppercase, lowercase, digits, special or other (winrt 2.1)."""
    char = chr(byte)
    if not 0x21 <= byte <= 0x7E:
        return "other"
    if char.isdigit():
        return "digits"
    if char.isalpha():
        return "uppercase" if char.isupper() else "lowercase"
    return "special"


@dataclass(frozen=True, slots=True)
class PinPolicy:
    """Rules for a new PIN: length in bytes, 4 to 127, and one rule for each class of characters.

    The defaults are those of a policy that somebody makes (8 to 127, printable ASCII). A card *without* a policy
    allows any 4 to 127 bytes: `NO_POLICY`. Raises ValueError for a policy that no PIN can meet.
    """

    min_length: int = 8
    max_length: int = MAX_BYTES
    uppercase: CharacterRule = CharacterRule.ALLOW
    lowercase: CharacterRule = CharacterRule.ALLOW
    digits: CharacterRule = CharacterRule.ALLOW
    special: CharacterRule = CharacterRule.ALLOW
    other: CharacterRule = CharacterRule.DISALLOW

    def __post_init__(self) -> None:
        if not MIN_BYTES <= self.min_length <= MAX_BYTES or not MIN_BYTES <= self.max_length <= MAX_BYTES:
            raise ValueError(f"PIN lengths go from {MIN_BYTES} to {MAX_BYTES}")
        if self.min_length > self.max_length:
            raise ValueError("the minimum length is above the maximum")
        if all(getattr(self, name) == CharacterRule.DISALLOW for name in CHARACTER_CLASSES):
            raise ValueError("a policy that disallows every class of characters allows no PIN")
        required = [name for name in CHARACTER_CLASSES if getattr(self, name) == CharacterRule.REQUIRE_AT_LEAST_ONE]
        if len(required) > self.max_length:
            raise ValueError(
                f"{self.max_length} characters cannot hold one of each of {len(required)} required classes"
            )

    def violations(self, pin: bytes) -> tuple[str, ...]:
        """Says in words which rules `pin` breaks; empty if it may be used."""
        broken = []
        if not self.min_length <= len(pin) <= self.max_length:
            broken.append(f"a PIN has {self.min_length} to {self.max_length} characters")
        present = {character_class(byte) for byte in pin}
        for name in CHARACTER_CLASSES:
            rule = getattr(self, name)
            if rule == CharacterRule.DISALLOW and name in present:
                broken.append(f"{_CLASS_WORDS[name]} are not allowed")
            if rule == CharacterRule.REQUIRE_AT_LEAST_ONE and name not in present:
                broken.append(f"{_CLASS_WORDS[name]} are required, one at least")
        return tuple(broken)

    def violation(self, pin: bytes) -> str | None:
        """Says in words the first rule that `pin` breaks, or None if it may be used."""
        return next(iter(self.violations(pin)), None)

    @classmethod
    def parse(cls, raw: bytes) -> "PinPolicy":
        """Parses the 32 bytes; WireError for another length, another first field or an impossible policy."""
        c = PIN_POLICY.parse(raw)
        try:
            return cls(c.min_length, c.max_length, *(CharacterRule(c[name]) for name in CHARACTER_CLASSES))
        except ValueError as error:
            raise WireError(str(error)) from None

    def __bytes__(self) -> bytes:
        rules = {name: int(getattr(self, name)) for name in CHARACTER_CLASSES}
        return PIN_POLICY.build({"min_length": self.min_length, "max_length": self.max_length, **rules})


NO_POLICY = PinPolicy(min_length=MIN_BYTES, other=CharacterRule.ALLOW)
"""What a card without a policy enforces: 4 to 127 bytes, anything in them."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A PIN or PUK: its value (None: not set), try limit 1 to 255 and tries left 0 to the limit."""

    value: Secret | None = None
    try_limit: int = DEFAULT_TRIES
    tries_left: int = DEFAULT_TRIES

    def __post_init__(self) -> None:
        if not 1 <= self.try_limit <= MAX_TRY_LIMIT or not 0 <= self.tries_left <= self.try_limit:
            raise ValueError(f"a PIN has 1 to {MAX_TRY_LIMIT} tries")

    @property
    def is_blocked(self) -> bool:
        return self.tries_left == 0

    def with_value(self, value: bytes) -> "Pin":
        """Returns the PIN with a new value and all its tries."""
        return replace(self, value=Secret(value), tries_left=self.try_limit)


class Policy(Protocol):
    """What a new PIN is held to."""

    def violation(self, pin: bytes) -> str | None:
        """Says in words the first rule that `pin` breaks, or None if it may be used."""
        ...


def check_new(value: bytes, policy: Policy, *, subject: str) -> None:
    """Refuses a new PIN that breaks the policy: 6A80, never 63Cx, which would read as a wrong old PIN."""
    broken = policy.violation(value)
    if broken:
        raise CardError(SW.WRONG_DATA, broken, subject=subject)


def verify(pin: Pin, guess: bytes, commit: Callable[[Pin], None], *, subject: str) -> None:
    """Compares a guess with the PIN; spends a try first and gives all back if it was right.

    Raises 6984 if no value is set, 6983 if blocked, WrongReference (63Cx) with the tries left after this one.
    Spec: ISO/IEC 7816-4 section 7.5 (counter).
    """
    if pin.value is None:
        raise CardError(SW.REFERENCE_DATA_NOT_USABLE, "no value has been set", subject=subject)
    if pin.is_blocked:
        raise CardError(SW.AUTHENTICATION_METHOD_BLOCKED, "no tries left", subject=subject)
    spent = replace(pin, tries_left=pin.tries_left - 1)
    commit(spent)
    if not pin.value.matches(guess):
        raise WrongReference(spent.tries_left, subject=subject)
    commit(replace(pin, tries_left=pin.try_limit))
