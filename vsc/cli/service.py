"""`vsc run` and `vsc serve`: a private PC/SC for one command, or until interrupted."""

import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from vpcd_bridge.stop import Stop
from vsc.cli import gnupg
from vsc.cli.environment import hide, without_secrets
from vsc.cli.fault import ArmedFaults, WantedFault, fault_option
from vsc.cli.gnupg import gpg_option
from vsc.cli.passphrase import durability_option, passphrase_option
from vsc.cli.private import ended_so
from vsc.cli.tell import tell
from vsc.cli.terminal import width
from vsc.factory import DEFAULT_PIN
from vsc.pcsc import Service
from vsc.pcsc.folder import TREES, Folder
from vsc.pcsc.service import VARIABLE
from vsc.reader import Reader
from vsc.reader.name import checked_name
from vsc.serving import child
from vsc.serving.control import NAME, ControlServer
from vsc.serving.control import VARIABLE as CONTROL_VARIABLE
from vsc.serving.desk import Desk
from vsc.trace.recorder import FORMATS, Recorder, format_of

_DEFAULT_PROFILE = "gids"


@contextmanager
def _serving(
    desk: Desk,
    *,
    recorder: Recorder | None,
    pinpad: str | None,
    pinpad_delay: float,
    allow_root: bool = False,
    socket: Path | None = None,
) -> Iterator[dict[str, str]]:
    """The service and the control socket for a desk; gives the variables that lead to them."""
    with ExitStack() as stack:
        service = Service(desk.readers, allow_root=allow_root, socket_path=socket)
        pad = _pin_pads(pinpad, pinpad_delay) if pinpad else lambda reader: None

        def equip(reader: Reader) -> None:
            pad(reader)
            if recorder:
                recorder.follow(reader)

        if recorder and len(desk.readers) > 1:
            recorder.number_readers()
        for reader in desk.readers:
            equip(reader)

        def add(reader: Reader) -> None:
            equip(reader)
            service.add_reader(reader)

        desk.show_in(add=add, remove=service.remove_reader)
        stack.enter_context(service)
        control = stack.enter_context(ControlServer(service.folder / NAME, desk, service.settle))
        yield {VARIABLE: str(service.socket_path), CONTROL_VARIABLE: str(control.path)}


def _pin_pads(source: str, delay_s: float) -> Callable[[Reader], None]:
    """What gives a reader a PIN pad."""
    # Imported only now: most runs have no PIN pad, and start-up is part of the product.
    from vsc.pinpad import PinPad, PinSourceError, pin_source

    try:
        ask = pin_source(source, delay_s=delay_s)
    except PinSourceError as error:
        raise click.BadParameter(str(error), param_hint="--pinpad") from None
    kind, _, where = source.partition(":")
    if kind == "env":
        hide(where)  # What is typed on the pad is not for a command's eyes.

    def equip(reader: Reader) -> None:
        PinPad(reader, ask)

    return equip


def _recorder(stack: ExitStack, trace: Path | None, trace_format: str | None) -> Recorder | None:
    if trace is None and trace_format is not None:
        raise click.UsageError("--trace-format needs --trace")
    if trace is None:
        return None
    if trace == _STDERR:
        recorder = stack.enter_context(Recorder(Path("/dev/stderr"), format=trace_format or "text"))
        recorder.fit(width(sys.stderr))
        return recorder
    return stack.enter_context(Recorder(trace, format=trace_format or format_of(trace)))


def _lay_out(desk: Desk, cards: tuple[str, ...], readers: tuple[str, ...]) -> None:
    """A reader for each card, and readers that stay empty for the names left over."""
    for index in range(max(len(cards), len(readers))):
        if index >= len(cards):
            desk.add_reader(readers[index])
            continue
        reader = desk.add_reader(readers[index]) if index < len(readers) else desk.add_reader_for(cards[index])
        desk.insert(cards[index], reader.name)


_STDERR = Path("-")


