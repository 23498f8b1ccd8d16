r"""`vsc tpmvscmgr`: create and destroy in the spelling of Windows' tpmvscmgr.exe (winrt-smartcards.md 7).

The two lines of success are Windows' own; what is said before them is not, and goes to stderr.
"""

import os
import shlex
import sys
from collections.abc import Callable

import click

from card_os.pin import CharacterRule, PinPolicy
from vsc.cli.policy import parse_policy
from vsc.cli.secret import read_admin_key, read_new_pin, read_pin
from vsc.cli.windows import Given, Takes, parse
from vsc.errors import CardExistsError, VscError
from vsc.factory import DEFAULT_ADMIN_KEY, DEFAULT_PIN, create, home_store
from vsc.store import default_home
from vsc.store.instances import Instances, instance_id, parse_instance_id

_CREATE = {
    "name": Takes.ONE,
    "adminkey": Takes.ONE,
    "pin": Takes.ONE,
    "puk": Takes.ONE,
    "generate": Takes.NOTHING,
    "pinpolicy": Takes.MANY,
    "attestation": Takes.ONE,
    "machine": Takes.ONE,
    "quiet": Takes.NOTHING,
    "?": Takes.NOTHING,
}
_DESTROY = {"instance": Takes.ONE, "machine": Takes.ONE, "quiet": Takes.NOTHING, "?": Takes.NOTHING}

# Without a policy Windows takes any PIN of 8 to 127 characters (winrt-smartcards.md 7.3).
_NO_POLICY = PinPolicy(other=CharacterRule.ALLOW)


@click.command("tpmvscmgr", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="create|destroy [/OPTION [VALUE]...]...")
@click.pass_context
def tpmvscmgr_command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Create and destroy cards as Windows' tpmvscmgr spells it, in any case.

    \b
    create   /name NAME /adminkey DEFAULT|PROMPT|RANDOM
             [/pin DEFAULT|PROMPT] [/puk DEFAULT|PROMPT] [/generate]
             [/pinpolicy WORD...] [/quiet]
    destroy  /instance 'ROOT\\SMARTCARDREADER\\0000' [/quiet]

    /pinpolicy takes minlen N, maxlen N, and uppercase, lowercase, digits or specialchars, each followed by ALLOWED,
    REQUIRED or DISALLOWED. /pin, /puk and /adminkey also take env:VAR and file:PATH. Without /generate the card has
    no file system: nobody can use it until 'vsc provision --format' writes one.

    Not here: /machine (there is no remote machine) and /attestation (there is no TPM that could attest a key).
    """
    if not words:
        raise click.exceptions.NoArgsIsHelpError(ctx)
    verb = words[0].lower()
    verbs: dict[str, tuple[dict[str, Takes], Callable[[Given], None]]] = {
        "create": (_CREATE, _create),
        "destroy": (_DESTROY, _destroy),
    }
    if verb in ("/?", "-?"):
        click.echo(ctx.get_help())
        return
    if verb not in verbs:
        raise click.UsageError("say create or destroy, and /? for help")
    table, run = verbs[verb]
    try:
        given = parse(words[1:], table)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if "?" in given:
        click.echo(ctx.get_help())
        return
    if "machine" in given:
        raise click.UsageError("/machine: no card is made elsewhere; 'vsc attach --vpcd HOST:PORT' plugs one in there")
    run(given)


def _create(given: Given) -> None:
    if "attestation" in given:
        raise click.UsageError("/attestation: there is no TPM here, so nothing could attest the card's keys")
    name, key_source = _one(given, "name"), _one(given, "adminkey")
    policy = _policy(given["pinpolicy"]) if "pinpolicy" in given else _NO_POLICY
    # Before anybody is asked for a PIN; `create` checks again, under the lock.
    if home_store().exists(name):
        raise CardExistsError(f"there is a card called {name!r} already")
    _instances().check()
    pin = read_new_pin(_source(given, "pin"), card=name, policy=policy, default=DEFAULT_PIN, option="/pin")
    puk = read_pin(_source(given, "puk"), default=DEFAULT_PIN, option="/puk", what="PUK") if "puk" in given else None
    admin_key = read_admin_key(_lower(key_source), default=DEFAULT_ADMIN_KEY, option="/adminkey")
    say = _progress(given)
    say("Creating the card.")
    create(name, pin=pin, admin_key=admin_key, policy=policy, puk=puk, file_system="generate" in given)
    try:
        number = _instances().give(name)
    except VscError:
        # Without a number nobody could destroy it this way.
        home_store().destroy(name)
        raise
    say("Its file system is written." if "generate" in given else "It is blank: it has no file system.")
    click.echo("TPM Smart Card created.")
    click.echo(f"Smart Card Reader Device Instance ID = {instance_id(number)}")
    sys.stdout.flush()
    if "generate" not in given:
        say(f"Write its file system: vsc provision {shlex.quote(name)} --format --admin-key stored")
    say(f"Programs get to the card so: vsc run --card {shlex.quote(name)} -- PROGRAM")


def _instances() -> Instances:
    return Instances(default_home(os.environ.get("VSC_HOME")), home_store().exists)


def _destroy(given: Given) -> None:
    try:
        number = parse_instance_id(_one(given, "instance"))
    except ValueError as error:
        raise click.UsageError(f"/instance: {error}") from None
    name = _instances().name_of(number)
    _progress(given)(f"Deleting the card {name!r}.")
    home_store().destroy(name)
    click.echo("TPM Smart Card destroyed.")


def _one(given: Given, option: str) -> str:
    if option not in given:
        raise click.UsageError(f"/{option} is missing")
    return given[option][0]


def _source(given: Given, option: str) -> str | None:
    return _lower(given[option][0]) if option in given else None


def _lower(source: str) -> str:
    """DEFAULT, PROMPT and RANDOM in any case; what names a variable or a file as it is."""
    return source if ":" in source else source.lower()


def _policy(words: tuple[str, ...]) -> PinPolicy:
    if len(words) % 2:
        raise click.UsageError("/pinpolicy takes pairs of words, as in 'minlen 4 digits REQUIRED'")
    try:
        return parse_policy(",".join(f"{name}={value}" for name, value in zip(words[::2], words[1::2], strict=True)))
    except ValueError as error:
        raise click.UsageError(f"/pinpolicy: {error}") from None


def _progress(given: Given) -> Callable[[str], None]:
    def say(text: str) -> None:
        if "quiet" not in given:
            click.echo(text, err=True)

    return say
