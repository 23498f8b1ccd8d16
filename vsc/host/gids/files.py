"""The files that every host keeps on a GIDS card, as values: directory, container map, key map, cache counters.

Each is a row of records of one size. A record that this module cannot read, and bytes that fill no record, stay where
they are: another host may know them. Layouts: gids.md 2.4 to 2.7, declared in `card_os.apps.gids.minidriver`.
"""

from dataclasses import dataclass, replace
from typing import Self

from card_os.apps.gids.minidriver import (
    CACHE_FILE,
    CARD_APPS,
    CARD_CACHE,
    CARD_ID,
    CONTAINER,
    CONTAINER_BYTES,
    CONTAINER_MAP,
    DIRECTORY_ENTRY_BYTES,
    DIRECTORY_VERSION,
    KEY_MAP_RECORD,
    KEY_MAP_RECORD_BYTES,
    KEY_MAP_VERSION,
    DirectoryEntry,
)
from card_os.wire import WireError
from vsc.errors import UnsupportedCard
from vsc.host.port import KeyUse

MSCP = "mscp"
CERTIFICATES_EF = 0xA010
FIRST_FREE_TAG, LAST_TAG = 0xDF21, 0xDF7F
"""Two-byte tags that hosts give out, from the first one up (gids.md 2.4 and 7.3)."""
MAX_NAME_CHARACTERS = 39
_VALID, _DEFAULT = 0x01, 0x02


CERTIFICATE_PREFIXES = {KeyUse.EXCHANGE: "kxc", KeyUse.SIGNATURE: "ksc"}
"""What the name of a certificate's file begins with, by what its key is for; other uses there are not."""
_KEY_MAP_KINDS = {KeyUse.EXCHANGE: 0x9A, KeyUse.SIGNATURE: 0x9C}


def checked_use(use: KeyUse) -> KeyUse:
    """UnsupportedCard for a use that the files of GIDS have no name for."""
    if use not in CERTIFICATE_PREFIXES:
        raise UnsupportedCard(f"a key of a GIDS card is for key exchange or signature, not for {use.value}")
    return use


BASE_ENTRIES = (
    DirectoryEntry(MSCP, "", 0, 0xA000),
    DirectoryEntry("", "cardid", CARD_ID[1], CARD_ID[0]),
    DirectoryEntry("", "cardapps", CARD_APPS[1], CARD_APPS[0]),
    DirectoryEntry("", "cardcf", CARD_CACHE[1], CARD_CACHE[0]),
    DirectoryEntry(MSCP, "cmapfile", CONTAINER_MAP[1], CONTAINER_MAP[0]),
)
"""What the directory of a card without containers lists."""


def _records(raw: bytes, size: int) -> tuple[tuple[bytes, ...], bytes]:
    whole = len(raw) - len(raw) % size
    return tuple(raw[at : at + size] for at in range(0, whole, size)), raw[whole:]


@dataclass(frozen=True, slots=True)
class Directory:
    """The file system table: which file is where. records: 28 bytes each."""

    records: tuple[bytes, ...]
    tail: bytes = b""

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """UnsupportedCard if it begins with another version than 1."""
        if raw[:1] != bytes([DIRECTORY_VERSION]):
            raise UnsupportedCard(
                "the card has no file system that hosts share: it was never formatted, or is of another kind"
            )
        return cls(*_records(raw[1:], DIRECTORY_ENTRY_BYTES))

    @classmethod
    def base(cls) -> Self:
        return cls(tuple(bytes(entry) for entry in BASE_ENTRIES))

    def __bytes__(self) -> bytes:
        return bytes([DIRECTORY_VERSION]) + b"".join(self.records) + self.tail

    @property
    def entries(self) -> tuple[DirectoryEntry, ...]:
        """The records that can be read."""
        return tuple(entry for record in self.records if (entry := _entry(record)) is not None)

    def find(self, name: str, directory: str = MSCP) -> DirectoryEntry | None:
        return next((one for one in self.entries if (one.directory, one.name) == (directory, name)), None)

    def with_entry(self, entry: DirectoryEntry) -> Self:
        return replace(self, records=(*self.records, bytes(entry)))

    def without(self, entry: DirectoryEntry) -> Self:
        """Takes a file off the list; the gap is closed."""
        return replace(self, records=tuple(record for record in self.records if _entry(record) != entry))

    def free_tag(self, efid: int = CERTIFICATES_EF) -> int:
        """Returns the first tag that no file of that EF has; UnsupportedCard if there is none."""
        taken = {entry.tag for entry in self.entries if entry.efid == efid}
        free = next((tag for tag in range(FIRST_FREE_TAG, LAST_TAG + 1) if tag not in taken), None)
        if free is None:
            raise UnsupportedCard("the card's file system is full")
        return free


def _entry(record: bytes) -> DirectoryEntry | None:
    try:
        return DirectoryEntry.parse(record)
    except WireError:
        return None


