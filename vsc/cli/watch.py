"""`vsc watch`: one line for each event, as it happens."""

import json
import signal
from collections.abc import Callable

import click

from vpcd_bridge.stop import Stop
from vsc.cli.target import complete_reader
from vsc.cli.tell import tell
from vsc.machine import Change, ChangeKind, current
from vsc.text.printable import printable

_WORDS = {
    ChangeKind.READER_ADDED: "reader added",
    ChangeKind.READER_REMOVED: "reader removed",
    ChangeKind.CARD_ADDED: "card added",
    ChangeKind.CARD_REMOVED: "card removed",
}
_WIDTH = max(map(len, _WORDS.values()))
_KEYS = ("event", "reader", "kind", "card", "atr")

Event = dict[str, str | None]


class Watch:
    """Has each event said, in words, as it comes; until saying it fails, which `failure` keeps."""

    def __init__(self, say: Callable[[Event], None], stop: Stop) -> None:
        self._say = say
        self._stop = stop
        self.failure: OSError | None = None
        self._cards: dict[str, Event] = {}

    def see(self, change: Change) -> None:
        """Called by the machine, one change after the other."""
        reader, said = change.reader, dict.fromkeys(_KEYS)
        said |= {"event": _WORDS[change.kind], "reader": reader.name, "kind": reader.kind.name.lower()}
        if change.kind is ChangeKind.CARD_ADDED:
            card, atr = reader.card_name, reader.atr
            # It may have gone, or been swapped, before we could ask.
            if reader.insertion == change.insertion:
                said |= {"card": card, "atr": atr.hex().upper() if atr else None}
            self._cards[reader.name] = said
        elif change.kind is ChangeKind.CARD_REMOVED:
            said["card"] = self._cards.pop(reader.name, said)["card"]
        try:
            if self.failure is None:
                self._say(said)
        except OSError as error:
            self.failure = error
            self._stop.set()


@click.command("watch")
@click.option(
    "--reader",
    metavar="READER",
    shell_complete=complete_reader,
    help="Tell only of readers that have this in their names.",
)
@click.option("--json", "as_json", is_flag=True, help="Print an object a line.")
def watch_command(reader: str | None, as_json: bool) -> None:
    """Tell of readers and cards that come and go, a line each, until interrupted.

    What is there already is told of first.
    """

    def say(event: Event) -> None:
        if reader is None or reader in (event["reader"] or ""):
            click.echo(json.dumps(event) if as_json else _line(event))

    machine = current()
    with Stop() as stop, stop.on_signals(signal.SIGINT, signal.SIGTERM):
        names = [one.name for one in machine.readers()]
        if not names or (reader is not None and not any(reader in name for name in names)):
            tell(f"there is no reader{'' if reader is None else f' {printable(reader)!r}'} yet")
        watch = Watch(say, stop)
        end = machine.watch(watch.see)
        try:
            stop.wait()
        finally:
            end()
    if watch.failure is not None:
        raise watch.failure


def _line(event: Event) -> str:
    more = (event["reader"], event["card"], event["atr"])
    return "  ".join([f"{event['event']:{_WIDTH}}", *map(printable, filter(None, more))])
