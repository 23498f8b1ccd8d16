"""`vsc list` and `vsc show`: what cards there are and what is on them. Both read beside a writer."""

import json

import click

from vsc.cli.passphrase import passphrase_option
from vsc.cli.table import print_table
from vsc.cli.target import name_argument
from vsc.cli.tell import tell
from vsc.errors import CardLocked
from vsc.factory import home_store
from vsc.store.image import Image
from vsc.store.summary import CardSummary, Counter, outline_of, summarise


def _tries(counter: Counter | None) -> str:
    if counter is None:
        return "not set"
    left, limit = counter["tries_left"], counter["try_limit"]
    if limit is None:
        return "set, tries not limited"
    return f"blocked (0 of {limit} tries)" if left == 0 else f"{left} of {limit} tries left"


@click.command("list")
@passphrase_option()
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
def list_command(as_json: bool) -> int:
    """List the cards; of an encrypted one without its passphrase only that it is there.

    An image that cannot be read is told on stderr, and the exit code is 1.
    """
    images = list(home_store().images())
    cards = [summarise(one) for one in images if isinstance(one, Image)]
    locked = [one.name for one in images if isinstance(one, CardLocked)]
    broken = [one for one in images if not isinstance(one, Image | CardLocked)]
    if as_json:
        found = [card.as_json() for card in cards] + [{"name": name, "locked": True} for name in locked]
        click.echo(json.dumps(sorted(found, key=lambda card: str(card["name"]))))
    elif cards or locked:
        _print_list(cards, locked)
    elif not broken:
        click.echo("There are no cards yet: make one with 'vsc create NAME'.", err=True)
    for error in broken:
        tell(error)
    return 1 if broken else 0


def _print_list(cards: list[CardSummary], locked: list[str]) -> None:
    rows = [(card.name, card.label, *_columns(card)) for card in cards]
    rows += [(name, "-", "-", "locked", "-", "-", "-") for name in locked]
    head = ("name", "label", "profile", "state", "PIN", "keys", "card id")
    # Most labels are the name: a column that says so would only take room.
    places = [at for at in range(len(head)) if head[at] != "label" or any(card.label != card.name for card in cards)]
    print_table(
        tuple(head[at] for at in places),
        (tuple(row[at] for at in places) for row in sorted(rows)),
        give_way=("card id", "label", "name"),
    )


def _columns(card: CardSummary) -> tuple[str, ...]:
    # Short enough for 80 columns: name, state, tries and the long id are what people look for.
    pin = card.pin and (f"{card.pin['tries_left']} of {card.pin['try_limit']}" if card.pin["tries_left"] else "blocked")
    no_pin = "not set" if "user" in card.names else "-"
    return card.profile, card.life_cycle or "-", pin or no_pin, str(len(card.containers)), card.card_id or "-"


@click.command("show")
@name_argument
@passphrase_option()
@click.option("--json", "as_json", is_flag=True, help="Print one object.")
@click.option("--tree", "as_tree", is_flag=True, help="Print a tree: all applications, tries as dots, places for keys.")
def show_command(name: str, as_json: bool, as_tree: bool) -> None:
    """Show what the card NAME holds."""
    image = home_store().read(name)
    if as_tree:
        from vsc.cli.tree import print_tree

        if as_json:
            raise click.UsageError("--tree and --json exclude each other")
        print_tree(f"{image.name}  {image.profile.title}", outline_of(image))
        return
    summary = summarise(image)
    if as_json:
        click.echo(json.dumps(summary.as_json()))
        return
    print_table(None, _rows(summary))


def _rows(card: CardSummary) -> list[tuple[str, str]]:
    rows = [
        ("Name", card.name),
        *([("Label", card.label)] if card.label != card.name else []),
        ("Profile", card.profile),
        ("State", card.life_cycle or "-"),
        ("Card id", card.card_id or "none"),
        ("Serial", card.serial or "none"),
        ("ATR", card.atr),
        *_secrets(card),
    ]
    for container in card.containers:
        star = ", default" if container.default else ""
        rows.append((f"Container {container.number}", f"{container.name} ({container.use}{star})"))
        rows.append(("  key", container.key or "none"))
        rows += [("  certificate", subject) for subject in container.certificates]
    if not card.containers and "user" in card.names:
        rows.append(("Containers", "none"))
    return [*rows, *(("Also on it", name) for name in card.others)]


def _secrets(card: CardSummary) -> list[tuple[str, str]]:
    """Those that cards of the kind can have, by the names that they have there."""
    words = {
        "user": [("", _tries(card.pin)), (" policy", _policy(card.pin_policy))],
        "unblock": [("", "none" if card.puk is None else _tries(card.puk))],
        "admin": [("", _admin_key(card.admin_key))],
    }
    return [(f"{_capital(name)}{what}", text) for kind, name in card.names.items() for what, text in words[kind]]


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _policy(policy: dict[str, int | str] | None) -> str:
    if policy is None:
        return "none (4 to 127 bytes)"
    # "other" is not named: every policy that the command line can make disallows it.
    rules = [
        f"{name} {rule}" for name, rule in policy.items() if name != "other" and rule in ("required", "disallowed")
    ]
    return ", ".join([f"{policy['minlen']} to {policy['maxlen']} characters", *rules])


def _admin_key(key: Counter | None) -> str:
    text = _tries(key)
    return text if key is None or text.startswith("set") else f"set, {text}"
