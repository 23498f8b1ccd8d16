"""VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER (OpenPGP card 3.4, 7.2.2 to 7.2.4).

A password of any length is compared and counted: clients that reset a card spend its tries with whatever they like.
"""

from dataclasses import replace

from card_os.apdu import MAX_NC, CommandApdu
from card_os.apps.openpgp.session import ADMIN, OPERATIONAL, OpenPgpSession, rules_of, withdraw
from card_os.apps.openpgp.wire import Password, password_words
from card_os.command import TRIES_LEFT, Command
from card_os.pin import Pin, verify
from card_os.sw import SW, CardError, WrongReference

_PIN_STATES = (Password.SIGNING, Password.USER)
RESETTING_CODE = "resetting code"


def _states_of(reference: int) -> tuple[int, ...]:
    """What one secret proves: PW1 has two states."""
    return (Password.ADMIN,) if reference == Password.ADMIN else _PIN_STATES


def _compare(session: OpenPgpSession, reference: int, guess: bytes) -> None:
    """Compares with a password and counts. A wrong one ends this state; a blocked one all of its states, anywhere."""
    subject = password_words(reference)
    try:
        _count(session, session.state.password(reference), guess, reference, subject=subject)
    except CardError:
        session.volatile.verified.discard(reference)
        if session.state.password(reference).is_blocked:
            withdraw(session, *_states_of(reference))
        raise


def _count(session: OpenPgpSession, pin: Pin, guess: bytes, reference: int, *, subject: str) -> None:
    try:
        verify(pin, guess, lambda new: session.commit(session.state.with_password(reference, new)), subject=subject)
    except WrongReference as wrong:
        raise _wrong(session, wrong, subject=subject) from None


def _wrong(session: OpenPgpSession, wrong: WrongReference, *, subject: str) -> CardError:
    """What a wrong password is answered: 6982 on most cards, 63Cx on some."""
    if rules_of(session).wrong_password == TRIES_LEFT:
        return wrong
    rule = f"{wrong.reason.rule}, {wrong.tries_left} tries left"
    return CardError(SW.SECURITY_STATUS_NOT_SATISFIED, rule, subject=subject)


def _check_new(session: OpenPgpSession, value: bytes, reference: int) -> None:
    """Refuses a new password that is too short or too long (6700)."""
    rules = rules_of(session)
    low = rules.min_admin_bytes if reference == Password.ADMIN else rules.min_pin_bytes
    check_length(session, value, low, subject=f"new {password_words(reference)}")


def check_length(session: OpenPgpSession, value: bytes, low: int, *, subject: str) -> None:
    """Refuses (6700) a new password of fewer bytes, or of more than any may have."""
    high = rules_of(session).max_password_bytes
    if not low <= len(value) <= high:
        raise CardError(SW.WRONG_LENGTH, f"{low} to {high} bytes", subject=subject)


# --- VERIFY


