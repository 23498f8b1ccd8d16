"""States as plain values: objects, lists, texts, numbers, so that people can read and compare what a card keeps.

An application describes its state with these (`Application.describe`) and reads descriptions back, field by field,
through `Fields`: strictly, because people edit such texts. What is wrong is named by where it stands:
`files[3].rule: not hexadecimal`.

Bytes are hexadecimal, in capitals; more than 32 of them are a list of lines, so that a change shows where it is.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from card_os.sw import CardError

Description = dict[str, object]
"""An object as `json` has it."""
T = TypeVar("T")

LINE_BYTES = 32


class DescriptionError(ValueError):
    """A field does not hold what it should; the text begins with where it stands."""


def hexadecimal(raw: bytes) -> str | list[str]:
    """Describes bytes: one text, or a list of lines."""
    lines = [raw[at : at + LINE_BYTES].hex().upper() for at in range(0, len(raw), LINE_BYTES)]
    return lines if len(lines) > 1 else "".join(lines)


class Fields:
    """The fields of one object, each taken once; those that nobody took are an error at the `end`.

    path: where the object stands, as in `files[3]`; empty for the outermost.
    """

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, dict):
            raise DescriptionError(f"{path or 'the whole'}: not an object")
        self._values = dict(value)
        self._path = path

    def path(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def has(self, name: str) -> bool:
        return name in self._values

    def take(self, name: str) -> object:
        """Any value; DescriptionError if the field is missing."""
        if name not in self._values:
            raise DescriptionError(f"{self.path(name)}: missing")
        return self._values.pop(name)

    def text(self, name: str) -> str:
        value = self.take(name)
        if not isinstance(value, str):
            raise DescriptionError(f"{self.path(name)}: not a text")
        return value

    def flag(self, name: str) -> bool:
        value = self.take(name)
        if not isinstance(value, bool):
            raise DescriptionError(f"{self.path(name)}: neither true nor false")
        return value

    def number(self, name: str, low: int, high: int) -> int:
        value = self.take(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise DescriptionError(f"{self.path(name)}: not a number from {low} to {high}")
        return value

    def number_or_none(self, name: str, low: int, high: int) -> int | None:
        return None if self.take_none(name) else self.number(name, low, high)

    def take_none(self, name: str) -> bool:
        """Takes the field if it holds null, and tells whether it did."""
        if name in self._values and self._values[name] is None:
            del self._values[name]
            return True
        return False

    def word(self, name: str, words: Mapping[str, T]) -> T:
        """What one of these words stands for."""
        value = self.take(name)
        if not isinstance(value, str) or value not in words:
            raise DescriptionError(f"{self.path(name)}: not one of {', '.join(words)}")
        return words[value]

    def lines(self, name: str) -> list[str]:
        value = self.take(name)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise DescriptionError(f"{self.path(name)}: not a list of texts")
        return value

    def hexadecimal(self, name: str) -> bytes:
        """Bytes as `hexadecimal` describes them, or in lines of other lengths."""
        value = self._values.get(name)
        lines = self.lines(name) if isinstance(value, list) else [self.text(name)]
        try:
            return b"".join(bytes.fromhex(line) for line in lines)
        except ValueError:
            raise DescriptionError(f"{self.path(name)}: not hexadecimal") from None

    def whole(self, name: str, size: int) -> int:
        """A number of `size` bytes, in hexadecimal."""
        raw = self.hexadecimal(name)
        if len(raw) != size:
            raise DescriptionError(f"{self.path(name)}: not {2 * size} hexadecimal digits")
        return int.from_bytes(raw, "big")

    def fields(self, name: str) -> "Fields":
        return Fields(self.take(name), self.path(name))

    def each(self, name: str) -> list["Fields"]:
        """The objects of a list."""
        value = self.take(name)
        if not isinstance(value, list):
            raise DescriptionError(f"{self.path(name)}: not a list")
        return [Fields(one, f"{self.path(name)}[{number}]") for number, one in enumerate(value)]

    @contextmanager
    def naming(self, name: str) -> Iterator[None]:
        """What is raised inside names this field; an empty name: the object itself."""
        try:
            yield
        except DescriptionError:
            raise
        except (ValueError, OverflowError, CardError) as error:
            raise DescriptionError(f"{(self.path(name) if name else self._path) or 'the whole'}: {error}") from None

    def made(self, name: str, make: Callable[[bytes], T]) -> T:
        """What `make` makes of the bytes of a field."""
        raw = self.hexadecimal(name)
        with self.naming(name):
            return make(raw)

    def end(self) -> None:
        """Nothing may be left: a field that nobody knows means something to somebody."""
        for name in self._values:
            raise DescriptionError(f"{self.path(name)}: unknown")
