"""What a user of `vsc` may want to catch, split by what they can do about it."""


class VscError(Exception):
    """The root: whatever vsc refuses or cannot do, in one sentence."""


class CardNotFoundError(VscError):
    """There is no card of that name."""


class CardExistsError(VscError):
    """There is a card of that name already."""


class CardInUseError(VscError):
    """Another process has the card: it has one writer at a time."""


class ImageError(VscError):
    """A card's image cannot be used: corrupt, or written by a newer version. It is left as it is."""


class RefusedError(VscError):
    """A wrong secret, or one that the policy forbids."""
