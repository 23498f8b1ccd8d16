"""What the private PC/SC service costs: APDUs a second beside pcscd + vpcd, wake-ups, start-up, memory."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from bench.client import Client
from bench.null_card import NullCard
from bench.served import served
from tests.interop.pcscd_harness import PrivatePcscd
from vsc.pcsc import Service
from vsc.reader import Reader

APDU = "00CBA010045C02DF2200"
APDUS = 4000
WAKE_UPS = 500
STARTS = 11
ALL_CORES = os.sched_getaffinity(0)


@dataclass(frozen=True)
class Server:
    """A way to the null card: where clients find it, and the processes that it consists of."""

    name: str
    reader: str
    env: Mapping[str, str]
    pids: tuple[int, ...]

    def apdus_per_second(self, client: Client, server_cores: set[int], client_cores: set[int]) -> float:
        for pid in self.pids:
            pin(pid, server_cores)
        command = [*client.command, "transmit", self.reader, APDU, str(APDUS)]
        with on_cores(client_cores):
            done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=True)
        return APDUS / float(done.stdout)


def pin(pid: int, cores: set[int]) -> None:
    """All threads that the process has; those it starts later inherit it."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Whatever is started meanwhile runs there."""
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, ALL_CORES)


@contextmanager
def private_service() -> Iterator[Server]:
    with served(1) as (pid, path):
        yield Server("private service", "Null 00", {**os.environ, "PCSCLITE_CSOCK_NAME": path}, (pid,))


def behind_pcscd(pcscd: PrivatePcscd, bridge_pid: int) -> Server:
    return Server("pcscd + vpcd", pcscd.slots[0].reader, pcscd.env, (pcscd.pid, bridge_pid))


def throughput(client: Client, servers: list[Server]) -> dict[str, Callable[[], float]]:
    """Every server in every place: server and client on one core, on one each, and wherever the kernel likes."""
    first, *others = sorted(ALL_CORES)
    places = {"one core": ({first}, {first}), "unpinned": (ALL_CORES, ALL_CORES)}
    if others:
        places["a core each"] = ({first}, {others[0]})
    return {
        f"{server.name}, {place}": partial(server.apdus_per_second, client, *cores)
        for place, cores in places.items()
        for server in servers
    }


def wake_ups_ms(client: Client) -> list[float]:
    """From just before `insert` until SCardGetStatusChange has returned in another process; sorted."""
    reader, card = Reader("Null"), NullCard()
    service = Service([reader])
    took = []
    with service as env:
        command = [*client.command, "watch", reader.name, str(2 * WAKE_UPS)]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(WAKE_UPS):
                until_blocked(service)
                started = time.monotonic()
                reader.insert(card)
                took.append((float(process.stdout.readline()) - started) * 1000)
                until_blocked(service)
                reader.eject()
                process.stdout.readline()
    return sorted(took)


def until_blocked(service: Service) -> None:
    """Returns when the client waits for a change, and its processor time for nothing."""
    while not any(one.is_waiting for one in tuple(service._engine.connections)):
        time.sleep(0.001)
    time.sleep(0.001)


def start_ms(*command: str) -> float:
    """From exec to exit."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - started) * 1000


def starts() -> dict[str, Callable[[], float]]:
    vsc = str(Path(sys.executable).with_name("vsc"))
    return {
        "python -c pass": partial(start_ms, sys.executable, "-c", "pass"),
        "vsc --version": partial(start_ms, vsc, "--version"),
        "vsc run -- true": partial(start_ms, vsc, "run", "--", "true"),
    }


def memory_mib(readers: int) -> tuple[float, float]:
    """RSS and PSS of a service's process; 0 readers: with none."""
    with served(readers) as (pid, _):
        rows = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]]
        kib = {row[0]: int(row[1]) for row in rows}
        return kib["Rss:"] / 1024, kib["Pss:"] / 1024


def print_wake_ups(client: Client) -> None:
    took = wake_ups_ms(client)
    p99 = took[int(len(took) * 0.99)]
    print(f"Insert to wake-up of a blocked SCardGetStatusChange, {client.name}, {len(took)} times")
    print(f" median {median(took):.2f} ms, p99 {p99:.2f} ms, worst {took[-1]:.2f} ms")
    print(f" {'under' if median(took) < 5 else 'NOT UNDER'} the 5 ms that it may take\n")


def print_memory() -> None:
    print("Memory of a service's process, MiB")
    for readers in (0, 1, 16, 64):
        rss, pss = memory_mib(readers)
        print(f" {readers:2} readers: RSS {rss:.1f}, PSS {pss:.1f}")
