"""`vsc record`: what passes between a command and a card in any PC/SC reader."""

from pathlib import Path

import click

from vsc.cli.private import WithCommand, ended_so, run_on


@click.command("record", cls=WithCommand)
@click.option("--reader", metavar="READER", help="The PC/SC reader. Without it: the only one that has a card.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the record to FILE as JSON lines, PINs and keys left out.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] COMMAND [ARG]...")
def record_command(reader: str | None, output: Path, command: tuple[str, ...]) -> int:
    """Run COMMAND on a card in any PC/SC reader, a real one too, and write what passes to FILE.

    The command sees that reader and no other, through a PC/SC service of its own. The exit status is the command's.
    'vsc replay' makes a card of FILE.
    """
    # Imported only now: `vsc record --help` needs no PC/SC.
    from vsc.replay.relay import Relay
    from vsc.trace import Recorder

    relay = Relay(reader)
    with Recorder(output) as recorder:
        recorder.follow(relay.reader)
        with relay:
            status = run_on([relay.reader], command)
    return ended_so(status)
