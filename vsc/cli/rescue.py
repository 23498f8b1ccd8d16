"""`vsc rescue`."""

import os
from pathlib import Path

import click

from vsc.errors import CardExistsError, VscError
from vsc.store import default_home
from vsc.store.rescue import rescue
from vsc.store.sqlite import SqliteStore


@click.command("rescue")
@click.argument("folder")
def rescue_command(folder: str) -> int:
    """Copy every card that is whole from the damaged database of VSC_HOME to a new home, FOLDER.

    Nothing in VSC_HOME is changed. Encrypted cards are copied as they are. Afterwards put FOLDER in its place, or set
    VSC_HOME to it.
    """
    source, store = default_home(os.environ.get("VSC_HOME")), SqliteStore(Path(folder))
    found = rescue(source)
    if not found.rows and not found.damaged:
        raise VscError(f"there is no card in the database of {source}")
    for name, row in sorted(found.rows.items()):
        try:
            store.add_row(row)
        except CardExistsError as error:
            raise CardExistsError(f"{error} in {folder}: say another folder") from None
        click.echo(f"Rescued the card {name!r}.")
    for name in sorted(found.damaged):
        click.echo(f"vsc: card {name!r} is damaged and not rescued", err=True)
    return 1 if found.damaged else 0
