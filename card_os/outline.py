"""What a card holds, in a form that is the same for every application: for lists, pages and whoever knows no
application by name. There is no secret in it.

An application says it of its state (`Application.outline`); one that says nothing has its name and no more.
"""

from dataclasses import dataclass

from card_os.key_kind import KeyKind
from card_os.pin import PinPolicy


@dataclass(frozen=True, slots=True)
class Reference:
    """A PIN, a PUK or a key that is proved. try_limit: None: tries are not counted, and tries_left says nothing."""

    name: str
    tries_left: int | None = None
    try_limit: int | None = None

    @property
    def is_blocked(self) -> bool:
        return self.try_limit is not None and self.tries_left == 0


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a private key. number: the host's for it; name: what people or the host call it.

    use: what the key is for, in words. kind: None: there is no key. certificates: DER; one that cannot be read is
    empty bytes.
    """

    number: int
    name: str
    use: str = ""
    kind: KeyKind | None = None
    certificates: tuple[bytes, ...] = ()
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """One application of a card. life_cycle: in words, empty if it has none.

    identity: the bytes by which hosts tell this card from others of its kind, as the application keeps them; None: it
    has none (yet). references: those that are set, in the order user, unblock, admin. pin_policy: None: there is none.
    """

    application: str
    life_cycle: str = ""
    identity: bytes | None = None
    references: tuple[Reference, ...] = ()
    pin_policy: PinPolicy | None = None
    slots: tuple[Slot, ...] = ()

    def reference(self, name: str) -> Reference | None:
        """The reference data of that name."""
        return next((one for one in self.references if one.name == name), None)
