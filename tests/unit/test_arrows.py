"""The architecture as imports: who may know whom, and that the card touches nothing of the outside world.

`design.md` draws the arrows. Here they are read from the source with `ast`, so that also an import inside a function
or behind TYPE_CHECKING counts.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

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

HOST_MAY_KNOW = (
    *("card_os.apdu", "card_os.sw", "card_os.tlv", "card_os.wire", "card_os.pin.PinPolicy"),
    *("vsc.host", "vsc.errors"),
)
"""Wire formats: the host's half shares nothing else with the card's, or its mistakes would agree with the card's."""

HOST_MAY_KNOW_OF_ITS_APPLICATION = ("wire", "minidriver", "layout")
"""`vsc.host.X` shares these modules of `card_os.apps.X` with it: formats on the wire, and where hosts keep what."""

Import = tuple[str, str]
"""The importing module and what it imports, both as dotted names."""


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, root: Path) -> Iterator[Import]:
    """Every import of a file. `from a import b` counts as `a.b`, which may be a module or a name in one."""
    name = module_name(path, root)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((name, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *filter(None, [node.module])])
            yield from ((name, f"{source}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in ("__import__", "import_module", "eval", "exec", "open"):
            yield name, f"{_called(node)}()"


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) and node.func.attr == "import_module" else ""


def all_imports(root: Path) -> list[Import]:
    paths = (path for package in OURS for path in sorted((root / package).rglob("*.py")))
    return [one for path in paths for one in imports_of(path, root)]


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


def fault(importer: str, imported: str) -> str | None:
    """Says which arrow an import breaks, or None."""
    package, target = importer.partition(".")[0], imported.partition(".")[0]
    if target in OURS and target not in ARROWS[package]:
        return f"{package} must not know {target}"
    if package == "card_os" and target not in {*CARD_PACKAGES, *OURS}:
        source = imported if imported in PURE_STDLIB else imported.rpartition(".")[0] or imported
        if source not in PURE_STDLIB:
            return "the card reaches only pure parts of the standard library, construct and cryptography"
    if _is_in(importer, "vsc.host") and target in OURS and not _host_may_know(importer, imported):
        return "the host's half shares wire formats with the card, nothing else"
    if package == "vpcd_bridge" and target in FACES:
        return "the bridge talks to no person"
    if _is_in(imported, "card_os.apps") and package == "card_os":
        if not _is_in(importer, "card_os.apps"):
            return "the kernel names no application"
        if _application(importer) is not None and _application(importer) != _application(imported):
            return "an application must not know another one"
    return None


def faults(imports: list[Import]) -> list[str]:
    found = ((importer, imported, fault(importer, imported)) for importer, imported in imports)
    return [f"{importer} imports {imported}: {words}" for importer, imported, words in found if words]


def test_every_import_follows_the_arrows() -> None:
    assert faults(all_imports(ROOT)) == []


@pytest.mark.parametrize("package", OURS)
def test_the_checker_sees_all_of_each_package(package: str) -> None:
    importers = {importer for importer, _ in all_imports(ROOT) if _is_in(importer, package)}
    assert len(importers) > 3


# `admin` is the key of one application, with the forms in which it is proved; it may move there.
KERNEL = sorted(path.stem for path in (ROOT / "card_os").glob("*.py") if path.stem != "admin")


@pytest.mark.parametrize("module", KERNEL)
def test_the_kernel_speaks_of_no_application(module: str) -> None:
    source = (ROOT / "card_os" / f"{module}.py").read_text(encoding="utf-8")
    applications = [path.name for path in (ROOT / "card_os" / "apps").iterdir() if (path / "__init__.py").exists()]
    assert applications
    for name in applications:
        assert not re.search(rf"\b{name}\b", source, re.IGNORECASE), name


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
]


def checked(root: Path, path: str, source: str) -> list[str]:
    file = root / path
    file.parent.mkdir(parents=True)
    file.write_text(source, encoding="utf-8")
    return faults(all_imports(root))


@pytest.mark.parametrize(("path", "source", "words"), BAD, ids=[f"{path}: {source}" for path, source, _ in BAD])
def test_the_checker_catches_a_bad_import(tmp_path: Path, path: str, source: str, words: str) -> None:
    found = checked(tmp_path, path, source)
    assert found
    assert all(words in one for one in found)


@pytest.mark.parametrize(("path", "source"), GOOD, ids=[f"{path}: {source}" for path, source in GOOD])
def test_the_checker_lets_a_good_import_pass(tmp_path: Path, path: str, source: str) -> None:
    assert checked(tmp_path, path, source) == []


def test_every_endless_loop_says_why_it_ends() -> None:
    """A loop that is meant to run until something happens has beside it what that is, or what bounds it."""
    bare = re.compile(r"^\s*while (True|1):\s*$", re.MULTILINE)
    files = [path for package in OURS for path in (ROOT / package).rglob("*.py")]
    assert [str(path.relative_to(ROOT)) for path in files if bare.search(path.read_text("utf-8"))] == []
