"""VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER (GIDS sections 7.2, 12.3, 12.14, 12.17).

P2 names the secret: 80 the PIN, 81 the PUK, 82 no secret but "log out". There is no global PIN (00).
"""

from dataclasses import replace

from card_os.access import Right
from card_os.apdu import CommandApdu
from card_os.apps.gids import gate
from card_os.apps.gids.session import GidsSession, require_admin, withdraw_elsewhere
from card_os.apps.gids.state import GidsState, LifeCycle
from card_os.apps.gids.wire import Ins, Reference
from card_os.command import ANY_P1P2, TRIES_LEFT, Command, Refusals
from card_os.pin import NO_POLICY, Pin, check_new, verify
from card_os.sw import SW, CardError, WrongReference
from card_os.words import byte_count, joined

_REFERENCES = {Reference.GLOBAL_PIN: "global PIN", Reference.PIN: "PIN", Reference.PUK: "PUK"}
_COUNTERS = {Reference.PIN: "PIN tries", Reference.PUK: "PUK tries"}
_PINS = (b"12345678", b"1234", bytes(127), b"")
_TWO_PINS = tuple(old + new for old in _PINS for new in _PINS if old or new)
_NEW_VALUE_ONLY_IN_INITIALISATION = 0x01
_WITH_PUK = 0x00


def _name(reference: int) -> str:
    return "PUK" if reference == Reference.PUK else "PIN"


def _pin(state: GidsState, reference: int) -> Pin:
    pin = state.puk if reference == Reference.PUK else state.pin
    # A PIN is made while initialising or never; a card whose admin key resets the PIN has no PUK at all (GIDS
    # sections 7.2, 7.5.3 and 12.14).
    exists = pin.value is not None or not state.is_operational
    if reference in (Reference.PIN, Reference.PUK) and exists:
        return pin
    raise CardError(SW.REFERENCE_NOT_FOUND, "no such PIN", subject=f"reference {reference:02X}")


def _with_pin(state: GidsState, reference: int, pin: Pin) -> GidsState:
    return replace(state, puk=pin) if reference == Reference.PUK else replace(state, pin=pin)


def _compare(session: GidsSession, reference: int, guess: bytes) -> None:
    """Compares with the PIN or PUK and counts; a wrong PIN takes back an earlier verification, the last try all."""

    def commit(pin: Pin) -> None:
        session.commit(_with_pin(session.state, reference, pin))

    try:
        verify(_pin(session.state, reference), guess, commit, subject=_name(reference))
    except CardError:
        if reference == Reference.PIN:
            session.volatile.granted &= ~Right.USER
            if session.state.pin.is_blocked:
                withdraw_elsewhere(session, Right.USER)
        raise
    if reference == Reference.PIN:
        session.volatile.granted |= Right.USER
        session.volatile.uses = {}


def verify_command(session: GidsSession, apdu: CommandApdu) -> bytes:
    """VERIFY: compares; without data tells the state (9000 verified, 63Cx tries left, 6983); P2 82 logs out.

    Without data nothing is counted. A PIN of impossible length is a wrong PIN.
    """
    if apdu.p2 == Reference.LOGOUT:
        session.volatile.clear_security()
        return b""
    pin = _pin(session.state, apdu.p2)
    if apdu.data:
        if session.state.life_cycle == LifeCycle.INITIALISATION:
            raise CardError(SW.COMMAND_NOT_ALLOWED, "nothing is compared before the card is operational")
        _compare(session, apdu.p2, apdu.data)
        return b""
    is_verified = apdu.p2 == Reference.PIN and bool(session.volatile.granted & Right.USER)
    # Before the card is operational nothing needs a PIN.
    if is_verified or not session.state.is_operational:
        return b""
    if pin.is_blocked:
        raise CardError(SW.AUTHENTICATION_METHOD_BLOCKED, "no tries left", subject=_name(apdu.p2))
    raise WrongReference(pin.tries_left, subject=_name(apdu.p2), rule="not verified")


def change_reference_data(session: GidsSession, apdu: CommandApdu) -> bytes:
    """CHANGE REFERENCE DATA: P1 00 old and new value without a separator; P1 01 a new value, while initialising.

    The stored value's length says where the old one ends. A right old value verifies the PIN, also when the new one
    then breaks the policy (6A80).
    """
    pin = _pin(session.state, apdu.p2)
    if apdu.p1 == _NEW_VALUE_ONLY_IN_INITIALISATION:
        if session.state.life_cycle != LifeCycle.INITIALISATION:
            raise CardError(SW.COMMAND_NOT_ALLOWED, "without the old value only while initialising")
        new = apdu.data
    elif session.state.life_cycle == LifeCycle.INITIALISATION:
        raise CardError(SW.COMMAND_NOT_ALLOWED, "nothing is compared before the card is operational")
    else:
        size = len(pin.value) if pin.value else 0
        _compare(session, apdu.p2, apdu.data[:size])
        new = apdu.data[size:]
    _set(session, apdu.p2, new)
    return b""


def reset_retry_counter(session: GidsSession, apdu: CommandApdu) -> bytes:
    """RESET RETRY COUNTER: sets a new PIN and gives back its tries; P1 02 by the admin key, P1 00 by PUK and new PIN.

    After P1 02 everything that was verified is forgotten; a refused new PIN (6A80) keeps the admin authentication.
    """
    if apdu.p2 != Reference.PIN:
        raise CardError(SW.REFERENCE_NOT_FOUND, "only the PIN can be reset", subject=f"reference {apdu.p2:02X}")
    puk = session.state.puk.value
    if apdu.p1 == _WITH_PUK:
        if puk is None:
            raise CardError(SW.REFERENCE_NOT_FOUND, "there is no PUK", subject="PUK")
        _compare(session, Reference.PUK, apdu.data[: len(puk)])
        _set(session, Reference.PIN, apdu.data[len(puk) :])
        return b""
    require_admin(session, "resetting the PIN")
    if puk is not None:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "this card resets its PIN by the PUK", subject="PIN")
    _set(session, Reference.PIN, apdu.data)
    session.volatile.clear_security()
    return b""


