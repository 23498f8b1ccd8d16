"""`vsc cert`: certificates from and onto a card."""

import json
from pathlib import Path

import click

from vsc.cli.authority import as_writer, writer
from vsc.cli.hint import Group
from vsc.cli.load import pin_option
from vsc.cli.material import FILE
from vsc.cli.passphrase import passphrase_option
from vsc.cli.secret import PIN_SOURCES, asking, given_pin
from vsc.cli.target import key_number, name_argument, opened, place, with_number
from vsc.cli.tell import tell
from vsc.errors import VscError


@click.group("cert", cls=Group)
def cert_command() -> None:
    """Get certificates from a card, put them onto it, or delete them."""


@cert_command.command("get")
@name_argument
@click.argument("number", required=False, metavar="[N]")
@click.option("--der", "as_der", is_flag=True, help="DER instead of PEM.")
@passphrase_option()
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Write it to FILE, not to stdout.")
def get(name: str, number: str | None, as_der: bool, output: Path | None) -> None:
    """Print a certificate of the card NAME.

    N: the number of the container; without it the only certificate that there is.
    """
    from vsc.filling.certificate import pem

    card = opened(name, None)
    chosen = _only(name) if number is None else key_number(card, number)
    der = card.certificate(chosen)
    if der is None:
        raise VscError(f"{place(number or '', chosen)} of the card {name!r} has no certificate")
    data = der if as_der else pem(der)
    if output is None:
        click.echo(data, nl=False)
    else:
        try:
            with output.open("xb") as file:
                file.write(data)
        except FileExistsError:
            raise VscError(f"{output} exists: it is not replaced") from None
        except OSError as error:
            raise VscError(f"{output} cannot be written: {error.strerror}") from None


def _only(name: str) -> int:
    numbers = [one.number for one in opened(name, None).containers() if one.certificate is not None]
    if not numbers:
        raise VscError(f"the card {name!r} has no certificate")
    if len(numbers) > 1:
        raise click.UsageError(f"the card has several certificates: say which of {', '.join(map(str, numbers))}")
    return numbers[0]


@cert_command.command("put")
@name_argument
@click.argument("number", metavar="N")
@click.argument("file", type=FILE, metavar="FILE")
@pin_option
@as_writer
@passphrase_option()
@click.option("--json", "as_json", is_flag=True, help="Print what was put as JSON.")
def put(
    name: str,
    number: str,
    file: Path,
    pin: str | None,
    admin_key: str | None,
    respond: str | None,
    as_json: bool,
) -> None:
    """Put a certificate beside a key of the card NAME.

    N: the number of the key's container, whose certificate it becomes; one that is there is replaced. FILE is PEM or
    DER. It is refused unless it is the certificate of that key; of a chain the right one is taken.
    """
    from vsc.filling.material import read_file

    raw = read_file(file, what="certificate file")
    card = opened(name, None)
    chosen = key_number(card, number)
    with asking(f"--pin {PIN_SOURCES}"):
        by = writer(name, admin_key, respond)
        leaf = card.put_certificate(chosen, raw, pin=given_pin(pin, "--pin"), tell=tell, **by)
    if as_json:
        click.echo(json.dumps({"container": chosen, "subject": leaf.subject}))
    else:
        from vsc.text.printable import printable

        click.echo(f"Put the certificate for {printable(leaf.subject)} into {place(number, chosen)}.")


@cert_command.command("delete")
@with_number
@pin_option
@as_writer
def delete(
    name: str | None,
    reader: str | None,
    number: int,
    where: str,
    pin: str | None,
    admin_key: str | None,
    respond: str | None,
) -> None:
    """Delete the certificate of a key on the card NAME; the key stays.

    N: the number of the key's container.
    """
    with asking(f"--pin {PIN_SOURCES}"):
        by = writer(name, admin_key, respond)
        opened(name, reader).delete_certificate(number, pin=given_pin(pin, "--pin"), **by)
    click.echo(f"Deleted the certificate of {where}.")
