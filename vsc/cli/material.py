"""Files with keys and certificates, as command lines name them; their passwords come from where secrets come from."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsc.cli.secret import PASSWORD_SOURCES, read_password
from vsc.errors import WrongPassword

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from vsc.filling.material import Material

FILE = click.Path(path_type=Path)
"""Whether it is there is for whoever reads it to say."""


def pfx_material(pfx: Path, password: str | None) -> "Material":
    """Reads a PFX. password: where it comes from; None: a person is asked if there must be one."""
    from vsc.filling.material import read_file, read_pfx

    raw = read_file(pfx, what="PFX file")
    return _with_password(lambda secret: read_pfx(raw, secret), password, option="--pfx-password", file="PFX file")


def key_material(key: Path, certificate: Path | None, password: str | None) -> "Material":
    """Reads a key and, if there is one, its certificate. password: as for a PFX."""
    from vsc.filling.material import read_file, read_key_and_certificate

    raw = read_file(key, what="key file")
    chain = None if certificate is None else read_file(certificate, what="certificate file")
    return _with_password(
        lambda secret: read_key_and_certificate(raw, chain, secret), password, option="--key-password", file="key file"
    )


def warn_of_validity(certificate: "Certificate") -> None:
    """Says on stderr if a certificate has expired, or is not valid yet."""
    from vsc.filling.material import validity_problem

    problem = validity_problem(certificate, datetime.now(UTC))
    if problem:
        click.echo(f"vsc: warning: {problem}", err=True)


def _with_password(
    read: Callable[[bytes | None], "Material"], source: str | None, *, option: str, file: str
) -> "Material":
    question = f"Password of the {file}"
    if source is not None:
        return _told(read(read_password(source, option, what=question)))
    try:
        return _told(read(None))
    except WrongPassword as error:
        if not sys.stdin.isatty():
            raise WrongPassword(f"{error}: say {option} {PASSWORD_SOURCES}") from None
        return _told(read(read_password("prompt", option, what=question)))


def _told(material: "Material") -> "Material":
    if material.certificate is not None:
        warn_of_validity(material.certificate)
    if material.authorities:
        count = len(material.authorities)
        others = f"{count} other certificate{'s' if count > 1 else ''}"
        click.echo(f"vsc: {others} left out: a card has room for one beside each key", err=True)
    return material