def _set(session: GidsSession, reference: int, new: bytes) -> None:
    state = session.state
    # The policy is the PIN's; a PUK has 4 to 127 bytes of anything ([MS-TPMVSC] 3.3.4.1).
    policy = NO_POLICY if reference == Reference.PUK else state.enforced_policy
    check_new(new, policy, subject=f"new {_name(reference)}")
    session.commit(_with_pin(state, reference, _pin(state, reference).with_value(new)))
    if reference == Reference.PIN:
        withdraw_elsewhere(session, Right.USER)


# --- the rows


def _reference_words(p2: int) -> str:
    return f"{_REFERENCES[Reference(p2)]} {p2:02X}" if p2 in list(_REFERENCES) else f"reference {p2:02X}"


def _verify_words(apdu: CommandApdu, hidden_bytes: int) -> str:
    if apdu.p2 == Reference.LOGOUT:
        return "log out"
    return f"{_reference_words(apdu.p2)}, {byte_count(hidden_bytes) if hidden_bytes else 'tries left?'}"


def _change_words(apdu: CommandApdu, hidden_bytes: int) -> str:
    what = {0: "old and new", 1: "new"}.get(apdu.p1, "")
    return joined(_reference_words(apdu.p2), f"{what} {byte_count(hidden_bytes)}".strip())


def _reset_words(apdu: CommandApdu, hidden_bytes: int) -> str:
    by = {0: "by the PUK", 2: "by the admin key"}.get(apdu.p1, "")
    return joined(f"{_reference_words(apdu.p2)} {by}".strip(), byte_count(hidden_bytes))


def _presents(session: GidsSession, apdu: CommandApdu) -> tuple[str, ...]:
    """With P1 00 and data, and once the card is operational, an old value is compared."""
    if session.state.life_cycle == LifeCycle.INITIALISATION or apdu.p1 or not apdu.data:
        return ()
    if apdu.ins == Ins.RESET_RETRY_COUNTER:
        return "PUK tries", "PIN tries"
    return tuple(name for reference, name in _COUNTERS.items() if reference == apdu.p2)


_COMPARED: Refusals = {
    SW.AUTHENTICATION_METHOD_BLOCKED: "no tries are left: the PIN must be reset",
    SW.REFERENCE_DATA_NOT_USABLE: "no value has been set",
}

# Rows are read across: what is accepted and who answers, then what people are told.
# fmt: off
VERIFY = Command(
    "VERIFY", range(0x0100), gate.ANY_BYTES, gate.LIVING, verify_command, "GIDS 2.0, 12.17", chaining=True,
    changes=True, words=_verify_words, presents=_presents, hides=ANY_P1P2,
    samples=tuple((p2, pin) for p2 in (0x80, 0x81, 0x82, 0x00) for pin in _PINS),
    refusals=_COMPARED
    | {
        TRIES_LEFT: "the value was wrong and has cost a try; without data: it is not verified, and nothing was spent",
        SW.REFERENCE_NOT_FOUND: "there is no such PIN: P2 80 is the PIN, 81 the PUK, 82 logs out",
        SW.COMMAND_NOT_ALLOWED: "nothing is compared before the application is operational",
    },
)
CHANGE_REFERENCE_DATA = Command(
    "CHANGE REFERENCE DATA", range(0x0200), gate.SOME_BYTES, gate.OLD_VALUE, change_reference_data, "GIDS 2.0, 12.3",
    changes=True, words=_change_words, presents=_presents, hides=ANY_P1P2,
    samples=tuple((p1p2, pins) for p1p2 in (0x80, 0x81, 0x180, 0x181) for pins in _TWO_PINS),
    refusals=_COMPARED
    | {
        TRIES_LEFT: "the old value was wrong and has cost a try",
        SW.REFERENCE_NOT_FOUND: "there is no such PIN: P2 80 is the PIN, 81 the PUK",
        SW.WRONG_DATA: "the policy forbids the new value",
        SW.COMMAND_NOT_ALLOWED: "P1 01, without the old value, is for initialising, P1 00 for later",
    },
)
RESET_RETRY_COUNTER = Command(
    "RESET RETRY COUNTER", frozenset({*range(0x0100), *range(0x0200, 0x0300)}), gate.SOME_BYTES, gate.ADMIN_OR_PUK,
    reset_retry_counter, "GIDS 2.0, 12.14", changes=True, words=_reset_words, presents=_presents, hides=ANY_P1P2,
    samples=tuple((p1p2, pins) for p1p2 in (0x80, 0x280, 0x81) for pins in _TWO_PINS),
    refusals={
        TRIES_LEFT: "the PUK was wrong and has cost a try",
        SW.AUTHENTICATION_METHOD_BLOCKED: "the PUK has no tries left",
        SW.SECURITY_STATUS_NOT_SATISFIED: "the admin key is not authenticated now",
        SW.REFERENCE_NOT_FOUND: "only the PIN (P2 80) can be reset, with P1 00 by a PUK that the card may not have",
        SW.WRONG_DATA: "the policy forbids the new PIN",
        SW.CONDITIONS_NOT_SATISFIED: "this card has a PUK, and resets its PIN by that",
    },
)
# fmt: on
