"""A state declared once: its bytes in an image, its description for people, and its facts come from one declaration.

A `Kind` knows all of that of one sort of value. A `Record` has fields of some kinds; a record is a kind too, so states
are trees. An application declares its state with records
(`Application.schema`):

    PURSE = Record(Purse, Field("pin", PinKind(), SHORT, fact="PIN"), Field("money", Number(2)), head=b"PURSE\\x01")

Bytes stand in the order of the fields, numbers big-endian; what has no size of its own has its length before it
(`SHORT`, `LONG`). Kinds of PINs, keys and data objects are in `kept`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import Any, Generic, TypeVar

from card_os.description import Description, DescriptionError, Fields, hexadecimal
from card_os.fact import Fact
from card_os.fact import Kind as About
from card_os.wire import WireError
from card_os.words import byte_count

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)


MIN_PART_BYTES = 256
"""What is smaller is not worth a place of its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an encoding that can be kept for itself.

    value: what it is the bytes of: as long as it is the same object, they are the same. size: bytes.
    """

    value: object
    size: int
    encode: Callable[[], bytes]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The pieces of a value that may be large: the same object as long as the value is."""

    pieces: "list[Piece]"
    size: int


Piece = bytes | Part | Group


class Known:
    """The groups of values that have been asked for since the `turn` before the last, found by their identity."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[object, Group]] = {}
        self._now: dict[int, tuple[object, Group]] = {}

    def turn(self) -> None:
        """Forgets what was not asked for since the last turn."""
        self._before, self._now = self._now, {}

    def group(self, value: T, make: Callable[[T], Group]) -> Group:
        # The value is kept with its pieces, so no other one has its identity.
        found = self._now.get(id(value)) or self._before.get(id(value)) or (value, make(value))
        self._now[id(value)] = found
        return found[1]


def _size(pieces: Iterable[Piece]) -> int:
    return sum(len(piece) if isinstance(piece, bytes) else piece.size for piece in pieces)


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """The same with all bytes in one that stand together."""
    found: list[Piece] = []
    together: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            together.append(piece)
        else:
            found += [b"".join(together), piece]
            together = []
    return [*found, b"".join(together)]


class Kind(Generic[T]):
    """One sort of value. What has no `size` gets its length from a frame."""

    size: int | None = None
    """Bytes that a value takes."""

    def encode(self, value: T, owner: Any = None) -> bytes:
        """The bytes of a value; owner: the object that it is a field of."""
        raise NotImplementedError

    def pieces(self, value: T, owner: Any, known: Known) -> list[Piece]:
        """The bytes of `encode` in pieces: those parts for themselves that change alone. known: what need not be made
        again.
        """
        return [self.encode(value, owner)]

    def decode(self, raw: bytes) -> T:
        """Reads what any version of `encode` wrote; ValueError or CardError for anything else."""
        raise NotImplementedError

    def describe(self, value: T) -> object:
        """The value as people read it (`card_os.description`)."""
        raise NotImplementedError

    def read(self, fields: Fields, name: str) -> T:
        """Reads what `describe` gave out of a field; DescriptionError, naming it, for anything else."""
        raise NotImplementedError

    def facts(self, value: T, name: str, *around: Any) -> Iterator[Fact]:
        """What it tells. around: the objects that it is in, from the inside out, for names."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Frame:
    """How a value without a size of its own is told from what follows: by its length, so many bytes of it."""

    length_bytes: int

    def build(self, raw: bytes) -> bytes:
        return self.length(len(raw)) + raw

    def length(self, size: int) -> bytes:
        """What stands before so many bytes."""
        try:
            return size.to_bytes(self.length_bytes, "big")
        except OverflowError:
            raise WireError(f"{size} bytes are too many") from None

    def take(self, raw: bytes, at: int) -> tuple[bytes, int]:
        """The value at a place, and where the next one begins."""
        start = at + self.length_bytes
        return _take(raw, start, int.from_bytes(_take(raw, at, self.length_bytes)[0], "big"))


SHORT, LONG, COUNT = Frame(1), Frame(4), Frame(2)


