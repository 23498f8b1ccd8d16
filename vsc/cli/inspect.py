"""`vsc list` and `vsc show`: what cards there are and what is on them. Both read beside a writer."""

import json

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vsc.cards import home_store
from vsc.store.image import Image
from vsc.summary import CardSummary, summarise

_NO_LIMIT = 1000


def _tries(counter: dict[str, int] | None) -> str:
    if counter is None:
        return "not set"
    left, limit = counter["tries_left"], counter["try_limit"]
    return f"blocked (0 of {limit} tries)" if left == 0 else f"{left} of {limit} tries left"


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
def list_command(as_json: bool) -> int:
    """List the cards. An image that cannot be read is told on stderr, and the exit code is 1."""
    images = list(home_store().images())
    cards = sorted((summarise(one) for one in images if isinstance(one, Image)), key=lambda card: card.name)
    broken = [one for one in images if not isinstance(one, Image)]
    if as_json:
        click.echo(json.dumps([card.as_json() for card in cards]))
    elif cards:
        table = Table("name", "profile", "state", "PIN", "keys", "card id", box=None, pad_edge=False)
        for card in cards:
            cells = (card.name, card.profile, card.life_cycle, _tries(card.pin), str(len(card.containers)))
            table.add_row(*map(Text, cells), Text(card.card_id or "-"))
        _print(table)
    elif not broken:
        click.echo("There are no cards yet: make one with 'vsc create NAME'.", err=True)
    for error in broken:
        click.echo(f"vsc: {error}", err=True)
    return 1 if broken else 0


def _print(table: Table) -> None:
    """Prints a table, never cut and without blanks at the ends: a script that reads it must see whole words."""
    console = Console(highlight=False, width=_NO_LIMIT)
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


@click.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one object.")
def show_command(name: str, as_json: bool) -> None:
    """Show what the card NAME holds."""
    summary = summarise(home_store().read(name))
    if as_json:
        click.echo(json.dumps(summary.as_json()))
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for label, value in _rows(summary):
        table.add_row(Text(label), Text(_printable(value)))
    _print(table)


def _printable(text: str) -> str:
    """Replaces what a terminal might obey: names in containers and certificates are anybody's."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _rows(card: CardSummary) -> list[tuple[str, str]]:
    rows = [
        ("Name", card.name),
        ("Profile", card.profile),
        ("State", card.life_cycle),
        ("Card id", card.card_id or "none"),
        ("Serial", card.serial or "none"),
        ("ATR", card.atr),
        ("PIN", _tries(card.pin)),
        ("PIN policy", _policy(card.pin_policy)),
        ("PUK", "none" if card.puk is None else _tries(card.puk)),
        ("Admin key", _admin_key(card.admin_key)),
    ]
    for container in card.containers:
        star = ", default" if container.default else ""
        rows.append((f"Container {container.number}", f"{container.name} ({container.use}{star})"))
        rows.append(("  key", container.key or "none"))
        rows += [("  certificate", subject) for subject in container.certificates]
    return rows if card.containers else [*rows, ("Containers", "none")]


def _policy(policy: dict[str, int | str] | None) -> str:
    if policy is None:
        return "none (4 to 127 bytes)"
    # "other" is not named: every policy that the command line can make disallows it.
    rules = [
        f"{name} {rule}" for name, rule in policy.items() if name != "other" and rule in ("required", "disallowed")
    ]
    return ", ".join([f"{policy['minlen']} to {policy['maxlen']} characters", *rules])


def _admin_key(key: dict[str, int | None] | None) -> str:
    if key is None:
        return "not set"
    if key["try_limit"] is None:
        return "set, tries not limited"
    return f"set, {key['tries_left']} of {key['try_limit']} tries left"
