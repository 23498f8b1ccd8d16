"""What a user of `vsc` may want to catch, split by what they can do about it."""


class VscError(Exception):
    """The root: whatever vsc refuses or cannot do, in one sentence."""


class CardNotFoundError(VscError):
    """There is no card of that name. name: the one that was said; None for a card that is known by something else."""

    def __init__(self, message: str, *, name: str | None = None) -> None:
        super().__init__(message)
        self.name = name


class CardExistsError(VscError):
    """There is a card of that name already."""


class CardInUseError(VscError):
    """Another process has the card: it has one writer at a time."""


class ImageError(VscError):
    """A card's image cannot be used: corrupt, or written by a newer version. It is left as it is."""


class RefusedError(VscError):
    """A wrong secret, or one that the policy forbids."""


class CardLocked(RefusedError):
    """The card is encrypted, and there was no passphrase, or a wrong one. name: which card."""

    def __init__(self, name: str, *, was_wrong: bool = False) -> None:
        missing = "say --passphrase prompt, env:VAR or file:PATH, or set VSC_PASSPHRASE_FILE"
        super().__init__(f"card {name!r} is locked: {'wrong passphrase' if was_wrong else missing}")
        self.name = name


class CardWarning(UserWarning):
    """Something about a stored card that its owner should know."""


class CardRewound(CardWarning):
    """A card was changed more often than the database knows: changes that were acknowledged are gone."""


class CardInClear(CardWarning):
    """A card is not encrypted, though there is a passphrase: it never was, or another image was put in its place."""


class WrongPin(RefusedError):
    """The PIN (or PUK) was wrong. tries_left: before it is blocked."""

    def __init__(self, tries_left: int, *, what: str = "PIN") -> None:
        super().__init__(f"wrong {what}, {tries_left} {'try' if tries_left == 1 else 'tries'} left")
        self.what = what
        self.tries_left = tries_left


class PinBlocked(RefusedError):
    """The PIN (or PUK) has no tries left."""

    def __init__(self, *, what: str = "PIN") -> None:
        super().__init__(f"the {what} is blocked")
        self.what = what


class PinPolicyViolation(RefusedError):
    """A new PIN breaks the card's policy. rules: the broken ones, in words; empty if the card does not say."""

    def __init__(self, rules: tuple[str, ...] = ()) -> None:
        super().__init__(f"the new PIN is refused: {'; '.join(rules) or 'the card does not say why'}")
        self.rules = rules


class WrongAdminResponse(RefusedError):
    """The answer to the card's challenge was wrong: it was not made with the card's admin key."""

    def __init__(self) -> None:
        super().__init__("wrong response to the challenge: that is not the card's admin key")


class AdminKeyBlocked(RefusedError):
    """The admin key has no tries left."""

    def __init__(self) -> None:
        super().__init__("the admin key is blocked")


class ChallengeUsed(VscError):
    """A challenge takes one response; this one has had it, or is closed. Ask the card for another one."""

    def __init__(self, message: str = "the challenge has had its response: ask for another one") -> None:
        super().__init__(message)


class AuthenticationRequired(RefusedError):
    """The card wants the PIN, or the admin key, before it does that. Nothing was changed."""

    def __init__(self, what: str, *, right: str = "the PIN") -> None:
        super().__init__(f"{what} needs {right} first")


class Cancelled(VscError):
    """A person was asked, and cancelled."""

    def __init__(self, message: str = "cancelled") -> None:
        super().__init__(message)


class ReaderNotFoundError(VscError):
    """There is no reader of that name."""


class LostCardError(VscError):
    """The way to a card is gone, or was refused. The subclasses say how."""


class CardRemoved(LostCardError):
    """There is no card in the reader, or it was taken out."""


class CardWasReset(LostCardError):
    """Somebody else reset the card: what was verified is forgotten. A new connection works."""


class SharingViolation(LostCardError):
    """Another program has the card for itself."""


class CardUnresponsive(LostCardError):
    """The card does not answer to reset."""


class NoPcscError(VscError):
    """There is no PC/SC service, or no pyscard to reach it with."""


class UnsupportedCard(VscError):
    """The card cannot do that: it has no application that is known here, or lacks what was asked of it."""


class NoApplication(UnsupportedCard):
    """The card has not the application that was asked for. application: its name."""

    def __init__(self, application: str, sw: int) -> None:
        super().__init__(f"there is no {application} application on this card ({sw:04X})")
        self.application = application


class UnsupportedOption(VscError):
    """A kind of card is not made with that option. option: its name."""

    def __init__(self, what: str, option: str, known: tuple[str, ...]) -> None:
        super().__init__(f"{what} takes no {option}; it takes: {', '.join(known) or 'nothing'}")
        self.option = option


class UnexpectedStatus(VscError):
    """The card refused with a status word that has no meaning of its own here. sw: that word."""

    def __init__(self, sw: int, meaning: str, *, command: str) -> None:
        super().__init__(f"the card refused {command}: {sw:04X}, {meaning}")
        self.sw = sw


class MaterialError(VscError):
    """What should go onto the card cannot be used: no such file, not what it should be, too large, a key of no use."""


class WrongPassword(MaterialError, RefusedError):
    """The password of a file is wrong, or missing."""


class DamagedFile(MaterialError):
    """A file is of the right kind, but cut off or changed."""


class UnsupportedFeature(MaterialError):
    """A file is right, but uses something that vsc cannot read."""


class KeyMismatch(MaterialError):
    """Key and certificate do not belong together."""


class UnsupportedKey(MaterialError):
    """A key of a kind that the card does not take."""


class FillingError(VscError):
    """Writing to the card failed half-way. undone: what had been written is gone again."""

    def __init__(self, message: str, *, undone: bool) -> None:
        super().__init__(message)
        self.undone = undone
