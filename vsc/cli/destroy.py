"""`vsc destroy`."""

import sys

import click

from vsc.cards import home_store
from vsc.errors import CardNotFoundError
from vsc.store.directory import check_name


@click.command("destroy")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def destroy_command(name: str, yes: bool) -> None:
    """Delete the card NAME, with its keys, for good. A card in use cannot be deleted."""
    store, name = home_store(), check_name(name)
    if not store.exists(name):
        raise CardNotFoundError(f"there is no card called {name!r}")
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("no terminal to ask on: say --yes")
        click.confirm(f"Delete the card {name!r} and its keys for good?", abort=True, err=True)
    store.destroy(name)
    click.echo(f"Deleted the card {name!r}.")
