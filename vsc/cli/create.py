"""`vsc create`."""

import json
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from card_os.atr import Atr
from card_os.pin import MAX_TRIES, PinPolicy
from vsc.cli.atr import AtrType, atr_of
from vsc.cli.load import takes_pfx
from vsc.cli.material import pfx_material
from vsc.cli.passphrase import passphrase_option
from vsc.cli.policy import PinPolicyType
from vsc.cli.secret import ADMIN_KEY_SOURCES, PIN_SOURCES, read_admin_key, read_new_pin, read_pin
from vsc.cli.target import complete_profile
from vsc.cli.tell import tell
from vsc.cli.words import TEXT
from vsc.errors import CardExistsError
from vsc.factory import DEFAULT_ADMIN_KEY, DEFAULT_PIN, create, create_blank, home_store
from vsc.profiles import GIDS, CardOptions, profile_named
from vsc.store import Image
from vsc.store.name import check_name
from vsc.store.summary import CardSummary, summarise

if TYPE_CHECKING:
    from vsc.filling.material import Contents


class SlotType(click.ParamType[tuple[str, Path]]):
    """`9c=FILE`: a slot and what goes into it."""

    name = "SLOT=FILE"

    def convert(
        self, value: str | tuple[str, Path], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        if isinstance(value, tuple):
            return value
        place, separator, file = value.partition("=")
        if not place or not separator or not file:
            self.fail("say a slot and a file, as in 9c=sign.pfx", param, ctx)
        return place, Path(file)


@click.command("create")
@click.argument("name")
@click.option(
    "--profile",
    default=GIDS.name,
    show_default=True,
    metavar="PROFILE",
    shell_complete=complete_profile,
    help="What kind of card; MODULE:NAME is one of your own.",
)
@click.option("--label", type=TEXT, metavar="TEXT", help="The card's friendly name, any text. Without it: NAME.")
@click.option("--pin", metavar=PIN_SOURCES, help="The PIN; 'default' is 12345678. Without it: asks on a terminal.")
@click.option(
    "--admin-key",
    metavar=ADMIN_KEY_SOURCES,
    help="The 24-byte key that unblocks the PIN, in hexadecimal; 'default' is 0102030405060708 three times. "
    "Without it: random, shown by 'vsc admin-key show'.",
)
@click.option(
    "--puk",
    metavar=PIN_SOURCES,
    help="A PUK of 8 to 127 bytes; with one, only the PUK can reset the PIN, not the admin key. Without it: no PUK.",
)
@click.option(
    "--admin-pin", metavar=PIN_SOURCES, help="The PIN of the administrator, of cards that have one in place of a key."
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
    help="Wrong PINs in a row before the PIN is blocked. Without it: 5 for a GIDS card.",
)
@click.option(
    "--puk-tries",
    type=click.IntRange(1, 255),
    help="Wrong PUKs in a row before the PUK is blocked, where that is a number of its own.",
)
@click.option(
    "--admin-tries",
    type=click.IntRange(1, 255),
    help="Wrong answers in a row before the admin key is blocked. Without it: no limit.",
)
@click.option("--card-id", type=click.UUID, help="Identity of the card. Without it: random.")
@click.option(
    "--atr",
    type=AtrType(),
    help="What it answers to reset: hexadecimal, or the protocols that it offers. Without it: what its profile says.",
)
@takes_pfx
@click.option(
    "--slot",
    "slots",
    type=SlotType(),
    multiple=True,
    help="Another PKCS#12 file, for this slot of a PIV card. Repeatable.",
)
@click.option("--blank", is_flag=True, help="Leave PIN, keys and file system to 'gids-tool -X' or the like.")
@click.option(
    "--no-file-system", is_flag=True, help="Set PIN and admin key, and leave file system and id to 'vsc provision'."
)
@click.option(
    "--attestation",
    type=click.Choice(["none", "aik-only", "aik-and-cert"]),
    default="none",
    help="As tpmvscmgr has it; but there is no TPM here that could attest a key, so 'none' is all there is.",
)
@passphrase_option(is_new=True)
@click.option("-q", "--quiet", is_flag=True, help="Print the card's id only.")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
def create_command(
    name: str,
    profile: str,
    label: str | None,
    pin: str | None,
    admin_key: str | None,
    puk: str | None,
    admin_pin: str | None,
    puk_tries: int | None,
    pin_policy: PinPolicy | None,
    tries: int | None,
    admin_tries: int | None,
    card_id: uuid.UUID | None,
    atr: Atr | tuple[int, ...] | None,
    pfx: Path | None,
    pfx_password: str | None,
    slots: tuple[tuple[str, Path], ...],
    blank: bool,
    no_file_system: bool,
    attestation: str,
    quiet: bool,
    as_json: bool,
) -> None:
    """Make a card called NAME, ready for use: a GIDS card, operational, with its file system written, or what else
    PROFILE says."""
    kind = profile_named(profile)
    if attestation != "none":
        raise click.UsageError("--attestation: there is no TPM here, so nothing could attest the card's keys")
    if blank and any(one is not None for one in (pin, admin_key, card_id, puk, admin_pin, puk_tries)):
        raise click.UsageError("a blank card gets its PIN, PUK, admin key and id later: leave these options out")
    if no_file_system and (blank or card_id is not None):
        raise click.UsageError("--no-file-system goes neither with --blank nor with --card-id, which is in a file")
    if (pfx is not None or slots) and (blank or no_file_system):
        raise click.UsageError("--pfx needs a card with PIN and file system: leave --blank and --no-file-system out")
    if slots and not kind.takes("keys"):
        raise click.UsageError(f"--slot is for PIV cards: a card of profile {kind.name} has no slots with names")
    if len({place.lower() for place, _ in slots}) < len(slots):
        raise click.UsageError("--slot: each slot takes one key")
    if pfx is None and not slots and pfx_password is not None:
        raise click.UsageError("--pfx-password is for --pfx")
    # Before anybody is asked for a PIN; `create` checks again, under the lock.
    if home_store().exists(name):
        raise CardExistsError(f"there is a card called {check_name(name)!r} already")
    contents = None if pfx is None else pfx_material(pfx, pfx_password)
    placed = {place: pfx_material(file, pfx_password) for place, file in slots}
    if blank:
        image = create_blank(
            name,
            policy=pin_policy,
            tries=tries,
            admin_tries=admin_tries,
            label=label,
            profile=kind.name,
            atr=atr_of(atr, kind.atr),
        )
    else:
        new_pin = None
        if pin is not None or kind.takes("pin"):
            rules = kind.pin_rules if pin_policy is None else pin_policy
            usual = kind.completed(CardOptions()).pin or DEFAULT_PIN
            new_pin = read_new_pin(pin, card=label or name, policy=rules, default=usual, option="--pin")
        make = partial(
            create,
            name,
            pin=new_pin,
            admin_key=None if admin_key is None else read_admin_key(admin_key, default=DEFAULT_ADMIN_KEY),
            policy=pin_policy,
            tries=tries,
            admin_tries=admin_tries,
            card_id=card_id,
            puk=None if puk is None else read_pin(puk, default=DEFAULT_PIN, option="--puk", what="PUK"),
            puk_tries=puk_tries,
            admin_pin=None if admin_pin is None else read_pin(admin_pin, default=DEFAULT_PIN, option="--admin-pin"),
            label=label,
            file_system=not no_file_system,
            profile=kind.name,
            atr=atr_of(atr, kind.atr),
        )
        if contents is None and not placed:
            image = make()
        elif kind.takes("keys"):
            from vsc.api.filled import issued_keys

            image = make(keys=issued_keys(kind, contents, placed, tell=tell))
        else:
            assert contents is not None
            image = _filled(make, contents, new_pin or b"")
    _tell(summarise(image), quiet=quiet, as_json=as_json)


def _filled(make: Callable[..., Image], contents: "Contents", pin: bytes) -> Image:
    from vsc.api.filled import create_filled

    return create_filled(lambda store: make(store=store), contents, pin=pin, tell=tell)


def _tell(card: CardSummary, *, quiet: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(card.as_json()))
    elif quiet:
        # A card without a file system has no id yet.
        click.echo(card.card_id or "-")
    elif card.life_cycle == "initialisation":
        click.echo(f"Made the blank card {card.name!r}.")
    elif card.card_id is None:
        click.echo(f"Made the card {card.name!r}{', without a file system' * (card.profile == GIDS.name)}.")
    else:
        click.echo(f"Made the card {card.name!r}, id {card.card_id}.")
