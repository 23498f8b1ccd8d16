"""`vsc create`."""

import json
import uuid

import click

from card_os.pin import DEFAULT_TRIES, MAX_TRIES, PinPolicy
from vsc.cards import DEFAULT_ADMIN_KEY, DEFAULT_PIN, create, create_blank, home_store
from vsc.cli.policy import PinPolicyType
from vsc.cli.secret import ADMIN_KEY_SOURCES, PIN_SOURCES, read_admin_key, read_pin
from vsc.errors import CardExistsError
from vsc.store.directory import check_name
from vsc.summary import summarise


@click.command("create")
@click.argument("name")
@click.option("--pin", metavar=PIN_SOURCES, help="The PIN; 'default' is 12345678. Without it: asks on a terminal.")
@click.option(
    "--admin-key",
    metavar=ADMIN_KEY_SOURCES,
    help="The 24-byte key that unblocks the PIN, in hexadecimal; 'default' is 0102030405060708 three times. "
    "Without it: random, shown by 'vsc admin-key show'.",
)
@click.option(
    "--pin-policy",
    type=PinPolicyType(),
    help="Rules for PINs, as in minlen=6,digits=required. Names: minlen, maxlen, uppercase, lowercase, digits, "
    "specialchars; rules: allowed, required, disallowed. Without it: any 4 to 127 bytes.",
)
@click.option(
    "--tries",
    type=click.IntRange(1, MAX_TRIES),
    default=DEFAULT_TRIES,
    show_default=True,
    help="Wrong PINs in a row before the PIN is blocked.",
)
@click.option(
    "--admin-tries",
    type=click.IntRange(1, 255),
    help="Wrong answers in a row before the admin key is blocked. Without it: no limit.",
)
@click.option("--card-id", type=click.UUID, help="Identity of the card. Without it: random.")
@click.option("--blank", is_flag=True, help="Leave PIN, keys and file system to 'gids-tool -X' or the like.")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
def create_command(
    name: str,
    pin: str | None,
    admin_key: str | None,
    pin_policy: PinPolicy | None,
    tries: int,
    admin_tries: int | None,
    card_id: uuid.UUID | None,
    blank: bool,
    as_json: bool,
) -> None:
    """Make a GIDS card called NAME: personalised, operational, with its file system written."""
    # Before anybody is asked for a PIN; `create` checks again, under the lock.
    if home_store().exists(name):
        raise CardExistsError(f"there is a card called {check_name(name)!r} already")
    if blank:
        if any(one is not None for one in (pin, admin_key, card_id)):
            raise click.UsageError("a blank card gets its PIN, admin key and id later: leave these options out")
        image = create_blank(name, policy=pin_policy, tries=tries, admin_tries=admin_tries)
    else:
        image = create(
            name,
            pin=read_pin(pin, default=DEFAULT_PIN),
            admin_key=read_admin_key("random" if admin_key is None else admin_key, default=DEFAULT_ADMIN_KEY),
            policy=pin_policy,
            tries=tries,
            admin_tries=admin_tries,
            card_id=card_id,
        )
    summary = summarise(image)
    if as_json:
        click.echo(json.dumps(summary.as_json()))
    elif blank:
        click.echo(f"Made the blank card {image.name!r}.")
    else:
        click.echo(f"Made the card {image.name!r}, id {summary.card_id}.")
