"""`vsc profiles`: the kinds of cards that there are, and what differs between two of them."""

import json

import click

from vsc.cli.hint import Group
from vsc.cli.target import complete_profile
from vsc.profiles import PROFILES, profile_named
from vsc.profiles.traits import differences


@click.group("profiles", cls=Group, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def profiles_command(context: click.Context, as_json: bool) -> None:
    """List the kinds of cards that 'vsc create --profile' and 'vsc run --new' can make."""
    if context.invoked_subcommand is not None:
        return
    if as_json:
        rows = [{"name": one.name, "aliases": list(one.aliases), "title": one.title} for one in PROFILES.values()]
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(len(name) for name in PROFILES)
    for name, profile in PROFILES.items():
        also = f" (also {', '.join(profile.aliases)})" if profile.aliases else ""
        click.echo(f"{name.ljust(width)}  {profile.title}{also}")


@profiles_command.command("diff")
@click.argument("one", shell_complete=complete_profile)
@click.argument("other", shell_complete=complete_profile)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(one: str, other: str, as_json: bool) -> None:
    """Tell what differs between two kinds of cards, trait by trait. Of lists what both have is left out."""
    found = differences(profile_named(one), profile_named(other))
    if as_json:
        click.echo(json.dumps([{"trait": name, "one": left, "other": right} for name, left, right in found], indent=2))
        return
    for name, left, right in found:
        click.echo(f"{name}: {left} -> {right}")
