"""One wrapper round `construct`: a format is declared once, parsing and building both come from it.

Compiled structs are four times as fast as interpreted ones, but they accept short fields and trailing bytes and
leak other exceptions. `Format` closes those gaps, so that plain and compiled structs accept the same bytes:

- reading goes through a stream that refuses to return fewer bytes than asked for;
- bytes left over are an error;
- what was built is parsed back and must give the same values;
- every failure is a `WireError`.

A struct is compiled on first use, because compiling costs about a millisecond.
"""

import io
import struct
from typing import Any

from construct import Construct, ConstructError

_FAILURES = (ConstructError, struct.error, KeyError, TypeError, ValueError, OverflowError, EOFError)


class WireError(ValueError):
    """Bytes that do not fit a format, or values that cannot be written in it."""


class _ExactStream(io.BytesIO):
    """A stream that never returns fewer bytes than asked for: compiled structs do not check."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size is not None and size >= 0 and len(data) != size:
            raise EOFError(f"{size} bytes wanted, {len(data)} left")
        return data


class Format:
    """A construct struct behind one strict door."""

    __slots__ = ("_compiled", "struct")

    def __init__(self, declared: Construct) -> None:
        self.struct = declared
        self._compiled: Any = None

    def parse(self, raw: bytes, *, compiled: bool = True) -> Any:
        """Parses all of `raw`; raises WireError if it is too short, too long or wrong."""
        value, used = self.parse_head(raw, compiled=compiled)
        if used != len(raw):
            raise WireError(f"{len(raw) - used} bytes too many")
        return value

    def parse_head(self, raw: bytes, *, compiled: bool = True) -> tuple[Any, int]:
        """Parses the head of `raw`; returns the value and the number of bytes it took."""
        stream = _ExactStream(raw)
        try:
            value = self._codec(compiled).parse_stream(stream)
        except EOFError as error:
            raise WireError(str(error)) from None
        except _FAILURES:
            # What construct says is empty, or names its own insides; reasons of refusals are made of this.
            raise WireError("the values do not fit the format") from None
        return value, stream.tell()

    def build(self, values: dict[str, Any], *, compiled: bool = True) -> bytes:
        """Builds the bytes of `values`; raises WireError if they would not parse back to the same values."""
        try:
            raw = bytes(self._codec(compiled).build(values))
        except _FAILURES as error:
            raise WireError(str(error)) from None
        back = self.parse(raw, compiled=compiled)
        if any(name not in back or back[name] != value for name, value in values.items()):
            raise WireError("values do not fit the format")
        return raw

    def _codec(self, compiled: bool) -> Any:
        if not compiled:
            return self.struct
        if self._compiled is None:
            self._compiled = self.struct.compile()
        return self._compiled
