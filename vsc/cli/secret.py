"""Where secrets come from: a prompt, an environment variable, a file. Never the command line, which others can read."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from card_os.admin import KEY_BYTES

PIN_SOURCES = "prompt|default|env:VAR|file:PATH"
ADMIN_KEY_SOURCES = "random|default|prompt|env:VAR|file:PATH"


def _from(source: str, option: str, words: dict[str, Callable[[], str]], sources: str) -> str:
    kind, separator, where = source.partition(":")
    if not separator and source in words:
        return words[source]()
    if kind == "env" and where:
        value = os.environ.get(where)
        if value is None:
            raise click.BadParameter(f"the environment variable {where} is not set", param_hint=option)
        return value
    if kind == "file" and where:
        try:
            return Path(where).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise click.BadParameter(f"{where} cannot be read: {reason}", param_hint=option) from None
    raise click.BadParameter(f"say {sources}, never the secret itself", param_hint=option)


def _ask(text: str, option: str) -> str:
    if not sys.stdin.isatty():
        raise click.BadParameter("there is no terminal to ask on", param_hint=option)
    answer: str = click.prompt(text, hide_input=True, confirmation_prompt=True, err=True)
    return answer


def read_pin(source: str | None, *, default: bytes) -> bytes:
    """Returns the PIN that `--pin` names; without one asks on a terminal, else that is a usage error."""
    if source is None:
        if not sys.stdin.isatty():
            raise click.UsageError(f"no terminal to ask for a PIN on: say --pin {PIN_SOURCES}")
        source = "prompt"
    words = {"prompt": lambda: _ask("New PIN", "--pin"), "default": default.decode}
    # A variable that is not UTF-8 comes with its bytes escaped: they are the PIN.
    return _from(source, "--pin", words, PIN_SOURCES).encode(errors="surrogateescape")


def read_admin_key(source: str, *, default: bytes) -> bytes | None:
    """Returns the 24 bytes that `--admin-key` names; None for a random one."""
    if source == "random":
        return None
    words = {"prompt": lambda: _ask("Admin key (48 hexadecimal digits)", "--admin-key"), "default": default.hex}
    text = _from(source, "--admin-key", words, ADMIN_KEY_SOURCES)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise click.BadParameter(f"an admin key is {2 * KEY_BYTES} hexadecimal digits", param_hint="--admin-key")
    return key
