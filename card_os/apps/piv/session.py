"""What every PIV handler shares: the typed session, and the checks of who may do what over which interface."""

from card_os.apps.piv.rules import Rules
from card_os.apps.piv.state import PivState, PivVolatile
from card_os.apps.piv.wire import Reference, UsagePolicy
from card_os.command import Access, Session
from card_os.sw import SW, CardError

PivSession = Session[PivState, PivVolatile]


def rules_of(session: PivSession) -> Rules:
    """The facts of this kind of card."""
    return session.volatile.rules


def pin_is_verified(session: PivSession) -> bool:
    """Whether a PIN of the cardholder counts: the application's own or, on a card that has it, the global one."""
    if Reference.PIN in session.volatile.verified:
        return True
    # It may have been proved to another application, so it has to be one of this one's as well.
    return Reference.GLOBAL_PIN in session.proved and session.state.pin_of(Reference.GLOBAL_PIN) is not None


def status_of(session: PivSession, reference: int) -> set[int]:
    """Where it stands that a PIN has been verified: the global one's status is that of the whole card."""
    return session.proved if reference == Reference.GLOBAL_PIN else session.volatile.verified


def has_vci(session: PivSession) -> bool:
    """Whether the command came through the virtual contact interface (SP 800-73-5 part 1, 5.5).

    That is a secure channel, which the card's policy allows to count, and the pairing code where it wants one.
    """
    policy = session.state.usage_policy
    paired = policy & UsagePolicy.VCI_WITHOUT_PAIRING_CODE or Reference.PAIRING_CODE in session.volatile.verified
    return bool(session.is_wrapped and policy & UsagePolicy.VCI and paired)


def require_vci(session: PivSession, *, subject: str) -> None:
    """Refuses (6982) what is not allowed without contact, unless through the virtual contact interface."""
    if rules_of(session).is_contactless and not has_vci(session):
        raise CardError(
            SW.SECURITY_STATUS_NOT_SATISFIED,
            "not without contact",
            subject=subject,
            missing="the virtual contact interface",
        )


def require_pin(session: PivSession, *, subject: str) -> None:
    """Refuses (6982) without a verified PIN."""
    if not pin_is_verified(session):
        raise CardError(SW.SECURITY_STATUS_NOT_SATISFIED, "not allowed", subject=subject, missing="PIN")


def withdraw_elsewhere(session: PivSession, reference: int) -> None:
    """Ends on all other logical channels what a PIN proved that is blocked, or another one, from now on."""
    for volatile in session.others():
        volatile.verified.discard(reference)


def _require_contact(session: PivSession) -> None:
    if rules_of(session).is_contactless:
        raise CardError(SW.FUNCTION_NOT_SUPPORTED, "not without contact")


def _require_admin(session: PivSession) -> None:
    _require_contact(session)
    if not session.volatile.is_admin:
        raise CardError(SW.SECURITY_STATUS_NOT_SATISFIED, "not allowed", missing="management key")


def _require_admin_and_pin(session: PivSession) -> None:
    _require_admin(session)
    require_pin(session, subject="retries")


_NO_CONTACT: dict[int, str] = {SW.FUNCTION_NOT_SUPPORTED: "the card is reached without contact"}

CONTACT = Access("always, by contact", _require_contact, _NO_CONTACT)
ADMIN = Access(
    "management key, by contact",
    _require_admin,
    {**_NO_CONTACT, SW.SECURITY_STATUS_NOT_SATISFIED: "the management key is not authenticated"},
)
ADMIN_AND_PIN = Access(
    "management key and PIN, by contact",
    _require_admin_and_pin,
    {**_NO_CONTACT, SW.SECURITY_STATUS_NOT_SATISFIED: "the management key or the PIN is missing"},
)
