"""What a reader refuses."""

from vsc.errors import CardRemoved, LostCardError, SharingViolation, VscError


class ReaderError(VscError):
    """A reader cannot do that now."""


class CardRemovedError(ReaderError, CardRemoved):
    """There is no card in the reader, or it was taken out before it had answered."""


class ReaderBusyError(ReaderError):
    """There is a card in the reader already."""


class NotTransactedError(ReaderError, LostCardError):
    """The card gave no answer: PC/SC's SCARD_E_NOT_TRANSACTED."""


class SharedError(ReaderError, SharingViolation):
    """Another host has the card just now: PC/SC's SCARD_E_SHARING_VIOLATION."""


class ServiceGoneError(ReaderError, LostCardError):
    """What carries commands to the reader is gone: PC/SC's SCARD_E_NO_SERVICE."""
