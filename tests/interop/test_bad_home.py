"""A home that takes nothing: read-only, as an ordinary user finds it, and on a disk that is full. One sentence each."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.namespace import Namespace, NamespaceRefused
from tests.interop.need import require_tool, unavailable
from tests.interop.vsc_run import Vsc, ordinary_user

VSC = Path(sys.executable).with_name("vsc")
CHANGES: tuple[tuple[str, ...], ...] = (
    ("create", "new", "--pin", "default"),
    ("create", "new", "--blank"),
    ("pin", "verify", "work", "--pin", "default"),
    ("pin", "change", "work", "--old-pin", "default", "--new-pin", "env:NEW"),
    ("pin", "reset", "work", "--admin-key", "stored", "--new-pin", "env:NEW"),
    ("admin-key", "change", "work", "--admin-key", "stored", "--new-admin-key", "random"),
    ("provision", "work", "--admin-key", "stored", "--format", "--yes"),
    ("keygen", "work", "--type", "rsa:1024", "--pin", "default"),
    ("destroy", "work", "--yes"),
    ("tpmvscmgr", "create", "/name", "new", "/pin", "default", "/adminkey", "random", "/quiet"),
)
ONLY_READ: tuple[tuple[str, ...], ...] = (("list",), ("show", "work"), ("admin-key", "show", "work"))


@pytest.fixture
def user() -> Iterator[Vsc]:
    with ordinary_user(Vsc) as vsc:
        vsc("create", "work", "--pin", "default")
        yield vsc


def test_a_read_only_home(user: Vsc) -> None:
    home = user.folder / "cards"
    user("list")
    before = {path: path.read_bytes() for path in home.iterdir()}
    for path in home.iterdir():
        path.chmod(0o400)
    home.chmod(0o500)
    try:
        for words in ONLY_READ:
            user(*words)
        for words in CHANGES:
            out, err = user(*words, code=1, NEW="n3w-s3cr3t")
            assert out == "", words
            assert err.startswith("vsc: "), words
            assert err.count("\n") == 1, err
            assert "Permission denied" in err or "ead-only" in err, err
        assert {path: path.read_bytes() for path in home.iterdir()} == before
    finally:
        home.chmod(0o700)


FULL = """
set -e
mount -t tmpfs -o size=256k,mode=700 tmpfs "$VSC_HOME"
"$VSC" create work --pin default --quiet >/dev/null
"$VSC" show work > before
fill() {
dd if=/dev/zero of="$VSC_HOME/filler" bs=1k 2>/dev/null || true
for n in 1 2 3 4; do printf x >> "$VSC_HOME/filler" 2>/dev/null || true; done
}
"""
TRY = """
fill
code=0
"$VSC" {words} 2> said || code=$?
rm "$VSC_HOME/filler"
"$VSC" show work > after
cmp before after
echo "$code $(cat said)"
"""


def test_a_full_disk(tmp_path: Path) -> None:
    """In a small file system of its own; the card is whole when there is room again, each time."""
    changes = [words for words in CHANGES if words[0] != "destroy"]
    script = FULL + "".join(TRY.format(words=shlex.join(words)) for words in changes) + '"$VSC" list | wc -l\n'
    for tool in ("nsenter", "mount", "sh", "dd"):
        require_tool(tool)
    home = tmp_path / "cards"
    home.mkdir()
    env = {**os.environ, "VSC_HOME": str(home), "VSC": str(VSC), "NEW": "n3w-s3cr3t"}
    try:
        namespace = Namespace(bind={})
    except NamespaceRefused as reason:
        unavailable(str(reason))
    with namespace:
        process = namespace.popen(
            ["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=tmp_path
        )
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, ""), (out, err)
    *said, rows = out.splitlines()
    assert rows == "2", "the list's head, and the card"
    for words, line in zip(changes, said, strict=True):  # One line each: no traceback, no second sentence.
        assert line.startswith("1 vsc: "), (words, line)
        assert "No space left on device" in line, (words, line)
