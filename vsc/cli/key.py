"""`vsc key`: one key of a card."""

import click

from vsc.cli.authority import as_writer, writer
from vsc.cli.hint import Group
from vsc.cli.load import pin_option
from vsc.cli.secret import PIN_SOURCES, asking, confirm, given_pin
from vsc.cli.target import opened, with_number
from vsc.errors import VscError


@click.group("key", cls=Group)
def key_command() -> None:
    """Delete a key from a card."""


@key_command.command("delete")
@with_number
@pin_option
@as_writer
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(
    name: str | None,
    reader: str | None,
    number: int,
    where: str,
    pin: str | None,
    admin_key: str | None,
    respond: str | None,
    yes: bool,
) -> None:
    """Delete a key of the card NAME for good, and its certificate.

    N: the number of the key's container, which is free afterwards.
    """
    card = opened(name, reader)
    found = next((one for one in card.containers() if one.number == number), None)
    if found is None:
        raise VscError(f"the card has no key {where}")
    if not yes:
        confirm(f"Delete the key {found.name!r} and its certificate for good?")
    with asking(f"--pin {PIN_SOURCES}"):
        card.delete_key(number, pin=given_pin(pin, "--pin"), **writer(name, admin_key, respond))
    click.echo(f"Deleted {found.name!r} from {where}.")