class _ReaderName(click.ParamType[str]):
    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return checked_name(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


_readers_option = click.option(
    "--reader",
    "readers",
    type=_ReaderName(),
    multiple=True,
    metavar="NAME",
    help="Name of the next reader. Repeatable.",
)
_pinpad_option = click.option(
    "--pinpad",
    metavar="prompt|env:VAR|file:PATH|cancel|timeout",
    help="Give the readers a PIN pad, on which this is 'typed'.",
)
_pinpad_delay_option = click.option(
    "--pinpad-delay",
    type=click.FloatRange(0, 60),
    default=0.3,
    show_default=True,
    metavar="SECONDS",
    help="How long such a pad takes to answer, as a person does; some programs need it. Not for 'prompt'.",
)
_trace_option = click.option(
    "--trace",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write every APDU to FILE, PINs and keys left out: as .txt, .pcapng, else as JSON lines. -: text on stderr.",
)
_trace_format_option = click.option(
    "--trace-format", type=click.Choice(list(FORMATS)), help="The format of the trace, whatever the name of FILE."
)


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--card", "cards", multiple=True, metavar="NAME", help="A card to put into a reader. Repeat for more.")
@click.option(
    "--new",
    "profiles",
    multiple=True,
    metavar="PROFILE",
    help="A fresh card in memory: gids, or another profile. Repeatable.",
)
@_readers_option
@_pinpad_option
@_pinpad_delay_option
@_trace_option
@_trace_format_option
@fault_option("READER")
@gpg_option
@click.option("--isolate", is_flag=True, help="Give the command its own GNUPGHOME and XDG_RUNTIME_DIR, too.")
@passphrase_option()
@durability_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] COMMAND [ARG]...")
def run_command(
    cards: tuple[str, ...],
    profiles: tuple[str, ...],
    readers: tuple[str, ...],
    pinpad: str | None,
    pinpad_delay: float,
    trace: Path | None,
    trace_format: str | None,
    faults: tuple[WantedFault, ...],
    is_for_gnupg: bool,
    isolate: bool,
    command: tuple[str, ...],
) -> int:
    """Run COMMAND with a PC/SC service of its own: no pcscd, no driver, no root.

    Without --card and --new it finds one fresh GIDS card with the PIN 12345678 and the default admin key. The exit
    status is the command's, or 1 if that succeeds and a fault has not struck; daemons that it leaves behind are ended.
    Inside, 'vsc eject' and its like act on this run.
    """
    with ExitStack() as stack:
        desk = stack.enter_context(Desk())
        if not cards and not profiles:
            profiles = (_DEFAULT_PROFILE,)
            pin = DEFAULT_PIN.decode()
            click.echo(f"vsc: one fresh GIDS card, PIN {pin}, default admin key; it is gone afterwards", err=True)
        _lay_out(desk, (*cards, *(desk.add_new_card(profile) for profile in profiles)), readers)
        recorder = _recorder(stack, trace, trace_format)
        armed = ArmedFaults(faults, {reader.name: reader for reader in desk.readers})
        variables = stack.enter_context(_serving(desk, recorder=recorder, pinpad=pinpad, pinpad_delay=pinpad_delay))
        stack.callback(armed.end)
        env = without_secrets({**os.environ, **variables})
        if isolate or is_for_gnupg:
            env |= _private_folders(stack, TREES if isolate else TREES[:1])
        if is_for_gnupg:
            gnupg.set_up(Path(env["GNUPGHOME"]))
        try:
            status = child.run(command, env)
        except child.CannotStartError as error:
            tell(error)
            return error.exit_code
        status = armed.judged(status)
    return ended_so(status)


def _private_folders(stack: ExitStack, trees: tuple[str, ...]) -> dict[str, str]:
    # gpg-agent makes sockets below them, whose paths have at most 107 bytes.
    folder = Folder()
    stack.callback(folder.remove)
    return {name: str(folder.tree(tree)) for name, tree in zip(("GNUPGHOME", "XDG_RUNTIME_DIR"), trees, strict=False)}


@click.command("serve")
@click.option("--socket", type=click.Path(path_type=Path), metavar="PATH", help="Where to make the PC/SC socket.")
@click.option("--card", "cards", multiple=True, metavar="NAME", help="A card to put into a reader. Repeat for more.")
@_readers_option
@_pinpad_option
@_pinpad_delay_option
@_trace_option
@_trace_format_option
@fault_option("READER")
@passphrase_option()
@durability_option
@click.option("--allow-root", is_flag=True, help="Let root use the service, too.")
def serve_command(
    socket: Path | None,
    cards: tuple[str, ...],
    readers: tuple[str, ...],
    pinpad: str | None,
    pinpad_delay: float,
    trace: Path | None,
    trace_format: str | None,
    faults: tuple[WantedFault, ...],
    allow_root: bool,
) -> int:
    """Serve a private PC/SC until interrupted; prints the line that a shell needs to use it.

    Without --card and --reader there is one empty reader: 'vsc insert' puts a card in.
    """
    with ExitStack() as stack:
        stop = stack.enter_context(Stop())
        stack.enter_context(stop.on_signals(signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        desk = stack.enter_context(Desk())
        _lay_out(desk, cards, readers)
        if not desk.readers:
            desk.add_reader()
        recorder = _recorder(stack, trace, trace_format)
        armed = ArmedFaults(faults, {reader.name: reader for reader in desk.readers})
        variables = stack.enter_context(
            _serving(
                desk, recorder=recorder, pinpad=pinpad, pinpad_delay=pinpad_delay, allow_root=allow_root, socket=socket
            )
        )
        click.echo("export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items()))
        stop.wait()
        return armed.judged(0)
