"""Text on the command line that is not a path."""

import click

from vsc.text.locale_text import locale_problem


class _Text(click.ParamType[str]):
    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if problem := locale_problem(value):
            self.fail(problem, param, ctx)
        return value


TEXT = _Text()
"""The type of an option whose text is kept, or shown elsewhere."""
