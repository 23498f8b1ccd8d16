"""vsc, the software virtual smart card: what people touch.

    import vsc
    vsc.create("work", pin=b"12345678")
    with vsc.powered("work") as card:
        card.transmit(...)

The card itself is `card_os`, the wire to vsmartcard's vpcd is `vpcd_bridge`; nothing there imports this package.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from card_os.pin import CharacterRule, PinPolicy
    from vsc.cards import admin_key_of, create, create_blank, powered
    from vsc.errors import (
        CardExistsError,
        CardInUseError,
        CardNotFoundError,
        ImageError,
        RefusedError,
        VscError,
    )

__all__ = [
    "CardExistsError",
    "CardInUseError",
    "CardNotFoundError",
    "CharacterRule",
    "ImageError",
    "PinPolicy",
    "RefusedError",
    "VscError",
    "admin_key_of",
    "create",
    "create_blank",
    "powered",
]

_MODULES = ("vsc.errors", "vsc.cards", "card_os.pin")


def __getattr__(name: str) -> object:
    # Public names are imported when they are first used: `vsc --help` needs none of them, and cryptography is slow.
    if name in __all__:
        for module in map(import_module, _MODULES):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module 'vsc' has no attribute {name!r}")
