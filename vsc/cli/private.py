"""Running a command with readers of its own: what `vsc record` and `vsc replay` share, and how a run ends."""

import os
import signal
from collections.abc import Iterable, Sequence

import click

from vsc.cli.environment import without_secrets
from vsc.cli.tell import tell
from vsc.pcsc import Service
from vsc.reader import Reader
from vsc.serving import child
from vsc.serving.control import VARIABLE as CONTROL_VARIABLE


class WithCommand(click.Command):
    """A command that ends in another one. Before `--` its own words and options come in any order."""

    allow_interspersed_args = False
    ignore_unknown_options = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_interspersed_args = "--" in args
        return super().parse_args(ctx, args)


def run_on(readers: Iterable[Reader], command: Sequence[str]) -> int:
    """Runs a command that sees those readers and no others; returns its status, -N if signal N ended it.

    A command that cannot be started is told of, and has the status that a shell gives it.
    """
    with Service(readers) as variables:
        env = without_secrets(variables)
        # What is around us has other readers.
        env.pop(CONTROL_VARIABLE, None)
        try:
            return child.run(command, env)
        except child.CannotStartError as error:
            tell(error)
            return error.exit_code


def ended_so(status: int) -> int:
    """Ends as a command has ended: whoever started us sees the same. Returns the status, if there was no signal."""
    if status < 0:
        if -status not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
        return 128 - status
    return status
