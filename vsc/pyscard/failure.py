"""What a connection refuses, as pyscard's exceptions and ours, with PC/SC's return codes."""

from enum import IntEnum

from vsc.pyscard.library import CardConnectionException, NoCardException, scard
from vsc.reader import CardRemovedError, NotTransactedError, ReaderError, ServiceGoneError, SharedError


class Failure(IntEnum):
    """Return codes of PC/SC (SCARD_...), as the exceptions carry them in `hresult`."""

    E_TIMEOUT = 0x8010_000A
    E_SHARING_VIOLATION = 0x8010_000B
    E_NO_SMARTCARD = 0x8010_000C
    E_PROTO_MISMATCH = 0x8010_000F
    E_NOT_TRANSACTED = 0x8010_0016
    E_NO_SERVICE = 0x8010_001D
    E_UNSUPPORTED_FEATURE = 0x8010_001F
    W_RESET_CARD = 0x8010_0068
    W_REMOVED_CARD = 0x8010_0069

    @property
    def code(self) -> int:
        """The number as pyscard has it here: some systems count it as negative."""
        return int(getattr(scard, f"SCARD_{self.name}", self))


class NoCardError(NoCardException, CardRemovedError):
    """There is no card to connect to."""


class CardGoneError(CardConnectionException, CardRemovedError):
    """The card that was connected has been taken out, even if there is one again."""


class NotAnsweredError(CardConnectionException, NotTransactedError):
    """The card gave no answer."""


class HeldByAnotherError(CardConnectionException, SharedError):
    """Another host has the card just now."""


class NoServiceError(CardConnectionException, ServiceGoneError):
    """What carries commands to the reader is gone."""


class ConnectionRefusedByCardError(CardConnectionException, ReaderError):
    """Not connected, not alone, the wrong protocol, reset by another: `hresult` says which."""


def failed(message: str, failure: Failure | None = None) -> ConnectionRefusedByCardError:
    """The exception for a call that was refused; without a return code: for one that makes no sense."""
    return ConnectionRefusedByCardError(message, -1 if failure is None else failure.code)
