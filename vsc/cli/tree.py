"""A card as a tree: its applications, what proves who uses them, the places for keys, and what is in them.

    work  GIDS 2.0 smart card
    ├── GIDS, operational, 0123456789ABCDEF0123456789ABCDEF
    │   ├── PIN ●●●●○ 4 of 5 tries left
    │   ├── admin key, tries not limited
    │   └── 0 default container, sign or decrypt: RSA 2048
    │       └── CN=Ada Lovelace

It is read from outlines (`card_os.outline`), so it knows no application. Rich draws it: plain where there is no
terminal or NO_COLOR is set, and in ASCII where the encoding has no lines.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from card_os.outline import Outline, Reference, Slot
from vsc.filling.certificate import subject_of
from vsc.store.summary import kind_words
from vsc.text.printable import printable

if TYPE_CHECKING:
    from rich.tree import Tree

_NO_LIMIT = 1000
_MAX_DOTS = 15
"""Tries that are drawn; of more only the number is told."""


def print_tree(head: str, outlines: Sequence[Outline]) -> None:
    """Prints a card; no secret is in an outline."""
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    console = Console(highlight=False, width=_NO_LIMIT)
    dots = "●○" if console.encoding.startswith("utf") else "*."
    tree = Tree(Text(printable(head), style="bold"), highlight=False)
    for outline in outlines:
        _add(tree, outline, dots)
    with console.capture() as capture:
        console.print(tree)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


def _add(tree: "Tree", outline: Outline, dots: str) -> None:
    from rich.text import Text

    identity = outline.identity.hex().upper() if outline.identity else ""
    words = ", ".join(filter(None, (outline.application, outline.life_cycle, identity)))
    branch = tree.add(Text(printable(words)))
    for reference in outline.references:
        branch.add(Text(_reference(reference, dots), style="red" if reference.is_blocked else ""))
    for slot in outline.slots:
        place = branch.add(Text(printable(_slot(slot)), style="" if slot.kind else "dim"))
        for certificate in slot.certificates:
            place.add(Text(printable(subject_of(certificate))))


def _reference(reference: Reference, dots: str) -> str:
    left, limit = reference.tries_left, reference.try_limit
    if limit is None or left is None:
        return f"{reference.name}, tries not limited"
    drawn = f" {dots[0] * left}{dots[1] * max(limit - left, 0)}" if max(left, limit) <= _MAX_DOTS else ""
    words = f"{left} of {limit} tries left" if left else f"blocked (0 of {limit} tries)"
    return f"{reference.name}{drawn} {words}"


def _slot(slot: Slot) -> str:
    what = ", ".join(filter(None, (slot.name, slot.use, "default" if slot.is_default else "")))
    return f"{slot.number:X} {what}: {kind_words(slot.kind) or 'no key'}"
