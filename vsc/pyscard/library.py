"""All that is used here of pyscard, which is an extra. It has no type information."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

T0 = 0x0001
T1 = 0x0002
RAW = 0x0001_0000
"""pyscard's numbers for the protocols, which are not PC/SC lite's."""


def pyscard(name: str) -> Any:
    """Returns that module of pyscard. ImportError, with what to do, where it is not installed."""
    try:
        return import_module(f"smartcard.{name}")
    except ImportError as error:
        raise ImportError(
            f"vsc.pyscard needs pyscard: pip install 'virtual-smart-card[pcsc]' ({error})", name=error.name
        ) from error


scard: Any = pyscard("scard")
AbstractCardRequest: Any = pyscard("AbstractCardRequest").AbstractCardRequest
AbstractReader: Any = pyscard("reader.Reader").Reader
CardConnection: Any = pyscard("CardConnection").CardConnection
Event: Any = pyscard("CardConnectionEvent").CardConnectionEvent

if TYPE_CHECKING:

    class NoCardException(Exception):
        def __init__(self, message: str, hresult: int) -> None: ...

    class CardConnectionException(NoCardException): ...
else:
    NoCardException = pyscard("Exceptions").NoCardException
    CardConnectionException = pyscard("Exceptions").CardConnectionException
