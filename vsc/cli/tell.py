"""What commands say to people on stderr, beside their output."""

import click

from vsc.text.printable import message


def tell(text: object) -> None:
    """Says one line. Whatever is in it, a terminal is given nothing to obey, and people no more than they read."""
    click.echo(f"vsc: {message(text)}", err=True)
