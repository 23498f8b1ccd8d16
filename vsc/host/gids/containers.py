"""Key containers: a record in two maps, a key file, perhaps a certificate; all of it kept together.

In which order things are written, so that a card which is pulled out in between still reads well in OpenSC and Windows
(they go by the container map and the directory, and look for nothing that these do not name):

    new container       key file, key in it; key map; container map last: before it, the container does not exist.
                        What a cut leaves is a key file of a free number, which the next new container replaces
    certificate         its file first, then the directory; a cut leaves a file that nothing names, and that the next
                        certificate overwrites
    without certificate directory first, then the file
    delete container    certificate; key file first of the rest, as OpenSC does: whatever follows, the key is gone.
                        Then key map, container map. A cut leaves a container without a key; deleting it again ends it

A new container that fails without a cut (a key the card does not take, no PIN) is undone.
"""

import uuid
import zlib
from collections.abc import Callable
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from card_os.apps.gids.minidriver import CERTIFICATE, MAX_CERTIFICATE_BYTES, DirectoryEntry, unpack_certificate
from card_os.apps.gids.wire import MAX_OBJECT_BYTES
from vsc.errors import LostCardError, UnsupportedCard, VscError
from vsc.host.gids.files import (
    CERTIFICATE_PREFIXES,
    CERTIFICATES_EF,
    MSCP,
    ContainerRecord,
    Directory,
    KeyMap,
    checked_name,
    checked_use,
)
from vsc.host.gids.filesystem import FileSystem
from vsc.host.gids.keys import MAX_CONTAINERS, Keys, algorithm_of, key_efid
from vsc.host.port import KeyUse, Slot

Container = Slot
"""A key container. number: its place on the card; key id and PKCS#11 id follow from it. kind: as the map says."""


