"""`vsc`: the group of commands, and how errors become one sentence and an exit code.

0 ok, 1 failed, 2 usage, 3 cancelled, 4 not found, 5 refused (wrong secret or policy).
"""

import io
import os
import sys
import warnings
from importlib import import_module
from typing import TextIO

import click
from click.shell_completion import CompletionItem

from vsc.cli.hint import Group, hint
from vsc.cli.tell import tell
from vsc.errors import Cancelled, CardNotFoundError, CardWarning, ReaderNotFoundError, RefusedError, VscError
from vsc.text.printable import message

FAILED, USAGE, CANCELLED, NOT_FOUND, REFUSED = 1, 2, 3, 4, 5
_CODES: dict[type[VscError], int] = {
    CardNotFoundError: NOT_FOUND,
    ReaderNotFoundError: NOT_FOUND,
    Cancelled: CANCELLED,
    RefusedError: REFUSED,
}

# Group -> command -> (module, one line for the list of commands). A module is imported when its command runs.
GROUPS = {
    "Programs with a card": {
        "run": ("vsc.cli.service", "Run a program with a card in a private PC/SC reader."),
        "serve": ("vsc.cli.service", "Serve a private PC/SC until interrupted."),
        "attach": ("vsc.cli.attach", "Plug cards into pcscd's vpcd readers."),
        "record": ("vsc.cli.record", "Run a program on a card and write down what passes."),
        "replay": ("vsc.cli.replay", "Run a program with a card that answers from a log."),
    },
    "Cards": {
        "create": ("vsc.cli.create", "Make a card."),
        "list": ("vsc.cli.inspect", "List the cards."),
        "show": ("vsc.cli.inspect", "Show what a card holds."),
        "profiles": ("vsc.cli.profiles", "List the kinds of cards, and what differs between two."),
        "destroy": ("vsc.cli.destroy", "Delete a card for good."),
        "export": ("vsc.cli.transfer", "Write a whole card to a file."),
        "import": ("vsc.cli.transfer", "Make a card of such a file."),
        "rescue": ("vsc.cli.rescue", "Save the cards that are whole from a damaged database."),
    },
    "PIN and admin key": {
        "pin": ("vsc.cli.pin", "Verify, change or reset a PIN."),
        "admin-key": ("vsc.cli.admin_key", "Show, verify or change an admin key."),
        "provision": ("vsc.cli.provision", "Format a card, or give it an id."),
    },
    "Keys and certificates": {
        "load": ("vsc.cli.load", "Put keys and their certificates onto a card."),
        "keygen": ("vsc.cli.keygen", "Make a key on a card."),
        "key": ("vsc.cli.key", "Delete a key."),
        "cert": ("vsc.cli.cert", "Get, put or delete the certificate of a key."),
    },
    "Readers and PC/SC": {
        "readers": ("vsc.cli.readers", "List the readers and what is in them."),
        "watch": ("vsc.cli.watch", "Tell of cards and readers that come and go."),
        "insert": ("vsc.cli.plug", "Put a card into a reader of a running run or serve."),
        "eject": ("vsc.cli.plug", "Take a card out of its reader."),
        "swap": ("vsc.cli.plug", "Take a card out and put another one in."),
        "reset": ("vsc.cli.plug", "Reset a card."),
        "transmit": ("vsc.cli.transmit", "Send APDUs to a card."),
    },
    "Traces": {
        "trace": ("vsc.cli.trace", "Show a log of APDUs in words, or convert it."),
        "explain": ("vsc.cli.explain", "Explain a status word, an APDU, or the refusals in a log."),
    },
    "More": {
        "tpmvscmgr": ("vsc.cli.tpmvscmgr", "create and destroy as Windows spells them."),
        "completion": ("vsc.cli.completion", "Print the script that completes commands in a shell."),
    },
}
COMMANDS = {name: row for rows in GROUPS.values() for name, row in rows.items()}
_WIDTH = max(map(len, COMMANDS))


class _Commands(Group):
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
        for group, rows in GROUPS.items():
            with formatter.section(group):
                formatter.write_dl([(name.ljust(_WIDTH), words) for name, (_, words) in rows.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        # As click's own, but from the table: no command is imported for its name.
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=words) for name, (_, words) in COMMANDS.items() if name.startswith(incomplete)
        ]


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="virtual-smart-card", prog_name="vsc")
def cli() -> None:
    """Software smart cards that unmodified PC/SC programs use.

    Cards are kept in the folder VSC_HOME (default: your folder for user data). They are for tests: without a
    passphrase their PINs and keys are kept in clear.

    Exit codes: 0 ok, 1 failed, 2 usage, 3 cancelled, 4 not found, 5 refused (wrong secret or policy).
    """


def main() -> None:
    """Runs the command line and exits."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal's encoding lacks is shown escaped; that is no reason to fail.
        sys.stdout.reconfigure(errors="backslashreplace")
    _put_warnings_in_words()
    sys.exit(run(sys.argv[1:]))


def _put_warnings_in_words() -> None:
    """What an owner should know of a card is said like an error, without the line of ours that says it."""
    others = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, CardWarning):
            tell(f"warning: {message}")
        else:
            others(message, category, filename, lineno, file, line)

    warnings.showwarning = show


def run(arguments: list[str]) -> int:
    """Runs one command; returns its exit code. Errors are one sentence on stderr, never a traceback."""
    try:
        code = cli.main(arguments, prog_name="vsc", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        return USAGE
    except click.ClickException as error:
        _show(error)
        return USAGE if isinstance(error, click.UsageError) else FAILED
    except (click.Abort, KeyboardInterrupt):
        click.echo("cancelled", err=True)
        return CANCELLED
    except VscError as error:
        if isinstance(error, Cancelled):
            click.echo("cancelled", err=True)
        else:
            tell(f"{error}{hint(error)}")
        return next((code for kind, code in _CODES.items() if isinstance(error, kind)), FAILED)
    except BrokenPipeError:
        # The reader of our output has gone (`vsc list | head`): nothing more to say, and nothing to flush at exit.
        sys.stdout = open(os.devnull, "w", encoding="ascii")  # noqa: SIM115
        return FAILED
    except OSError as error:
        tell(error.strerror or error)
        return FAILED
    except UnicodeEncodeError as error:
        # A file's name, say, that this locale cannot write.
        tell(f"{error.object!a} cannot be written in the encoding of this locale, {error.encoding}: say LC_ALL=C.UTF-8")
        return FAILED
    return code if isinstance(code, int) else 0


def _show(error: click.ClickException) -> None:
    """As click does it; but what is wrong may stand in somebody's file."""
    lines = io.StringIO()
    error.show(file=lines)
    click.echo("\n".join(map(message, lines.getvalue().splitlines())), err=True)


if __name__ == "__main__":
    main()
