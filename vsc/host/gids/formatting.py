"""Formatting: every key, certificate and file goes; PIN, admin key, PIN policy and try limits stay.

All of it may be done by the administrator alone, for on a card of the Windows profile the rules of the application
(8C 30 30) and of the files A000 to A014 name PIN *or* admin key, or the admin key (gids.md 2.1 and 3). On a card with
other rules the first refused write is AuthenticationRequired; the first write of all is that of the card's id, which
only the administrator may make.

The order: id and cache counters, so that no host trusts its copies; keys, so that the secrets are gone whatever
follows; then the lists, each before what it lists. A card that is cut off in between can be formatted again.
"""

from contextlib import suppress

from card_os.apps.gids.minidriver import CARD_APPS, CARD_CACHE, CARD_ID, CONTAINER_MAP, DIRECTORY, KEY_MAP
from card_os.apps.gids.wire import EfId, Tag
from vsc.errors import UnsupportedCard
from vsc.host.gids.files import MSCP, ContainerMap, Directory
from vsc.host.gids.filesystem import FileSystem
from vsc.host.gids.keys import MAX_CONTAINERS, Keys

GIDS_CONTAINERS = 0x9E - 0x81 + 1
"""Key ids of the specification go to 9E; OpenSC goes on from there (gids.md 6.2)."""
_DATA_FILES = (0xA000, 0xA010, 0xA011, 0xA012, 0xA013, 0xA014)
_STAYS = frozenset({CARD_ID, CARD_APPS, CARD_CACHE, CONTAINER_MAP, DIRECTORY, (EfId.ADMIN_WRITE, Tag.PIN_POLICY)})
_APPS = MSCP.encode().ljust(8, b"\x00")


class Formatting:
    """Makes the file system of a card new."""

    def __init__(self, files: FileSystem, keys: Keys) -> None:
        self._files = files
        self._keys = keys

    def run(self, card_id: bytes) -> None:
        """Formats the card and gives it another id of 16 bytes. AuthenticationRequired."""
        objects = self._files.objects
        places = self._places()
        count = max(len(self._files.container_map().records), self._key_count(), GIDS_CONTAINERS)
        self._files.put_card_id(card_id)
        for number in range(min(count, MAX_CONTAINERS)):
            self._keys.delete(number)
        objects.delete(KEY_MAP)
        self._files.put_container_map(ContainerMap(()))
        self._files.put_directory(Directory.base())
        for place in places:
            objects.delete(place)
        objects.put(CARD_APPS, _APPS)

    def _key_count(self) -> int:
        try:
            return len(self._files.key_map().records)
        except UnsupportedCard:
            return 0

    def _places(self) -> list[tuple[int, int]]:
        """Where everything is that goes: as far as the files say themselves, or the directory does."""
        found = {(efid, tag) for efid in _DATA_FILES for tag in self._files.objects.tags(efid)}
        # A card whose file system cannot be read is one that wants formatting.
        with suppress(UnsupportedCard):
            found |= {(entry.efid, entry.tag) for entry in self._files.directory().entries if entry.tag}
        return sorted(place for place in found if place not in _STAYS and place[0] in _DATA_FILES)
