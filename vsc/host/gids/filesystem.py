"""Reading and writing the hosts' files on the card: `files` has what is in them."""

from card_os.apps.gids.minidriver import CARD_CACHE, CARD_ID, CONTAINER_MAP, DIRECTORY, KEY_MAP
from card_os.apps.gids.wire import Ins
from card_os.sw import SW
from vsc.host.exchange import Exchange
from vsc.host.gids.files import ContainerMap, Directory, KeyMap, raised
from vsc.host.gids.objects import Objects, Place

CARD_ID_BYTES = 16


class FileSystem:
    """The hosts' files. What writes raises AuthenticationRequired where the card wants PIN or admin key."""

    def __init__(self, exchange: Exchange, objects: Objects) -> None:
        self._exchange = exchange
        self.objects = objects

    def directory(self) -> Directory:
        """UnsupportedCard: the card has no file system that hosts share."""
        return Directory.parse(self.objects.find(DIRECTORY) or b"")

    def container_map(self) -> ContainerMap:
        return ContainerMap.parse(self.objects.find(CONTAINER_MAP) or b"")

    def key_map(self) -> KeyMap:
        return KeyMap.parse(self.objects.find(KEY_MAP) or b"")

    def card_id(self) -> bytes | None:
        """Returns the 16 bytes of `cardid`; None if it is not there, or no such id."""
        value = self.objects.find(CARD_ID)
        return value if value is not None and len(value) == CARD_ID_BYTES else None

    def put_directory(self, directory: Directory) -> None:
        self.objects.put(DIRECTORY, bytes(directory))

    def put_container_map(self, table: ContainerMap) -> None:
        """Writes the map; the counter of files goes up before, as OpenSC does it."""
        self.touch(files=1)
        if bytes(table):
            self.objects.put(CONTAINER_MAP, bytes(table))
        else:
            self.objects.empty(CONTAINER_MAP)

    def put_key_map(self, table: KeyMap) -> None:
        """Writes the map, or deletes an empty one; the counter of containers goes up before, as OpenSC does it."""
        self.touch(containers=1)
        if table.records or table.tail:
            self.objects.put(KEY_MAP, bytes(table))
        else:
            self.objects.delete(KEY_MAP)

    def put_file(self, place: Place, value: bytes) -> None:
        self.touch(files=1)
        self.objects.put(place, value)

    def put_card_id(self, card_id: bytes) -> None:
        """Writes `cardid`, 16 bytes; needs the admin key, and nothing is written without."""
        self.objects.put(CARD_ID, card_id)
        self.touch(containers=1, files=1)

    def touch(self, *, containers: int = 0, files: int = 0) -> None:
        """Raises the counters of the cache file, before a change: a host that looks in between only looks again."""
        cache = self.objects.find(CARD_CACHE)
        new = raised(bytes(6) if cache is None else cache, containers=containers, files=files)
        if new is not None:
            self.objects.put(CARD_CACHE, new)

    def select(self, efid: int) -> bool:
        """Makes an EF the current one; False if there is none of that name."""
        return self._exchange.send(Ins.SELECT, 0x000C, efid.to_bytes(2, "big")).sw == SW.OK

    def delete_current(self, command: str) -> None:
        """DELETE FILE: takes the current EF away, with the key in it."""
        self._exchange.run(Ins.DELETE_FILE, 0x0000, command=command)
