"""The two cards that leave our factory: blank, as `gids-tool -X` wants it, and personalised, ready for use.

A personalised card is, byte for byte, what `gids-tool -X` makes of a blank one (gids.md 9.1); a test holds that.
"""

from card_os.access import AccessRule
from card_os.admin import AdminKey
from card_os.apps.gids.minidriver import (
    CACHE_FILE,
    CARD_APPS,
    CARD_CACHE,
    CARD_ID,
    CONTAINER_MAP,
    DIRECTORY,
    DIRECTORY_VERSION,
    DirectoryEntry,
    content,
)
from card_os.apps.gids.state import DataFile, File, GidsState, KeyFile, KeyUse, LifeCycle
from card_os.apps.gids.wire import THREE_KEY_3DES, Crt
from card_os.pin import MAX_TRIES, Pin, PinPolicy
from card_os.tlv import Tlv

_CARD_APPS = b"mscp".ljust(8, b"\x00")

# The files of the Windows profile and their rules: who may PUT, who may GET (gids.md 2.1).
_RULES = {
    0xA000: "033000",
    0xA010: "033000",
    0xA011: "0330FF",
    0xA012: "032000",
    0xA013: "033030",
    0xA014: "032020",
}


def _objects(card_id: bytes) -> dict[int, tuple[Tlv, ...]]:
    entries = (
        DirectoryEntry("mscp", "", 0, 0xA000),
        DirectoryEntry("", "cardid", CARD_ID[1], CARD_ID[0]),
        DirectoryEntry("", "cardapps", CARD_APPS[1], CARD_APPS[0]),
        DirectoryEntry("", "cardcf", CARD_CACHE[1], CARD_CACHE[0]),
        DirectoryEntry("mscp", "cmapfile", CONTAINER_MAP[1], CONTAINER_MAP[0]),
    )
    table = bytes([DIRECTORY_VERSION]) + b"".join(bytes(entry) for entry in entries)
    cache = CACHE_FILE.build({"pins": 0, "containers": 0, "files": 0})
    return {
        DIRECTORY[0]: (Tlv(DIRECTORY[1], table),),
        CARD_APPS[0]: (Tlv(CARD_APPS[1], _CARD_APPS), Tlv(CARD_CACHE[1], cache), Tlv(CONTAINER_MAP[1])),
        CARD_ID[0]: (Tlv(CARD_ID[1], card_id),),
    }


def blank(*, pin_policy: PinPolicy | None = None, tries: int, admin_try_limit: int | None = None) -> GidsState:
    """A card in the initialisation state: no file, no PIN, no access control."""
    if not 1 <= tries <= MAX_TRIES:
        raise ValueError(f"a PIN has 1 to {MAX_TRIES} tries")
    unset = Pin(None, tries, tries)
    return GidsState(pin=unset, puk=unset, pin_policy=pin_policy, admin_try_limit=admin_try_limit)


def personalised(
    *,
    pin: bytes,
    admin_key: bytes,
    card_id: bytes | None,
    tries: int,
    pin_policy: PinPolicy | None = None,
    puk: bytes | None = None,
    admin_try_limit: int | None = None,
) -> GidsState:
    """An operational card with its file system written.

    pin and puk: bytes as they will be sent; admin_key: 24 bytes; card_id: 16 bytes, None: the files are there, with
    nothing in them, until somebody formats the card (winrt-smartcards.md 6.5); tries: 1 to 15.
    Raises ValueError for a PIN that breaks the policy and for wrong lengths.
    """
    start = blank(pin_policy=pin_policy, tries=tries, admin_try_limit=admin_try_limit)
    broken = start.enforced_policy.violation(pin)
    if broken:
        raise ValueError(broken)
    if card_id is not None and len(card_id) != 16:
        raise ValueError("a card id has 16 bytes")
    objects = {} if card_id is None else _objects(card_id)
    files: list[File] = [
        DataFile(efid, AccessRule.parse(bytes.fromhex(rule)), is_active=True, objects=objects.get(efid, ()))
        for efid, rule in _RULES.items()
    ]
    admin_rule = AccessRule.parse(bytes.fromhex("870020FF"))
    admin_use = KeyUse(Crt.AUTHENTICATION, THREE_KEY_3DES, 0xC0)
    key = AdminKey.new(admin_key, try_limit=admin_try_limit)
    files.append(KeyFile(0xB080, admin_rule, (admin_use,), is_active=True, key=key))
    return GidsState(
        life_cycle=LifeCycle.OPERATIONAL,
        pin=start.pin.with_value(pin),
        puk=start.puk.with_value(puk) if puk else start.puk,
        pin_policy=pin_policy,
        admin_try_limit=admin_try_limit,
        files=tuple(files),
    )


def card_id(state: GidsState) -> bytes | None:
    """Returns the 16 bytes of `cardid`, or None on a card without one."""
    return content(state, CARD_ID)
