"""A folder in which GnuPG finds the cards of this run, and none of its user's keys."""

from pathlib import Path

import click

gpg_option = click.option(
    "--gpg",
    "is_for_gnupg",
    is_flag=True,
    help="Give GnuPG a GNUPGHOME of its own, set up for the cards of this run; it is gone afterwards.",
)

_SCDAEMON = """\
# Cards are reached through PC/SC: scdaemon's own driver looks for readers on USB alone.
disable-ccid
# Other programs may use the card between two commands.
pcsc-shared
"""


def set_up(home: Path) -> None:
    """Writes what GnuPG needs to be told into an empty GNUPGHOME."""
    (home / "scdaemon.conf").write_text(_SCDAEMON, encoding="ascii")
