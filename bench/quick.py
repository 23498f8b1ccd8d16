"""`make bench-quick`: what a command costs, in processor time; beside its floors and its peers, in one run of a minute.

Every figure is measured in turns with the others of its table, so that what else the machine does hits all alike; it is
the median of the rounds, with the lowest and the highest. Processor time, because the machine may have more to do. The
ratios are what counts: they are of one run. `--json FILE` keeps all figures, `--plot FILE` draws how a change grows.
"""

import argparse
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from typing import Any

import construct
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from bench.attached import gids_card
from bench.null_card import NullCard
from bench.plot import plot
from card_os.access import AccessRule
from card_os.apdu import CommandApdu, ResponseApdu
from card_os.apps.gids.state import DataFile, GidsState, KeyFile, KeyUse
from card_os.apps.gids.wire import Crt
from card_os.card import Card
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.rsa import RsaPrivateKey
from card_os.tlv import Tlv
from vpcd_bridge.frames import FrameParser, encode
from vsc.factory import DEFAULT_PIN, powered
from vsc.pcsc import messages
from vsc.pcsc.codes import Command, Protocol
from vsc.pcsc.engine import Engine
from vsc.profiles import GIDS
from vsc.reader import Reader
from vsc.store import Image
from vsc.store.database import Durability
from vsc.store.sqlite import SqliteStore
from vsc.world import SeededEnv, SystemEnv

ROUNDS = 7
OBJECTS = (0, 1, 24, 48, 72, 95)
"""Numbers of certificates on the cards whose changes are measured; a file holds a hundred objects."""
CERTIFICATE_BYTES, LARGE_BYTES = 1_500, 16_000

Run = Callable[[], None]
Tables = Callable[[], "Table"]


@dataclass(frozen=True)
class Table:
    """What is measured in turns: the first row is what the others are compared with."""

    title: str
    rows: dict[str, Run]
    count: int
    """How often a row is run in a round."""


def microseconds(run: Run, count: int) -> float:
    """Of processor time, our own and the system's for us, for one run."""
    started = time.process_time()
    for _ in range(count):
        run()
    return (time.process_time() - started) / count * 1e6


def measured(table: Table, rounds: int = ROUNDS) -> dict[str, list[float]]:
    figures: dict[str, list[float]] = {name: [] for name in table.rows}
    for _ in range(rounds):
        for name, run in table.rows.items():
            figures[name].append(microseconds(run, table.count))
    return figures


def asked(transmit: Callable[[bytes], bytes], command: str, sw: bytes = b"\x90\x00") -> Run:
    """Sends a command; the answer is looked at each time."""
    raw = bytes.fromhex(command)

    def run() -> None:
        if transmit(raw)[-2:] != sw:
            raise SystemExit(f"bench: the card does not answer {sw.hex()} to {command}")

    return run


# --- cards


def with_objects(count: int, size: int) -> Card:
    """A personalised card with so many objects of that size beside its own."""
    card = gids_card()
    aid, state = card.persistent.applications[0]
    assert isinstance(state, GidsState)
    file = state.file(0xA012)
    assert isinstance(file, DataFile)
    objects = tuple(Tlv(0x1F01 + number, bytes([number]) * size) for number in range(count))
    new = state.with_file(replace(file, objects=(*file.objects, *objects)))
    return GIDS.card(card.persistent.with_state(aid, new), SystemEnv())


def with_key(efid: int, algorithm: int, key: RsaPrivateKey | EcPrivateKey) -> Card:
    """A personalised card with a key for signatures; the PIN is verified."""
    card = gids_card()
    aid, state = card.persistent.applications[0]
    assert isinstance(state, GidsState)
    uses = (KeyUse(Crt.SIGNATURE, algorithm, 0x40),)
    rule = AccessRule.parse(bytes.fromhex("8F10101000"))
    new = state.with_file(KeyFile(efid, rule, uses, is_active=True, born_operational=True, key=key))
    made = GIDS.card(card.persistent.with_state(aid, new), SystemEnv())
    asked(made.transmit, "00A4040009A0000003974254465900")()
    asked(made.transmit, f"0020008008{DEFAULT_PIN.hex()}")()
    return made


