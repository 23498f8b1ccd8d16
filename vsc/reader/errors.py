"""What a reader refuses."""

from vpcd_bridge.errors import NoAnswer
from vsc.errors import CardRemoved, LostCardError, SharingViolation, VscError


class ReaderError(VscError):
    """A reader cannot do that now."""


class CardRemovedError(ReaderError, CardRemoved, NoAnswer):
    """There is no card in the reader, or it was taken out before it had answered."""


class ReaderBusyError(ReaderError):
    """There is a card in the reader already."""


class NotTransactedError(ReaderError, LostCardError, NoAnswer):
    """The card gave no answer: PC/SC's SCARD_E_NOT_TRANSACTED."""


class BrokenWireError(NotTransactedError):
    """What carries the answer breaks: the host's connection ends.

    cut_answer: the answer that was on its way; half of its frame goes out. Empty: nothing does.
    """

    def __init__(self, message: str, *, cut_answer: bytes = b"") -> None:
        super().__init__(message)
        self.cut_answer = cut_answer


class SharedError(ReaderError, SharingViolation, NoAnswer):
    """Another host has the card just now: PC/SC's SCARD_E_SHARING_VIOLATION."""


class ServiceGoneError(ReaderError, LostCardError, NoAnswer):
    """What carries commands to the reader is gone: PC/SC's SCARD_E_NO_SERVICE. comes_back: at once."""

    def __init__(self, message: str, *, comes_back: bool = False) -> None:
        super().__init__(message)
        self.comes_back = comes_back
