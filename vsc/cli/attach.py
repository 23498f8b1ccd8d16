"""`vsc attach`: cards into vpcd's slots, until interrupted."""

import ipaddress
import math
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import click

from card_os.card import Card
from vpcd_bridge import DEFAULT_ADDRESS, Address, Event, EventKind, Listener, Stop, VpcdError
from vsc.cli.fault import ArmedFaults, WantedFault, fault_option
from vsc.cli.passphrase import durability_option, passphrase_option
from vsc.errors import VscError
from vsc.factory import powered
from vsc.reader import Reader
from vsc.serving.vpcd import VpcdSlot
from vsc.text.printable import message

CONNECT_TIMEOUT_S = 5.0
MAX_SECONDS = 1_000_000
MAX_PORT = 65_535
_DEFAULT = f"{DEFAULT_ADDRESS[0]}:{DEFAULT_ADDRESS[1]}"


class AddressType(click.ParamType[Address]):
    """HOST:PORT, a name or an IPv4 address."""

    name = "host:port"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        host, _, port = str(value).rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) <= MAX_PORT:
            self.fail(f"{value!r} is not HOST:PORT", param, ctx)
        try:
            host.encode("idna")
        except UnicodeError:
            self.fail(f"{host!r} is no host name", param, ctx)
        return host.strip("[]"), int(port)


class SecondsType(click.FloatRange):
    """More than 0 seconds, up to eleven days."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=MAX_SECONDS)

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is no number", param, ctx)
        return seconds


@click.command("attach")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--vpcd", type=AddressType(), metavar="HOST:PORT", help=f"Where vpcd listens. Default: {_DEFAULT}.")
@click.option(
    "--listen", type=AddressType(), metavar="HOST:PORT", help="Listen here for a vpcd that calls (the lesser way)."
)
@fault_option("NAME")
@click.option("--for", "seconds", type=SecondsType(), metavar="SECONDS", help="Stop by itself after SECONDS.")
@passphrase_option()
@durability_option
def attach_command(
    names: tuple[str, ...],
    vpcd: Address | None,
    listen: Address | None,
    faults: tuple[WantedFault, ...],
    seconds: float | None,
) -> int:
    """Plug each card NAME into the next slot of vpcd, and stay until interrupted.

    Slots are ports that follow each other: the first card goes to PORT, the second to PORT + 1. Prints 'ready' once
    vpcd has all of them. If pcscd is restarted the cards come back by themselves.
    """
    if vpcd and listen:
        raise click.UsageError("--vpcd and --listen exclude each other")
    if listen and faults:
        raise click.UsageError("--listen and --fault exclude each other: a vpcd that calls does not stand faults")
    if len(set(names)) != len(names):
        raise click.UsageError("a card fits into one slot only")
    if listen and len(names) > 2:
        raise click.UsageError("a vpcd that calls has two slots")
    if (listen or vpcd or DEFAULT_ADDRESS)[1] + (2 if listen else len(names)) > MAX_PORT + 1:
        raise click.UsageError(f"ports end at {MAX_PORT}, and each slot has one: PORT and up")
    if listen and not _is_loopback(listen[0]):
        click.echo(f"warning: whoever reaches {listen[0]}:{listen[1]} can use the card", err=True)
    with ExitStack() as stack:
        cards = [stack.enter_context(powered(name)) for name in names]
        stop = stack.enter_context(Stop())
        readers = {name: _reader(card, index) for index, (name, card) in enumerate(zip(names, cards, strict=True))}
        armed = ArmedFaults(faults, readers)
        watch = _Watch(names, listen or vpcd or DEFAULT_ADDRESS)
        if listen:
            second = cards[1] if len(cards) > 1 else None
            listener = Listener(cards[0], listen, second=second, on_event=watch)
            runs = [_Run(lambda: listener.run(stop), stop.set)]
        else:
            runs = [_in_slot(one, i, vpcd or DEFAULT_ADDRESS, watch) for i, one in enumerate(readers.values())]
        status = _run_until_stopped(runs, stop, seconds, lambda: armed.judged(0))
        watch.say_who_is_missing()
        return status


@dataclass(frozen=True, slots=True)
class _Run:
    """Something that serves in a thread of its own until `end` is called from another one."""

    serve: Callable[[], None]
    end: Callable[[], None]


def _reader(card: Card, index: int) -> Reader:
    reader = Reader(f"vpcd slot {index}")
    reader.insert(card)
    return reader


def _in_slot(reader: Reader, index: int, first: Address, watch: Callable[[Event], None]) -> _Run:
    address = (first[0], first[1] + index)
    slot = VpcdSlot(reader, address, on_event=watch, connect_timeout_s=CONNECT_TIMEOUT_S)
    return _Run(slot.run, slot.stop)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Watch:
    """Says on stderr what happens, and `ready` on stdout once every card is in its reader."""

    def __init__(self, names: tuple[str, ...], first: Address) -> None:
        self._names = {first[1] + i: name for i, name in enumerate(names)}
        self._waiting = set(self._names)
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        port = event.address[1]
        with self._lock:
            if event.kind != EventKind.CONNECTED:
                click.echo(f"{self._names.get(port, port)}: {message(event.text)}", err=True)
            if event.kind == EventKind.READY and port in self._waiting:
                self._waiting.discard(port)
                if not self._waiting:
                    click.echo("ready")

    def say_who_is_missing(self) -> None:
        """At the end: a card that never reached its reader is worth a word."""
        for port in sorted(self._waiting):
            click.echo(f"{self._names[port]}: was never in a reader", err=True)


def _run_until_stopped(runs: Sequence[_Run], stop: Stop, seconds: float | None, judge: Callable[[], int]) -> int:
    """Runs each in a thread of its own; SIGINT, SIGTERM, the time or the first failure ends all.

    judge: gives what is returned, and ends what a card may be waiting for, or its thread would not end.
    """
    failures: list[Exception] = []

    def guarded(serve: Callable[[], None]) -> None:
        try:
            serve()
        except Exception as error:
            failures.append(error)
        finally:
            stop.set()

    threads = [threading.Thread(target=guarded, args=(run.serve,)) for run in runs]
    with stop.on_signals(signal.SIGINT, signal.SIGTERM):
        for thread in threads:
            thread.start()
        stop.wait(seconds)
        for run in runs:
            run.end()
        status = judge()
        for thread in threads:
            thread.join()
    for failure in failures:
        # Anything but a VpcdError is our bug: it keeps its traceback.
        raise VscError(str(failure)) if isinstance(failure, VpcdError) else failure
    return status
