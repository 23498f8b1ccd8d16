"""`vsc provision`."""

import uuid

import click

from vsc.cli.authority import as_administrator, authority
from vsc.cli.secret import confirm
from vsc.cli.target import on_a_card, opened


@click.command("provision")
@on_a_card
@click.option("--format", "wipe", is_flag=True, help="Delete keys and certificates, and write the file system anew.")
@click.option("--card-id", type=click.UUID, help="Identity of the card. Without it: random with --format, else kept.")
@as_administrator
@click.option("--yes", is_flag=True, help="Do not ask before formatting.")
def provision_command(
    name: str | None,
    reader: str | None,
    wipe: bool,
    card_id: uuid.UUID | None,
    admin_key: str | None,
    respond: str | None,
    yes: bool,
) -> None:
    """Format a card, or give it another id. PIN, PUK and admin key stay as they are."""
    if not wipe and card_id is None:
        raise click.UsageError("nothing to do: say --format, --card-id or both")
    card = opened(name, reader)
    rights = authority(name, admin_key, respond)
    if wipe and not yes:
        what = f"card {name!r}" if name is not None else f"card in {reader!r}"
        confirm(f"Delete the keys and certificates of the {what} for good?")
    card.provision(format=wipe, card_id=card_id, **rights)
    click.echo(f"{'Formatted' if wipe else 'The card has a new id'}: {card.id}.")