def _take(raw: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(raw):
        raise WireError(f"{size} bytes wanted, {len(raw) - at} left")
    return raw[at : at + size], at + size


# --- simple values


class Word(Kind[E]):
    """One of an enumeration: a byte, and its name in small letters."""

    size = 1

    def __init__(self, members: type[E], words: Mapping[str, E] | None = None) -> None:
        self._members = members
        self._words = words or {one.name.lower(): one for one in members}
        self._names = {one: word for word, one in self._words.items()}

    def encode(self, value: E, owner: Any = None) -> bytes:
        return bytes([value])

    def decode(self, raw: bytes) -> E:
        return self._members(raw[0])

    def describe(self, value: E) -> str:
        return self._names[value]

    def read(self, fields: Fields, name: str) -> E:
        return fields.word(name, self._words)

    def facts(self, value: E, name: str, *around: Any) -> Iterator[Fact]:
        yield Fact(About.RULE, name, value, self._names[value])


class Number(Kind[int]):
    """A number of so many bytes. is_hex: people read its digits, as many as it has bytes for."""

    def __init__(self, size: int, low: int = 0, high: int | None = None, *, is_hex: bool = False) -> None:
        self.size = size
        self._low, self._high, self._is_hex = low, (1 << 8 * size) - 1 if high is None else high, is_hex

    def encode(self, value: int, owner: Any = None) -> bytes:
        assert self.size is not None
        return value.to_bytes(self.size, "big")

    def decode(self, raw: bytes) -> int:
        value = int.from_bytes(raw, "big")
        if not self._low <= value <= self._high:
            raise WireError(f"{value} is not from {self._low} to {self._high}")
        return value

    def describe(self, value: int) -> object:
        return f"{value:0{2 * (self.size or 1)}X}" if self._is_hex else value

    def read(self, fields: Fields, name: str) -> int:
        return fields.whole(name, self.size or 1) if self._is_hex else fields.number(name, self._low, self._high)

    def facts(self, value: int, name: str, *around: Any) -> Iterator[Fact]:
        yield Fact(About.RULE, name, value, str(self.describe(value)))


class Flag(Kind[bool]):
    """A byte, 00 or 01."""

    size = 1

    def encode(self, value: bool, owner: Any = None) -> bytes:
        return bytes([value])

    def decode(self, raw: bytes) -> bool:
        if raw[0] > 1:
            raise WireError(f"{raw[0]:02X} is neither yes nor no")
        return bool(raw[0])

    def describe(self, value: bool) -> bool:
        return value

    def read(self, fields: Fields, name: str) -> bool:
        return fields.flag(name)

    def facts(self, value: bool, name: str, *around: Any) -> Iterator[Fact]:
        yield Fact(About.RULE, name, value, "yes" if value else "no")


class Blob(Kind[bytes]):
    """Bytes that nobody here reads. about: what a fact of them is about; only how many they are is shown."""

    def __init__(self, about: About = About.RULE) -> None:
        self._about = about

    def encode(self, value: bytes, owner: Any = None) -> bytes:
        return value

    def decode(self, raw: bytes) -> bytes:
        return raw

    def describe(self, value: bytes) -> object:
        return hexadecimal(value)

    def read(self, fields: Fields, name: str) -> bytes:
        return fields.hexadecimal(name)

    def facts(self, value: bytes, name: str, *around: Any) -> Iterator[Fact]:
        yield Fact(self._about, name, value, byte_count(len(value)))


class Wire(Kind[T]):
    """A value that has a wire form of its own: `bytes(value)`, and a function that parses them."""

    def __init__(self, parse: Callable[[bytes], T]) -> None:
        self._parse = parse

    def encode(self, value: T, owner: Any = None) -> bytes:
        return bytes(value)  # type: ignore[call-overload,no-any-return]

    def decode(self, raw: bytes) -> T:
        return self._parse(raw)

    def describe(self, value: T) -> object:
        return hexadecimal(self.encode(value))

    def read(self, fields: Fields, name: str) -> T:
        return fields.made(name, self._parse)

    def facts(self, value: T, name: str, *around: Any) -> Iterator[Fact]:
        yield Fact(About.RULE, name, value, self.encode(value).hex().upper())


class Maybe(Kind[T | None]):
    """A value or none: zeros where the kind has a size, no bytes where it has none; null."""

    def __init__(self, kind: Kind[T]) -> None:
        self._kind, self.size = kind, kind.size

    def encode(self, value: T | None, owner: Any = None) -> bytes:
        return bytes(self.size or 0) if value is None else self._kind.encode(value, owner)

    def decode(self, raw: bytes) -> T | None:
        return None if not raw or (self.size is not None and not any(raw)) else self._kind.decode(raw)

    def describe(self, value: T | None) -> object:
        return None if value is None else self._kind.describe(value)

    def read(self, fields: Fields, name: str) -> T | None:
        return None if fields.take_none(name) else self._kind.read(fields, name)

    def facts(self, value: T | None, name: str, *around: Any) -> Iterator[Fact]:
        if value is None:
            yield Fact(About.RULE, name, None, "none")
        else:
            yield from self._kind.facts(value, name, *around)


# --- values of several parts


@dataclass(frozen=True, slots=True)
class Field:
    """A part of a record. frame: for kinds without a size.

    named: in descriptions, if not as its attribute. fact: the name of its facts, in which {0.x} is an attribute of the
    record and {1.x} one of what that is in; None: it tells nothing for itself. before: bytes that always stand there.
    """

    attribute: str
    kind: Kind[Any]
    frame: Frame | None = None
    named: str = ""
    fact: str | None = ""
    before: bytes = b""

    @property
    def word(self) -> str:
        return self.named or self.attribute


class Parts(Kind[T]):
    """A value that people read as an object with fields."""

    def read(self, fields: Fields, name: str) -> T:
        return self.read_fields(fields.fields(name))

    def read_fields(self, fields: Fields) -> T:
        """Reads what `describe` gave out of the fields of the object, all of them."""
        raise NotImplementedError


class Record(Parts[T]):
    """An object made of fields: `make` takes them by their attributes.

    head: the bytes before them, which say what this is and in which version. number_of: the field, a `OneOf`, whose
    number stands at the head in place of with the field. tells: facts of the whole, before those of the fields.
    """

    def __init__(
        self,
        make: Callable[..., T],
        *fields: Field,
        head: bytes = b"",
        number_of: str = "",
        tells: Callable[..., Iterable[Fact]] | None = None,
    ) -> None:
        self.fields, self._make, self._head, self._number_of, self._tells = fields, make, head, number_of, tells

    def encode(self, value: T, owner: Any = None) -> bytes:
        head, parts = self._head, []
        for field in self.fields:
            raw = field.kind.encode(getattr(value, field.attribute), value)
            if field.attribute == self._number_of:
                head, raw = head + raw[:1], raw[1:]
            parts += [field.before, raw if field.frame is None else field.frame.build(raw)]
        return head + b"".join(parts)

    def pieces(self, value: T, owner: Any, known: Known) -> list[Piece]:
        head, found = self._head, list[Piece]()
        for field in self.fields:
            pieces = field.kind.pieces(getattr(value, field.attribute), value, known)
            if field.attribute == self._number_of:
                first, *rest = pieces
                assert isinstance(first, bytes)
                head, pieces = head + first[:1], [first[1:], *rest]
            found += [field.before, b"" if field.frame is None else field.frame.length(_size(pieces)), *pieces]
        return _joined([head, *found])

    def decode(self, raw: bytes) -> T:
        head, at = _take(raw, 0, len(self._head))
        if head != self._head:
            raise WireError("this is something else, or of another version")
        number, at = _take(raw, at, 1 if self._number_of else 0)
        values = {}
        for field in self.fields:
            if field.before:
                before, at = _take(raw, at, len(field.before))
                if before != field.before:
                    raise WireError(f"something stands before {field.word}")
            if field.frame is not None:
                part, at = field.frame.take(raw, at)
            else:
                # What has neither size nor frame is the rest.
                part, at = _take(raw, at, len(raw) - at if field.kind.size is None else field.kind.size)
            values[field.attribute] = field.kind.decode(number + part if field.attribute == self._number_of else part)
        if at != len(raw):
            raise WireError(f"{len(raw) - at} bytes too many")
        return self._make(**values)

    def describe(self, value: T) -> Description:
        return {field.word: field.kind.describe(getattr(value, field.attribute)) for field in self.fields}

    def read_fields(self, fields: Fields) -> T:
        values = {field.attribute: field.kind.read(fields, field.word) for field in self.fields}
        fields.end()
        with fields.naming(""):
            return self._make(**values)

    def facts(self, value: T, name: str = "", *around: Any) -> Iterator[Fact]:
        if self._tells is not None:
            yield from self._tells(value, *around)
        for field in self.fields:
            if field.fact is not None:
                named = (field.fact or field.word.replace("_", " ")).format(value, *around)
                yield from field.kind.facts(getattr(value, field.attribute), named, value, *around)


@dataclass(frozen=True, slots=True)
class Option:
    """One way for a value to be. number: the byte before it, or several, with one of which its own bytes begin."""

    word: str | None
    type: type
    kind: Kind[Any]
    number: int | range


class OneOf(Parts[Any]):
    """A value of one of several types: a byte says which; `word` names the field that says it to people.

    An option without a word is null.
    """

    def __init__(self, word: str, *options: Option) -> None:
        self._word, self._options = word, options
        self._by_word = {one.word: one.kind for one in options if one.word is not None}

    def _option(self, value: Any) -> Option:
        return next(one for one in self._options if isinstance(value, one.type))

    def encode(self, value: Any, owner: Any = None) -> bytes:
        option = self._option(value)
        raw = option.kind.encode(value, owner)
        return bytes([option.number]) + raw if isinstance(option.number, int) else raw

    def pieces(self, value: Any, owner: Any, known: Known) -> list[Piece]:
        option = self._option(value)
        pieces = option.kind.pieces(value, owner, known)
        return [bytes([option.number]), *pieces] if isinstance(option.number, int) else pieces

    def decode(self, raw: bytes) -> Any:
        number = _take(raw, 0, 1)[0][0]
        for option in self._options:
            if isinstance(option.number, range) and number in option.number:
                return option.kind.decode(raw)
            if number == option.number:
                return option.kind.decode(raw[1:])
        raise WireError(f"{self._word} {number} is unknown")

    def describe(self, value: Any) -> object:
        option = self._option(value)
        described = option.kind.describe(value)
        return {self._word: option.word, **described} if isinstance(described, dict) else described

    def read(self, fields: Fields, name: str) -> Any:
        if any(one.word is None for one in self._options) and fields.take_none(name):
            return None
        return super().read(fields, name)

    def read_fields(self, fields: Fields) -> Any:
        kind = fields.word(self._word, self._by_word)
        assert isinstance(kind, Parts)
        return kind.read_fields(fields)

    def facts(self, value: Any, name: str, *around: Any) -> Iterator[Fact]:
        yield from self._option(value).kind.facts(value, name, *around)


class Nothing(Kind[None]):
    """What is not there: no bytes, null, no fact."""

    size = 0

    def encode(self, value: None, owner: Any = None) -> bytes:
        return b""

    def decode(self, raw: bytes) -> None:
        if raw:
            raise WireError("nothing belongs here")

    def describe(self, value: None) -> None:
        return None

    def read(self, fields: Fields, name: str) -> None:
        fields.take_none(name)

    def facts(self, value: None, name: str, *around: Any) -> Iterator[Fact]:
        yield from ()


class Many(Kind[tuple[T, ...]]):
    """Any number of records in their order, each with its length; their number stands before them, two bytes.

    key: what no two of them may have in common, and how people are told: "a file {:04X}". in_rows: each may be kept for
    itself, so that a change of one need not write all.
    """

    def __init__(
        self, kind: Parts[T], key: Callable[[T], Any], words: str, named: str, *, in_rows: bool = False
    ) -> None:
        self.kind, self._key, self._words, self._named, self.in_rows = kind, key, words, named, in_rows

    def encode(self, value: tuple[T, ...], owner: Any = None) -> bytes:
        count = len(value).to_bytes(2, "big")
        return count + b"".join(LONG.build(self.kind.encode(one, owner)) for one in value)

    def pieces(self, value: tuple[T, ...], owner: Any, known: Known) -> list[Piece]:
        if not self.in_rows:
            return [self.encode(value, owner)]
        groups = [known.group(one, lambda one: self._row(one, owner, known)) for one in value]
        return [len(value).to_bytes(2, "big"), *groups]

    def _row(self, value: T, owner: Any, known: Known) -> Group:
        pieces = _joined(self.kind.pieces(value, owner, known))
        size = _size(pieces)
        if len(pieces) == 1 and size >= MIN_PART_BYTES:
            pieces = [Part(value, size, partial(self.kind.encode, value, owner))]
        return Group(_joined([LONG.length(size), *pieces]), LONG.length_bytes + size)

    def decode(self, raw: bytes) -> tuple[T, ...]:
        head, at = _take(raw, 0, 2)
        found = []
        for _ in range(int.from_bytes(head, "big")):
            part, at = LONG.take(raw, at)
            found.append(self.kind.decode(part))
        if at != len(raw):
            raise WireError(f"{len(raw) - at} bytes too many")
        return tuple(found)

    def describe(self, value: tuple[T, ...]) -> object:
        return [self.kind.describe(one) for one in value]

    def read(self, fields: Fields, name: str) -> tuple[T, ...]:
        found: dict[Any, T] = {}
        for each in fields.each(name):
            one = self.kind.read_fields(each)
            key = self._key(one)
            if key in found:
                raise DescriptionError(f"{each.path(self._named)}: there is {self._words.format(key)} already")
            with each.naming(""):
                # The codec knows what else cannot be.
                if self.kind.decode(self.kind.encode(one)) != one:
                    raise WireError("this cannot be kept")
            found[key] = one
        return tuple(found.values())

    def facts(self, value: tuple[T, ...], name: str, *around: Any) -> Iterator[Fact]:
        for one in value:
            yield from self.kind.facts(one, name, *around)
