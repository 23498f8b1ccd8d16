"""What a card can be made with: one set of options for the facade, the command line, fixtures and `SoftCard`.

Which of them a card takes, and what it has where nobody says, is a matter of its profile (`vsc.profiles.profile`).
"""

import uuid
from dataclasses import dataclass, field, fields

from card_os.pin import PinPolicy

DEFAULT_PIN = b"12345678"
DEFAULT_ADMIN_KEY = bytes.fromhex("0102030405060708" * 3)
"""What `tpmvscmgr` calls DEFAULT: for tests, never for a card that matters."""


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A private key that a card has from the one who issues it, with its certificate in DER.

    key: one of `cryptography`. place: the name of a slot, as in `9c`; None: the first one that is free.
    """

    key: object = field(repr=False)
    certificate: bytes | None = field(default=None, repr=False)
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardOptions:
    """None: nobody has said it. PINs are bytes as they are sent; the numbers of tries are how often in a row a secret
    may be wrong. No secret is in the repr.

    pin: of the user. puk: what gives a blocked PIN its tries back. admin_key: symmetric, as long as the card's kind
    has it; admin_pin: of an administrator who proves a PIN, not a key. policy: for new PINs. card_id: the card's
    identity. file_system: False leaves it, and the id, to whoever formats the card. keys: those that it has from the
    start, of cards that get them so; into others a host loads them.
    """

    pin: bytes | None = field(default=None, repr=False)
    puk: bytes | None = field(default=None, repr=False)
    admin_key: bytes | None = field(default=None, repr=False)
    admin_pin: bytes | None = field(default=None, repr=False)
    policy: PinPolicy | None = None
    tries: int | None = None
    puk_tries: int | None = None
    admin_tries: int | None = None
    card_id: uuid.UUID | None = None
    file_system: bool | None = None
    keys: tuple[IssuedKey, ...] | None = field(default=None, repr=False)

    @property
    def said(self) -> dict[str, object]:
        """Those that somebody has said, by name."""
        values = ((one.name, getattr(self, one.name)) for one in fields(self))
        return {name: value for name, value in values if value is not None}


NAMES = tuple(one.name for one in fields(CardOptions))
"""Every option there is."""
