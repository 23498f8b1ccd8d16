"""The architecture as imports: who may know whom, and that the card touches nothing of the outside world.

`design.md` draws the arrows. Here they are read from the source with `ast`, so that also an import inside a function
or behind TYPE_CHECKING counts.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("card_os", "vpcd_bridge", "vsc")

ARROWS = {"card_os": {"card_os"}, "vpcd_bridge": {"vpcd_bridge"}, "vsc": set(OURS)}
"""What of ours each package may import."""

# The parts of the standard library that compute and do nothing else. `io` is for BytesIO in wire.py.
# fmt: off
PURE_STDLIB = frozenset({
    "__future__", "abc", "base64", "collections", "collections.abc", "contextlib", "copy", "dataclasses", "enum",
    "functools", "io", "itertools", "math", "operator", "re", "string", "struct", "types", "typing", "zlib",
})
# fmt: on
CARD_PACKAGES = frozenset({"construct", "cryptography"})
FACES = frozenset({"click", "rich"})

# fmt: off
FLOORS = (
    ("errors", "finger", "interruptible", "unraisable"),
    ("text", "world"),
    ("host", "interaction"),  # The host's half; whom people are asked through.
    ("profiles", "filling"),
    ("masking", "store"),
    ("reader", "factory"),
    ("trace", "pcsc", "pinpad"),
    ("faults", "pyscard", "page"),
    ("serving",),             # What holds readers for others.
    ("machine",),             # Places with readers, one of them inside what serves.
    ("replay", "api"),        # The facade; logs as cards.
    ("testing", "winrt", "cli"),
)
# fmt: on
"""The rooms of vsc, the ground floor first. Each may know those on floors below it, and no other."""

HOST_MAY_KNOW = (
    *(
        "card_os.apdu",
        "card_os.sw",
        "card_os.tlv",
        "card_os.wire",
        "card_os.pin.PinPolicy",
        "card_os.pin.CharacterRule",
    ),
    *("vsc.host", "vsc.errors"),
)
"""Wire formats: the host's half shares nothing else with the card's, or its mistakes would agree with the card's."""

HOST_MAY_KNOW_OF_ITS_APPLICATION = ("wire", "minidriver", "layout")
"""`vsc.host.X` shares these modules of `card_os.apps.X` with it: formats on the wire, and where hosts keep what."""


class Import(NamedTuple):
    """An import as it stands in a file: the module that imports and what it imports, both as dotted names."""

    file: str
    importer: str
    imported: str


