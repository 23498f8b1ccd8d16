"""VERIFY and CHANGE REFERENCE DATA as ISO/IEC 7816-4 has them, for an application whose PIN is nothing special.

    class Wallet(Application[State, Proofs]):
        new_volatile = staticmethod(Proofs)
        commands = {**pin_commands("pin"), 0x54: Command("DEBIT", {0}, {2}, after("PIN"), debit, …)}

The state is a frozen dataclass with a `card_os.pin.Pin` in that attribute; the volatile part is `Proofs`, or has its
`verified`. Spec: ISO/IEC 7816-4 sections 11.6.6 (VERIFY) and 11.6.7 (CHANGE REFERENCE DATA).
"""

from dataclasses import dataclass, field, replace
from typing import Any

from card_os.apdu import CommandApdu
from card_os.command import ANYBODY, TRIES_LEFT, Access, Command, Commands
from card_os.pin import MAX_BYTES, NO_POLICY, Pin, Policy, check_new
from card_os.pin import verify as compare
from card_os.sw import SW, CardError, WrongReference

VERIFY, CHANGE_REFERENCE_DATA = 0x20, 0x24
_LOG_OUT = 0xFF00
_SAMPLE = b"12345678"
_REFUSALS = {
    TRIES_LEFT: "it is wrong, or none was given",
    SW.AUTHENTICATION_METHOD_BLOCKED: "it has no tries left",
    SW.REFERENCE_DATA_NOT_USABLE: "none has been set",
}


@dataclass(slots=True)
class Proofs:
    """What a session has proved, by name."""

    verified: set[str] = field(default_factory=set)


def after(name: str) -> Access:
    """The access of a command that takes a verified PIN of that name."""

    def check(session: Any) -> None:
        if name not in session.volatile.verified:
            raise CardError(SW.SECURITY_STATUS_NOT_SATISFIED, f"the {name} is not verified")

    return Access(f"after the {name}", check, {SW.SECURITY_STATUS_NOT_SATISFIED: f"the {name} is not verified"})


def pin_commands(attribute: str, *, name: str = "PIN", p2: int = 0x80, policy: Policy = NO_POLICY) -> Commands:
    """The rows for the PIN in an attribute of the state. name: for people, and of its facts."""

    def pin_of(session: Any) -> Pin:
        found: Pin = getattr(session.state, attribute)
        return found

    def keep(session: Any, pin: Pin) -> None:
        session.commit(replace(session.state, **{attribute: pin}))

    def prove(session: Any, guess: bytes) -> None:
        session.volatile.verified.discard(name)
        compare(pin_of(session), guess, lambda pin: keep(session, pin), subject=name)
        session.volatile.verified.add(name)

    def verify(session: Any, apdu: CommandApdu) -> bytes:
        """Without data it tells the tries; with P1 FF it forgets."""
        if apdu.p1:
            session.volatile.verified.discard(name)
        elif apdu.data:
            prove(session, apdu.data)
        elif pin_of(session).is_blocked:
            raise CardError(SW.AUTHENTICATION_METHOD_BLOCKED, "no tries left", subject=name)
        elif name not in session.volatile.verified:
            raise WrongReference(pin_of(session).tries_left, subject=name, rule="not verified")
        return b""

    def change(session: Any, apdu: CommandApdu) -> bytes:
        """The old value and behind it the new one, told apart by the length of the old one as the card has it."""
        size = len(pin_of(session).value or b"")
        prove(session, apdu.data[:size])
        check_new(apdu.data[size:], policy, subject=name)
        keep(session, pin_of(session).with_value(apdu.data[size:]))
        return b""

    def presents(session: Any, apdu: CommandApdu) -> tuple[str, ...]:
        return (f"{name} tries",) if apdu.data and not apdu.p1 else ()

    spec, lengths = "ISO/IEC 7816-4, section 11.6", range(1, 2 * MAX_BYTES + 1)
    return {
        VERIFY: (
            Command(
                *("VERIFY", frozenset({p2}), range(MAX_BYTES + 1), ANYBODY, verify, spec),
                changes=True,
                refusals=dict(_REFUSALS),
                presents=presents,
                hides=frozenset({p2}),
                samples=((p2, _SAMPLE), (p2, b"")),
            ),
            Command(
                "VERIFY", frozenset({_LOG_OUT | p2}), range(1), ANYBODY, verify, spec, samples=((_LOG_OUT | p2, b""),)
            ),
        ),
        CHANGE_REFERENCE_DATA: Command(
            *("CHANGE REFERENCE DATA", frozenset({p2}), lengths, ANYBODY, change, spec),
            changes=True,
            refusals={**_REFUSALS, SW.WRONG_DATA: "the new one cannot be"},
            presents=presents,
            hides=frozenset({p2}),
            samples=((p2, _SAMPLE + _SAMPLE),),
        ),
    }