def chosen(card: Card, mechanism: str, data: bytes) -> Run:
    """A signature with the key that a MANAGE SECURITY ENVIRONMENT before has chosen."""
    asked(card.transmit, f"002241B606{mechanism}")()
    return asked(card.transmit, f"002A9E9A{len(data):02X}{data.hex()}00")


# --- tables


def commands() -> Table:
    card, parser = with_objects(1, 16), FrameParser()

    def parse_only(raw: bytes) -> bytes:
        CommandApdu.parse(raw)
        return bytes(ResponseApdu())

    def frame() -> None:
        if not list(parser.feed(encode(bytes.fromhex("00CBA012045C021F0100")))):
            raise SystemExit("bench: a frame is lost")

    rows = {
        "parsing alone (floor)": asked(parse_only, "00CBA012045C021F0100"),
        "SELECT by AID": asked(card.transmit, "00A4040009A0000003974254465900"),
        "GET DATA, 16 bytes": asked(card.transmit, "00CBA012045C021F0100"),
        "VERIFY, right PIN (two commits in memory)": asked(card.transmit, f"0020008008{DEFAULT_PIN.hex()}"),
        "a frame of vpcd": frame,
        **peers(),
    }
    return Table("A command in process", rows, 2000)


def peers() -> dict[str, Run]:
    """Other cards in Python, if they are installed, with their logging off; their OpenPGP application is asked."""
    try:
        module: Any = import_module("jcecard.main")
    except ImportError:
        print("bench: jcecard is not installed (pip install jcecard): not measured")
        return {}
    logging.disable(logging.INFO)
    card = module.OpenPGPCard(storage_path=Path(tempfile.mkdtemp(prefix="bench-")))
    card.power_on()
    name = f"jcecard {version('jcecard')}"
    select = asked(card.process_apdu, "00A4040006D2760001240100")
    select()
    return {
        f"{name}, SELECT by AID": select,
        f"{name}, GET DATA (AID, 16 bytes)": asked(card.process_apdu, "00CA004F00"),
    }


def rsa_signatures() -> Table:
    key = SeededEnv("bench").key(KeyKind.RSA_2048)
    assert isinstance(key, RsaPrivateKey)
    bare, digest_info = key.library_key(), bytes(51)

    def sign() -> None:
        bare.sign(digest_info, padding.PKCS1v15(), NoDigestInfo())

    card = with_key(0xB081, 0x57, key)
    rows = {"bare library (floor)": sign, "Card.transmit": chosen(card, "800157840181", digest_info)}
    return Table("A signature, RSA-2048 PKCS#1", rows, 40)


def curve_signatures() -> Table:
    key = SeededEnv("bench").key(KeyKind.P256)
    assert isinstance(key, EcPrivateKey)
    bare, digest = key.library_key(), bytes(range(32))
    algorithm = ec.ECDSA(Prehashed(SHA256()), deterministic_signing=True)

    def sign() -> None:
        bare.sign(digest, algorithm)

    card = with_key(0xB082, 0x1C, key)
    rows = {"bare library (floor)": sign, "Card.transmit": chosen(card, "80011C840182", digest)}
    return Table("A signature, P-256", rows, 200)


