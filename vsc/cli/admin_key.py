"""`vsc admin-key`."""

import click

from vsc.cards import admin_key_of, home_store


@click.group("admin-key")
def admin_key_command() -> None:
    """Show a card's admin key."""


@admin_key_command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Print the admin key of the card NAME as it is now: 48 hexadecimal digits."""
    click.echo(admin_key_of(home_store().read(name)).hex().upper())
