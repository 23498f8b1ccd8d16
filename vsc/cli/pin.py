"""`vsc pin`: verify, change, reset."""

import click

from vsc.cli.authority import as_administrator, authority
from vsc.cli.hint import Group
from vsc.cli.secret import PIN_SOURCES, asking, given_pin, read_known
from vsc.cli.target import on_a_card, opened


@click.group("pin", cls=Group)
def pin_command() -> None:
    """Verify, change or reset a card's PIN."""


@pin_command.command("verify")
@on_a_card
@click.option("--pin", metavar=PIN_SOURCES, help="The PIN. Without it: asks on a terminal.")
def verify(name: str | None, reader: str | None, pin: str | None) -> None:
    """Check a PIN. A wrong one costs a try, as everywhere; a right one gives all tries back."""
    value = given_pin(pin, "--pin")
    with asking(f"--pin {PIN_SOURCES}"):
        opened(name, reader).verify_pin(value)
    click.echo("The PIN is right.")


@pin_command.command("change")
@on_a_card
@click.option("--old-pin", metavar=PIN_SOURCES, help="The PIN as it is. Without it: asks on a terminal.")
@click.option("--new-pin", metavar=PIN_SOURCES, help="The PIN as it shall be. Without it: asks on a terminal.")
def change(name: str | None, reader: str | None, old_pin: str | None, new_pin: str | None) -> None:
    """Change a PIN. The new one must keep to the card's policy."""
    old, new = given_pin(old_pin, "--old-pin"), given_pin(new_pin, "--new-pin")
    with asking(f"--old-pin and --new-pin {PIN_SOURCES}"):
        opened(name, reader).change_pin(old=old, new=new)
    click.echo("The PIN is changed.")


@pin_command.command("reset")
@on_a_card
@click.option("--new-pin", metavar=PIN_SOURCES, help="The PIN as it shall be. Without it: asks on a terminal.")
@as_administrator
@click.option("--puk", metavar=PIN_SOURCES, help="In place of the admin key, on a card with a PUK: the PUK.")
def reset(
    name: str | None,
    reader: str | None,
    new_pin: str | None,
    admin_key: str | None,
    respond: str | None,
    puk: str | None,
) -> None:
    """Set a new PIN without the old one, and give all its tries back. On a card with a PUK only the PUK can."""
    card, new = opened(name, reader), given_pin(new_pin, "--new-pin")
    if puk is not None and (admin_key is not None or respond is not None):
        raise click.UsageError("--puk excludes --admin-key and --respond")
    with asking(f"--new-pin {PIN_SOURCES}"):
        if puk is not None:
            card.reset_pin(new=new, puk=read_known(puk, "--puk", what="PUK"))
        else:
            card.reset_pin(new=new, **authority(name, admin_key, respond))
    click.echo("The PIN is reset.")
