"""VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER (SP 800-73-5 part 2, 3.2.1 to 3.2.3).

PINs have 6 to 8 characters, filled up with FF to 8 bytes; a PUK is any 8 bytes.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from card_os.apdu import CommandApdu
from card_os.apps.piv.rules import Rules
from card_os.apps.piv.session import CONTACT, PivSession, has_vci, require_vci, rules_of, status_of, withdraw_elsewhere
from card_os.apps.piv.state import PIN_BYTES
from card_os.apps.piv.wire import Reference, UsagePolicy, pin_words
from card_os.command import ANYBODY, TRIES_LEFT, Command
from card_os.pin import Pin, verify
from card_os.sw import SW, CardError, WrongReference

MIN_CHARACTERS = 6
_FILLER = b"\xff"


def is_well_formed(value: bytes, reference: int, rules: Rules) -> bool:
    """Whether 8 bytes can be a PIN of this card; any can be a PUK."""
    if reference == Reference.PUK:
        return True
    characters = value.rstrip(_FILLER)
    return len(characters) >= MIN_CHARACTERS and (characters.isdigit() or not rules.digits_only)


def _check_form(session: PivSession, value: bytes, reference: int, *, subject: str) -> None:
    if not is_well_formed(value, reference, rules_of(session)):
        kind = "digits" if rules_of(session).digits_only else "bytes"
        raise CardError(SW.WRONG_DATA, f"{MIN_CHARACTERS} to {PIN_BYTES} {kind}, then FF", subject=subject)


def _pin(session: PivSession, reference: int, allowed: tuple[int, ...]) -> Pin:
    pin = session.state.pin_of(reference) if reference in allowed else None
    if pin is None:
        raise CardError(SW.REFERENCE_NOT_FOUND, "no such reference data here", subject=pin_words(reference))
    return pin


def _compare(session: PivSession, reference: int, guess: bytes) -> None:
    """Compares with a PIN or PUK and counts; a wrong or blocked PIN is no longer verified."""
    state, subject = session.state, pin_words(reference)
    pin = state.pin_of(reference)
    assert pin is not None
    kept = rules_of(session).kept_tries if rules_of(session).is_contactless else 0
    try:
        if 0 < pin.tries_left <= kept:
            raise CardError(SW.AUTHENTICATION_METHOD_BLOCKED, "the last tries are for contact", subject=subject)
        verify(pin, guess, lambda new: session.commit(session.state.with_pin(reference, new)), subject=subject)
    except CardError:
        status_of(session, reference).discard(reference)
        left = session.state.pin_of(reference)
        if left is not None and left.is_blocked:
            withdraw_elsewhere(session, reference)
        raise


def _count_or_refuse(session: PivSession, reference: int, guess: bytes) -> None:
    """What cannot be a PIN is compared like any other, or refused (6A80) at no cost: a matter of the card."""
    if not rules_of(session).counts_malformed_pins:
        _check_form(session, guess, reference, subject=pin_words(reference))
    _compare(session, reference, guess)


# --- VERIFY


def _verify(session: PivSession, apdu: CommandApdu) -> bytes:
    """VERIFY: compares; without data tells the state (9000 verified, 63Cx or, blocked, maybe 6983)."""
    reference = apdu.p2
    if reference == Reference.PAIRING_CODE:
        return _verify_pairing_code(session, apdu.data)
    pin = _pin(session, reference, (Reference.PIN, Reference.GLOBAL_PIN))
    require_vci(session, subject=pin_words(reference))
    if apdu.data:
        _count_or_refuse(session, reference, apdu.data)
        status_of(session, reference).add(reference)
        session.volatile.is_fresh = True
        return b""
    if reference in status_of(session, reference):
        return b""
    if pin.is_blocked:
        raise CardError(rules_of(session).blocked_status, "no tries left", subject=pin_words(reference))
    raise WrongReference(pin.tries_left, subject=pin_words(reference), rule="not verified")


def _verify_pairing_code(session: PivSession, code: bytes) -> bytes:
    """The pairing code has no counter: it only says that somebody has held the card in his hands."""
    state, volatile, subject = session.state, session.volatile, pin_words(Reference.PAIRING_CODE)
    own = state.pairing_code
    if own is None or not state.usage_policy & UsagePolicy.VCI:
        raise CardError(SW.REFERENCE_NOT_FOUND, "no such reference data here", subject=subject)
    if not session.is_wrapped:
        raise CardError(
            SW.SECURITY_STATUS_NOT_SATISFIED, "only through a secure channel", subject=subject, missing="secure channel"
        )
    if code and own.matches(code):
        volatile.verified.add(Reference.PAIRING_CODE)
    elif code:
        volatile.verified.discard(Reference.PAIRING_CODE)
    if Reference.PAIRING_CODE not in volatile.verified:
        raise CardError(SW.VERIFICATION_FAILED, "wrong value" if code else "not verified", subject=subject)
    return b""


def _log_out(session: PivSession, apdu: CommandApdu) -> bytes:
    """VERIFY with P1 FF: the PIN is no longer verified; the counter stays."""
    if apdu.p2 == Reference.PAIRING_CODE and session.state.pairing_code is not None:
        session.volatile.verified.discard(Reference.PAIRING_CODE)
        return b""
    _pin(session, apdu.p2, (Reference.PIN, Reference.GLOBAL_PIN))
    require_vci(session, subject=pin_words(apdu.p2))
    status_of(session, apdu.p2).discard(apdu.p2)
    return b""


# --- CHANGE REFERENCE DATA, RESET RETRY COUNTER


@contextmanager
def _form_checked(session: PivSession, new: bytes, reference: int) -> Iterator[None]:
    """Has a new value that cannot be one refused (6A80): before the old one costs a try, or after where all count."""
    subject, counts = f"new {pin_words(reference)}", rules_of(session).counts_malformed_pins
    if not counts:
        _check_form(session, new, reference, subject=subject)
    yield
    if counts:
        _check_form(session, new, reference, subject=subject)


def _change(session: PivSession, apdu: CommandApdu) -> bytes:
    """CHANGE REFERENCE DATA: old and new value, 8 bytes each. A new one that cannot be a PIN costs nothing (6A80)."""
    reference, old, new = apdu.p2, apdu.data[:PIN_BYTES], apdu.data[PIN_BYTES:]
    _pin(session, reference, (Reference.PIN, Reference.GLOBAL_PIN, Reference.PUK))
    if reference == Reference.PUK and rules_of(session).is_contactless:
        raise CardError(SW.SECURITY_STATUS_NOT_SATISFIED, "not without contact", subject="PUK", missing="contact")
    require_vci(session, subject=pin_words(reference))
    with _form_checked(session, new, reference):
        _count_or_refuse(session, reference, old)
    _store(session, reference, new)
    if reference != Reference.PUK:
        status_of(session, reference).add(reference)
    return b""


def _reset(session: PivSession, apdu: CommandApdu) -> bytes:
    """RESET RETRY COUNTER: PUK and new PIN, 8 bytes each. Whether the PIN is verified stays as it was."""
    puk, new = apdu.data[:PIN_BYTES], apdu.data[PIN_BYTES:]
    if apdu.p2 != Reference.PIN:
        raise CardError(SW.REFERENCE_NOT_FOUND, "only the PIN can be reset", subject=pin_words(apdu.p2))
    with _form_checked(session, new, Reference.PIN):
        try:
            _compare(session, Reference.PUK, puk)
        except CardError:
            session.volatile.verified.discard(Reference.PIN)
            raise
    _store(session, Reference.PIN, new)
    return b""


def _store(session: PivSession, reference: int, value: bytes) -> None:
    state = session.state
    pin = state.pin_of(reference)
    assert pin is not None
    session.commit(state.with_pin(reference, pin.with_value(value)))
    withdraw_elsewhere(session, reference)


# --- rows

_COUNTERS = {Reference.PIN: "PIN", Reference.GLOBAL_PIN: "global PIN", Reference.PUK: "PUK"}


def _presents_pin(session: PivSession, apdu: CommandApdu) -> tuple[str, ...]:
    return () if apdu.p2 == Reference.PUK else _presents_one(session, apdu)


def _presents_one(session: PivSession, apdu: CommandApdu) -> tuple[str, ...]:
    if rules_of(session).is_contactless and not has_vci(session):
        return ()  # It is refused before anything is compared.
    words = _COUNTERS.get(Reference(apdu.p2)) if apdu.p2 in list(Reference) and apdu.data else None
    return (f"{words} tries",) if words and session.state.pin_of(apdu.p2) else ()


def _words(apdu: CommandApdu, _: int) -> str:
    return pin_words(apdu.p2)


def _gives_back_pin(session: PivSession, apdu: CommandApdu) -> tuple[str, ...]:
    return ("PUK tries", "PIN tries") if apdu.p2 == Reference.PIN else ()


_NO_REFERENCE = "there is no such reference data"
_BLOCKED = "no tries are left, or none but those for contact"
_NO_VCI = "the card is reached without contact, and not through the virtual contact interface"
_MALFORMED = "the value cannot be a PIN"
_P1_00 = range(0x0100)
_SPEC = "SP 800-73-5 part 2, 3.2."

VERIFY = (
    Command(
        "VERIFY",
        _P1_00,
        frozenset({0, PIN_BYTES}),
        ANYBODY,
        _verify,
        _SPEC + "1",
        chaining=True,
        changes=True,
        refusals={
            TRIES_LEFT: "the PIN is wrong or, without data, not verified; the last digit: tries left",
            SW.VERIFICATION_FAILED: "the pairing code is wrong or not verified",
            SW.SECURITY_STATUS_NOT_SATISFIED: _NO_VCI + "; the pairing code: not in a secure channel",
            SW.AUTHENTICATION_METHOD_BLOCKED: _BLOCKED,
            SW.WRONG_DATA: _MALFORMED,
            SW.REFERENCE_NOT_FOUND: _NO_REFERENCE,
        },
        words=_words,
        presents=_presents_pin,
        hides=_P1_00,
        samples=((0x0080, b""), (0x0080, b"123456\xff\xff"), (0x0000, b""), (0x0098, b""), (0x0081, b"12345678")),
    ),
    Command(
        "VERIFY",
        range(0xFF00, 0x10000),
        range(1),
        ANYBODY,
        _log_out,
        _SPEC + "1",
        refusals={SW.SECURITY_STATUS_NOT_SATISFIED: _NO_VCI, SW.REFERENCE_NOT_FOUND: _NO_REFERENCE},
        words=_words,
        samples=((0xFF80, b""), (0xFF00, b"")),
    ),
)

CHANGE_REFERENCE_DATA = Command(
    "CHANGE REFERENCE DATA",
    _P1_00,
    frozenset({2 * PIN_BYTES}),
    ANYBODY,
    _change,
    _SPEC + "2",
    changes=True,
    refusals={
        TRIES_LEFT: "the old value is wrong; the last digit: tries left",
        SW.SECURITY_STATUS_NOT_SATISFIED: _NO_VCI + "; the PUK: never without contact",
        SW.AUTHENTICATION_METHOD_BLOCKED: _BLOCKED,
        SW.WRONG_DATA: _MALFORMED,
        SW.REFERENCE_NOT_FOUND: _NO_REFERENCE,
    },
    words=_words,
    presents=_presents_one,
    hides=range(0x10000),
    samples=((0x0080, b"123456\xff\xff654321\xff\xff"), (0x0081, b"1234567887654321")),
)

RESET_RETRY_COUNTER = Command(
    "RESET RETRY COUNTER",
    _P1_00,
    frozenset({2 * PIN_BYTES}),
    CONTACT,
    _reset,
    _SPEC + "3",
    changes=True,
    refusals={
        TRIES_LEFT: "the PUK is wrong; the last digit: tries left",
        SW.AUTHENTICATION_METHOD_BLOCKED: "the PUK has no tries left",
        SW.WRONG_DATA: "the new PIN cannot be one",
        SW.REFERENCE_NOT_FOUND: "only the PIN (80) can be reset",
    },
    words=_words,
    presents=_gives_back_pin,
    hides=range(0x10000),
    samples=((0x0080, b"12345678123456\xff\xff"),),
)
