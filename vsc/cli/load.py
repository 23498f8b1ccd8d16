"""`vsc load`: keys and their certificates from files onto a card."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsc.cli.authority import as_writer, writer
from vsc.cli.material import FILE, key_material, pfx_material
from vsc.cli.secret import PASSWORD_SOURCES, PIN_SOURCES, asking, given_pin
from vsc.cli.target import check_target, key_number, on_a_card, opened
from vsc.cli.tell import tell
from vsc.cli.words import TEXT

if TYPE_CHECKING:
    from vsc.filling.load import Filled

pfx_options: tuple[Callable[[Any], Any], ...] = (
    click.option("--pfx", type=FILE, metavar="FILE", help="A PKCS#12 file: keys with their certificates."),
    click.option(
        "--pfx-password",
        metavar=PASSWORD_SOURCES,
        help="Its password. Without it: none, or it is asked for on a terminal.",
    ),
)
pin_option: Callable[[Any], Any] = click.option(
    "--pin", metavar=PIN_SOURCES, help="The card's PIN; 'default' is 12345678. Without it: asks."
)
container_option: Callable[[Any], Any] = click.option(
    "--container", metavar="N", help="Number of the new key, or the slot of a PIV card. Without it: the first free one."
)
sign_only_option: Callable[[Any], Any] = click.option(
    "--sign-only", is_flag=True, help="The key signs and does not decrypt."
)


def takes_pfx(command: Any) -> Any:
    """Gives a command `--pfx` and `--pfx-password`."""
    for option in reversed(pfx_options):
        command = option(command)
    return command


@click.command("load")
@on_a_card
@takes_pfx
@click.option("--key", type=FILE, metavar="FILE", help="Private keys, in PEM, DER or OpenSSH's format.")
@click.option("--cert", type=FILE, metavar="FILE", help="Its certificate, PEM or DER; PEM may hold the chain, too.")
@click.option("--key-password", metavar=PASSWORD_SOURCES, help="As --pfx-password, for the key.")
@pin_option
@as_writer
@click.option(
    "--label", type=TEXT, metavar="TEXT", help="What programs show. Without it: the PFX's name for it, or the CN."
)
@container_option
@sign_only_option
@click.option("--json", "as_json", is_flag=True, help="Print what is on the card now as JSON, a line a key.")
def load_command(
    name: str | None,
    reader: str | None,
    pfx: Path | None,
    pfx_password: str | None,
    key: Path | None,
    cert: Path | None,
    key_password: str | None,
    pin: str | None,
    admin_key: str | None,
    respond: str | None,
    label: str | None,
    container: str | None,
    sign_only: bool,
    as_json: bool,
) -> None:
    """Put keys and their certificates onto the card NAME: from --pfx, or from --key and --cert.

    It is all or nothing: everything is checked before the card is touched. Every key that the card can take is loaded;
    what is left out is told.
    """
    check_target(name, reader)
    if (pfx is None) == (key is None):
        raise click.UsageError("say --pfx FILE, or --key FILE with its --cert FILE")
    if pfx is not None:
        if cert is not None or key_password is not None:
            raise click.UsageError("a PFX has its own certificate: leave --cert and --key-password out")
        material = pfx_material(pfx, pfx_password)
    else:
        assert key is not None
        if pfx_password is not None:
            raise click.UsageError("--pfx-password is for --pfx")
        material = key_material(key, cert, key_password)
    from vsc.host import KeyUse

    use = KeyUse.SIGNATURE if sign_only else KeyUse.EXCHANGE
    card = opened(name, reader)
    with asking(f"--pin {PIN_SOURCES}"):
        loaded = card.load_keys(
            material=material,
            pin=given_pin(pin, "--pin"),
            **writer(name, admin_key, respond),
            container=None if container is None else key_number(card, container),
            label=label,
            use=use,
            tell=tell,
        )
    for done in loaded:
        report(done, "Loaded", as_json=as_json)


def report(done: "Filled", verb: str, *, as_json: bool, **more: object) -> None:
    """Prints what a container holds now."""
    if as_json:
        told = {name: value for name, value in asdict(done).items() if name != "place"}
        click.echo(json.dumps({**told, **more}))
        return
    from vsc.filling.kind import article
    from vsc.text.printable import printable

    certificate = f", with a certificate for {printable(done.subject)}" if done.subject is not None else ""
    click.echo(f"{verb} {done.label!r}: {article(done.kind)} in {done.place}{certificate}.")
