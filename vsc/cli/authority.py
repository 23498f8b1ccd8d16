"""What allows the work of an administrator: the admin key itself, or a program that answers the card's challenge."""

import os
import shlex
import subprocess
from collections.abc import Callable
from typing import Any, TypedDict

import click

from vsc.cli.environment import without_secrets
from vsc.cli.secret import STORED_KEY_SOURCES, read_known_admin_key
from vsc.errors import VscError

Responder = Callable[[bytes], bytes]


class Authority(TypedDict, total=False):
    """As the facade's methods take it: one of the two."""

    admin_key: bytes
    respond: Responder


_STORED = "The admin key, where a card wants it for this, as PIV cards do. Without it: the one that our store has."


def as_writer(command: Any) -> Any:
    """Gives a command `--admin-key` and `--respond` for cards that want the admin key to be written; `writer` takes
    both."""
    return click.option("--admin-key", metavar=STORED_KEY_SOURCES, help=_STORED)(_respond(command))


def writer(name: str | None, admin_key: str | None, respond: str | None) -> Authority:
    """The same as `authority`, of which nothing has to be said: then the card's own key is taken, where it is known."""
    return {} if admin_key is None and respond is None else authority(name, admin_key, respond)


_admin_key: Callable[[Any], Any] = click.option(
    "--admin-key",
    metavar=STORED_KEY_SOURCES,
    help="The admin key as it is now; 'stored' is the one that our store has for NAME. Without it: asks on a terminal.",
)
_respond: Callable[[Any], Any] = click.option(
    "--respond",
    metavar="COMMAND",
    help="In place of the admin key: a program that gets the challenge as its last argument and prints the response, "
    "both in hexadecimal.",
)


def as_administrator(command: Any) -> Any:
    """Gives a command `--admin-key` and `--respond`; `authority` takes both."""
    return _admin_key(_respond(command))


def authority(name: str | None, admin_key: str | None, respond: str | None) -> Authority:
    """Reads the key that was said, or returns who answers the challenge."""
    if admin_key is not None and respond is not None:
        raise click.UsageError("--admin-key and --respond exclude each other")
    if respond is not None:
        return {"respond": program(respond)}
    return {"admin_key": known_admin_key(name, admin_key)}


def known_admin_key(name: str | None, source: str | None) -> bytes:
    """Returns the admin key that was said. name: of the card whose key is `stored`; None for a card in a reader."""

    def stored() -> bytes:
        from vsc.factory import admin_key_of, home_store

        if name is None:
            raise click.BadParameter("the key of a card in a reader is not stored here", param_hint="--admin-key")
        return admin_key_of(home_store().read(name))

    return read_known_admin_key("prompt" if source is None else source, stored=stored)


def program(command: str) -> Responder:
    """Returns what runs `command` for each challenge. A usage error if it is not quoted as a shell has it."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise click.BadParameter(str(error).lower(), param_hint="--respond") from None
    if not words:
        raise click.BadParameter("say a command", param_hint="--respond")

    def respond(challenge: bytes) -> bytes:
        try:
            done = subprocess.run(
                [*words, challenge.hex().upper()],
                env=without_secrets(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                check=False,
            )
        except OSError as error:
            raise VscError(f"{words[0]} cannot be started: {error.strerror}") from None
        if done.returncode:
            raise VscError(f"{words[0]} gave no response: it ended with {done.returncode}")
        try:
            return bytes.fromhex(done.stdout.decode())
        except ValueError:
            raise VscError(f"what {words[0]} printed is no response in hexadecimal") from None

    return respond
