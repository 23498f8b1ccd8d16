"""vsc.cli.tree: a card as a tree, of any application."""

from dataclasses import replace

import pytest

from card_os.key_kind import KeyKind
from card_os.outline import Outline, Reference, Slot
from tests.unit.vsc.cli.shell import Shell
from vsc.cli.tree import print_tree
from vsc.store.sqlite import SqliteStore

OUTLINE = Outline(
    "Any",
    "operational",
    b"\x01\x02",
    (Reference("PIN", 2, 5), Reference("PUK", 0, 3), Reference("key", 200, 200), Reference("admin key")),
    slots=(Slot(0x9A, "auth", "log in", KeyKind("P-256"), (b"",)), Slot(2, "", is_default=True)),
)


def test_a_tree_has_everything(capsys: pytest.CaptureFixture[str]) -> None:
    print_tree("head", [OUTLINE, replace(OUTLINE, references=(), slots=(), identity=None)])
    assert capsys.readouterr().out.splitlines() == [
        "head",
        "├── Any, operational, 0102",
        "│   ├── PIN ●●○○○ 2 of 5 tries left",
        "│   ├── PUK ○○○ blocked (0 of 3 tries)",
        "│   ├── key 200 of 200 tries left",
        "│   ├── admin key, tries not limited",
        "│   ├── 9A auth, log in: EC P-256",
        "│   │   └── (unreadable certificate)",
        "│   └── 2 default: no key",
        "└── Any, operational",
    ]


def test_the_command(shell: Shell, work: SqliteStore) -> None:
    head, branch, pin, *_ = shell.ok("show", "work", "--tree").splitlines()
    assert head == "work  GIDS 2.0 smart card"
    assert branch.startswith("└── GIDS, operational, ")
    assert pin == "    ├── PIN ●●● 3 of 3 tries left"
    assert "exclude each other" in shell.fails(2, "show", "work", "--tree", "--json")
