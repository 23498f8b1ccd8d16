"""What a GIDS card holds, for whoever knows no application: its PINs, and the containers that Windows keeps on it."""

from card_os.admin import AdminKey
from card_os.apps.gids.minidriver import containers
from card_os.apps.gids.personalisation import card_id
from card_os.apps.gids.state import GidsState, LifeCycle
from card_os.apps.gids.wire import ADMIN_KEY_ID
from card_os.outline import Outline, Reference


def outline(state: GidsState) -> Outline:
    """identity: `cardid`, 16 bytes of the minidriver. Slots are the valid containers."""
    found = [
        Reference(name, pin.tries_left, pin.try_limit)
        for name, pin in (("PIN", state.pin), ("PUK", state.puk))
        if pin.value is not None
    ]
    file = state.key_file(ADMIN_KEY_ID)
    if file is not None and isinstance(file.key, AdminKey):
        limit = file.key.try_limit
        found.append(Reference("admin key", None if limit is None else file.key.tries_left, limit))
    slots = containers(state) if state.life_cycle != LifeCycle.CREATION else ()
    return Outline("GIDS", state.life_cycle.name.lower(), card_id(state), tuple(found), state.pin_policy, slots)
