"""A card at one moment, as a value: two are equal if the cards kept the same."""

from dataclasses import dataclass, field

from card_os.env import Env
from card_os.memory import Persistent
from vsc.profiles import Profile


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot:
    """All that a card keeps. Taking one copies nothing: states are values.

    env: where the card's world was, so that a seeded card repeats itself after `SoftCard.restore`. pin, admin_key,
    puk: what the card was made with. None of these is compared.
    """

    profile: Profile
    persistent: Persistent
    env: Env = field(compare=False)
    pin: str | None = field(default=None, compare=False)
    admin_key: bytes | None = field(default=None, compare=False)
    puk: str | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"<Snapshot of a {self.profile.name} card>"
