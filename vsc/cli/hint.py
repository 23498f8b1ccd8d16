"""What to type instead, where an error alone does not say it."""

from collections.abc import Iterable
from difflib import get_close_matches

import click

from vsc.errors import CardNotFoundError, PinBlocked, VscError, WrongPin


def meant(word: str, known: Iterable[str]) -> str:
    """Asks whether one of the known words was meant; nothing if none is like it."""
    found = get_close_matches(word, list(known), n=3)
    return f" Did you mean {' or '.join(map(repr, found))}?" if found else ""


def hint(error: VscError) -> str:
    """What follows the sentence of an error: the way out, or nothing."""
    if isinstance(error, CardNotFoundError) and error.name is not None:
        from vsc.cli.target import card_names

        return (close := meant(error.name, card_names())) and f".{close}"
    is_blocked = isinstance(error, PinBlocked) or (isinstance(error, WrongPin) and error.tries_left == 0)
    if is_blocked and getattr(error, "what", None) == "PIN":
        return ": 'vsc pin reset' gives it its tries back, with the card's admin key or its PUK"
    return ""


class Group(click.Group):
    """A group that asks what was meant by a command that it has not."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            # Newer versions of click ask themselves, where they have the commands in a table of theirs.
            close = meant(args[0], self.list_commands(ctx))
            if not close or "Did you mean" in error.format_message():
                raise
            raise click.UsageError(f"{error.format_message().rstrip('.')}.{close}", ctx) from None
