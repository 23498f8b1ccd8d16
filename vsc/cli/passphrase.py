"""`--passphrase` and `--durability`: options that any command on stored cards can have, one line each.

    @passphrase_option()             the card is opened with it
    @passphrase_option(is_new=True)  the card is made with it, so a prompt asks twice
    @durability_option

Both are said to `vsc.store.settings` for the time of the command, so the command itself need not know them.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vsc.cli.environment import hide
from vsc.cli.secret import ask

SOURCES = "prompt|env:VAR|file:PATH"
_OPTION = "--passphrase"


def passphrase_option(*, is_new: bool = False) -> Callable[[Any], Any]:
    """Gives a command `--passphrase`. is_new: for a card that the command makes."""

    def say(ctx: click.Context, param: click.Parameter, source: str | None) -> None:
        if source is not None:
            from vsc.store import settings

            ctx.with_resource(settings.using(passphrase=_from(source, is_new=is_new)))
            if source.startswith("env:"):
                hide(source.removeprefix("env:"))

    words = "Encrypt the card with this passphrase." if is_new else "The passphrase of an encrypted card."
    return click.option(
        _OPTION,
        metavar=SOURCES,
        callback=say,
        expose_value=False,
        help=f"{words} Without it: what the file holds that VSC_PASSPHRASE_FILE names.",
    )


def _say_durability(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        from vsc.store import settings
        from vsc.store.database import Durability

        ctx.with_resource(settings.using(durability=Durability(value)))


durability_option: Callable[[Any], Any] = click.option(
    "--durability",
    type=click.Choice(["power-loss", "process"]),
    callback=_say_durability,
    expose_value=False,
    help="What a change survives: a power cut (the default), or, faster, the end of the process. "
    "Without it: what VSC_DURABILITY says.",
)


def _from(source: str, *, is_new: bool) -> Callable[[], bytes]:
    """Returns what gives the passphrase when it is needed; a source that makes no sense is a usage error now."""
    from vsc.store import settings

    kind, _, where = source.partition(":")
    if source == "prompt":
        question = "New passphrase" if is_new else "Passphrase"
        return lambda: ask(question, _OPTION, twice=is_new).encode(errors="surrogateescape")
    if kind == "env" and where:
        if where not in os.environ:
            raise click.BadParameter(f"the environment variable {where} is not set", param_hint=_OPTION)
        return lambda: os.environ[where].encode(errors="surrogateescape")
    if kind == "file" and where:
        return lambda: settings.read_passphrase(Path(where))
    raise click.BadParameter(f"say {SOURCES}, never the secret itself", param_hint=_OPTION)
