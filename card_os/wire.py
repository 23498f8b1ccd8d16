"""One wrapper round `construct`: a format is declared once, parsing and building both come from it.

Most structs are read and written by plain functions made of them (`wire_code`). The rest are compiled by construct:
four times as fast as interpreted, but a compiled struct accepts short fields and trailing bytes and leaks other
exceptions. `Format` closes those gaps, so that a struct accepts the same bytes however it is read:

- reading goes through a stream that refuses to return fewer bytes than asked for;
- bytes left over are an error;
- what was built is parsed back and must give the same values;
- every failure is a `WireError`, and says the same.

Both are made on first use, because each takes about a millisecond.
"""

import io
import struct
from typing import Any

from construct import Construct, ConstructError, Container

from card_os.wire_code import FAILURES, Read, Write, field_names, functions

_FAILURES = (ConstructError, struct.error, KeyError, TypeError, ValueError, OverflowError, EOFError)


class WireError(ValueError):
    """Bytes that do not fit a format, or values that cannot be written in it."""


class _ExactStream(io.BytesIO):
    """A stream that never returns fewer bytes than asked for: compiled structs do not check. Nor is less than none."""

    def read(self, size: int | None = None, /) -> bytes:
        data = super().read(size)
        if size is not None and len(data) != size:
            raise EOFError(f"{size} bytes wanted, {len(data)} left")
        return data


class Format:
    """A construct struct behind one strict door.

    names: the fields of a struct, in order. read: takes bytes and a place in them, gives the fields in order and, last,
    the place behind them; WireError if they do not fit.
    """

    __slots__ = ("_compiled", "_write", "names", "read", "struct")

    def __init__(self, declared: Construct) -> None:
        self.struct = declared
        self.names = field_names(declared)
        self.read: Read = self._first_read
        self._write: Write | None = None
        self._compiled: Any = None

    def parse(self, raw: bytes, *, compiled: bool = True) -> Any:
        """Parses all of `raw`; raises WireError if it is too short, too long or wrong."""
        value, used = self.parse_head(raw, compiled=compiled)
        if used != len(raw):
            raise WireError(f"{len(raw) - used} bytes too many")
        return value

    def parse_head(self, raw: bytes, *, compiled: bool = True) -> tuple[Any, int]:
        """Parses the head of `raw`; returns the value and the number of bytes it took."""
        if compiled and self._has_functions():
            *values, used = self.read(bytes(raw), 0)
            return Container(zip(self.names, values, strict=True)), used
        return self._ask_construct(raw, compiled=compiled)

    def build(self, values: dict[str, Any], *, compiled: bool = True) -> bytes:
        """Builds the bytes of `values`; raises WireError if they would not parse back to the same values."""
        raw = self._written(values) if compiled and self._has_functions() else None
        if raw is not None:
            return raw
        try:
            raw = bytes(self._codec(compiled).build(values))
        except _FAILURES as error:
            raise WireError(str(error)) from None
        back = self.parse(raw, compiled=compiled)
        if any(name not in back or back[name] != value for name, value in values.items()):
            raise WireError("values do not fit the format")
        return raw

    def _written(self, values: dict[str, Any]) -> bytes | None:
        """What the plain function makes of the values, if those and no others come back from it."""
        assert self._write is not None
        given = tuple(map(values.get, self.names))
        try:
            raw = self._write(*given)
            if raw is None or self.read(raw, 0) != (*given, len(raw)) or len(values) != len(given):
                return None
        except (*FAILURES, WireError):
            return None
        return raw

    def _has_functions(self) -> bool:
        """Whether plain functions read and write this struct; makes them when first asked."""
        if self.read == self._first_read:
            self.read, self._write = functions(self.struct, self._otherwise) or (self._otherwise, None)
        return self._write is not None

    def _first_read(self, raw: bytes, at: int) -> tuple[Any, ...]:
        self._has_functions()
        return self.read(raw, at)

    def _otherwise(self, raw: bytes, at: int) -> tuple[Any, ...]:
        value, used = self._ask_construct(raw[at:], compiled=True)
        return *(value[name] for name in self.names), at + used

    def _ask_construct(self, raw: bytes, *, compiled: bool) -> tuple[Any, int]:
        stream = _ExactStream(raw)
        try:
            value = self._codec(compiled).parse_stream(stream)
        except EOFError as error:
            raise WireError(str(error)) from None
        except _FAILURES:
            # What construct says is empty, or names its own insides; reasons of refusals are made of this.
            raise WireError("the values do not fit the format") from None
        return value, stream.tell()

    def _codec(self, compiled: bool) -> Any:
        if not compiled:
            return self.struct
        if self._compiled is None:
            self._compiled = self.struct.compile()
        return self._compiled
