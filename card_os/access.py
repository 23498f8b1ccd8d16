"""Access rules in the compact form, tag 8C (ISO/IEC 7816-4 section 5.4.3.1).

A rule is a list of alternatives. Each is an access mode byte (AMB), whose set bits name operations, and one security
condition byte (SCB) for each of them, highest bit first. An operation that no alternative names is not allowed.
"""

from dataclasses import dataclass
from enum import IntFlag, auto

from card_os.sw import SW, CardError
from card_os.wire import WireError

MAX_ALTERNATIVES = 4
CONTACT = 1


class Right(IntFlag):
    """What has been proved on a logical channel."""

    NONE = 0
    USER = auto()
    """User authentication: the PIN."""
    EXTERNAL = auto()
    """External or mutual authentication: the admin key."""


class Condition(IntFlag):
    """Bits of a security condition byte; the low nibble is a security environment (0: any)."""

    ALL = 0x80
    SECURE_MESSAGING = 0x40
    EXTERNAL = 0x20
    USER = 0x10


ALWAYS = 0x00
NEVER = 0xFF
# The operators of flags are slow, and every access to a file asks.
_ALL, _SECURE_MESSAGING = int(Condition.ALL), int(Condition.SECURE_MESSAGING)
_RIGHTS = ((int(Condition.EXTERNAL), int(Right.EXTERNAL)), (int(Condition.USER), int(Right.USER)))


def satisfies(scb: int, granted: Right, environment: int = CONTACT) -> bool:
    """Tells whether a security condition byte is met by what has been proved."""
    if scb == ALWAYS:
        return True
    # Secure messaging is nobody's here, environment F is reserved, and FF never holds: all read as "no".
    if scb == NEVER or scb & _SECURE_MESSAGING or scb & 0x0F not in (0, environment):
        return False
    proved = int(granted)
    met = [bool(proved & right) for bit, right in _RIGHTS if scb & bit]
    if not met:
        return True
    return all(met) if scb & _ALL else any(met)


def words(scb: int) -> str:
    """Says a security condition byte in words: `PIN or admin key`."""
    if scb == ALWAYS:
        return "nothing"
    if scb == NEVER or scb & Condition.SECURE_MESSAGING:
        return "what nobody can have"
    names = [name for bit, name in ((Condition.USER, "PIN"), (Condition.EXTERNAL, "admin key")) if scb & bit]
    text = (" and " if scb & Condition.ALL else " or ").join(names) or "nothing"
    return text if scb & 0x0F in (0, CONTACT) else f"{text}, on another interface"


def proved_words(granted: Right) -> str:
    """Says what has been proved: `nothing`, `PIN and admin key`."""
    names = [name for right, name in ((Right.USER, "PIN"), (Right.EXTERNAL, "admin key")) if granted & right]
    return " and ".join(names) or "nothing"


def not_allowed(action: str, granted: Right, *, subject: str = "", missing: str) -> CardError:
    """6982: what somebody wanted to do, what has been proved, and what would have to be."""
    rule = f"{action} is not allowed"
    return CardError(
        SW.SECURITY_STATUS_NOT_SATISFIED, rule, subject=subject, missing=missing, proved=proved_words(granted)
    )


@dataclass(frozen=True, slots=True)
class AccessRule:
    """The value of tag 8C as alternatives of (AMB, SCBs)."""

    alternatives: tuple[tuple[int, bytes], ...] = ()

    @classmethod
    def parse(cls, raw: bytes) -> "AccessRule":
        """Parses the value of tag 8C; WireError if SCBs are missing or there are more than four alternatives."""
        alternatives = []
        while raw:
            amb = raw[0]
            count = (amb & 0x7F).bit_count()
            if len(raw) < 1 + count:
                raise WireError("a security condition byte is missing")
            alternatives.append((amb, raw[1 : 1 + count]))
            raw = raw[1 + count :]
        if not 1 <= len(alternatives) <= MAX_ALTERNATIVES:
            raise WireError(f"a rule has 1 to {MAX_ALTERNATIVES} alternatives")
        return cls(tuple(alternatives))

    def __bytes__(self) -> bytes:
        return b"".join(bytes([amb]) + scbs for amb, scbs in self.alternatives)

    def conditions(self, operation: int) -> list[int]:
        """Returns the SCB of each alternative that names `operation`, one bit of an AMB."""
        found = []
        bit = int(operation)
        for amb, scbs in self.alternatives:
            if amb & bit:
                before = amb & 0x7F & ~(bit * 2 - 1)
                found.append(scbs[before.bit_count()])
        return found

    def allows(self, operation: int, granted: Right, environment: int = CONTACT) -> bool:
        """Tells whether any alternative allows the operation to someone who has proved `granted`."""
        return any(satisfies(scb, granted, environment) for scb in self.conditions(operation))

    def require(self, operation: IntFlag, granted: Right, *, subject: str) -> None:
        """Refuses (6982) an operation, one bit of an AMB, to someone who has proved `granted`."""
        if not self.allows(operation, granted):
            raise not_allowed(
                (operation.name or "").replace("_", " "), granted, subject=subject, missing=self.missing(operation)
            )

    def missing(self, operation: int) -> str:
        """Says which right would allow the operation."""
        return " or ".join(words(scb) for scb in self.conditions(operation)) or "what nobody can have"
