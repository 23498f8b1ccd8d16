"""`vsc admin-key`: show, verify, change."""

import secrets

import click

from card_os.admin import KEY_BYTES
from vsc.cli.authority import as_administrator, authority, known_admin_key
from vsc.cli.hint import Group
from vsc.cli.passphrase import passphrase_option
from vsc.cli.secret import ADMIN_KEY_SOURCES, STORED_KEY_SOURCES, read_admin_key
from vsc.cli.target import name_argument, on_a_card, opened
from vsc.errors import WrongAdminResponse
from vsc.factory import DEFAULT_ADMIN_KEY, admin_key_of, home_store


@click.group("admin-key", cls=Group)
def admin_key_command() -> None:
    """Show, verify or change a card's admin key."""


@admin_key_command.command("show")
@name_argument
@passphrase_option()
def show(name: str) -> None:
    """Print the admin key of the card NAME as it is now: 48 hexadecimal digits."""
    click.echo(admin_key_of(home_store().read(name)).hex().upper())


@admin_key_command.command("verify")
@on_a_card
@click.option("--admin-key", metavar=STORED_KEY_SOURCES, help="The key to try. Without it: asks on a terminal.")
def verify(name: str | None, reader: str | None, admin_key: str | None) -> None:
    """Check an admin key by the card's challenge; the key itself is not sent. A wrong one may cost a try."""
    card = opened(name, reader)
    if not card.verify_admin_key(known_admin_key(name, admin_key)):
        raise WrongAdminResponse
    click.echo("That is the card's admin key.")


@admin_key_command.command("change")
@on_a_card
@as_administrator
@click.option("--new-admin-key", required=True, metavar=ADMIN_KEY_SOURCES, help="The admin key as it shall be.")
def change(
    name: str | None, reader: str | None, admin_key: str | None, respond: str | None, new_admin_key: str
) -> None:
    """Give a card another admin key. 'vsc admin-key show' has it afterwards, if the card is one of ours."""
    card = opened(name, reader)
    new = read_admin_key(new_admin_key, default=DEFAULT_ADMIN_KEY, option="--new-admin-key")
    if new is None and reader is not None:
        # Nobody could ever read it again.
        raise click.BadParameter("a random key of a card in a reader would be lost", param_hint="--new-admin-key")
    card.change_admin_key(new=new or secrets.token_bytes(KEY_BYTES), **authority(name, admin_key, respond))
    click.echo("The admin key is changed.")
