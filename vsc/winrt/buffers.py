"""Bytes in and out: what goes in may be any buffer, what comes out is an `IBuffer`."""

from typing import TYPE_CHECKING, TypeAlias

from vsc.winrt.errors import NullArgument

if TYPE_CHECKING:
    from typing_extensions import Buffer

    ReadableBuffer: TypeAlias = Buffer
else:
    ReadableBuffer = bytes | bytearray | memoryview


class IBuffer(bytes):
    """A result. On Windows it has no `==` and no `.hex()`: portable code says `bytes(buffer)` first."""

    @property
    def length(self) -> int:
        return len(self)

    @property
    def capacity(self) -> int:
        return len(self)


def octets(value: object, name: str) -> bytes:
    """A copy of any object with the buffer protocol. TypeError, NullArgument for None."""
    if value is None:
        raise NullArgument(name)
    try:
        return memoryview(value).tobytes()  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be bytes or another buffer, not {type(value).__name__}") from None
