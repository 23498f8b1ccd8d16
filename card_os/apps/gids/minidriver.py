"""The files that hosts keep on a GIDS card: directory, cache file, container map, certificates.

The card does not interpret them; they are here as wire formats, for the factory that writes the first ones and for
programs that show what a card holds. Layouts: Windows smart card minidriver specification 7.07, and for the
directory and the key map, which Microsoft does not document, what OpenSC reads and writes (gids.md 2.4 to 2.8).
"""

import zlib
from dataclasses import dataclass

from construct import Bytes, Check, Const, GreedyBytes, Int8ub, Int16ul, Int32ul, Struct, this

from card_os.admin import AdminKey
from card_os.apps.gids.state import DataFile, GidsState
from card_os.outline import Slot
from card_os.wire import Format, WireError

CARD_ID = (0xA012, 0xDF20)
DIRECTORY = (0xA000, 0xDF1F)
CARD_APPS = (0xA010, 0xDF21)
CARD_CACHE = (0xA010, 0xDF22)
CONTAINER_MAP = (0xA010, 0xDF23)
KEY_MAP = (0xA000, 0xDF20)
"""Where the files are: EF and tag."""

DIRECTORY_VERSION = 1
FIRST_CONTAINER_KEY = 0x81
MAX_CERTIFICATE_BYTES = 0xFFFF

DIRECTORY_ENTRY = Format(
    Struct("directory" / Bytes(9), "name" / Bytes(9), Const(bytes(2)), "tag" / Int32ul, "efid" / Int32ul)
)
"""A record of the directory, 28 bytes; an empty name is a directory."""
DIRECTORY_ENTRY_BYTES = 28

CACHE_FILE = Format(Struct(Const(b"\x00"), "pins" / Int8ub, "containers" / Int16ul, "files" / Int16ul))
"""The cache file: counters that hosts raise when they change something, 6 bytes."""

CONTAINER = Format(
    Struct("name" / Bytes(80), "flags" / Int8ub, Const(b"\x00"), "signature_bits" / Int16ul, "exchange_bits" / Int16ul)
)
"""A record of the container map, 86 bytes; name in UTF-16LE, flags 01 valid and 02 default."""
CONTAINER_BYTES = 86

KEY_MAP_VERSION = 1
KEY_MAP_RECORD = Format(
    Struct(
        "state" / Int32ul,
        "algorithm" / Int8ub,
        "kind" / Int8ub,
        "efid" / Int16ul,
        Const(b"\xff\xff"),
        Const(bytes(2)),
    )
)
"""A record of the key map, 12 bytes, one for each container: state 1 used, kind 9A key exchange or 9C signature."""
KEY_MAP_RECORD_BYTES = 12

CERTIFICATE = Format(Struct(Const(b"\x01\x00"), "length" / Int16ul, Check(this.length > 0), "compressed" / GreedyBytes))
"""A certificate file: length of the DER certificate in bytes, and the certificate as a zlib stream."""


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A file of the host: `directory` and `name` of at most 8 characters, and where its content is."""

    directory: str
    name: str
    tag: int
    efid: int

    def __bytes__(self) -> bytes:
        fields = {"tag": self.tag, "efid": self.efid}
        names = {"directory": self.directory, "name": self.name}
        padded = {field: text.encode("ascii").ljust(9, b"\x00") for field, text in names.items()}
        return DIRECTORY_ENTRY.build({**padded, **fields})

    @classmethod
    def parse(cls, raw: bytes) -> "DirectoryEntry":
        c = DIRECTORY_ENTRY.parse(raw)
        return cls(_text(c.directory), _text(c.name), c.tag, c.efid)


def _text(raw: bytes) -> str:
    return raw.partition(b"\x00")[0].decode("ascii", "replace")


def content(state: GidsState, place: tuple[int, int]) -> bytes | None:
    """Returns the content of a host file, or None."""
    efid, tag = place
    file = state.file(efid)
    one = file.get(tag) if isinstance(file, DataFile) else None
    return one.value if one is not None else None


def directory(state: GidsState) -> tuple[DirectoryEntry, ...]:
    """Returns the host files; empty if the card has no readable directory."""
    table = content(state, DIRECTORY) or b""
    if table[:1] != bytes([DIRECTORY_VERSION]):
        return ()
    records = [table[at : at + 28] for at in range(1, len(table) - 27, 28)]
    return tuple(DirectoryEntry.parse(record) for record in records if record[18:20] == bytes(2))


def containers(state: GidsState) -> tuple[Slot, ...]:
    """Returns the valid containers of the container map, in order."""
    table = content(state, CONTAINER_MAP) or b""
    records = [table[at : at + CONTAINER_BYTES] for at in range(0, len(table), CONTAINER_BYTES)]
    found = []
    for number, record in enumerate(records):
        try:
            c = CONTAINER.parse(record)
        except WireError:
            continue
        if c.flags & 0x01:
            name = c.name.decode("utf-16-le", "replace").partition("\x00")[0]
            use = "key exchange" if c.exchange_bits else "signature"
            file = state.key_file(FIRST_CONTAINER_KEY + number)
            key = file.key if file else None
            kind = None if key is None or isinstance(key, AdminKey) else key.kind
            found.append(Slot(number, name, use, kind, _certificates(state, number), bool(c.flags & 0x02)))
    return tuple(found)


def _certificates(state: GidsState, number: int) -> tuple[bytes, ...]:
    names = {f"kxc{number:02X}", f"ksc{number:02X}"}
    entries = [entry for entry in directory(state) if entry.directory == "mscp" and entry.name in names]
    values = [content(state, (entry.efid, entry.tag)) for entry in entries]
    return tuple(unpack_certificate(value) for value in values if value)


def unpack_certificate(raw: bytes) -> bytes:
    """Returns the DER certificate of a certificate file; empty bytes if it cannot be read."""
    try:
        c = CERTIFICATE.parse(raw)
        stream = zlib.decompressobj()
        der = stream.decompress(c.compressed, MAX_CERTIFICATE_BYTES)
    except (WireError, zlib.error):
        return b""
    return der if stream.eof and len(der) == c.length else b""
