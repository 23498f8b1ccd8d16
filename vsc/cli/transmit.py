"""`vsc transmit`."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, cast

import click

from card_os.sw import meaning
from vsc.cli.passphrase import passphrase_option
from vsc.cli.target import complete_card, opened, reader_option
from vsc.factory import powered
from vsc.masking.mask import is_secret, shown
from vsc.profiles import GIDS
from vsc.trace.decoder import command_name

if TYPE_CHECKING:
    from vsc.machine import MachineReader

MAX_APDU_BYTES = 65_544
_MAX_LINE_CHARACTERS = 4 * MAX_APDU_BYTES
"""`00 A4 ` is three characters a byte, and there may be a comment."""
_MAX_AT_ONCE = 100_000
"""APDUs, where all are read before the first is sent."""

Answer = tuple[bytes, int, str]
"""Data, status word, the card's reason where it has one."""


def _parse(text: str) -> bytes:
    try:
        command = bytes.fromhex(text.replace(":", " "))
    except ValueError:
        command = b""
    if not 1 <= len(command) <= MAX_APDU_BYTES:
        raise click.UsageError("an APDU is 1 to 65 544 bytes in hexadecimal")
    return command


def _from_arguments(texts: tuple[str, ...]) -> list[bytes]:
    commands = [_parse(text) for text in texts]
    if any(is_secret(command) for command in commands):
        raise click.UsageError("an APDU with a PIN or key is taken from stdin only ('-'): others can see arguments")
    return commands


def _from_stdin() -> Iterator[bytes]:
    try:
        # A line is read no further than any APDU is long: what is at the other end may never end one.
        while line := sys.stdin.readline(_MAX_LINE_CHARACTERS):
            if len(line) == _MAX_LINE_CHARACTERS:
                raise click.UsageError(f"a line of stdin has more than {_MAX_LINE_CHARACTERS} characters")
            text = line.partition("#")[0].strip()
            if text:
                yield _parse(text)
    except UnicodeDecodeError:
        raise click.UsageError("stdin is not text") from None


@contextmanager
def _card(name: str) -> Iterator[tuple[Callable[[bytes], Answer], Callable[[bytes], str]]]:
    """A card of the store, in process: how to send, and what a command is called."""
    with powered(name) as card:

        def send(command: bytes) -> Answer:
            outcome = card.exchange(command)
            return outcome.response.data, outcome.response.sw, str(outcome.reason or "")

        yield send, lambda command: command_name(command, card.applications)


@contextmanager
def _card_in(reader: str) -> Iterator[tuple[Callable[[bytes], Answer], Callable[[bytes], str]]]:
    """Any card in a reader, nobody else's for the time."""
    # Outside a `with` block, the handle's reader is the machine's.
    found = cast("MachineReader", opened(None, reader).reader)
    with found.connect() as connection, connection.transaction():

        def send(command: bytes) -> Answer:
            response = connection.transmit(command)
            return response[:-2], int.from_bytes(response[-2:]), ""

        yield send, lambda command: command_name(command, GIDS.applications)


@click.command("transmit")
@click.argument("words", nargs=-1, required=True, metavar="[NAME] APDU...", shell_complete=complete_card)
@reader_option
@passphrase_option()
@click.option("--json", "as_json", is_flag=True, help='Print [{"data": "<hex>", "sw": "<hex>"}, ...].')
def transmit_command(words: tuple[str, ...], reader: str | None, as_json: bool) -> None:
    """Send APDUs, in hexadecimal, to the card NAME: in process, one power-on, no reader.

    With --reader: to the card in that PC/SC reader, whatever it is; nobody else gets a word in between.

    With - instead of APDUs they are read from stdin, one a line, # for comments: the only way for APDUs that carry a
    PIN or a key. The exit code is 0 whatever the card answers.
    """
    name, apdus = ("", words) if reader is not None else (words[0], words[1:])
    if not apdus:
        raise click.UsageError("Missing argument 'APDU...'.")
    if "-" in apdus and len(apdus) > 1:
        raise click.UsageError("'-' stands alone")
    commands: Iterable[bytes] = _from_stdin() if apdus == ("-",) else _from_arguments(apdus)
    if as_json:
        # The answers come out at the end, so a bad line must show before anything is sent. Without --json each
        # answer is printed before the next line is read: a program at the other end can react to it.
        commands = list(islice(commands, _MAX_AT_ONCE + 1))
        if len(commands) > _MAX_AT_ONCE:
            raise click.UsageError(f"with --json there are at most {_MAX_AT_ONCE} APDUs")
    answers = []
    with _card(name) if reader is None else _card_in(reader) as (send, named):
        for command in commands:
            response, sw, reason = send(command)
            data = response.hex().upper()
            if as_json:
                answers.append({"data": data, "sw": f"{sw:04X}"})
                continue
            click.echo(f"> {shown(command)}  {named(command)}")
            click.echo(f"< {data}{' ' if data else ''}{sw:04X}  {meaning(sw)}{': ' if reason else ''}{reason}")
    if as_json:
        click.echo(json.dumps(answers))
