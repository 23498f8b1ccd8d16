"""The environment of programs that a command starts: without the variables that it took secrets from."""

import os
from collections.abc import Mapping

import click

_TAKEN = "vsc.environment.taken"


def secret_in(variable: str) -> str | None:
    """Returns a secret, None if the variable is not set; programs started from now on do not see it."""
    hide(variable)
    return os.environ.get(variable)


def hide(variable: str) -> None:
    """Keeps a variable from the programs that this command starts."""
    ctx = click.get_current_context(silent=True)
    if ctx is not None:
        ctx.meta.setdefault(_TAKEN, set()).add(variable)


def without_secrets(env: Mapping[str, str]) -> dict[str, str]:
    """Returns an environment for a program."""
    ctx = click.get_current_context(silent=True)
    taken = ctx.meta.get(_TAKEN, ()) if ctx is not None else ()
    return {name: value for name, value in env.items() if name not in taken}
