"""Which card a command means: NAME, one of the store, or `--reader READER`, whatever card is in there."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from string import hexdigits
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from vsc.cli.passphrase import passphrase_option
from vsc.errors import VscError

if TYPE_CHECKING:
    from vsc.api.card import Card

Names = list[CompletionItem[str]]


def complete_card(ctx: click.Context, param: click.Parameter, incomplete: str) -> Names:
    """Completes the name of a card of the store."""
    return [CompletionItem(name) for name in sorted(card_names()) if name.startswith(incomplete)]


def card_names() -> list[str]:
    """The names of the store's cards. A damaged store has none to offer; whoever runs the command is told."""
    from vsc.factory import home_store

    with suppress(VscError, OSError):
        return [name for image in home_store().images() if (name := getattr(image, "name", None))]
    return []


def complete_reader(ctx: click.Context, param: click.Parameter, incomplete: str) -> Names:
    """Completes the name of a reader."""
    from vsc.machine import current

    with suppress(VscError, OSError):
        return [CompletionItem(one.name) for one in current().readers() if one.name.startswith(incomplete)]
    return []


def complete_profile(ctx: click.Context, param: click.Parameter, incomplete: str) -> Names:
    """Completes the name of a profile."""
    from vsc.profiles import PROFILES

    return [CompletionItem(name, help=one.title) for name, one in PROFILES.items() if name.startswith(incomplete)]


name_argument: Callable[[Any], Any] = click.argument("name", shell_complete=complete_card)
"""NAME: a card of the store."""
_optional_name: Callable[[Any], Any] = click.argument(
    "name", required=False, metavar="[NAME]", shell_complete=complete_card
)
reader_option: Callable[[Any], Any] = click.option(
    "--reader",
    metavar="READER",
    shell_complete=complete_reader,
    help="In place of NAME: the card in this PC/SC reader, whoever made it.",
)


def on_a_card(command: Any) -> Any:
    """Gives a command NAME and `--reader`, which `opened` takes, and `--passphrase`."""
    for option in (passphrase_option(), reader_option, _optional_name):
        command = option(command)
    return command


def with_number(command: Any) -> Any:
    """Gives a command NAME or `--reader`, as `on_a_card` does, and N, the number of a container."""

    @wraps(command)
    def run(words: tuple[str, ...], reader: str | None, **more: Any) -> Any:
        most = 1 if reader is not None else 2
        if len(words) != most:
            raise click.UsageError("say the NAME of a card and the number N of a container, or --reader READER and N")
        name = None if reader is not None else words[0]
        number = key_number(opened(name, reader), words[-1])
        return command(name=name, reader=reader, number=number, where=place(words[-1], number), **more)

    words = click.argument("words", nargs=-1, metavar="[NAME] N", shell_complete=complete_card)
    for option in (passphrase_option(), reader_option, words):
        run = option(run)
    return run


def key_number(card: "Card", word: str) -> int:
    """The number of a key container, or of the slot that is called so, `9a`. A usage error if it is none."""
    # What can be neither is refused before the card is looked for.
    is_one = word.isdecimal() or (len(word) == 2 and all(digit in hexdigits for digit in word))
    number = card.key_number(word) if is_one else None
    if number is None:
        raise click.UsageError(f"{word!r} is no number of a container")
    return number


def place(word: str, number: int) -> str:
    """A key container in words, as `key_number` read it from that word: `container 0`, `slot 9A`."""
    return f"container {number}" if word in ("", str(number)) else f"slot {number:02X}"


def opened(name: str | None, reader: str | None) -> "Card":
    """Returns the card that was said, not yet open. A usage error unless there is exactly one of the two."""
    check_target(name, reader)
    from vsc.api.provisioning import open as handle_on

    return handle_on(name, reader=reader)


def check_target(name: str | None, reader: str | None) -> None:
    """A usage error unless exactly one of the two is given."""
    if (name is None) == (reader is None):
        raise click.UsageError("say the NAME of a card, or --reader READER" + (", not both" if name else ""))
