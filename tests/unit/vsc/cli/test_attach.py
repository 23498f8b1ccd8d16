"""vsc.cli.attach, with a vpcd of ours; the real one is in tests/interop."""

import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.unit.vsc import processes, samples
from tests.unit.vsc.cli.shell import Shell
from tests.unit.vsc.samples import gids_state
from vpcd_bridge import Stop
from vsc.cli import attach
from vsc.cli.fault import ArmedFaults, WantedFault
from vsc.faults import Fault
from vsc.reader import Reader, ReaderEvent
from vsc.store.sqlite import SqliteStore
from vsc.testing import SoftCard

PATIENCE_S = 30.0
ATR = bytes.fromhex("3B8D0180FBA000000397425446590201C9")
ASK_ATR, POWER_ON = b"\x04", b"\x01"


class Slot:
    """vpcd's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE_S)
        self._sock = sock
        self._file = sock.makefile("rb")

    def send(self, body: bytes) -> None:
        self._sock.sendall(len(body).to_bytes(2, "big") + body)

    def ask(self, body: bytes) -> bytes:
        self.send(body)
        return self._file.read(int.from_bytes(self._file.read(2), "big"))

    @property
    def is_empty(self) -> bool:
        """Whether the card has left; waits for it."""
        return self._file.read(1) == b""

    def close(self) -> None:
        self._file.close()
        self._sock.close()


@contextmanager
def doors() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ports that follow each other, where a vpcd listens."""
    with ExitStack() as stack:
        while True:  # Most ports are free.
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            try:
                port = first.getsockname()[1] + 1
                second = stack.enter_context(socket.create_server(("127.0.0.1", port)))
            except (OSError, OverflowError):
                continue
            for door in (first, second):
                door.settimeout(PATIENCE_S)
            yield first, second
            return


@contextmanager
def kept_address() -> Iterator[str]:
    """An address where nobody listens: a program that is told to may, nobody else gets the port by chance."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield address(kept)


@pytest.fixture
def vpcd() -> Iterator[tuple[socket.socket, socket.socket]]:
    with doors() as both:
        yield both


def address(door: socket.socket) -> str:
    host, port = door.getsockname()
    return f"{host}:{port}"


@contextmanager
def attached(home: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*processes.VSC, "attach", *arguments],
        env=processes.environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ends(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


@contextmanager
def accepted(door: socket.socket) -> Iterator[Slot]:
    slot = Slot(door.accept()[0])
    try:
        yield slot
    finally:
        slot.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command gives up at once, and pytest gets its signal handlers back."""
    monkeypatch.setattr(attach, "CONNECT_TIMEOUT_S", 0.0)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


class TestPluggedIn:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_card_stays_until_interrupted(
        self, work: SqliteStore, home: Path, vpcd: tuple[socket.socket, socket.socket], number: signal.Signals
    ) -> None:
        where = address(vpcd[0])
        with attached(home, "work", "--vpcd", where) as process, accepted(vpcd[0]) as slot:
            assert slot.ask(ASK_ATR) == ATR
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            slot.send(POWER_ON)
            assert slot.ask(bytes.fromhex(samples.WRONG_VERIFY)) == bytes.fromhex("63C2")
            assert gids_state(work.read("work")).pin.tries_left == 2
            process.send_signal(number)
            assert slot.is_empty
            assert ends(process) == (0, "", f"work: the card is in the reader at {where}\n")
        with work.open("work"):
            pass

    def test_a_fault_that_keeps_the_card_waiting_does_not_keep_us(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reader = Reader()
        reader.insert(SoftCard.make())
        armed = ArmedFaults([WantedFault("", Fault.parse("delay 3600s on SELECT"))], {"work": reader})
        answers: list[bytes] = []
        with Stop() as stop:
            subscribe = reader.subscribe

            def waiting(observer: Callable[[ReaderEvent], None]) -> Callable[[], None]:
                stop.set()  # The delay begins: somebody interrupts us now.
                return subscribe(observer)

            monkeypatch.setattr(reader, "subscribe", waiting)
            run = attach._Run(lambda: answers.append(reader.transmit(bytes.fromhex("00A40400"))), lambda: None)
            assert attach._run_until_stopped([run], stop, None, lambda: armed.judged(0)) == 0
        assert len(answers) == 1

    def test_all_faults_that_never_struck_are_told(
        self, work: SqliteStore, home: Path, vpcd: tuple[socket.socket, socket.socket]
    ) -> None:
        work.create(samples.image("second"))
        faults = ("--fault", "work: mute on VERIFY", "--fault", "second: close on VERIFY")
        with (
            attached(home, "work", "second", "--vpcd", address(vpcd[0]), *faults, "--for", "0.2") as process,
            accepted(vpcd[0]),
            accepted(vpcd[1]),
        ):
            code, _, err = ends(process)
        assert code == 1
        assert "vsc: in 'vpcd slot 0' 'mute on VERIFY' never struck: no command came at all\n" in err
        assert "vsc: in 'vpcd slot 1' 'close on VERIFY' never struck: no command came at all\n" in err

    def test_two_cards_in_two_slots(
        self, work: SqliteStore, home: Path, vpcd: tuple[socket.socket, socket.socket]
    ) -> None:
        work.create(samples.image("second"))
        with (
            attached(home, "work", "second", "--vpcd", address(vpcd[0])) as process,
            accepted(vpcd[0]) as one,
            accepted(vpcd[1]) as two,
        ):
            assert two.ask(ASK_ATR) == ATR
            assert two.ask(bytes.fromhex(samples.WRONG_VERIFY)) == bytes.fromhex("63C2")
            assert one.ask(ASK_ATR) == ATR
            assert one.ask(bytes.fromhex(samples.PIN_STATUS)) == bytes.fromhex("63C3")
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            code, out, err = ends(process)
        assert (code, out) == (0, "")
        assert sorted(line.split(":")[0] for line in err.splitlines()) == ["second", "work"]

    def test_for_some_seconds(self, work: SqliteStore, home: Path, vpcd: tuple[socket.socket, socket.socket]) -> None:
        with (
            attached(home, "work", "--vpcd", address(vpcd[0]), "--for", "0.2") as process,
            accepted(vpcd[0]) as slot,
        ):
            assert slot.is_empty
            assert ends(process) == (0, "", "work: was never in a reader\n")

    def test_a_vpcd_that_calls(self, work: SqliteStore, home: Path) -> None:
        with kept_address() as where, attached(home, "work", "--listen", where) as process:
            assert process.stderr is not None
            assert process.stderr.readline() == f"work: listening on {where}; vpcd may call\n"
            host, port = where.split(":")
            slot = Slot(socket.create_connection((host, int(port)), timeout=PATIENCE_S))
            assert slot.ask(ASK_ATR) == ATR
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGTERM)
            assert slot.is_empty
            slot.close()
            assert ends(process)[0] == 0

    def test_a_card_that_is_attached_is_in_use_and_can_be_read(
        self, shell: Shell, work: SqliteStore, home: Path, vpcd: tuple[socket.socket, socket.socket]
    ) -> None:
        with attached(home, "work", "--vpcd", address(vpcd[0])), accepted(vpcd[0]) as slot:
            assert slot.ask(ASK_ATR) == ATR
            for arguments in (("attach", "work"), ("transmit", "work", "00200080"), ("destroy", "--yes", "work")):
                assert shell.fails(1, *arguments) == "vsc: card 'work' is in use by another process\n"
            assert "3 of 3" in shell.ok("list")

    def test_what_answers_is_no_vpcd(
        self, work: SqliteStore, home: Path, vpcd: tuple[socket.socket, socket.socket]
    ) -> None:
        with attached(home, "work", "--vpcd", address(vpcd[0])) as process, accepted(vpcd[0]) as slot:
            slot.send(b"")
            code, out, err = ends(process)
        assert (code, out) == (1, "")
        assert "is no vpcd" in err
        assert "Traceback" not in err