@dataclass(frozen=True, slots=True)
class ContainerRecord:
    """A record of the container map. Exactly one of the sizes is not 0 in a container that hosts can use."""

    name: str
    use: KeyUse
    key_bits: int
    is_default: bool = False

    def __bytes__(self) -> bytes:
        sizes = {use: self.key_bits if use is self.use else 0 for use in CERTIFICATE_PREFIXES}
        fields = {
            "name": checked_name(self.name).encode("utf-16-le").ljust(80, b"\x00"),
            "flags": _VALID | (_DEFAULT if self.is_default else 0),
            "signature_bits": sizes[KeyUse.SIGNATURE],
            "exchange_bits": sizes[KeyUse.EXCHANGE],
        }
        return CONTAINER.build(fields)

    @classmethod
    def parse(cls, raw: bytes) -> Self | None:
        """None: not valid, or with both keys or none, which other hosts leave alone, too (gids.md 2.6)."""
        try:
            c = CONTAINER.parse(raw)
        except WireError:
            return None
        if not c.flags & _VALID or bool(c.signature_bits) == bool(c.exchange_bits):
            return None
        name = c.name.decode("utf-16-le", "replace").partition("\x00")[0]
        use = KeyUse.EXCHANGE if c.exchange_bits else KeyUse.SIGNATURE
        return cls(name, use, c.exchange_bits or c.signature_bits, bool(c.flags & _DEFAULT))


def checked_name(name: str) -> str:
    """Returns the name of a container; ValueError if it is empty, holds a zero or is longer than 39 UTF-16 units."""
    try:
        units = len(name.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        raise ValueError("a container's name is text") from None
    if not 1 <= units <= MAX_NAME_CHARACTERS or "\x00" in name:
        raise ValueError(f"a container's name has 1 to {MAX_NAME_CHARACTERS} characters")
    return name


@dataclass(frozen=True, slots=True)
class ContainerMap:
    """The container map, `cmapfile`: records of 86 bytes, by container number. A free one is all zeros."""

    records: tuple[bytes, ...]
    tail: bytes = b""

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        return cls(*_records(raw, CONTAINER_BYTES))

    def __bytes__(self) -> bytes:
        return b"".join(self.records) + self.tail

    @property
    def containers(self) -> dict[int, ContainerRecord]:
        """The containers that can be used, by number."""
        found = ((number, ContainerRecord.parse(record)) for number, record in enumerate(self.records))
        return {number: record for number, record in found if record is not None}

    @property
    def free_number(self) -> int:
        """The first number without a container: of a record of zeros, else the next."""
        free = (number for number, record in enumerate(self.records) if not any(record))
        return next(free, len(self.records))

    def is_free(self, number: int) -> bool:
        return number == len(self.records) or (number < len(self.records) and not any(self.records[number]))

    def with_container(self, number: int, record: ContainerRecord) -> Self:
        """Puts a container in a free place; it becomes the default one if there is none."""
        is_default = not any(one.is_default for one in self.containers.values())
        raw = bytes(replace(record, is_default=is_default))
        return replace(self, records=(*self.records[:number], raw, *self.records[number + 1 :]))

    def without(self, number: int) -> Self:
        """Frees a place; if it was the default container, the first one left becomes that.

        A place between others stays, for their numbers are their places. Free ones at the end go: OpenSC shows each
        free place as a key without a name (gids.md 10.2.6).
        """
        left = {other: one for other, one in self.containers.items() if other != number}
        records = list(self.records)
        records[number] = bytes(CONTAINER_BYTES)
        if left and not any(one.is_default for one in left.values()):
            first = min(left)
            # Only the flag: whatever else another host has put there stays.
            records[first] = records[first][:80] + bytes([records[first][80] | _DEFAULT]) + records[first][81:]
        while records and not any(records[-1]) and not self.tail:
            records.pop()
        return replace(self, records=tuple(records))


FREE_KEY = KEY_MAP_RECORD.build({"state": 0, "algorithm": 0, "kind": 0, "efid": 0xFFFF})


@dataclass(frozen=True, slots=True)
class KeyMap:
    """The key map: 12 bytes for each record of the container map."""

    records: tuple[bytes, ...] = ()
    tail: bytes = b""

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """UnsupportedCard for another version than 1. None at all is a map without records."""
        if not raw:
            return cls()
        if raw[:1] != bytes([KEY_MAP_VERSION]):
            raise UnsupportedCard("the card's key map is of an unknown kind")
        return cls(*_records(raw[1:], KEY_MAP_RECORD_BYTES))

    def __bytes__(self) -> bytes:
        return bytes([KEY_MAP_VERSION]) + b"".join(self.records) + self.tail

    def fitted(self, count: int) -> Self:
        """Returns the map with that many records: OpenSC makes no key where the two maps differ (gids.md 10.2.7).

        They differ after Windows has deleted the last key, and where a host lost the card between the two writes.
        """
        return replace(self, records=(*self.records, *[FREE_KEY] * (count - len(self.records)))[:count])

    def with_key(self, number: int, *, algorithm: int, use: KeyUse, efid: int) -> Self:
        fields = {"state": 1, "algorithm": algorithm, "kind": _KEY_MAP_KINDS[use], "efid": efid}
        return self._with(number, KEY_MAP_RECORD.build(fields))

    def without(self, number: int) -> Self:
        return self._with(number, FREE_KEY) if number < len(self.records) else self

    def _with(self, number: int, record: bytes) -> Self:
        fitted = self.fitted(max(len(self.records), number + 1))
        return replace(fitted, records=(*fitted.records[:number], record, *fitted.records[number + 1 :]))


def raised(cache: bytes, *, containers: int = 0, files: int = 0) -> bytes | None:
    """Returns the cache file with its counters raised; None if it is none, and so to be left alone.

    Hosts keep copies of files and keys for as long as the counters are the same (gids.md 2.5 and 9.10). The counter
    of PINs is for who keeps PINs, and nobody does.
    """
    try:
        c = CACHE_FILE.parse(cache)
    except WireError:
        return None
    fields = {"containers": c.containers + containers & 0xFFFF, "files": c.files + files & 0xFFFF}
    return CACHE_FILE.build({"pins": c.pins, **fields})
