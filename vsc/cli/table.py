"""Tables on stdout, without blanks at the ends. On a terminal a row is one line; anywhere else nothing is cut: a script
that reads one must see whole words.
"""

from collections.abc import Iterable, Sequence

import click

from vsc.cli.terminal import shortened, width
from vsc.text.printable import printable

_NO_LIMIT = 1000
_GAP = 2
_LEAST = 8
"""What is left of a cell that gives way."""


def print_table(head: tuple[str, ...] | None, rows: Iterable[tuple[str, ...]], *, give_way: Sequence[str] = ()) -> None:
    """Prints rows below a head; None: no head. give_way: the columns that are shortened, in that order, on a terminal
    that has no room for all.
    """
    # Here, for many a command ends without a table, and rich takes a tenth of a command's start.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*(head or ()), show_header=head is not None, box=None, pad_edge=False)
    rows = [tuple(map(printable, row)) for row in rows]
    if head is not None and (room := width()) is not None:
        rows = _fitting([head, *rows], room, [head.index(name) for name in give_way if name in head])[1:]
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(highlight=False, width=_NO_LIMIT)
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


def _fitting(rows: list[tuple[str, ...]], room: int, places: Iterable[int]) -> list[tuple[str, ...]]:
    """The rows with cells at those places shortened, until all fit or no more can be done."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for place in places:
        missing = sum(widths) + _GAP * (len(widths) - 1) - room
        if missing > 0:
            widths[place] = max(widths[place] - missing, min(widths[place], _LEAST))
    return [tuple(map(shortened, row, widths)) for row in rows]
