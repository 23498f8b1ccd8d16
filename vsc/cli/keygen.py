"""`vsc keygen`: a key made on a card."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from vsc.cli.authority import as_writer, writer
from vsc.cli.load import container_option, pin_option, report, sign_only_option
from vsc.cli.material import FILE
from vsc.cli.secret import PIN_SOURCES, asking, given_pin
from vsc.cli.target import check_target, key_number, on_a_card, opened
from vsc.cli.words import TEXT
from vsc.errors import VscError


@click.command("keygen")
@on_a_card
@click.option(
    "--type",
    "kind",
    default="rsa:2048",
    show_default=True,
    metavar="rsa:BITS|ec:CURVE",
    help="RSA of 1024 to 4096 bits; of PIV cards also ec:p256 and ec:p384.",
)
@click.option("--self-signed", metavar="SUBJECT", help='Give it a certificate of its own, as for "CN=Ada Lovelace".')
@click.option("--days", type=int, default=365, show_default=True, help="How long that certificate is valid.")
@click.option("--csr", type=FILE, metavar="FILE", help="Write a request for a certificate (PKCS#10, PEM). '-': stdout.")
@click.option(
    "--subject", metavar="SUBJECT", help="Subject of the request. Without it: that of --self-signed, or CN=NAME."
)
@click.option(
    "--alt-name",
    "alt_names",
    multiple=True,
    metavar="dns:NAME|email:ADDRESS|ip:ADDRESS|uri:URI",
    help="One more name for certificate and request. Repeatable.",
)
@pin_option
@as_writer
@click.option("--label", type=TEXT, metavar="TEXT", help="What programs show. Without it: the CN.")
@container_option
@sign_only_option
@click.option("--json", "as_json", is_flag=True, help="Print what is on the card now as JSON.")
def keygen_command(
    name: str | None,
    reader: str | None,
    kind: str,
    self_signed: str | None,
    days: int,
    csr: Path | None,
    subject: str | None,
    alt_names: tuple[str, ...],
    pin: str | None,
    admin_key: str | None,
    respond: str | None,
    label: str | None,
    container: str | None,
    sign_only: bool,
    as_json: bool,
) -> None:
    """Make a key on the card NAME; it never leaves it. Its certificate: --self-signed, or ask for one by --csr.

    When the certificate comes, 'vsc cert put' puts it onto the card.
    """
    check_target(name, reader)
    from vsc.filling.keygen import Request, SelfSigned, key_kind
    from vsc.filling.name import subject_name
    from vsc.filling.request import alternative_name, common
    from vsc.host import KeyUse

    if csr is None and subject is not None:
        raise click.UsageError("--subject is for --csr; a certificate's is said with --self-signed")
    if alt_names and csr is None and self_signed is None:
        raise click.UsageError("--alt-name is for --self-signed and --csr")
    if csr is not None and subject is None and self_signed is None and name is None:
        raise click.UsageError("a request for a card in a reader needs a --subject")
    chosen = key_kind(kind)
    names = [alternative_name(one) for one in alt_names]
    certificate = None
    if self_signed is not None:
        certificate = SelfSigned(subject_name(self_signed), datetime.now(UTC), days, names)
    request = None
    if csr is not None:
        whose = subject or self_signed
        _check_writable(csr)
        request = Request(subject_name(whose) if whose else common(name or ""), lambda der: _write(csr, der), names)
    card = opened(name, reader)
    with asking(f"--pin {PIN_SOURCES}"):
        done = card.generate_key(
            chosen,
            pin=given_pin(pin, "--pin"),
            **writer(name, admin_key, respond),
            container=None if container is None else key_number(card, container),
            label=label,
            self_signed=certificate,
            csr=request,
            use=KeyUse.SIGNATURE if sign_only else KeyUse.EXCHANGE,
        )
    if str(csr) != "-":
        report(done, "Made", as_json=as_json, csr=None if csr is None else str(csr))


def _check_writable(path: Path) -> None:
    """Making a key takes seconds, and PINs: where the request cannot be written, nothing is begun."""
    if str(path) == "-":
        return
    folder = path.parent
    if path.exists() and not path.is_dir():
        raise VscError(f"{path} exists: it is not replaced")
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise VscError(f"the request cannot be written to {str(path)!r}")


def _write(path: Path, der: bytes) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_der_x509_csr

    pem = load_der_x509_csr(der).public_bytes(Encoding.PEM)
    if str(path) == "-":
        click.echo(pem, nl=False)
    else:
        with path.open("xb") as file:
            file.write(pem)
