"""`vsc replay`: a log becomes a card."""

from pathlib import Path
from typing import get_args

import click

from vsc.cli.private import WithCommand, ended_so, run_on
from vsc.cli.secret import KNOWN_KEY_SOURCES, read_known_admin_key
from vsc.cli.tell import tell
from vsc.errors import VscError
from vsc.factory import DEFAULT_PIN, fresh
from vsc.reader import DEFAULT_NAME, Reader
from vsc.replay import Log, Mode, ReplayCard, profile_of, read_log
from vsc.text.printable import printable


class _Atr(click.ParamType[bytes]):
    name = "hex"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        try:
            atr = bytes.fromhex(value.replace(":", " "))
        except ValueError:
            atr = b""
        if not 2 <= len(atr) <= 33:
            self.fail("an ATR is 2 to 33 bytes in hexadecimal", param, ctx)
        return atr


@click.command("replay", cls=WithCommand)
@click.option(
    "--mode",
    type=click.Choice(get_args(Mode)),
    default="strict",
    show_default=True,
    help="strict: commands in the log's order; command: in any order; learnt: in any form, too.",
)
@click.option("--atr", type=_Atr(), metavar="HEX", help="The card's ATR. Without it: the one of the log.")
@click.option("--reader", metavar="NAME", help="Replay only this reader of the log. Without it: each of them.")
@click.option(
    "--admin-key",
    metavar=KNOWN_KEY_SOURCES,
    help="The card's admin key, in mode learnt: for commands that have the card prove that it knows it.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] COMMAND [ARG]...")
def replay_command(
    mode: Mode, atr: bytes | None, reader: str | None, admin_key: str | None, file: Path, command: tuple[str, ...]
) -> int:
    """Run COMMAND with a card that answers from FILE: a debug log of OpenSC, a log of 'pcscd --apdu', a trace.

    The exit status is the command's; but 1 if that is 0 and the log had no answer to something.
    """
    if admin_key is not None and mode != "learnt":
        raise click.BadParameter("only mode learnt has a use for it", param_hint="--admin-key")
    key = None if admin_key is None else read_known_admin_key(admin_key)
    log = read_log(file)
    for words in log.warnings:
        tell(f"{file}: {words}")
    names = log.readers if reader is None else (reader,)
    cards = [_card(log.of(name), mode, atr, key) for name in names]
    status = run_on(map(_slot, names, cards), command)
    for name, card in zip(names, cards, strict=True):
        _tell(card, f"in {name!r} " if len(cards) > 1 else "")
    if status == 0 and any(card.report for card in cards):
        return 1
    return ended_so(status)


def _card(log: Log, mode: Mode, atr: bytes | None, admin_key: bytes | None) -> ReplayCard:
    prover = None
    if admin_key is not None:
        profile = profile_of(log)
        prover = fresh(profile.name if profile else "gids", pin=DEFAULT_PIN, admin_key=admin_key)
    return ReplayCard(log, mode, atr=atr, prover=prover)


def _slot(name: str, card: ReplayCard) -> Reader:
    """A reader as the log has it, with its card."""
    try:
        slot = Reader(name or DEFAULT_NAME)
    except ValueError as error:
        raise VscError(f"the log has a reader that cannot be: {error}") from None
    slot.insert(card)
    return slot


def _tell(card: ReplayCard, where: str) -> None:
    """where: which reader is meant, if there are several."""
    if card.report is not None:
        first, *more = str(card.report).splitlines()
        tell(f"{where}{first}")
        for line in more:
            click.echo(printable(line), err=True)
    elif card.mode == "strict" and card.unused:
        them = "APDU of the log was" if card.unused == 1 else f"{card.unused} APDUs of the log were"
        tell(f"{where}the last {them} not asked for")
