"""Who may do what on an OpenPGP card, as handlers ask it. A terminated card knows ACTIVATE FILE and nothing else."""

from enum import Enum

from card_os.apps.openpgp.rules import Rules
from card_os.apps.openpgp.state import LifeCycle, OpenPgpState, OpenPgpVolatile, Slot
from card_os.apps.openpgp.wire import KEY_WORDS, Key, Password, Touch, password_words
from card_os.command import Access, Session
from card_os.sw import SW, CardError

OpenPgpSession = Session[OpenPgpState, OpenPgpVolatile]

CACHED_SECONDS = 15.0
"""How long after a touch a key with a cached one wants no other (Yubico)."""
_CACHED = (Touch.CACHED, Touch.CACHED_FIXED)


class Right(Enum):
    """What an object or a command wants. The value: the password, or None."""

    ALWAYS = 0
    USER = Password.USER
    ADMIN = Password.ADMIN
    NEVER = -1


def rules_of(session: OpenPgpSession) -> Rules:
    """The facts of this kind of card."""
    return session.volatile.rules


def require(session: OpenPgpSession, right: Right, *, subject: str) -> None:
    """Refuses (6982) what is not allowed with what has been verified."""
    if right == Right.ALWAYS:
        return
    if right == Right.NEVER:
        raise CardError(
            SW.SECURITY_STATUS_NOT_SATISFIED, "not allowed", subject=subject, missing="what nobody can have"
        )
    require_password(session, right.value, subject=subject)


def require_password(session: OpenPgpSession, reference: int, *, subject: str = "") -> None:
    """Refuses (6982) without a verified password in this state."""
    verified = session.volatile.verified
    if reference not in verified:
        proved = " and ".join(password_words(one) for one in sorted(verified)) or "nothing"
        missing = password_words(reference)
        raise CardError(
            SW.SECURITY_STATUS_NOT_SATISFIED, "not allowed", subject=subject, missing=missing, proved=proved
        )


def require_slot(session: OpenPgpSession, key: int) -> Slot:
    """The place of a key; 6A88 where this card has none."""
    slot = session.state.slot(key)
    if slot is None:
        raise CardError(SW.REFERENCE_NOT_FOUND, "no such key here", subject=KEY_WORDS[Key(key)])
    return slot


def require_touch(session: OpenPgpSession, slot: Slot) -> None:
    """Refuses (6600) where the key wants a touch and nobody gives it in time."""
    if slot.touch == Touch.OFF:
        return
    if not session.env.touched(CACHED_SECONDS if slot.touch in _CACHED else 0.0):
        raise CardError(SW.SECURITY_ISSUE, "nobody touched the card", subject=slot.name, missing="touch")


def withdraw(session: OpenPgpSession, *references: int) -> None:
    """Ends on all logical channels what passwords proved that are blocked, or others from now on."""
    for volatile in (session.volatile, *session.others()):
        volatile.verified.difference_update(references)


# --- who may use a command


def _operational(session: OpenPgpSession) -> None:
    if session.state.life_cycle == LifeCycle.TERMINATED:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "the card is terminated", missing="ACTIVATE FILE")


def _admin(session: OpenPgpSession) -> None:
    _operational(session)
    require_password(session, Password.ADMIN)


def _user(session: OpenPgpSession) -> None:
    _operational(session)
    require_password(session, Password.USER)


def _signer(session: OpenPgpSession) -> None:
    _operational(session)
    require_password(session, Password.SIGNING)


_TERMINATED: dict[int, str] = {SW.CONDITIONS_NOT_SATISFIED: "the card is terminated"}


def _unverified(words: str) -> dict[int, str]:
    return {**_TERMINATED, SW.SECURITY_STATUS_NOT_SATISFIED: f"{words} is not verified"}


OPERATIONAL = Access("always", _operational, _TERMINATED)
ADMIN = Access("admin PIN", _admin, _unverified("the admin PIN"))
USER = Access("PIN (82)", _user, _unverified("the PIN (82)"))
SIGNER = Access("PIN (81)", _signer, _unverified("the PIN (81)"))