@pytest.mark.usefixtures("impatient")
class TestNobodyThere:
    def test_nothing_listens(self, shell: Shell, work: SqliteStore) -> None:
        with kept_address() as where:
            error = shell.fails(1, "attach", "work", "--vpcd", where)
        assert error == f"vsc: nothing answers at {where} (Connection refused): is pcscd running, with vpcd?\n"
        with work.open("work"):
            pass

    def test_a_host_that_is_not_there(self, shell: Shell, work: SqliteStore) -> None:
        assert "vsc: nothing answers at no.such.host.invalid:1 (" in shell.fails(
            1, "attach", "work", "--vpcd", "no.such.host.invalid:1"
        )

    def test_a_port_that_is_taken(
        self, shell: Shell, work: SqliteStore, vpcd: tuple[socket.socket, socket.socket]
    ) -> None:
        where = address(vpcd[0])
        error = shell.fails(1, "attach", "work", "--listen", where)
        assert error.startswith(f"vsc: cannot listen on {where}: Address already in use")
        assert error.count("\n") == 1


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            ((), "Missing argument 'NAME...'"),
            (("work", "work"), "a card fits into one slot only"),
            (("work", "--vpcd", "localhost:1", "--listen", "localhost:2"), "--vpcd and --listen exclude each other"),
            (("work", "b", "c", "--listen", "localhost:1"), "a vpcd that calls has two slots"),
            (("work", "b", "--vpcd", "localhost:65535"), "ports end at 65535"),
            (("work", "--listen", "localhost:65535"), "ports end at 65535"),
            (("work", "--for", "0"), "--for"),
            (("work", "--for", "-1"), "--for"),
            (("work", "--for", "soon"), "--for"),
            (("work", "--for", "nan"), "--for"),
            (("work", "--for", "inf"), "--for"),
            (("work", "--for", "1e300"), "--for"),
        ],
    )
    def test_usage_errors(self, shell: Shell, work: SqliteStore, arguments: tuple[str, ...], text: str) -> None:
        assert text in shell.fails(2, "attach", *arguments)

    @pytest.mark.parametrize("option", ["--vpcd", "--listen"])
    @pytest.mark.parametrize(
        "where",
        [
            "",
            "localhost",
            ":35963",
            "localhost:",
            "localhost:0",
            "localhost:65536",
            "localhost:-1",
            "localhost:x",
            "35963",
        ],
    )
    def test_what_is_no_address(self, shell: Shell, work: SqliteStore, option: str, where: str) -> None:
        assert f"{where!r} is not HOST:PORT" in shell.fails(2, "attach", "work", option, where)

    def test_what_is_no_host(self, shell: Shell, work: SqliteStore) -> None:
        for host in ("a..b", "ä" * 70):
            assert "is no host name" in shell.fails(2, "attach", "work", "--vpcd", f"{host}:1")

    def test_one_that_is_not_there_leaves_the_others_free(self, shell: Shell, work: SqliteStore) -> None:
        shell.fails(4, "attach", "work", "gone")
        with work.open("work"):
            pass

    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)])
    def test_who_listens_to_everybody_is_warned(
        self, shell: Shell, work: SqliteStore, vpcd: tuple[socket.socket, socket.socket], host: str, warned: bool
    ) -> None:
        error = shell.fails(1, "attach", "work", "--listen", f"{host}:{vpcd[0].getsockname()[1]}")
        assert ("can use the card" in error) is warned
