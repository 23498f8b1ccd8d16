"""`vsc completion`: the script by which a shell completes commands, options and the names of cards."""

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete


class _Bash(BashComplete):
    """Click's, but a name with a blank in it comes out quoted."""

    source_template = BashComplete.source_template.replace(
        "COMPREPLY+=($value)", 'printf -v value %%q "$value"; COMPREPLY+=("$value")'
    )


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": ZshComplete, "fish": FishComplete}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_SHELLS)), metavar="|".join(_SHELLS))
def completion_command(shell: str) -> None:
    """Print a script for bash, zsh or fish that completes commands, options and the names of cards.

    For bash, once and for all: vsc completion bash > ~/.local/share/bash-completion/completions/vsc
    """
    from vsc.cli.__main__ import cli

    click.echo(_SHELLS[shell](cli, {}, "vsc", "_VSC_COMPLETE").source(), nl=False)
