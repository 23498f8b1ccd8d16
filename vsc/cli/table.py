"""Tables on stdout, never cut and without blanks at the ends: a script that reads one must see whole words."""

from collections.abc import Iterable

import click

_NO_LIMIT = 1000


def printable(text: str) -> str:
    """Replaces what a terminal might obey: names in readers, containers and certificates are anybody's."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def print_table(head: tuple[str, ...] | None, rows: Iterable[tuple[str, ...]]) -> None:
    """Prints rows below a head; None: no head."""
    # Here, for many a command ends without a table, and rich takes a tenth of a command's start.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*(head or ()), show_header=head is not None, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(highlight=False, width=_NO_LIMIT)
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())
