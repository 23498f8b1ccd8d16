"""PC/SC's own calls: one context, what readers look like, and what return codes mean.

They go through pyscard (extra `virtual-smart-card[pcsc]`), by its low-level module: its classes keep threads and lists
of their own. Without pyscard, and where it cannot say a name, libpcsclite is called itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from vsc.errors import (
    CardRemoved,
    CardUnresponsive,
    CardWasReset,
    LostCardError,
    NoPcscError,
    ReaderNotFoundError,
    SharingViolation,
    VscError,
)
from vsc.machine import libpcsclite
from vsc.machine.scard import Scard

READERS_CHANGED = "\\\\?PnP?\\Notification"
"""The name that stands for "readers come and go" in SCardGetStatusChange."""
_COUNTER_SHIFT = 16
_STATE_MASK = 0xFFFF


@cache
def scard() -> Any:
    """Returns pyscard's `smartcard.scard`, or what has the same calls. NoPcscError if there is neither."""
    try:
        return import_module("smartcard.scard")
    except ImportError as error:
        library = libpcsclite.library()
        if library is None:
            raise NoPcscError(
                f"there is no PC/SC library: neither libpcsclite (Debian: libpcsclite1) nor pyscard ({error})"
            ) from None
        return Scard(library)


@dataclass(frozen=True, slots=True)
class State:
    """What SCardGetStatusChange says of a reader. counter: of cards that came or went, modulo 65 536."""

    flags: int
    counter: int
    atr: bytes

    def has(self, name: str) -> bool:
        """name: what follows SCARD_STATE_."""
        return bool(self.flags & getattr(scard(), f"SCARD_STATE_{name}"))

    @property
    def is_working(self) -> bool:
        return not (self.has("UNKNOWN") or self.has("UNAVAILABLE"))

    @property
    def is_present(self) -> bool:
        return self.is_working and self.has("PRESENT")

    def __int__(self) -> int:
        """As the next SCardGetStatusChange is told it."""
        return self.counter << _COUNTER_SHIFT | self.flags


class UnknownReader(ReaderNotFoundError):
    """One of the readers asked about is not there, or not any more."""

    def __init__(self) -> None:
        super().__init__("there is no reader of that name")


