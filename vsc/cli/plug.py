"""`vsc insert`, `eject`, `swap`, `reset`: act on a running `vsc run` or `vsc serve`, through its control socket."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vsc.serving.control import VARIABLE, ask
from vsc.text.printable import message

_socket: Callable[[Any], Any] = click.option(
    "--socket",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help=f"Socket of the running vsc, or its folder. Default: what {VARIABLE} says.",
)


def _say(what: str, reader: str) -> None:
    click.echo(f"{what}: {message(reader)}")


@click.command("insert")
@click.argument("what", metavar="NAME|READER")
@click.option("--reader", metavar="READER", help="Default: the first empty one.")
@_socket
def insert_command(what: str, reader: str | None, socket: Path | None) -> None:
    """Put the card NAME into a reader; with READER: what was last in it. Returns when PC/SC programs can see it."""
    _say("In", ask(socket, {"do": "insert", "what": what, "reader": reader}))


@click.command("eject")
@click.argument("what", metavar="NAME|READER")
@_socket
def eject_command(what: str, socket: Path | None) -> None:
    """Take a card out of its reader. Returns when PC/SC programs can see it."""
    _say("Out", ask(socket, {"do": "eject", "what": what}))


@click.command("swap")
@click.argument("what", metavar="NAME|READER")
@click.argument("card", metavar="CARD")
@_socket
def swap_command(what: str, card: str, socket: Path | None) -> None:
    """Take a card out and put CARD in, with nothing in between. Returns when PC/SC programs can see it."""
    _say("Swapped", ask(socket, {"do": "swap", "what": what, "card": card}))


@click.command("reset")
@click.argument("what", metavar="NAME|READER")
@click.option("--cold", is_flag=True, help="Take the card's power away, too.")
@_socket
def reset_command(what: str, cold: bool, socket: Path | None) -> None:
    """Reset a card, warm. Returns when PC/SC programs can see it."""
    _say("Reset", ask(socket, {"do": "reset", "what": what, "cold": cold}))
