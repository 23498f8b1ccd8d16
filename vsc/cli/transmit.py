"""`vsc transmit`."""

import json
import sys
from collections.abc import Iterable, Iterator

import click

from card_os.sw import meaning
from vsc.cards import powered
from vsc.decode import command_name, is_secret, shown

MAX_APDU_BYTES = 65_544


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
        for line in sys.stdin:
            text = line.partition("#")[0].strip()
            if text:
                yield _parse(text)
    except UnicodeDecodeError:
        raise click.UsageError("stdin is not text") from None


@click.command("transmit")
@click.argument("name")
@click.argument("apdus", nargs=-1, required=True, metavar="APDU...")
@click.option("--json", "as_json", is_flag=True, help='Print [{"data": "<hex>", "sw": "<hex>"}, ...].')
def transmit_command(name: str, apdus: tuple[str, ...], as_json: bool) -> None:
    """Send APDUs, in hexadecimal, to the card NAME: in process, one power-on, no reader.

    With - instead of APDUs they are read from stdin, one a line, # for comments: the only way for APDUs that carry a
    PIN or a key. The exit code is 0 whatever the card answers.
    """
    if "-" in apdus and len(apdus) > 1:
        raise click.UsageError("'-' stands alone")
    commands: Iterable[bytes] = _from_stdin() if apdus == ("-",) else _from_arguments(apdus)
    if as_json:
        # The answers come out at the end, so a bad line must show before anything is sent. Without --json each
        # answer is printed before the next line is read: a program at the other end can react to it.
        commands = list(commands)
    answers = []
    with powered(name) as card:
        for command in commands:
            outcome = card.exchange(command)
            data, sw = outcome.response.data.hex().upper(), f"{outcome.response.sw:04X}"
            answers.append({"data": data, "sw": sw})
            if as_json:
                continue
            click.echo(f"> {shown(command)}  {command_name(command, card.applications)}")
            reason = f": {outcome.reason}" if outcome.reason else ""
            click.echo(f"< {data}{' ' if data else ''}{sw}  {meaning(outcome.response.sw)}{reason}")
    if as_json:
        click.echo(json.dumps(answers))
