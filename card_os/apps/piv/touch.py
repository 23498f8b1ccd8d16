"""Touch: what a key wants beside a PIN, that somebody is there (Yubico's touch policy, piv.md section 8)."""

from card_os.apps.piv.session import PivSession
from card_os.apps.piv.wire import TouchPolicy
from card_os.sw import SW, CardError

CACHED_SECONDS = 15.0


def require_touch(session: PivSession, policy: TouchPolicy, *, subject: str) -> None:
    """Refuses (6982) where nobody touches the card in time."""
    if policy == TouchPolicy.NEVER:
        return
    raise CardError(SW.SECURITY_STATUS_NOT_SATISFIED, "nobody touched the card", subject=subject, missing="touch")
