"""A package with cards that are not ours, installed in a folder: its modules, and the metadata with the entry points.

The modules are those of docs/own-card.md, and one that puts several of their applications, and GIDS, onto one card.
"""

import re
import sys
from pathlib import Path

from vsc.profiles.catalogue import GROUP, Catalogue

PAGE = Path(__file__).parents[2] / "docs" / "own-card.md"
_CODE = re.compile(r"This\s+is\s+`(\w+\.py)`:\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OWN_CARDS = """
from card_os.atr import Atr
from purse import Purse
from vsc.profiles import GIDS, Profile, Recipe
from wallet import WALLET, Wallet, WalletHost


def full(options, env):
    return [(1000).to_bytes(2)]


def both(options, env):
    return [*WALLET.personalise(options, env), *full(options, env)]


def with_gids(options, env):
    wallet = WALLET.personalise(type(options)(pin=b"1234"), env)
    return [*GIDS.personalise(options, env), *wallet]


FULL_PURSE = Profile("full-purse", "Purse", Atr(historical=b"purse"), (Purse(),), Recipe(full))
TWO = Profile(
    *("two", "Wallet and purse", Atr(historical=b"two"), (Wallet(), Purse())),
    personalisation=Recipe(both, WALLET.personalisation.options),
    host=WalletHost,
)
GIDS_AND_WALLET = Profile(
    *("gids-and-wallet", "GIDS, and a wallet beside it", Atr(historical=b"three"), (*GIDS.applications, Wallet())),
    personalisation=Recipe(with_gids, GIDS.personalisation.options),
    host=GIDS.host,
    puk_rules=GIDS.puk_rules,
    guid=GIDS.guid,
)
"""
_ENTRIES = """
[vsc.profiles]
wallet = wallet:WALLET
full-purse = own_cards:FULL_PURSE
two = own_cards:TWO
gids-and-wallet = own_cards:GIDS_AND_WALLET
"""
NAMES = ("wallet", "full-purse", "two", "gids-and-wallet")


def install(folder: Path) -> Path:
    """Writes the package into a folder, which is to be on the path; returns the folder."""
    modules = dict(_CODE.findall(PAGE.read_text(encoding="utf-8")))
    modules["own_cards.py"] = _OWN_CARDS
    for name in ("purse.py", "wallet.py", "own_cards.py"):
        (folder / name).write_text(modules[name], encoding="utf-8")
    metadata = folder / "own_cards-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: own-cards\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(_ENTRIES, encoding="utf-8")
    return folder


def found(folder: Path) -> Catalogue:
    """The profiles that there are where that package is installed. The path is as before afterwards."""
    sys.path.insert(0, str(folder))
    try:
        catalogue = Catalogue()
        assert set(NAMES) <= set(catalogue), (GROUP, catalogue.broken)
    finally:
        sys.path.remove(str(folder))
    return catalogue
