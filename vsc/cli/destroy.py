"""`vsc destroy`."""

import click

from vsc.cli.secret import confirm
from vsc.cli.target import name_argument
from vsc.errors import CardNotFoundError
from vsc.factory import home_store
from vsc.store.name import check_name


@click.command("destroy")
@name_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def destroy_command(name: str, yes: bool) -> None:
    """Delete the card NAME, with its keys, for good. A card in use cannot be deleted."""
    store, name = home_store(), check_name(name)
    if not store.exists(name):
        raise CardNotFoundError(f"there is no card called {name!r}", name=name)
    if not yes:
        confirm(f"Delete the card {name!r} and its keys for good?")
    store.destroy(name)
    click.echo(f"Deleted the card {name!r}.")
