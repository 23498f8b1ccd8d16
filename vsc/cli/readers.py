"""`vsc readers`."""

import json

import click

from vsc.cli.table import print_table
from vsc.machine import MachineReader, current


def described(reader: MachineReader) -> dict[str, str | None]:
    """What is known of a reader and the card in it: for JSON. card: its name in our store, if it is one of ours."""
    atr = reader.atr
    return {
        "name": reader.name,
        "kind": reader.kind.name.lower(),
        "status": reader.status().name.lower(),
        "card": reader.card_name,
        "card_status": reader.card_status().name.lower(),
        "atr": atr.hex().upper() if atr else None,
    }


@click.command("readers")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
def readers_command(as_json: bool) -> None:
    """List the readers that PC/SC programs started here would see, and the cards in them."""
    readers = [described(one) for one in current().readers()]
    if as_json:
        click.echo(json.dumps(readers))
    elif readers:
        print_table(("name", "kind", "card", "ATR"), (_row(one) for one in readers), give_way=("ATR", "card", "name"))
    else:
        click.echo("There are no readers: 'vsc run' and 'vsc serve' make some, 'vsc attach' uses pcscd's.", err=True)


def _row(reader: dict[str, str | None]) -> tuple[str, ...]:
    status = reader["card_status"]
    if status == "disconnected":
        card = "(empty)" if reader["status"] != "disconnected" else "(reader gone)"
    else:
        card = reader["card"] or "(a card)"
        card += f", {status}" if status not in ("ready", "shared") else ""
    return reader["name"] or "", reader["kind"] or "", card, reader["atr"] or "-"