GENERATOR = ("card_os.wire_code", "exec()")
"""What makes plain functions of a construct struct runs what it wrote, as `Struct.compile` does; nothing else may."""


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, root: Path) -> Iterator[Import]:
    """Every import of a file. `from a import b` counts as `a.b`, which may be a module or a name in one."""
    file, name = str(path.relative_to(root)), module_name(path, root)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(file, name, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *filter(None, [node.module])])
            yield from (Import(file, name, f"{source}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in ("__import__", "import_module", "eval", "exec", "open"):
            yield Import(file, name, f"{_called(node)}()")


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) and node.func.attr == "import_module" else ""


@cache
def all_imports(root: Path) -> tuple[Import, ...]:
    paths = (path for package in OURS for path in sorted((root / package).rglob("*.py")))
    return tuple(found for path in paths for found in imports_of(path, root))


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def _application(module: str) -> str | None:
    """The application that a module belongs to: `gids` for `card_os.apps.gids.pins`."""
    parts = module.split(".")
    return parts[2] if parts[:2] == ["card_os", "apps"] and len(parts) > 2 else None


def _host_may_know(importer: str, imported: str) -> bool:
    application = importer.removeprefix("vsc.host.").partition(".")[0]
    of_its_own = (f"card_os.apps.{application}.{name}" for name in HOST_MAY_KNOW_OF_ITS_APPLICATION)
    return any(_is_in(imported, one) for one in (*HOST_MAY_KNOW, *of_its_own))


def room(module: str) -> str:
    """`reader` for `vsc.reader.exchange`; empty for vsc itself, which hands all names on, and for what is not vsc's."""
    parts = module.split(".")
    return parts[1] if parts[0] == "vsc" and len(parts) > 1 else ""


def floor(name: str) -> int | None:
    """The ground floor is 0; None: that room is on no floor."""
    return next((number for number, rooms in enumerate(FLOORS) if name in rooms), None)


def _fault_of_floors(importer: str, imported: str) -> str | None:
    own, other = room(importer), room(imported)
    if own in ("", "__main__") or imported.partition(".")[0] != "vsc" or own == other:
        return None
    here, there = floor(own), floor(other)
    if here is None:
        return f"{own!r} is on no floor: give it one in FLOORS"
    if imported == "vsc" or there is None:
        return "the package itself is for users; rooms import each other's modules"
    if there == here:
        return f"{own!r} and {other!r} are on the same floor, and must not know each other"
    return f"{own!r} is on a floor below {other!r}, and must not know it" if there > here else None


def fault(importer: str, imported: str) -> str | None:
    """Says which arrow an import breaks, or None."""
    package, target = importer.partition(".")[0], imported.partition(".")[0]
    if target in OURS and target not in ARROWS[package]:
        return f"{package} must not know {target}"
    if package == "card_os" and target not in {*CARD_PACKAGES, *OURS} and (importer, imported) != GENERATOR:
        source = imported if imported in PURE_STDLIB else imported.rpartition(".")[0] or imported
        if source not in PURE_STDLIB:
            return "the card reaches only pure parts of the standard library, construct and cryptography"
    if _is_in(importer, "vsc.host") and target in OURS and not _host_may_know(importer, imported):
        return "the host's half shares wire formats with the card, nothing else"
    if words := _fault_of_floors(importer, imported):
        return words
    if package == "vpcd_bridge" and target in FACES:
        return "the bridge talks to no person"
    if _is_in(imported, "card_os.apps") and package == "card_os":
        if not _is_in(importer, "card_os.apps"):
            return "the kernel names no application"
        if _application(importer) is not None and _application(importer) != _application(imported):
            return "an application must not know another one"
    return None


def faults(imports: Iterable[Import]) -> list[str]:
    found = ((arrow, fault(arrow.importer, arrow.imported)) for arrow in imports)
    return [f"{arrow.file} imports {arrow.imported}: {words}" for arrow, words in found if words]


def circles(arrows: Mapping[str, set[str]]) -> list[str]:
    """One way round for each circle that a search from any place finds, as `a -> b -> a`."""
    found: list[str] = []
    done: set[str] = set()

    def walk(place: str, way: list[str]) -> None:
        if place in way:
            found.append(" -> ".join([*way[way.index(place) :], place]))
        elif place not in done:
            for next_place in sorted(arrows.get(place, ())):
                walk(next_place, [*way, place])
            done.add(place)

    for place in sorted(arrows):
        walk(place, [])
    return found


def arrows_of(imports: Iterable[Import], modules: Set[str], name: Callable[[str], str]) -> dict[str, set[str]]:
    """name: what of a module is to be looked at: itself, or the package that it is in."""
    arrows: dict[str, set[str]] = {}
    for _, importer, imported in imports:
        while imported and imported not in modules:
            imported = imported.rpartition(".")[0]
        if imported and name(importer) != name(imported):
            arrows.setdefault(name(importer), set()).add(name(imported))
    return arrows


def package_of(module: str) -> str:
    """`card_os`, `card_os.apps.gids`, `vsc.reader`: a folder, with the folders in it. Files of vsc are their own."""
    parts = module.split(".")
    return ".".join(parts[: {"vsc": 2, "card_os": 3 if parts[1:2] == ["apps"] else 1}.get(parts[0], 1)])


def test_every_import_follows_the_arrows() -> None:
    assert faults(all_imports(ROOT)) == []


def test_no_files_and_no_packages_import_each_other_in_a_circle() -> None:
    imports = all_imports(ROOT)
    modules = {module_name(path, ROOT) for package in OURS for path in (ROOT / package).rglob("*.py")}
    assert circles(arrows_of(imports, modules, str)) == []
    assert circles(arrows_of(imports, modules, package_of)) == []


def test_a_circle_is_found_and_its_way_round_told() -> None:
    arrows = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": set[str](), "e": {"a", "d"}}
    assert circles(arrows) == ["a -> b -> c -> a"]
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []


def test_every_room_of_vsc_is_on_one_floor() -> None:
    rooms = {path.stem for path in (ROOT / "vsc").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert sorted(rooms - {"__init__", "__main__"}) == sorted(name for floor in FLOORS for name in floor)


def test_the_page_draws_the_same_floors() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = page.split("none beside or above:\n\n```text\n")[1].split("\n```")[0].splitlines()
    for rooms, line in zip(FLOORS, reversed(drawn), strict=True):
        assert sorted(line.split()[: len(rooms)]) == sorted(rooms)


@pytest.mark.parametrize("package", OURS)
def test_the_checker_sees_all_of_each_package(package: str) -> None:
    importers = {arrow.importer for arrow in all_imports(ROOT) if _is_in(arrow.importer, package)}
    assert len(importers) > 3


# `admin` is the key of one application, with the forms in which it is proved; it may move there.
KERNEL = sorted(path.stem for path in (ROOT / "card_os").glob("*.py") if path.stem != "admin")


def test_the_kernel_speaks_of_no_application() -> None:
    applications = [path.name for path in (ROOT / "card_os" / "apps").iterdir() if (path / "__init__.py").exists()]
    assert {"gids", "piv"} <= set(applications)
    named = re.compile(rf"\b({'|'.join(applications)})\b", re.IGNORECASE)
    kernel = {module: (ROOT / "card_os" / f"{module}.py").read_text(encoding="utf-8") for module in KERNEL}
    assert [(module, said.group()) for module, source in kernel.items() if (said := named.search(source))] == []


def test_no_package_of_ours_is_named_like_pyscard() -> None:
    """A top-level module `smartcard` would hide pyscard's, or be hidden by it."""
    assert not (ROOT / "smartcard").exists()
    assert not (ROOT / "smartcard.py").exists()
    packages = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("packages = [")[1].split("]")[0]
    assert {name.strip(' "') for name in packages.split(",")} == set(OURS)


BAD = [
    ("card_os/card.py", "import socket", "only pure parts"),
    ("card_os/card.py", "import os.path", "only pure parts"),
    ("card_os/card.py", "from time import sleep", "only pure parts"),
    ("card_os/card.py", "import hashlib", "only pure parts"),
    ("card_os/card.py", "import logging.handlers", "only pure parts"),
    ("card_os/card.py", "from concurrent.futures import ThreadPoolExecutor", "only pure parts"),
    ("card_os/card.py", "def f():\n    import random", "only pure parts"),
    ("card_os/card.py", "if False:\n    from pathlib import Path", "only pure parts"),
    ("card_os/card.py", "import click", "only pure parts"),
    ("card_os/card.py", "from rich.console import Console", "only pure parts"),
    ("card_os/card.py", "x = __import__('os')", "only pure parts"),
    ("card_os/card.py", "import importlib\nimportlib.import_module('os')", "only pure parts"),
    ("card_os/card.py", "open('/etc/passwd')", "only pure parts"),
    ("card_os/card.py", "exec('pass')", "only pure parts"),
    ("card_os/wire_code.py", "eval('1')", "only pure parts"),
    ("card_os/card.py", "import vsc", "must not know vsc"),
    ("card_os/card.py", "from vsc.world import SystemEnv", "must not know vsc"),
    ("card_os/card.py", "from vpcd_bridge import frames", "must not know vpcd_bridge"),
    ("card_os/card.py", "from card_os.apps import gids", "names no application"),
    ("card_os/card.py", "from card_os.apps.gids.wire import AID", "names no application"),
    ("card_os/card.py", "from card_os import apps", "names no application"),
    ("card_os/card.py", "from . import apps", "names no application"),
    ("card_os/card.py", "from .apps.gids import Gids", "names no application"),
    ("card_os/__init__.py", "from .apps.gids import Gids", "names no application"),
    ("card_os/apps/gids/pins.py", "from card_os.apps.piv import keys", "another one"),
    ("card_os/apps/gids/pins.py", "from card_os.apps import piv", "another one"),
    ("card_os/apps/gids/pins.py", "from ..piv import keys", "another one"),
    ("vpcd_bridge/client.py", "from card_os.card import Card", "must not know card_os"),
    ("vpcd_bridge/client.py", "import vsc.factory", "must not know vsc"),
    ("vpcd_bridge/client.py", "from rich import print", "no person"),
    ("vpcd_bridge/client.py", "import click", "no person"),
    ("vsc/host/gids/gids.py", "from card_os.admin import encrypt", "wire formats"),
    ("vsc/host/gids/gids.py", "from card_os.apps.gids import Gids", "wire formats"),
    ("vsc/host/gids/gids.py", "from vsc.factory import create", "wire formats"),
    ("vsc/host/gids/gids.py", "from card_os.apps.piv.wire import AID", "wire formats"),
    ("vsc/host/find.py", "from card_os.apps.gids.wire import AID", "wire formats"),
    ("vsc/reader/reader.py", "from vsc.cli.tell import tell", "'reader' is on a floor below 'cli'"),
    ("vsc/reader/reader.py", "def f():\n    import vsc.cli.tell", "'reader' is on a floor below 'cli'"),
    ("vsc/store/image.py", "from vsc import factory", "'store' is on a floor below 'factory'"),
    ("vsc/profiles/x.py", "from ..serving import desk", "'profiles' is on a floor below 'serving'"),
    ("vsc/errors.py", "import vsc.text.printable", "'errors' is on a floor below 'text'"),
    ("vsc/winrt/cards.py", "from vsc.testing import Lab", "on the same floor"),
    ("vsc/cli/pin.py", "import vsc", "for users"),
    ("vsc/cli/pin.py", "from vsc import create", "for users"),
    ("vsc/attic/box.py", "from vsc.errors import VscError", "'attic' is on no floor"),
]

GOOD = [
    ("card_os/card.py", "from card_os.sw import SW"),
    ("card_os/card.py", "from . import sw"),
    ("card_os/wire.py", "import io, struct\nfrom collections.abc import Callable"),
    ("card_os/rsa.py", "from cryptography.hazmat.primitives import hashes"),
    ("card_os/apps/gids/pins.py", "from card_os.apps.gids.state import GidsState\nfrom . import state"),
    ("card_os/apps/gids/pins.py", "from card_os import ec"),
    ("vpcd_bridge/client.py", "import socket, logging\nfrom vpcd_bridge import frames"),
    (
        "vsc/host/gids/gids.py",
        "from card_os.tlv import Tlv\n"
        "from card_os.apps.gids.wire import AID\nfrom vsc.host.gids.pins import Pins\nfrom vsc.errors import WrongPin",
    ),
    (
        "vsc/cli/attach.py",
        "import os, click\nfrom card_os.apps.gids import Gids\nfrom vpcd_bridge.client import Client",
    ),
    ("vsc/cli/attach.py", "from vsc.cli.tell import tell\nfrom . import tell\nfrom vsc import machine, factory"),
    ("vsc/__init__.py", "from vsc.api.card import Card"),
    ("vsc/__main__.py", "from vsc.cli.__main__ import main"),
]


def checked(root: Path, path: str, source: str) -> list[str]:
    file = root / path
    file.parent.mkdir(parents=True)
    file.write_text(source, encoding="utf-8")
    return faults(all_imports(root))


def test_the_checker_catches_a_bad_import(tmp_path: Path) -> None:
    for number, (path, source, words) in enumerate(BAD):
        found = checked(tmp_path / str(number), path, source)
        assert found, (path, source)
        assert all(words in one and one.startswith(f"{path} imports ") for one in found), (source, found)


def test_the_checker_lets_a_good_import_pass(tmp_path: Path) -> None:
    for number, (path, source) in enumerate(GOOD):
        assert checked(tmp_path / str(number), path, source) == [], (path, source)


def test_every_endless_loop_says_why_it_ends() -> None:
    """A loop that is meant to run until something happens has beside it what that is, or what bounds it."""
    bare = re.compile(r"^\s*while (True|1):\s*$", re.MULTILINE)
    files = [path for package in OURS for path in (ROOT / package).rglob("*.py")]
    assert [str(path.relative_to(ROOT)) for path in files if bare.search(path.read_text("utf-8"))] == []
