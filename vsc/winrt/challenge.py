"""`SmartCardChallengeContext`: a challenge of the card, and the one operation that a right response buys.

A context holds the card (a transaction) from the challenge to the response, so that nobody else's command makes the
challenge void; another context waits meanwhile. It lets go when the response has been sent, when it is closed, and
when it is forgotten, as the page's own snippet does with it.
"""

import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

from card_os.admin import KEY_BYTES
from vsc.api.challenge import AdminChallenge
from vsc.winrt import hresult
from vsc.winrt.buffers import IBuffer, ReadableBuffer, octets
from vsc.winrt.errors import WinRTError
from vsc.winrt.operations import IAsyncAction, IAsyncOperation, action, checkpoint, operation
from vsc.winrt.projection import ABSENT, Absent, Object, needed, renamed

T = TypeVar("T")


def admin_key(value: object, name: str) -> bytes:
    """24 bytes; E_INVALIDARG for any other length, before a card is touched."""
    key = octets(value, name)
    if len(key) != KEY_BYTES:
        raise WinRTError(hresult.E_INVALIDARG, f"{name}: {KEY_BYTES} bytes are expected, not {len(key)}")
    return key


class SmartCardChallengeContext(Object):
    """One challenge, for one response. Close it soon: `with` does."""

    def __init__(self, challenge: AdminChallenge) -> None:
        self._challenge = challenge
        self._text = IBuffer(challenge.challenge)
        self._lock = threading.Lock()
        self._is_used = False
        self._is_closed = False

    @property
    def challenge(self) -> IBuffer:
        if self._is_closed:
            raise WinRTError(hresult.RO_E_CLOSED)
        return self._text

    def verify_response_async(self, response: ReadableBuffer, /) -> IAsyncOperation[bool]:
        """Whether the card takes the response; it is logged out again either way."""
        raw = octets(response, "response")
        challenge = self._challenge

        def verify_response() -> bool:
            return challenge.verify(raw)

        return operation(self._spending(verify_response))

    def change_administrative_key_async(
        self, response: ReadableBuffer, new_administrative_key: ReadableBuffer, /
    ) -> IAsyncAction:
        """Replaces the admin key, 24 bytes. SCARD_W_WRONG_CHV for a wrong response."""
        raw, new = octets(response, "response"), admin_key(new_administrative_key, "new_administrative_key")
        challenge = self._challenge

        def change_administrative_key() -> None:
            challenge.change_admin_key(raw, new)

        return action(self._spending(change_administrative_key))

    def provision_async(
        self, response: ReadableBuffer, format_card: bool, new_card_id: UUID | Absent = ABSENT, /
    ) -> IAsyncAction:
        """Gives the card another id, and wipes all that is on it if `format_card`.

        Without an id a formatted card gets a random one, another keeps its own. SCARD_W_WRONG_CHV.
        """
        raw = octets(response, "response")
        card_id = None if isinstance(new_card_id, Absent) else needed(new_card_id, UUID, "new_card_id")
        challenge, with_format = self._challenge, bool(format_card)

        def provision() -> None:
            challenge.provision(raw, format=with_format, card_id=card_id)

        return action(self._spending(provision))

    def provision_async_with_new_card_id(
        self, response: ReadableBuffer, format_card: bool, new_card_id: UUID, /
    ) -> IAsyncAction:
        """As in PyWinRT 3.x."""
        return renamed(self.provision_async, "provision_async_with_new_card_id")(response, format_card, new_card_id)

    def close(self, /) -> None:
        """Gives the card free again; the challenge is void. An operation that runs ends first. Twice is harmless."""
        with self._lock:
            was_open = not self._is_closed and not self._is_used
            self._is_closed = True
        if was_open:
            self._challenge.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if self._is_closed or self._is_used:
            return
        warnings.warn("a challenge context was neither answered nor closed", ResourceWarning, stacklevel=2)
        # Not here: a finalizer runs anywhere, inside of any lock. At the end of the process there are no new threads.
        with suppress(RuntimeError):
            threading.Thread(target=self._challenge.close, name="vsc-winrt close", daemon=True).start()

    def _spending(self, work: Callable[[], T]) -> Callable[[], T]:
        """The work, after which the card is free. E_ILLEGAL_METHOD_CALL for a second response, RO_E_CLOSED."""
        with self._lock:
            if self._is_closed:
                raise WinRTError(hresult.RO_E_CLOSED)
            if self._is_used:
                raise WinRTError(hresult.E_ILLEGAL_METHOD_CALL, "a challenge is good for one response")
            self._is_used = True
        challenge = self._challenge

        def spend() -> T:
            with challenge:
                checkpoint()
                return work()

        return spend
