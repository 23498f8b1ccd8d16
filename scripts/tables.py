"""Writes anew what docs/cli.md and docs/gids.md say of the code: `PYTHONPATH=. .venv/bin/python scripts/tables.py`.

A test fails when they drift.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from card_os.apps.gids import Gids
from card_os.command import Command
from card_os.kernel import KERNEL, KernelIns
from vsc.cli.__main__ import COMMANDS, GROUPS, cli

DOCS = Path(__file__).parent.parent / "docs"
CLI_PAGE = DOCS / "cli.md"
GIDS_PAGE = DOCS / "gids.md"


def row(*cells: str) -> str:
    """A line of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def commands(
    command: click.Command = cli, context: click.Context | None = None, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command, click.Context]]:
    """Every command of `vsc` that does something, with its words: ("pin", "verify")."""
    # With its settings: click remembers on the command itself what it is asked here (the names of --help).
    settings: dict[str, Any] = dict(command.context_settings)
    context = click.Context(command, info_name=path[-1] if path else "vsc", parent=context, **settings)
    if not isinstance(command, click.Group):
        yield path, command, context
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from commands(found, context, (*path, name))


def _synopsis(path: tuple[str, ...], command: click.Command, context: click.Context) -> str:
    return " ".join(["vsc", *path, *command.collect_usage_pieces(context)])


def cli_table() -> str:
    """The commands of `vsc`, by group: how each is called, and what it does."""
    table = [row("command", "does"), row("---", "---")]
    group_of = {name: group for group, rows in GROUPS.items() for name in rows}
    last = ""
    for path, command, context in commands():
        if group_of[path[0]] != last:
            last = group_of[path[0]]
            table.append(row(f"**{last}**", ""))
        words = COMMANDS[path[0]][1] if len(path) == 1 else command.get_short_help_str(limit=100)
        table.append(row(f"`{_synopsis(path, command, context)}`", words))
    return "\n".join(table)


def _reference(path: tuple[str, ...], command: click.Command, context: click.Context) -> str:
    """How one command is called, and its options."""
    lines = ["```text", _synopsis(path, command, context), "```"]
    records = [
        record
        for one in command.params
        if isinstance(one, click.Option) and (record := one.get_help_record(context)) is not None
    ]
    if records:
        lines += ["", row("option", "meaning"), row("---", "---")]
        lines += [row(f"`{option}`", words) for option, words in records]
    return "\n".join(lines)


def references() -> dict[str, str]:
    """The part of docs/cli.md that is read from the code, for each command."""
    return {f"vsc {' '.join(path)}": _reference(path, command, context) for path, command, context in commands()}


def command_table(rows: Iterable[tuple[int, Command]]) -> str:
    """What commands there are: INS, name, who may, and where each is defined."""
    table = [row("INS", "command", "allowed by", "chaining", "defined in"), row(*["---"] * 5)]
    for number, command in rows:
        name = "SELECT by name" if command is KERNEL[KernelIns.SELECT] else command.name
        chaining = "yes" if command.chaining else ""
        table.append(row(f"{number:02X}", name, command.access.words, chaining, command.spec))
    return "\n".join(table)


def card_table() -> str:
    """What the GIDS card answers."""
    return command_table([*KERNEL.items(), *sorted(Gids().table, key=lambda one: one[0])])


def rewritten(text: str, parts: Mapping[str, str]) -> str:
    """Returns a text with each part, between its marks, made anew. ValueError if one has no marks."""
    for name, part in parts.items():
        begin, end = f"<!-- {name}: from the code -->", f"<!-- end of {name} -->"
        head, _, rest = text.partition(begin)
        _, found, tail = rest.partition(end)
        if not found:
            raise ValueError(f"there are no marks for {name!r}")
        text = f"{head}{begin}\n{part}\n{end}{tail}"
    return text


def gids_page() -> str:
    """docs/gids.md, its table made anew."""
    return rewritten(GIDS_PAGE.read_text(encoding="utf-8"), {"card": card_table()})


def cli_page() -> str:
    """docs/cli.md, its table and its references made anew."""
    return rewritten(CLI_PAGE.read_text(encoding="utf-8"), {"commands": cli_table(), **references()})


PAGES = {GIDS_PAGE: gids_page, CLI_PAGE: cli_page}

if __name__ == "__main__":
    for path, made in PAGES.items():
        path.write_text(made(), encoding="utf-8")
    sys.exit(0)
