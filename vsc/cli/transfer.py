"""`vsc export` and `vsc import`: a whole card as one file."""

import os
import secrets
import sys
from contextlib import nullcontext, suppress
from pathlib import Path

import click

from vsc.cli.passphrase import passphrase_option
from vsc.cli.target import name_argument
from vsc.errors import VscError
from vsc.factory import home_store
from vsc.store.archive import read_archive, write_archive
from vsc.store.name import check_name
from vsc.text.reading import read_stream

_STANDARD = "-"
_MAX_ARCHIVE_BYTES = 64 * 1024 * 1024


@click.command("export")
@name_argument
@click.argument("file", required=False)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@passphrase_option()
def export_command(name: str, file: str | None, force: bool) -> None:
    """Write the card NAME to FILE: everything, with PIN and private keys, in clear.

    FILE is JSON that people can read and compare; nobody but you can read it. Without FILE: NAME.json here; with -
    stdout. 'vsc import' makes the same card of it.
    """
    archive = write_archive(home_store().read(name))
    if file == _STANDARD:
        sys.stdout.buffer.write(archive)
        sys.stdout.buffer.flush()
        return
    path = Path(file if file is not None else _file_name(check_name(name)))
    try:
        _write(path, archive, replaces=force)
    except FileExistsError:
        raise VscError(f"{path} exists: say --force to replace it") from None
    except OSError as error:
        raise VscError(f"{path} cannot be written: {error.strerror}") from None
    click.echo(f"Wrote the card {check_name(name)!r} to {path}, with its PIN and keys in clear.", err=True)


def _file_name(name: str) -> str:
    """NAME.json; a name is no path, so not every character can stay."""
    return f"{name.replace('/', '_').removeprefix('.') or '_'}.json"


def _write(path: Path, content: bytes, *, replaces: bool) -> None:
    """Makes the file whole or not at all, 0600 from the start; what it replaces stays until the new one is whole."""
    target = path.with_name(f".{secrets.token_hex(8)}.new") if replaces else path
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replaces:
            target.replace(path)
    except OSError:
        with suppress(OSError):
            target.unlink()
        raise


@click.command("import")
@click.argument("file")
@click.option("--name", metavar="NAME", help="What to call the card here. Without it: as it was called.")
@passphrase_option(is_new=True)
def import_command(file: str, name: str | None) -> None:
    """Make a card of FILE, which 'vsc export' wrote; - is stdin.

    It is the same card, with the same id, PIN and keys: middleware takes the two for one, so do not use both at once.
    """
    image = read_archive(_read(file), name=name)
    home_store().create(image)
    click.echo(f"Made the card {image.name!r}.")


def _read(file: str) -> bytes:
    try:
        with nullcontext(sys.stdin.buffer) if file == _STANDARD else Path(file).open("rb") as stream:
            return read_stream(stream, _MAX_ARCHIVE_BYTES, name=file)
    except OSError as error:
        raise VscError(f"{file} cannot be read: {error.strerror}") from None
