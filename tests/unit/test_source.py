"""What the source must not hold, found by reading it: loops that nobody can see the end of, lists that stand twice."""

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.unit.test_arrows import ROOT
from vsc.pcsc.door import HIDDEN
from vsc.pcsc.lockfile import LOCK
from vsc.store import connection, database, instances, lock

ENDLESS = re.compile(r"\bwhile (True|1)\b")
SAID_ONCE = [
    *(LOCK, HIDDEN, lock.MAKING, lock.TAKING_OVER),
    *(database.FILE, database._NEW_FILE, instances.FILE, connection.LOG, "-shm", "-journal"),
]
"""Names of files that we make, and their ends, which are unlike any other word."""


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (ROOT / folder).rglob("*.py")


def test_every_endless_loop_has_a_reason_beside_it() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources("card_os", "vpcd_bridge", "vsc", "bench", "examples", "scripts", "tests")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if ENDLESS.search(line) and "#" not in line and path != Path(__file__)
    ]
    assert not bare, f"a bound, or why it ends, belongs beside each: {bare}"


def words_of(path: Path) -> Iterator[str]:
    """The texts of a module that are no documentation."""
    text = path.read_text(encoding="utf-8")
    if not any(name in text for name in SAID_ONCE):
        return
    tree = ast.parse(text)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def test_what_a_file_of_ours_is_called_stands_in_one_place() -> None:
    """A second list of what we make is the one that is forgotten when there is one file more."""
    found = Counter(
        name for path in sources("vsc") for word in words_of(path) for name in SAID_ONCE if word.endswith(name)
    )
    assert {name: found[name] for name in SAID_ONCE} == dict.fromkeys(SAID_ONCE, 1)


def test_no_link_in_the_repository_leads_out_of_it() -> None:
    """A .venv that was a link came in once: it took the place of everybody's own."""
    listed = subprocess.run(["git", "ls-files", "-s"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False).stdout
    links = [line.partition("\t")[2] for line in listed.splitlines() if line.startswith("120000")]
    assert [link for link in links if (ROOT / link).readlink().is_absolute()] == []
