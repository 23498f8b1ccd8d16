"""A client that makes every SCard call, with good and bad arguments, and says what came of it, line by line.

    script.py READER EMPTY_READER

Run against pcscd + vpcd and against the private service with the same card, it must say the same. Where the card has
to go or to come it prints `> eject` or `> insert` and waits for a line on its standard input. Run it with
PCSCLITE_NO_BLOCKING=1: libpcsclite would otherwise repeat what is answered with SHARING_VIOLATION, for ever.
"""

import sys
import threading
from collections.abc import Callable, Iterable

from tests.interop.pcsc import winscard as w

SELECT = bytes.fromhex("00A4040009A0000003974254465900")
GET_DATA = bytes.fromhex("00CBA010045C02DF2200")


def write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say(what: str, rv: int, *values: object) -> None:
    write(f"{what}: {' '.join([w.name(rv), *map(show, values)])}")


def show(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex() or "-"
    return f"{value:X}" if isinstance(value, int) else str(value)


def ask(what: str) -> None:
    write(f"> {what}")
    sys.stdin.readline()


def connected(context: int, reader: str, mode: int = w.SHARED, protocols: int = w.T0 | w.T1) -> int:
    rv, card, protocol = w.connect(context, reader, mode, protocols)
    say(f"connect {mode} {protocols:X}", rv, protocol)
    return card


def all_of(title: str, card: int, *, reconnect: bool = True) -> None:
    """Everything that can be asked of a handle."""
    rv, reader, state, protocol, atr = w.status(card)
    say(f"{title}: status", rv, reader, state & 0xFFFF, protocol, atr)
    say(f"{title}: transmit", *w.transmit(card, GET_DATA))
    say(f"{title}: attribute", *w.get_attribute(card, 0x7FFF0003))
    say(f"{title}: set attribute", w.set_attribute(card, 0x00010100, b"x"))
    say(f"{title}: features", *w.control(card, 0x42000D48))
    if reconnect:
        say(f"{title}: reconnect", *w.reconnect(card))


def contexts_and_readers(reader: str, empty: str) -> int:
    say("establish, bad scope", w.establish(4)[0])
    for scope in (0, 1, 3):
        rv, context = w.establish(scope)
        say(f"establish, scope {scope}", rv)
        say("release", w.release(context))
        say("release again", w.release(context))
    rv, context = w.establish()
    say("establish", rv)
    say("valid", w.is_valid(context))
    say("valid, another", w.is_valid(context ^ 1))
    say("list", *w.list_readers(context))
    states = w.states_of((reader, 0), (empty, 0), (w.PNP, 0))
    say("states", w.get_status_change(context, 0, states), *[one.event for one in states])
    for one in states:
        one.current = one.event & ~w.CHANGED
    say("states again", w.get_status_change(context, 0, states), *[one.event for one in states])
    unknown = w.states_of(("Nobody 00 00", 0))
    say("states, unknown", w.get_status_change(context, 0, unknown), unknown[0].event)
    return context


def connecting(context: int, reader: str, empty: str) -> None:
    say("connect, unknown", w.connect(context, "Nobody 00 00")[0])
    for mode in (0, 4, 99):
        say(f"connect, mode {mode}", w.connect(context, reader, mode)[0])
    for protocols in (0, 8, 0x10000):
        say(f"connect, protocols {protocols:X}", w.connect(context, reader, w.SHARED, protocols)[0])
    say("connect, bad in two ways", w.connect(context, "Nobody 00 00", 9, 0)[0])
    say("connect, empty", w.connect(context, empty)[0])
    say("connect, T=0 alone", w.connect(context, reader, w.SHARED, w.T0)[0])
    for mode, protocols in ((w.SHARED, w.T1), (w.SHARED, w.ANY_OLD), (w.EXCLUSIVE, w.T0 | w.T1), (w.DIRECT, 0)):
        card = connected(context, reader, mode, protocols)
        say("status", w.status(card)[0], *w.status(card)[1:2], w.status(card)[3])
        say("disconnect", w.disconnect(card))
        say("disconnect again", w.disconnect(card))
    card = connected(context, reader, w.SHARED, w.RAW)
    say("second, T=1", w.connect(context, reader, w.SHARED, w.T1)[0])
    say("disconnect, reset", w.disconnect(card, w.RESET))


def direct_on_empty(context: int, empty: str) -> None:
    card = connected(context, empty, w.DIRECT, 0)
    all_of("empty", card)
    say("begin", w.begin(card))
    say("end", w.end(card))
    for attribute in (0x00010100, 0x00010102, 0x00020110, 0x00090300, 0x00090301, 0x00090303, 0x00090304, 0x7FFF0004):
        say(f"attribute {attribute:08X}", *w.get_attribute(card, attribute))
    say("raw", *w.transmit(card, SELECT, w.RAW))
    say("disconnect", w.disconnect(card))


def talking(context: int, reader: str) -> None:
    card = connected(context, reader)
    all_of("fresh", card)
    say("select", *w.transmit(card, SELECT))
    say("select, old any", *w.transmit(card, SELECT, w.ANY_OLD))
    say("select, raw", *w.transmit(card, SELECT, w.RAW))
    say("select, T=0", *w.transmit(card, SELECT, w.T0))
    say("select, protocol 0", *w.transmit(card, SELECT, 0))
    say("select, room 3", *w.transmit(card, SELECT, room=3))
    say("select, room 0", *w.transmit(card, SELECT, room=0))
    say("unknown instruction", *w.transmit(card, bytes.fromhex("00EE000000")))
    say("malformed", *w.transmit(card, bytes.fromhex("00EE")))
    say("long", *w.transmit(card, bytes.fromhex("00EE000000EA60") + bytes(60_000)))
    for code in (0, 1, 0x42000001, 0x42000D48, 0x42000DCC):
        say(f"control {code:X}", *w.control(card, code))
    say("control, no room", *w.control(card, 0x42000D48, room=0))
    for attribute in (0x00010100, 0x00010101, 0x00010102, 0x00010103, 0x00020110, 0x00090300, 0x00090301, 0x00090303):
        say(f"attribute {attribute:08X}", *w.get_attribute(card, attribute))
    for attribute in (0x00090304, 0x7FFF0003, 0x7FFF0004, 0, 0x12345678):
        say(f"attribute {attribute:08X}", *w.get_attribute(card, attribute))
    say("attribute, room 3", *w.get_attribute(card, 0x7FFF0003, room=3))
    say("set attribute", w.set_attribute(card, 0x00090303, b"abc"))
    for how in (4, 99):
        say(f"disconnect, {how}", w.disconnect(card, how))
        say(f"end, {how}", w.end(card, how))
    say("disconnect, eject", w.disconnect(card, w.EJECT))


def sharing(a: int, reader: str) -> None:
    b = w.establish()[1]
    one, two = connected(a, reader), connected(b, reader)
    say("exclusive beside them", w.connect(b, reader, w.EXCLUSIVE)[0])
    say("state", 0, w.wait_for(a, reader, w.IN_USE, w.IN_USE))
    say("end, none begun", w.end(one))
    say("begin", w.begin(one))
    say("begin, nested", w.begin(one))
    all_of("locked out", two)
    say("end of another", w.end(two))
    say("end of another, reset", w.end(two, w.RESET))
    for _ in range(3):
        say("end", w.end(one))
    say("begin", w.begin(one))
    say("end, eject", w.end(one, w.EJECT))
    say("end", w.end(one))
    for how in (w.RESET, w.UNPOWER):
        say("begin", w.begin(one))
        say(f"end, {how}", w.end(one, how))
        for card in (one, two):
            all_of("after reset", card, reconnect=False)
            say("begin", w.begin(card))
            say("end", w.end(card))
        say("reconnect", *w.reconnect(one))
        say("reconnect", *w.reconnect(two))
    for how in (w.RESET, w.UNPOWER):
        say(f"reconnect, {how}", *w.reconnect(one, how=how))
        say("own status", w.status(one)[0])
        say("other status", w.status(two)[0])
        say("other reconnect", *w.reconnect(two))
    for mode, protocols, how in ((2, 3, 3), (2, 3, 9), (0, 3, 0), (4, 3, 0), (2, 0, 0), (2, 8, 0), (9, 0, 9)):
        say(f"reconnect {mode} {protocols} {how}", *w.reconnect(one, mode, protocols, how))
    say("reconnect, T=0", *w.reconnect(one, protocols=w.T0))
    say("reconnect, exclusive", *w.reconnect(one, w.EXCLUSIVE))
    say("disconnect, reset", w.disconnect(two, w.RESET))
    say("other status", w.status(one)[0])
    exclusively(one, a, b, reader)


def exclusively(one: int, a: int, b: int, reader: str) -> None:
    say("reconnect, exclusive", *w.reconnect(one, w.EXCLUSIVE))
    say("state", 0, w.wait_for(a, reader, w.IN_USE_EXCLUSIVE, w.IN_USE_EXCLUSIVE))
    for mode in (w.SHARED, w.EXCLUSIVE, w.DIRECT):
        say(f"connect beside, {mode}", w.connect(b, reader, mode)[0])
    say("end", w.end(one))
    say("begin", w.begin(one))
    say("end", w.end(one))
    say("end", w.end(one))
    say("reconnect, exclusive again", *w.reconnect(one, w.EXCLUSIVE))
    say("reconnect, shared", *w.reconnect(one, w.SHARED))
    say("state", 0, w.wait_for(a, reader, w.IN_USE | w.IN_USE_EXCLUSIVE, w.IN_USE))
    # Leaving exclusive mode keeps its lock, in pcscd too: a connect beside it would wait for this.
    say("end", w.end(one))
    say("end", w.end(one))
    two = connected(b, reader)
    say("other status", w.status(two)[0])
    say("disconnect, unpower", w.disconnect(one, w.UNPOWER))
    rv, _, state, protocol, _ = w.status(two)
    say("other status", rv)
    say("other reconnect", *w.reconnect(two))
    rv, _, state, protocol, _ = w.status(two)
    say("other status", rv, state & 0xFFFF, protocol)
    say("reconnect, reset", *w.reconnect(two, how=w.RESET))
    say("other transmit", *w.transmit(two, SELECT))
    say("disconnect, unpower", w.disconnect(two, w.UNPOWER))
    say("state", 0, w.wait_for(a, reader, w.IN_USE, 0))
    two = connected(b, reader)
    say("transmit", *w.transmit(two, SELECT))
    third = connected(a, reader)
    say("begin", w.begin(two))
    say("release with lock", w.release(b))
    say("other status", w.status(third)[0])
    say("other reconnect", *w.reconnect(third))
    say("disconnect", w.disconnect(third))


def removal(context: int, reader: str) -> None:
    card = connected(context, reader)
    say("begin", w.begin(card))
    ask("eject")
    say("gone", 0, w.wait_for(context, reader, w.EMPTY, w.EMPTY))
    all_of("removed", card)
    say("begin", w.begin(card))
    say("end", w.end(card))
    say("reconnect, reset", *w.reconnect(card, how=w.RESET))
    say("connect", w.connect(context, reader)[0])
    direct = connected(context, reader, w.DIRECT, 0)
    say("direct status", w.status(direct)[0])
    ask("insert")
    say("back", 0, w.wait_for(context, reader, w.PRESENT | w.MUTE, w.PRESENT))
    all_of("back", card, reconnect=False)
    all_of("direct", direct)
    say("begin", w.begin(card))
    say("reconnect", *w.reconnect(card))
    all_of("reconnected", card)
    say("disconnect", w.disconnect(card))
    say("disconnect", w.disconnect(direct))


def waiting(context: int, reader: str) -> None:
    state = w.wait_for(context, reader, w.IN_USE, 0) & ~w.CHANGED
    states = w.states_of((reader, state))
    say("nothing new", w.get_status_change(context, 50, states))
    for what, flag in (("eject", w.EMPTY), ("insert", w.PRESENT)):
        woken = Waiter(context, reader, state)
        woken.start()
        ask(what)
        woken.join()
        say(f"woken by {what}", woken.rv, woken.states[0].event)
        state = w.wait_for(context, reader, flag | w.MUTE, flag) & ~w.CHANGED
    cancelled(context, reader, state)


class Waiter(threading.Thread):
    """Waits for a reader's state to change, without limit."""

    def __init__(self, context: int, reader: str, state: int) -> None:
        super().__init__()
        self._context = context
        self.states = w.states_of((reader, state))
        self.rv = -1

    def run(self) -> None:
        self.rv = w.get_status_change(self._context, w.INFINITE, self.states)


def cancelled(context: int, reader: str, state: int) -> None:
    """The other thread may not wait yet when it is cancelled: so it is cancelled until it ends."""
    waiter = Waiter(context, reader, state)
    waiter.start()
    while waiter.is_alive():
        w.cancel(context)
        waiter.join(0.01)
    say("cancelled", waiter.rv)
    say("cancel, unknown", w.cancel(context ^ 1))
    say("cancel, not waiting", w.cancel(context))


def main(reader: str, empty: str) -> None:
    context = contexts_and_readers(reader, empty)
    parts: Iterable[tuple[str, Callable[[], None]]] = (
        ("connecting", lambda: connecting(context, reader, empty)),
        ("direct on empty", lambda: direct_on_empty(context, empty)),
        ("talking", lambda: talking(context, reader)),
        ("sharing", lambda: sharing(context, reader)),
        ("removal", lambda: removal(context, reader)),
        ("waiting", lambda: waiting(context, reader)),
    )
    for title, part in parts:
        write(f"# {title}")
        part()
    say("release", w.release(context))


if __name__ == "__main__":
    main(*sys.argv[1:])
