"""Files with keys and certificates, as command lines name them; their passwords come from where secrets come from."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsc.cli.secret import PASSWORD_SOURCES, read_password
from vsc.errors import WrongPassword

if TYPE_CHECKING:
    from vsc.filling.material import Contents

FILE = click.Path(path_type=Path)
"""Whether it is there is for whoever reads it to say."""


def pfx_material(pfx: Path, password: str | None) -> "Contents":
    """Reads a PFX. password: where it comes from; None: a person is asked if there must be one."""
    from vsc.filling.material import read_file, read_pfx

    raw = read_file(pfx, what="PFX file")
    return _with_password(lambda secret: read_pfx(raw, secret), password, option="--pfx-password", file="PFX file")


def key_material(key: Path, certificate: Path | None, password: str | None) -> "Contents":
    """Reads a key and, if there is one, its certificate. password: as for a PFX."""
    from vsc.filling.material import read_file, read_key_and_certificate

    raw = read_file(key, what="key file")
    chain = None if certificate is None else read_file(certificate, what="certificate file")
    return _with_password(
        lambda secret: read_key_and_certificate(raw, chain, secret), password, option="--key-password", file="key file"
    )


def _with_password(
    read: Callable[[bytes | None], "Contents"], source: str | None, *, option: str, file: str
) -> "Contents":
    question = f"Password of the {file}"
    if source is not None:
        return read(read_password(source, option, what=question))
    try:
        return read(None)
    except WrongPassword as error:
        if not sys.stdin.isatty():
            raise WrongPassword(f"{error}: say {option} {PASSWORD_SOURCES}") from None
        return read(read_password("prompt", option, what=question))
