"""Writes anew what README.md and docs/cli.md say of the code: `PYTHONPATH=. .venv/bin/python scripts/tables.py`.

A test fails when they drift.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from card_os.apps.gids import Gids
from card_os.kernel import KERNEL, KernelIns
from vsc.cli.__main__ import COMMANDS, GROUPS, cli

README = Path(__file__).parent.parent / "README.md"
CLI_PAGE = README.parent / "docs" / "cli.md"


def _row(*cells: str) -> str:
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
    table = [_row("command", "does"), _row("---", "---")]
    group_of = {name: group for group, rows in GROUPS.items() for name in rows}
    last = ""
    for path, command, context in commands():
        if group_of[path[0]] != last:
            last = group_of[path[0]]
            table.append(_row(f"**{last}**", ""))
        words = COMMANDS[path[0]][1] if len(path) == 1 else command.get_short_help_str(limit=100)
        table.append(_row(f"`{_synopsis(path, command, context)}`", words))
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
        lines += ["", _row("option", "meaning"), _row("---", "---")]
        lines += [_row(f"`{option}`", words) for option, words in records]
    return "\n".join(lines)


def references() -> dict[str, str]:
    """The part of docs/cli.md that is read from the code, for each command."""
    return {f"vsc {' '.join(path)}": _reference(path, command, context) for path, command, context in commands()}


def card_table() -> str:
    """What the card answers: INS, name, who may, and where it is defined."""
    rows = [_row("INS", "command", "allowed by", "chaining", "defined in"), _row(*["---"] * 5)]
    known = [*KERNEL.items(), *sorted(Gids().table, key=lambda one: one[0])]
    for number, command in known:
        name = "SELECT by name" if command is KERNEL[KernelIns.SELECT] else command.name
        chaining = "yes" if command.chaining else ""
        rows.append(_row(f"{number:02X}", name, command.access.words, chaining, command.spec))
    return "\n".join(rows)


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


def readme() -> str:
    """README.md, its tables made anew."""
    return rewritten(README.read_text(encoding="utf-8"), {"commands": cli_table(), "card": card_table()})


def cli_page() -> str:
    """docs/cli.md, its references made anew."""
    return rewritten(CLI_PAGE.read_text(encoding="utf-8"), references())


PAGES = {README: readme, CLI_PAGE: cli_page}

if __name__ == "__main__":
    for path, made in PAGES.items():
        path.write_text(made(), encoding="utf-8")
    sys.exit(0)