class Containers:
    """The containers of the selected application."""

    def __init__(self, files: FileSystem, keys: Keys) -> None:
        self._files = files
        self._keys = keys

    def all(self) -> tuple[Container, ...]:
        """Returns every container that hosts can use, by number, with public key and certificate."""
        records = self._files.container_map().containers
        directory = self._files.directory() if records else Directory(())
        return tuple(self._container(number, record, directory) for number, record in records.items())

    def _container(self, number: int, record: ContainerRecord, directory: Directory) -> Container:
        stored = self._stored_certificate(number, record, directory)
        der = unpack_certificate(stored) if stored else None
        try:
            key = self._keys.public(number)
        except UnsupportedCard:
            key = None
        return Container(number, record.name, record.is_default, record.use, f"rsa:{record.key_bits}", der or None, key)

    def record(self, number: int) -> ContainerRecord:
        """Returns the map's record; VscError if there is no such container."""
        found = self._files.container_map().containers.get(number)
        if found is None:
            raise VscError(f"the card has no key container {number}")
        return found

    # --- making and deleting

    def import_key(self, key: RSAPrivateKey, *, number: int | None, name: str | None, use: KeyUse) -> int:
        algorithm_of(key.key_size), checked_use(use)
        return self._make(key.key_size, number, name, use, lambda made: self._keys.store(made, key))

    def generate_key(self, bits: int, *, number: int | None, name: str | None, use: KeyUse) -> int:
        algorithm_of(bits), checked_use(use)
        return self._make(bits, number, name, use, lambda made: self._keys.generate(made, bits))

    def _make(self, bits: int, number: int | None, name: str | None, use: KeyUse, fill: Callable[[int], None]) -> int:
        """Makes a container round the key that `fill` puts into its key file; returns its number."""
        name = _new_name() if name is None else checked_name(name)
        self._files.directory()
        table, key_map = self._files.container_map(), self._files.key_map()
        number = table.free_number if number is None else number
        if number < 0 or not table.is_free(number):
            raise VscError(f"key container {number} is not free; the next one is {table.free_number}")
        if number >= MAX_CONTAINERS:
            raise UnsupportedCard(f"a card holds at most {MAX_CONTAINERS} key containers")
        new_table = table.with_container(number, ContainerRecord(name, use, bits))
        new_keys = key_map.fitted(len(new_table.records)).with_key(
            number, algorithm=algorithm_of(bits), use=use, efid=key_efid(number)
        )
        try:
            self._keys.create(number, bits, use)
            fill(number)
            self._forget_certificates(number)
            self._files.put_key_map(new_keys)
            self._files.put_container_map(new_table)
        except LostCardError:
            raise
        except BaseException:
            self._undo(number, key_map)
            raise
        return number

    def _undo(self, number: int, key_map: KeyMap) -> None:
        """Takes a half-made container away again, as far as the card lets us: the first error is the one to tell."""
        with suppress(VscError):
            self._keys.delete(number)
            if self._files.key_map() != key_map:
                self._files.put_key_map(key_map)

    def delete(self, number: int) -> None:
        """Deletes a container with key and certificate. AuthenticationRequired."""
        self.record(number)
        self._forget_certificates(number)
        self._keys.delete(number)
        key_map, table = self._files.key_map(), self._files.container_map()
        # A card may have lost its map meanwhile: then there is nothing to take the container off.
        left = table.without(number) if number < len(table.records) else table
        if number < len(key_map.records):
            self._files.put_key_map(key_map.without(number).fitted(len(left.records)))
        if left != table:
            self._files.put_container_map(left)

    # --- certificates

    def read_certificate(self, number: int) -> bytes | None:
        """Returns the DER certificate, or None; VscError if the card's file of it cannot be read."""
        stored = self._stored_certificate(number, self.record(number), self._files.directory())
        if not stored:
            return None
        der = unpack_certificate(stored)
        if not der:
            raise VscError(f"the certificate of key container {number} cannot be read")
        return der

    def write_certificate(self, number: int, der: bytes) -> None:
        """Writes the DER certificate of a container; one that is there is replaced."""
        packed = pack_certificate(der)
        record, directory = self.record(number), self._files.directory()
        entry = _find(directory, number, record.use)
        if entry is not None:
            self._files.put_file((entry.efid, entry.tag), packed)
            return
        name = f"{CERTIFICATE_PREFIXES[record.use]}{number:02X}"
        entry = DirectoryEntry(MSCP, name, directory.free_tag(), CERTIFICATES_EF)
        self._files.put_file((entry.efid, entry.tag), packed)
        self._files.touch(files=1)
        self._files.put_directory(directory.with_entry(entry))

    def delete_certificate(self, number: int) -> None:
        """Deletes the certificate of a container; VscError if it has none."""
        self.record(number)
        if not self._forget_certificates(number):
            raise VscError(f"key container {number} has no certificate")

    def _forget_certificates(self, number: int) -> bool:
        """Takes away whatever certificate there is for a number, of either use."""
        directory = self._files.directory()
        entries = [entry for use in CERTIFICATE_PREFIXES if (entry := _find(directory, number, use))]
        for entry in entries:
            directory = directory.without(entry)
            self._files.touch(files=1)
            self._files.put_directory(directory)
            self._files.objects.delete((entry.efid, entry.tag))
        return bool(entries)

    def _stored_certificate(self, number: int, record: ContainerRecord, directory: Directory) -> bytes | None:
        entry = _find(directory, number, record.use)
        return None if entry is None else self._files.objects.find((entry.efid, entry.tag))


def _find(directory: Directory, number: int, use: KeyUse) -> DirectoryEntry | None:
    return directory.find(f"{CERTIFICATE_PREFIXES[use]}{number:02X}")


def _new_name() -> str:
    """A name as Windows makes it: a GUID in braces."""
    return f"{{{uuid.uuid4()}}}"


def certificate_problem(der: bytes) -> str | None:
    """Says why a card has no room for a certificate; None: it has, if it is not full."""
    if not 1 <= len(der) <= MAX_CERTIFICATE_BYTES:
        return f"{len(der)} bytes, and a card holds {MAX_CERTIFICATE_BYTES}"
    packed = len(pack_certificate(der))
    return f"{packed} bytes when compressed, and a card holds {MAX_OBJECT_BYTES}" if packed > MAX_OBJECT_BYTES else None


def pack_certificate(der: bytes) -> bytes:
    """Wraps a certificate as hosts keep it; ValueError if it is empty or longer than 65 535 bytes."""
    if not 1 <= len(der) <= MAX_CERTIFICATE_BYTES:
        raise ValueError(f"a certificate has 1 to {MAX_CERTIFICATE_BYTES} bytes")
    return CERTIFICATE.build({"length": len(der), "compressed": zlib.compress(der, 9)})
