"""A small middleware, such as an application might have between itself and a card: log in once, and save notes.

It remembers the PIN, so that nobody has to enter it again after the card has been pulled out or reset, and shows how
many tries are left.
"""

from vsc.errors import AuthenticationRequired, PinBlocked, WrongPin
from vsc.host import AdminKeyResponder, Connection, Gids
from vsc.host.exchange import Exchange
from vsc.host.gids.objects import Objects

NOTES = 0xA013
"""The file for private objects."""
FIRST_NOTE = 0xDF40


class Login:
    """A person's session with a card. has_the_bug: as version 1.0 had it, see `change_pin`."""

    def __init__(self, connection: Connection, *, has_the_bug: bool = False) -> None:
        self._has_the_bug = has_the_bug
        self._pin: bytes | None = None
        self.insert(connection)

    def insert(self, connection: Connection) -> None:
        """Goes on with the card over a new connection."""
        self._gids = Gids.connect(connection)
        self._notes = Objects(Exchange(connection))

    @property
    def tries_left(self) -> int:
        """What to show beside the question for the PIN."""
        tries = self._gids.pin_tries()
        return 0 if tries is None else tries.left

    def log_in(self, pin: str) -> None:
        """WrongPin, PinBlocked."""
        self._pin = None
        self._gids.verify_pin(pin.encode())
        self._pin = pin.encode()

    def log_out(self) -> None:
        self._pin = None
        self._gids.log_out()

    def change_pin(self, old: str, new: str) -> None:
        """WrongPin, PinBlocked, PinPolicyViolation."""
        self.log_in(old)
        self._gids.change_pin(old=old.encode(), new=new.encode())
        if not self._has_the_bug:
            self._pin = new.encode()

    def unblock(self, new: str, admin_key: bytes) -> None:
        """For the help desk. WrongAdminResponse, AdminKeyBlocked, PinPolicyViolation."""
        self._pin = None
        self._gids.reset_pin(new=new.encode(), respond=AdminKeyResponder(admin_key))

    def save_note(self, number: int, text: bytes) -> None:
        """AuthenticationRequired if nobody is logged in."""
        try:
            self._notes.put((NOTES, FIRST_NOTE + number), text)
        except AuthenticationRequired:
            self._log_in_again()
            self._notes.put((NOTES, FIRST_NOTE + number), text)

    def note(self, number: int) -> bytes | None:
        """AuthenticationRequired if nobody is logged in."""
        try:
            return self._notes.find((NOTES, FIRST_NOTE + number))
        except AuthenticationRequired:
            self._log_in_again()
            return self._notes.find((NOTES, FIRST_NOTE + number))

    def _log_in_again(self) -> None:
        """The card has been reset and knows nobody any more; we still know the PIN."""
        if self._pin is None:
            raise AuthenticationRequired("a note")
        try:
            self.log_in(self._pin.decode())
        except (WrongPin, PinBlocked):
            raise AuthenticationRequired("a note") from None
