"""What a reader refuses."""

from vsc.errors import CardRemoved, VscError


class ReaderError(VscError):
    """A reader cannot do that now."""


class CardRemovedError(ReaderError, CardRemoved):
    """There is no card in the reader, or it was taken out before it had answered."""


class ReaderBusyError(ReaderError):
    """There is a card in the reader already."""