class Context:
    """A context of PC/SC. Not to be used by several threads at once, `cancel` apart.

    Raises NoPcscError where there is no service, or none any more.
    """

    def __init__(self) -> None:
        self._scard = scard()
        rv, self.handle = self._scard.SCardEstablishContext(self._scard.SCARD_SCOPE_SYSTEM)
        if rv != self._scard.SCARD_S_SUCCESS:
            raise NoPcscError(_no_service(rv))

    def names(self) -> list[str]:
        """The readers, in the service's order; those that can be asked for."""
        rv, names = self._scard.SCardListReaders(self.handle, [])
        if rv == self._scard.SCARD_E_NO_READERS_AVAILABLE:
            return []
        self._check(rv)
        return [name for name in names if name.isascii() or libpcsclite.is_there()]

    def look(self, names: Iterable[str]) -> dict[str, State]:
        """What those readers look like now. UnknownReader if one of them is not there."""
        names = list(names)
        asked = [(name, self._scard.SCARD_STATE_UNAWARE) for name in names]
        if not asked:
            return {}
        rv, answers = self._get_status_change(0, asked)
        self._check(rv)
        return {name: _state(flags, atr) for name, flags, atr in answers}

    def look_at_all(self) -> dict[str, State]:
        """What there is now."""
        while True:  # Until no reader goes between the two calls.
            try:
                return self.look(self.names())
            except UnknownReader:
                continue  # It went between the two calls: there is another list.

    def reader_events(self) -> int:
        """How many readers have come and gone, as `wait` needs it; 0 where libpcsclite does not count (before 2.3)."""
        _, answers = self._scard.SCardGetStatusChange(self.handle, 0, [(READERS_CHANGED, 0)])
        return answers[0][1] >> _COUNTER_SHIFT & 0x7FFF if answers else 0

    def wait(self, known: Mapping[str, State], reader_events: int, *, timeout_s: float | None = None) -> None:
        """Returns when a reader does not look as known, when readers have come or gone, or after `cancel`.

        UnknownReader at once if a known one is not there.
        """
        asked = [(name, int(state)) for name, state in known.items()]
        asked.append((READERS_CHANGED, reader_events << _COUNTER_SHIFT))
        timeout_ms = self._scard.INFINITE if timeout_s is None else max(0, round(timeout_s * 1000))
        rv, _ = self._get_status_change(timeout_ms, asked)
        if rv not in (self._scard.SCARD_E_CANCELLED, self._scard.SCARD_E_TIMEOUT):
            self._check(rv)

    def cancel(self) -> None:
        """Ends a `wait` of another thread. Has no effect on one that has not yet begun."""
        self._scard.SCardCancel(self.handle)

    def close(self) -> None:
        self._scard.SCardReleaseContext(self.handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _get_status_change(self, timeout_ms: int, asked: list[tuple[str, int]]) -> Any:
        if all(name.isascii() for name, _ in asked):
            return self._scard.SCardGetStatusChange(self.handle, timeout_ms, asked)
        if not libpcsclite.is_there():
            raise UnknownReader  # There is no way to ask for it.
        return libpcsclite.get_status_change(self.handle, timeout_ms, asked)

    def _check(self, rv: int) -> None:
        if rv == self._scard.SCARD_E_UNKNOWN_READER:
            raise UnknownReader
        if rv != self._scard.SCARD_S_SUCCESS:
            raise NoPcscError(_no_service(rv))


def _state(flags: int, atr: Iterable[int]) -> State:
    value = flags & 0xFFFF_FFFF  # pyscard gives it with a sign.
    changed: int = scard().SCARD_STATE_CHANGED
    return State(value & _STATE_MASK & ~changed, value >> _COUNTER_SHIFT, bytes(list(atr)))


def _no_service(rv: int) -> str:
    return f"no PC/SC service answers: is pcscd running? ({message(rv)})"


def message(rv: int) -> str:
    """What PC/SC says of a return code."""
    return str(scard().SCardGetErrorMessage(rv)).strip().rstrip(".")


_MEANINGS: Mapping[str, tuple[type[VscError], str]] = {
    "W_RESET_CARD": (CardWasReset, "the card in {} was reset by somebody else"),
    "W_REMOVED_CARD": (CardRemoved, "the card was taken out of {}"),
    "E_NO_SMARTCARD": (CardRemoved, "there is no card in {}"),
    "E_NOT_TRANSACTED": (LostCardError, "the card in {} gave no answer"),
    "E_SHARING_VIOLATION": (SharingViolation, "another program has the card in {} for itself"),
    "W_UNRESPONSIVE_CARD": (CardUnresponsive, "the card in {} does not answer to reset"),
    "W_UNPOWERED_CARD": (CardUnresponsive, "the card in {} has no power"),
    "E_PROTO_MISMATCH": (CardUnresponsive, "the card in {} speaks neither T=0 nor T=1"),
    "E_UNKNOWN_READER": (ReaderNotFoundError, "there is no reader {}"),
    "E_READER_UNAVAILABLE": (ReaderNotFoundError, "the reader {} is out of order, or gone"),
    # What a handle says whose reader, or whose service, is no more.
    "E_INVALID_VALUE": (CardRemoved, "the reader {} is gone, and its card with it"),
    "E_INVALID_HANDLE": (CardRemoved, "the reader {} is gone, and its card with it"),
    "E_NO_SERVICE": (CardRemoved, "the PC/SC service is gone, and the card in {} with it"),
    "E_SERVICE_STOPPED": (CardRemoved, "the PC/SC service is gone, and the card in {} with it"),
    "F_COMM_ERROR": (CardRemoved, "the PC/SC service is gone, and the card in {} with it"),
}
"""Return codes of calls on a card, without their SCARD_."""


def failure(rv: int, reader_name: str) -> VscError:
    """The exception for what a call on a card returned."""
    for name, (error, text) in _MEANINGS.items():
        if rv == getattr(scard(), f"SCARD_{name}"):
            return error(text.format(repr(reader_name)))
    return VscError(f"PC/SC refuses in reader {reader_name!r}: {message(rv)} ({rv & 0xFFFF_FFFF:08X})")
