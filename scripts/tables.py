"""Writes the README's tables anew from the code: `.venv/bin/python scripts/tables.py`. A test fails when they drift."""

import sys
from pathlib import Path

import click

from card_os.apps.gids.commands import COMMANDS as GIDS_COMMANDS
from card_os.card import KernelIns
from vsc.cli.__main__ import COMMANDS, cli

README = Path(__file__).parent.parent / "README.md"
KERNEL = {
    KernelIns.SELECT: ("SELECT by name", "always", "ISO 7816-4, 7.1.1"),
    KernelIns.MANAGE_CHANNEL: ("MANAGE CHANNEL", "always", "ISO 7816-4, 7.1.2"),
    KernelIns.GET_RESPONSE: ("GET RESPONSE", "always", "ISO 7816-4, 7.6.1"),
}


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def cli_table() -> str:
    """The commands of `vsc`: how each is called, and what it does."""
    rows = [_row("command", "does"), _row("---", "---")]
    context = click.Context(cli, info_name="vsc")
    for name, (_, words) in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        children = command.commands if isinstance(command, click.Group) else {"": command}
        for child, one in children.items():
            usage = " ".join(one.collect_usage_pieces(click.Context(one, info_name=child, parent=context)))
            rows.append(_row(f"`vsc {f'{name} {child}'.strip()} {usage}`", words))
    return "\n".join(rows)


def card_table() -> str:
    """What the card answers: INS, name, who may, and where it is defined."""
    rows = [_row("INS", "command", "allowed by", "chaining", "defined in"), _row(*["---"] * 5)]
    for ins, (name, access, spec) in KERNEL.items():
        rows.append(_row(f"{ins:02X}", name, access, "", spec))
    for number, command in sorted(GIDS_COMMANDS.items()):
        chaining = "yes" if command.chaining else ""
        rows.append(_row(f"{number:02X}", command.name, command.access.words, chaining, command.spec))
    return "\n".join(rows)


TABLES = {"commands": cli_table, "card": card_table}


def rewritten(text: str) -> str:
    """Returns the README with every table between its marks made anew."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: from the code -->", f"<!-- end of {name} -->"
        head, _, rest = text.partition(begin)
        _, found, tail = rest.partition(end)
        if not found:
            raise ValueError(f"README.md has no marks for the table {name!r}")
        text = f"{head}{begin}\n{table()}\n{end}{tail}"
    return text


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
