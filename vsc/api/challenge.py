"""A challenge of a card's admin key that waits for its response, and what a right response can be used for."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType
from typing import Self

from vsc.api.session import Authority, GivenKey, Session, checked_length, octets
from vsc.errors import ChallengeUsed, WrongAdminResponse
from vsc.host import CanFormat


class AdminChallenge:
    """Eight random bytes of the card; the response is what the admin key makes of them (`vsc.calculate_response`).

    One response is taken, for one of three things: to `verify` it, to `change_admin_key`, to `provision`. The card is
    this challenge's alone until then: other uses of the handle wait. Leaving the block without a response gives the
    card back and voids the challenge.
    """

    def __init__(self, session: AbstractContextManager[Session]) -> None:
        self._lock = threading.Lock()
        self._is_used = False
        self._open = ExitStack()
        with ExitStack() as undo:
            opened = undo.enter_context(session)
            undo.callback(opened.log_out)
            opened.has_proved = True  # Or soon will have: the card is to forget it, and the challenge, in any case.
            self._session = opened
            self._admin = opened.admin
            self._challenge = self._admin.challenge()
            self._open = undo.pop_all()

    def __repr__(self) -> str:
        return f"<AdminChallenge {self._challenge.hex().upper()}, {'used' if self._is_used else 'open'}>"

    @property
    def challenge(self) -> bytes:
        """What is to be encrypted: 8 bytes, or 40 on a card that proves itself, too."""
        return self._challenge

    def verify(self, response: bytes) -> bool:
        """Tells whether the response is right. AdminKeyBlocked, ChallengeUsed."""
        response = octets(response, "response")
        try:
            with self._responded(response):
                return True
        except WrongAdminResponse:
            return False

    def change_admin_key(self, response: bytes, new: bytes) -> None:
        """Replaces the admin key. new: 24 bytes. WrongAdminResponse, AdminKeyBlocked, ChallengeUsed."""
        response = octets(response, "response")
        new = checked_length(GivenKey(octets(new, "new"), "new"), self._admin.key_bytes)
        with self._responded(response):
            self._admin.change_key(new)

    def provision(self, response: bytes, *, format: bool = False, card_id: uuid.UUID | None = None) -> None:  # noqa: A002
        """Formats the card, gives it another id, or both. WrongAdminResponse, AdminKeyBlocked, ChallengeUsed."""
        response = octets(response, "response")
        check_card_id(card_id)
        with self._responded(response):
            provision(self._session, wipe=format, card_id=card_id)

    def close(self) -> None:
        """Gives the card back; the challenge is void. Twice is harmless."""
        with self._lock:
            self._is_used = True
            stack = self._open.pop_all()
        stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _responded(self, response: bytes) -> Iterator[None]:
        """Spends the challenge; inside, the admin key is proved. Afterwards the card is given back."""
        with self._lock:
            if self._is_used:
                raise ChallengeUsed
            self._is_used = True
            stack = self._open.pop_all()
        with stack:
            self._admin.respond(response)
            yield


def provision(session: Session, *, wipe: bool, card_id: uuid.UUID | None) -> None:
    """With the admin key proved: formats, or changes the id, or just has hosts forget what they know of the card.

    A formatted card without `card_id` gets a random one, another card keeps its own (winrt-smartcards.md 3.2).
    """
    card = session.has(CanFormat, "format that an administrator gives them")
    if wipe:
        card.format(card_id or uuid.uuid4())
    elif (wanted := card_id or session.host.card_id()) is not None:
        card.set_card_id(wanted)


def check_card_id(card_id: uuid.UUID | None) -> None:
    """TypeError for anything but a UUID, before the card is touched."""
    if card_id is not None and not isinstance(card_id, uuid.UUID):
        raise TypeError(f"card_id: a uuid.UUID is expected, not {type(card_id).__name__}")


def authority(admin_key: bytes | None, respond: Callable[[bytes], bytes] | None) -> Authority:
    """Returns who answers challenges: the key itself or the callable, of which exactly one is given; else TypeError."""
    if (admin_key is None) == (respond is None):
        raise TypeError("exactly one of admin_key and respond is to be given")
    if admin_key is not None:
        return GivenKey(octets(admin_key, "admin_key"), "admin_key")
    if not callable(respond):
        raise TypeError("respond: something that can be called is expected")
    return lambda challenge: octets(respond(challenge), "response")