@contextmanager
def changes() -> Iterator[Table]:
    """A right PIN on stored cards: the try counter goes down before the comparison, and up after it."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()))
        store = SqliteStore(Path(folder) / "cards", durability=Durability.PROCESS)
        cards = {f"{count} certificates": with_objects(count, CERTIFICATE_BYTES) for count in OBJECTS}
        cards["1.5 MiB"] = with_objects(95, LARGE_BYTES)
        rows = {}
        for number, (name, card) in enumerate(cards.items()):
            store.create(Image(f"card {number}", GIDS, card.persistent))
            opened = stack.enter_context(powered(f"card {number}", store=store))
            rows[name] = asked(opened.transmit, f"0020008008{DEFAULT_PIN.hex()}")
            rows[name]()
        yield Table("A right PIN on a stored card, durability process", rows, 60)


def transmits() -> Table:
    rows = {"null card (floor)": through_engine(NullCard()), "GIDS card": through_engine(gids_card())}
    return Table("SCardTransmit in the service's engine, GET DATA", rows, 1000)


def through_engine(card: Card | NullCard) -> Run:
    """One client's TRANSMIT: its bytes go in, the reply's come out; no socket, no thread."""
    reader = Reader("Bench")
    reader.insert(card)
    engine = Engine([reader])
    connection = engine.connect()

    def ask(raw: bytes) -> bytes:
        todo = engine.receive(connection, raw)
        while todo is not None:
            todo = engine.resume(connection, todo.run())  # type: ignore[union-attr]
        engine.take_news()
        reply = bytes(connection.unsent)
        connection.unsent.clear()
        return reply

    def request(command: Command, body: messages.Message, payload: bytes = b"") -> bytes:
        raw = bytes(body)
        return bytes(messages.Header(len(raw), command)) + raw + payload

    ask(request(Command.VERSION, messages.Version(4, 5)))
    context = messages.EstablishContext.parse(ask(request(Command.ESTABLISH_CONTEXT, messages.EstablishContext(2))))
    slot = engine.slot_of(reader)
    connect = messages.Connect(context.context, messages.padded_name(slot.name), 2, Protocol.T0 | Protocol.T1)
    handle = messages.Connect.parse(ask(request(Command.CONNECT, connect))).card
    apdu = bytes.fromhex("00CBA010045C02DF2200")
    raw = request(Command.TRANSMIT, messages.Transmit(handle, slot.protocol, 16, len(apdu), 2, 16, 300), apdu)
    return asked(lambda _: ask(raw), "00")


def starts() -> Table:
    """Processes; the time is theirs, so it is not `process_time`."""
    vsc = str(Path(sys.executable).with_name("vsc"))
    rows = {
        "python -c pass": lambda: started(sys.executable, "-c", "pass"),
        "vsc --version": lambda: started(vsc, "--version"),
        "vsc run -- true": lambda: started(vsc, "run", "--", "true"),
    }
    return Table("A process, from exec to exit", rows, 1)


def started(*command: str) -> None:
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def of_children(run: Run) -> float:
    """Microseconds of processor time of the processes that it starts."""
    before = getrusage(RUSAGE_CHILDREN)
    run()
    after = getrusage(RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e6


# --- the report


def show(table: Table, figures: dict[str, list[float]]) -> None:
    floor = median(next(iter(figures.values())))
    print(f"\n{table.title}")
    for name, rounds in figures.items():
        middle = median(rounds)
        spread = f"{min(rounds):,.1f} - {max(rounds):,.1f}"
        print(f"  {name:46} {middle:12,.1f} us  ({spread:22}) {1e6 / middle:10,.0f}/s {middle / floor:7.2f} x")


def about() -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "cryptography": version("cryptography"),
        "construct": construct.__version__,
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": [round(one, 1) for one in os.getloadavg()],
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write all figures there")
    parser.add_argument("--plot", type=Path, help="draw an SVG there: what a change costs, by what the card holds")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen_ones = parser.parse_args(arguments)
    surroundings = about()
    print(", ".join(f"{name} {value}" for name, value in surroundings.items()))
    results: dict[str, dict[str, list[float]]] = {}

    def run(table: Table, figures: dict[str, list[float]] | None = None) -> None:
        results[table.title] = figures or measured(table, chosen_ones.rounds)
        show(table, results[table.title])

    run(commands())
    run(rsa_signatures())
    run(curve_signatures())
    with changes() as table:
        run(table)
        change = results[table.title]
    run(transmits())
    table = starts()
    figures: dict[str, list[float]] = {name: [] for name in table.rows}
    for _ in range(chosen_ones.rounds):
        for name, start in table.rows.items():
            figures[name].append(of_children(start))
    run(table, figures)
    if chosen_ones.json:
        chosen_ones.json.write_text(json.dumps({"about": surroundings, "microseconds": results}, indent=1) + "\n")
    if chosen_ones.plot:
        points = [(count, median(change[f"{count} certificates"])) for count in OBJECTS]
        title = "A right PIN on a stored card, microseconds of processor time, by certificates on the card"
        chosen_ones.plot.write_text(plot(title, points), encoding="utf-8")


if __name__ == "__main__":
    main()
