"""Touch: what a key wants beside a PIN, that somebody is there (Yubico's touch policy, piv.md section 8)."""

from card_os.apps.piv.session import PivSession
from card_os.apps.piv.wire import TouchPolicy
from card_os.sw import SW, CardError

CACHED_SECONDS = 15.0
"""How long after a touch the policy CACHED wants no other."""


def require_touch(session: PivSession, policy: TouchPolicy, *, subject: str) -> None:
    """Refuses (6982) where nobody touches the card in time."""
    if policy == TouchPolicy.NEVER:
        return
    if not session.env.touched(CACHED_SECONDS if policy == TouchPolicy.CACHED else 0.0):
        raise CardError(SW.SECURITY_STATUS_NOT_SATISFIED, "nobody touched the card", subject=subject, missing="touch")
