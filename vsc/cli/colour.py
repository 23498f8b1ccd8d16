"""Colours, for commands that show traces."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

from vsc.trace.text import Tone

_STYLES: Mapping[Tone, Mapping[str, Any]] = {
    Tone.SUMMARY: {"bold": True},
    Tone.EVENT: {"bold": True},
    Tone.PROBE: {"dim": True},
    Tone.REFUSED: {"fg": "red"},
    Tone.WHY: {"fg": "yellow"},
}

color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Use colours; auto: on a terminal, unless NO_COLOR is set.",
)


def printer(color: str = "auto") -> Callable[[Tone, str], None]:
    """What prints a line, in colours where they are wanted."""
    is_coloured = color == "always" or (color == "auto" and _wants_colour())
    if not is_coloured:
        return lambda _, line: click.echo(line, color=False)
    return lambda tone, line: click.echo(click.style(line, **_STYLES.get(tone, {})), color=True)


def _wants_colour() -> bool:
    # https://no-color.org: set, and not empty.
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
