"""`make bench`: what our card costs, beside parsing alone and a card that does nothing; and what ways to it cost.

All are measured in turns in the same run, so that what else the machine does hits all alike; a figure is the
median of the rounds, with the lowest and the highest.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median

from rich.console import Console
from rich.table import Table

from bench import fixtures, service, snapshot, store
from bench.attached import gids_card
from bench.client import Client, client
from card_os.apdu import CommandApdu, ResponseApdu
from tests.interop.pcscd_harness import PcscdUnavailable, PrivatePcscd

ROUNDS = 7
COMMANDS = {
    "SELECT by AID": "00A4040009A0000003974254465900",
    "GET DATA, 6 bytes": "00CBA010045C02DF2200",
    "VERIFY, right PIN": "00200080083132333435363738",
}
Measure = Callable[[], float]


def in_turns(measures: dict[str, Measure], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Runs every measure once a round; returns the figures of each."""
    figures: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            figures[name].append(measure())
    return figures


def per_second_in_process(transmit: Callable[[bytes], bytes], apdu: bytes, count: int = 3000) -> float:
    if transmit(apdu)[-2:] != b"\x90\x00":
        raise SystemExit(f"the card does not answer 9000 to {apdu.hex()}")
    started = time.perf_counter()
    for _ in range(count):
        transmit(apdu)
    return count / (time.perf_counter() - started)


def per_second_through_pcscd(pcscd: PrivatePcscd, slot: int, apdu: str, count: int = 2000) -> float:
    reader = pcscd.slots[slot].reader
    result = pcscd.run(sys.executable, "-m", "bench.pcsc_client", reader, apdu, str(count), check=True)
    return count / float(result.stdout)


def show(title: str, figures: dict[str, list[float]], floor: str, unit: str = "APDU/s") -> None:
    """Prints a table: the floor first, every other row as a share of it, or a multiple."""
    table = Table("", f"{unit} (lowest - highest)", "to the floor", title=title, title_justify="left", box=None)
    for name, rounds in figures.items():
        share = f"{median(rounds) / median(figures[floor]):.2f}"
        table.add_row(name, f"{_figure(median(rounds))} ({_figure(min(rounds))} - {_figure(max(rounds))})", share)
    Console(highlight=False, width=100).print(table, "")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def parse_only(raw: bytes) -> bytes:
    """The floor in process: the command's bytes become a value, a value becomes the answer's bytes; no card."""
    CommandApdu.parse(raw)
    return bytes(ResponseApdu())


def main() -> None:
    card = gids_card()
    apdus = {name: bytes.fromhex(apdu) for name, apdu in COMMANDS.items()}
    measures: dict[str, Measure] = {
        "parsing alone (floor)": partial(per_second_in_process, parse_only, apdus["GET DATA, 6 bytes"])
    }
    for name, apdu in apdus.items():
        measures[name] = partial(per_second_in_process, card.transmit, apdu)
    show("In process", in_turns(measures), "parsing alone (floor)")
    show("States of a card", in_turns(snapshot.measures()), snapshot.FLOOR, "us")
    with store.measures() as on_stores:
        show("A stored card, right PINs (two commits each)", in_turns(on_stores, store.ROUNDS), store.FLOOR, "PINs/s")
    with client() as pcsc_client:
        try:
            with PrivatePcscd() as pcscd:
                through_pcscd(pcscd, pcsc_client)
        except PcscdUnavailable as error:
            raise SystemExit(f"bench: no pcscd: {error}") from None
        service.print_wake_ups(pcsc_client)
    floor, *_ = starts = service.starts()
    show("Exec to exit", in_turns(starts, service.STARTS), floor, "ms")
    service.print_memory()
    fixtures.main()


def through_pcscd(pcscd: PrivatePcscd, pcsc_client: Client) -> None:
    """The null card in the first slot, ours in the second, each behind a bridge in a process of its own."""
    attached = [
        pcscd.popen_inside(
            [sys.executable, "-m", "bench.attached", kind, str(pcscd.slots[slot].port)], stdout=subprocess.PIPE
        )
        for slot, kind in enumerate(("null", "gids"))
    ]
    for slot, process in enumerate(attached):
        assert process.stdout is not None
        process.stdout.readline()
        pcscd.wait_for_card(slot)
    apdu = COMMANDS["GET DATA, 6 bytes"]
    measures: dict[str, Measure] = {
        "null card (floor)": partial(per_second_through_pcscd, pcscd, 0, apdu),
        "GIDS card, GET DATA": partial(per_second_through_pcscd, pcscd, 1, apdu),
    }
    show("Through libpcsclite, pcscd and vpcd", in_turns(measures), "null card (floor)")
    with service.private_service() as private:
        ways = service.throughput(pcsc_client, [service.behind_pcscd(pcscd, attached[0].pid), private])
        floor = next(iter(ways))
        show(f"The null card through libpcsclite, {pcsc_client.name}", in_turns(ways), floor)
    for process in attached:
        process.terminate()
        process.wait(timeout=10)


if __name__ == "__main__":
    main()