def _verify(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """VERIFY: compares; without data tells the state: 9000 verified, 63Cx not."""
    reference = apdu.p2
    if apdu.data:
        _compare(session, reference, apdu.data)
        session.volatile.verified.add(reference)
    elif reference not in session.volatile.verified:
        tries = session.state.password(reference).tries_left
        raise WrongReference(tries, subject=password_words(reference), rule="not verified")
    return b""


def _forget(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """VERIFY with P1 FF: this state holds no longer; the counter stays."""
    session.volatile.verified.discard(apdu.p2)
    return b""


# --- CHANGE REFERENCE DATA, RESET RETRY COUNTER


def _change(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """CHANGE REFERENCE DATA: old and new password. The card knows how long the old one is."""
    reference = apdu.p2
    size = len(session.state.password(reference).value or b"")
    _compare(session, reference, apdu.data[:size])
    _store(session, reference, apdu.data[size:])
    return b""


def _reset_by_code(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """RESET RETRY COUNTER with P1 00: resetting code and new PIN."""
    code = session.state.resetting_code
    if code.value is None:
        raise CardError(SW.SECURITY_STATUS_NOT_SATISFIED, "none is set", subject=RESETTING_CODE)
    size = len(code.value)
    try:
        verify(code, apdu.data[:size], lambda new: _with_code(session, new), subject=RESETTING_CODE)
    except WrongReference as wrong:
        raise _wrong(session, wrong, subject=RESETTING_CODE) from None
    _store(session, Password.SIGNING, apdu.data[size:])
    return b""


def _reset_by_admin(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """RESET RETRY COUNTER with P1 02: the new PIN, of an administrator who is verified."""
    _store(session, Password.SIGNING, apdu.data)
    return b""


def _with_code(session: OpenPgpSession, code: Pin) -> None:
    session.commit(replace(session.state, resetting_code=code))


def _store(session: OpenPgpSession, reference: int, value: bytes) -> None:
    """Sets a password, with all its tries; what the old one proved is over, on every channel."""
    _check_new(session, value, reference)
    state = session.state
    session.commit(state.with_password(reference, state.password(reference).with_value(value)))
    withdraw(session, *_states_of(reference))


# --- rows


def _words(apdu: CommandApdu, _: int) -> str:
    return password_words(apdu.p2)


def _counter(reference: int) -> str:
    return "admin PIN tries" if reference == Password.ADMIN else "PIN tries"


def _presents(session: OpenPgpSession, apdu: CommandApdu) -> tuple[str, ...]:
    return (_counter(apdu.p2),) if apdu.data else ()


def _presents_code(session: OpenPgpSession, apdu: CommandApdu) -> tuple[str, ...]:
    return ("resetting code tries", "PIN tries") if session.state.resetting_code.value else ()


_BLOCKED = "no tries are left"
_PASSWORDS = frozenset(map(int, Password))
_SPEC = "OpenPGP card 3.4, 7.2."
_WRONG = {
    TRIES_LEFT: "it is wrong, on cards that say so; the last digit: tries left",
    SW.SECURITY_STATUS_NOT_SATISFIED: "it is wrong",
    SW.AUTHENTICATION_METHOD_BLOCKED: _BLOCKED,
}

VERIFY = (
    Command(
        "VERIFY",
        _PASSWORDS,
        range(MAX_NC + 1),
        OPERATIONAL,
        _verify,
        _SPEC + "2",
        changes=True,
        refusals={**_WRONG, TRIES_LEFT: "without data: not verified; the last digit: tries left. Or it is wrong"},
        words=_words,
        presents=_presents,
        hides=range(0x0100),
        samples=((0x0081, b""), (0x0081, b"123456"), (0x0082, b"123456"), (0x0083, b"12345678"), (0x0082, b"0")),
    ),
    Command(
        "VERIFY",
        frozenset(0xFF00 | one for one in Password),
        range(1),
        OPERATIONAL,
        _forget,
        _SPEC + "2",
        words=_words,
        samples=((0xFF81, b""), (0xFF83, b"")),
    ),
)

CHANGE_REFERENCE_DATA = Command(
    "CHANGE REFERENCE DATA",
    frozenset({0x0081, 0x0083}),
    range(1, MAX_NC + 1),
    OPERATIONAL,
    _change,
    _SPEC + "3",
    changes=True,
    refusals={**_WRONG, SW.WRONG_LENGTH: "the new one is too short or too long"},
    words=_words,
    presents=_presents,
    hides=range(0x10000),
    samples=((0x0081, b"123456654321"), (0x0083, b"1234567887654321")),
)

RESET_RETRY_COUNTER = (
    Command(
        "RESET RETRY COUNTER",
        range(0x0081, 0x0082),
        range(1, MAX_NC + 1),
        OPERATIONAL,
        _reset_by_code,
        _SPEC + "4",
        changes=True,
        refusals={
            **_WRONG,
            SW.SECURITY_STATUS_NOT_SATISFIED: "the resetting code is wrong, or none is set",
            SW.WRONG_LENGTH: "the new PIN is too short or too long",
        },
        words=_words,
        presents=_presents_code,
        hides=range(0x10000),
        samples=((0x0081, b"87654321123456"),),
    ),
    Command(
        "RESET RETRY COUNTER",
        range(0x0281, 0x0282),
        range(1, MAX_NC + 1),
        ADMIN,
        _reset_by_admin,
        _SPEC + "4",
        changes=True,
        refusals={SW.WRONG_LENGTH: "the new PIN is too short or too long"},
        words=_words,
        hides=range(0x10000),
        samples=((0x0281, b"123456"),),
        renews=True,
    ),
)
