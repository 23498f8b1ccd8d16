"""`vsc`: the group of commands, and how errors become one sentence and an exit code.

0 ok, 1 failed, 2 usage, 3 cancelled, 4 not found, 5 refused (wrong secret or policy).
"""

import io
import os
import sys
from importlib import import_module

import click

from vsc.errors import CardNotFoundError, RefusedError, VscError

FAILED, USAGE, CANCELLED, NOT_FOUND, REFUSED = 1, 2, 3, 4, 5

# Command -> (module, one line for the list of commands). A module is imported when its command runs.
COMMANDS = {
    "run": ("vsc.cli.service", "Run a program with a card in a private PC/SC reader."),
    "serve": ("vsc.cli.service", "Serve a private PC/SC until interrupted."),
    "insert": ("vsc.cli.plug", "Put a card into a reader of a running run or serve."),
    "eject": ("vsc.cli.plug", "Take a card out of its reader."),
    "swap": ("vsc.cli.plug", "Take a card out and put another one in."),
    "reset": ("vsc.cli.plug", "Reset a card."),
    "create": ("vsc.cli.create", "Make a card."),
    "list": ("vsc.cli.inspect", "List the cards."),
    "show": ("vsc.cli.inspect", "Show what a card holds."),
    "attach": ("vsc.cli.attach", "Plug cards into pcscd's vpcd readers."),
    "transmit": ("vsc.cli.transmit", "Send APDUs to a card, in process."),
    "admin-key": ("vsc.cli.admin_key", "Show a card's admin key."),
    "destroy": ("vsc.cli.destroy", "Delete a card for good."),
}


class _Commands(click.Group):
    """The table above as a click group that imports a command only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="virtual-smart-card", prog_name="vsc")
def cli() -> None:
    """Software smart cards that unmodified PC/SC programs use.

    Cards are kept in the folder VSC_HOME (default: your folder for user data). They are for tests: a card's file
    holds its PIN and keys in clear.

    Exit codes: 0 ok, 1 failed, 2 usage, 3 cancelled, 4 not found, 5 refused (wrong secret or policy).
    """


def main() -> None:
    """Runs the command line and exits."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal's encoding lacks is shown escaped; that is no reason to fail.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command; returns its exit code. Errors are one sentence on stderr, never a traceback."""
    try:
        code = cli.main(arguments, prog_name="vsc", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        return USAGE
    except click.ClickException as error:
        error.show()
        return USAGE if isinstance(error, click.UsageError) else FAILED
    except (click.Abort, KeyboardInterrupt):
        click.echo("cancelled", err=True)
        return CANCELLED
    except VscError as error:
        click.echo(f"vsc: {error}", err=True)
        if isinstance(error, CardNotFoundError):
            return NOT_FOUND
        return REFUSED if isinstance(error, RefusedError) else FAILED
    except BrokenPipeError:
        # The reader of our output has gone (`vsc list | head`): nothing more to say, and nothing to flush at exit.
        sys.stdout = open(os.devnull, "w", encoding="ascii")  # noqa: SIM115
        return FAILED
    except OSError as error:
        click.echo(f"vsc: {error.strerror or error}", err=True)
        return FAILED
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    main()
