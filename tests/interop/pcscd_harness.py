"""A real pcscd with a real vpcd, for one test alone.

    with PrivatePcscd() as pcscd:
        pcscd.popen_inside(["vsc", "attach", "my card", "--vpcd", pcscd.slots[0].vpcd])
        pcscd.wait_for_card()
        print(pcscd.run("opensc-tool", "--atr").stdout)

pcscd and whatever connects to vpcd's ports live inside a namespace (`namespace.py` says why); PC/SC clients stay
outside and find this pcscd by `env`. The machine's own pcscd, its readers and the caller's OpenSC settings and
cache are never touched, so any number of these run side by side. Works without pytest; conftest.py is a skin.
"""

import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.interop.namespace import Namespace, NamespaceRefused, Stream, tool

FIRST_PORT = 35963  # 0x8C7B, vpcd's default
SLOTS_PER_READER = 2  # compiled into vpcd, on consecutive ports
DRIVER_FOLDERS = ("/usr/lib/pcsc/drivers", "/usr/lib64/pcsc/drivers", "/usr/local/lib/pcsc/drivers")
DRIVER = "serial/libifdvpcd.so"
WAIT_S = 15  # a deadline for what takes 0.4 s, on a machine that is busy with other things


class PcscdUnavailable(Exception):
    """pcscd, vpcd or the right to make namespaces is missing on this machine; the text says which."""


class ToolFailed(AssertionError):
    """A command ended otherwise than expected; the text has all it said."""


@dataclass(frozen=True, slots=True)
class Slot:
    reader: str  # as PC/SC clients see it
    port: int  # where vpcd waits for this slot's card (or calls it, see `vpcd_calls`)

    @property
    def vpcd(self) -> str:
        """HOST:PORT, valid inside."""
        return f"127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class ReaderState:
    reader: str
    present: bool
    events: int  # insertions and removals since pcscd started
    atr: bytes  # empty without a card


class PrivatePcscd:
    """pcscd 1.9 with vpcd in a namespace of its own.

    readers: a name each; every reader brings two slots, `NAME 00 00` and `NAME 00 01`, so 8 readers are the most.
    vpcd_calls: vpcd connects to the card (127.0.0.1, the slot's port), not the card to vpcd. pcscd is then not
    started yet: put cards that listen inside, then call `start`, which waits for their ports. With vpcd 3.3 *both*
    ports of each reader need a card that answers with an ATR and stays: on a closed port or connection pcscd aborts
    at once (FD_SET of -1); with one that accepts and says nothing it was not up after 15 s, and not after 5 s with
    one that answers an empty ATR.
    """

    def __init__(self, readers: Sequence[str] = ("Virtual PCD",), *, vpcd_calls: bool = False) -> None:
        if len(set(readers)) != len(readers):
            raise ValueError("pcscd gives readers of one name the same slot names: choose different ones")
        self.slots = [
            Slot(reader=f"{name} 00 {slot:02X}", port=FIRST_PORT + SLOTS_PER_READER * index + slot)
            for index, name in enumerate(readers)
            for slot in range(SLOTS_PER_READER)
        ]
        self._process: subprocess.Popen[str] | None = None
        self._vpcd_calls = vpcd_calls
        with ExitStack() as undo:
            # A socket path has 107 bytes at most, so not pytest's long folder names.
            self.folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="vsc-pcscd-")))
            self.folder.chmod(0o755)  # clients may be other users
            self._lay_out(readers, "127.0.0.1" if vpcd_calls else "/dev/null")
            try:
                # Hidden drivers: a reader in the USB port of this machine is none of our business.
                space = Namespace(bind={"/run/pcscd": self.folder / "run"}, hide=DRIVER_FOLDERS)
            except NamespaceRefused as reason:
                raise PcscdUnavailable(f"needs root or user namespaces: {reason}") from None
            self._space = undo.enter_context(space)
            self.env = self._client_env()
            if not vpcd_calls:
                self.start()
            self._undo = undo.pop_all()

    def _lay_out(self, readers: Sequence[str], device: str) -> None:
        for name in ("run", "home", "log"):
            (self.folder / name).mkdir()
        driver = find_driver()
        entries = []
        for name, slot in zip(readers, self.slots[::SLOTS_PER_READER], strict=True):
            # A copy each: vpcd keeps its connections in static variables by slot number, so two readers on one
            # library overwrite each other's and neither ever sees a card.
            library = shutil.copy(driver, self.folder / f"vpcd-{slot.port}.so")
            entries.append(
                f'FRIENDLYNAME "{name}"\nDEVICENAME {device}:{slot.port:#06x}\n'
                f"LIBPATH {library}\nCHANNELID {slot.port:#06x}\n"
            )
        (self.folder / "reader.conf").write_text("\n".join(entries))

    def _client_env(self) -> dict[str, str]:
        """What a client's environment must be: this pcscd, and no settings or caches but the test's own.

        OpenSC keeps files of cards it has seen in XDG_CACHE_HOME/opensc, else HOME/.cache/opensc, by serial number.
        """
        home = self.folder / "home"
        foreign = ("PCSCLITE_", "OPENSC_", "XDG_", "PKCS11", "VSC_")
        env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return env | {
            "PCSCLITE_CSOCK_NAME": str(self.socket),
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "LC_ALL": "C.UTF-8",
        }

    @property
    def socket(self) -> Path:
        return self.folder / "run" / "pcscd.comm"

    # --- pcscd itself

    @property
    def pid(self) -> int:
        return self._running().pid

    def start(self) -> None:
        """Returns once clients can connect; pcscd opens its socket after its readers and vpcd's ports."""
        if self._process is not None and self._process.poll() is None:
            raise RuntimeError("pcscd is running already")
        if self._vpcd_calls:
            wanted = {slot.port for slot in self.slots}
            wait_until(lambda: wanted <= self._space.listening_ports(), self.log)
        # A killed pcscd leaves both files behind: the socket looks as if somebody was there, and the new pcscd will
        # not start if the pid now belongs to another process.
        self.socket.unlink(missing_ok=True)
        self.socket.with_name("pcscd.pid").unlink(missing_ok=True)
        command = [tool("pcscd"), "--foreground", "--info", "--config", str(self.folder / "reader.conf")]
        command += _no_polkit(tool("pcscd"))
        self._process = self.popen_inside(command, log="pcscd")
        # `_running` notices a pcscd that gave up.
        wait_until(lambda: self._running() and listens(self.socket), self.log)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """pcscd dies, at once by default; all else inside stays as it is."""
        process = self._running()
        process.send_signal(number)
        process.wait(WAIT_S)

    def restart(self) -> None:
        """A new pcscd in the same namespace, so a bridge inside can find it again."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self.start()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError("pcscd is not running\n" + self.log())
        return self._process

    # --- commands inside the namespace: bridges and other cards

    def popen_inside(
        self,
        command: Sequence[str | Path],
        *,
        stdin: Stream = subprocess.DEVNULL,
        stdout: Stream = None,
        stderr: Stream = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        log: str | None = None,
    ) -> subprocess.Popen[str]:
        """Starts what must reach vpcd's ports. Its pid is the command's own; `close` ends it at the latest.

        stdout, stderr: where not given, a file that `log` shows. env: added to `self.env`.
        """
        with (self.folder / "log" / (log or Path(command[0]).name)).open("a") as file:
            return self._space.popen(
                command,
                stdin=stdin,
                stdout=file if stdout is None else stdout,
                stderr=file if stderr is None else stderr,
                env=self.env | dict(env or {}),
                cwd=cwd,
            )

    def run_inside(
        self,
        *command: str | Path,
        check: bool = True,
        stdin: str = "",
        timeout_s: float = 60,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """`run`, but inside."""
        inside = self._space.inside(command, cwd=cwd)
        return run(inside, check=check, stdin=stdin, timeout_s=timeout_s, env=self.env | dict(env or {}))

    # --- clients outside

    def run(
        self,
        *command: str | Path,
        check: bool = True,
        stdin: str = "",
        timeout_s: float = 60,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a client of this pcscd to its end. check: any exit code but 0 is ToolFailed."""
        return run(command, check=check, stdin=stdin, timeout_s=timeout_s, env=self.env | dict(env or {}), cwd=cwd)

    def reader_state(self, slot: int = 0) -> ReaderState:
        """What pcscd shows now."""
        return self._ask(slot, "", -1, WAIT_S)

    def wait_for_card(
        self, slot: int = 0, *, after: ReaderState | None = None, timeout_s: float = WAIT_S
    ) -> ReaderState:
        """Returns when pcscd shows a card that has answered its reset. The card is not connected to.

        after: an earlier state; a card that is there since then does not count, it must be plugged in anew.
        """
        return self._ask(slot, "present", -1 if after is None else after.events, timeout_s)

    def wait_for_no_card(self, slot: int = 0, *, timeout_s: float = WAIT_S) -> ReaderState:
        """Returns when pcscd shows the slot empty, up to 0.4 s after the card left."""
        return self._ask(slot, "empty", -1, timeout_s)

    def _ask(self, slot: int, condition: str, events: int, timeout_s: float) -> ReaderState:
        asker = [sys.executable, "-I", "-S", str(Path(__file__).with_name("reader_state.py"))]
        question = [self.slots[slot].reader, str(timeout_s), condition, str(events)]
        answer = json.loads(self.run(*asker, *question, timeout_s=timeout_s + WAIT_S).stdout)
        return ReaderState(
            reader=answer["reader"],
            present=answer["present"],
            events=answer["events"],
            atr=bytes.fromhex(answer["atr"]),
        )

    # --- afterwards

    def log(self) -> str:
        """What pcscd and everything else inside has said."""
        files = sorted((self.folder / "log").iterdir())
        return "\n".join(f"--- {file.name}\n{file.read_text(errors='backslashreplace')}" for file in files)

    def close(self) -> None:
        """Ends pcscd and all else inside and removes the folder."""
        self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def run(
    command: Sequence[str | Path],
    *,
    check: bool,
    stdin: str,
    timeout_s: float,
    env: Mapping[str, str],
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    line = [str(word) for word in command]
    try:
        done = subprocess.run(
            line,
            check=False,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            input=stdin,
            timeout=timeout_s,
            env=env,
            cwd=cwd,
        )
    except subprocess.TimeoutExpired as late:
        raise ToolFailed(report(line, f"no end after {timeout_s} s", late.stdout, late.stderr)) from None
    if check and done.returncode != 0:
        raise ToolFailed(report(line, f"exit code {done.returncode}", done.stdout, done.stderr))
    return done


def report(line: Sequence[str], end: str, stdout: str | bytes | None, stderr: str | bytes | None) -> str:
    said = [part.decode(errors="backslashreplace") if isinstance(part, bytes) else part for part in (stdout, stderr)]
    return f"$ {' '.join(line)}\n{end}\n--- stdout\n{said[0] or ''}\n--- stderr\n{said[1] or ''}"


def wait_until(condition: Callable[[], object], log: Callable[[], str]) -> None:
    """Looks again every 5 ms, where there is nothing to block on."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing after {WAIT_S} s\n{log()}")
        time.sleep(0.005)


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def find_driver() -> Path:
    """vpcd's driver for pcscd."""
    try:
        tool("pcscd")
        tool("nsenter")
    except FileNotFoundError as missing:
        raise PcscdUnavailable(str(missing)) from None
    for folder in DRIVER_FOLDERS:
        if (driver := Path(folder, DRIVER)).is_file():
            return driver
    raise PcscdUnavailable("vpcd (Debian: vsmartcard-vpcd) is not installed")


@functools.cache
def _no_polkit(pcscd: str) -> list[str]:
    """The option, for a pcscd that knows it (2.0): it would ask a polkit that is not there, and let nobody in."""
    said = subprocess.run([pcscd, "--help"], capture_output=True, text=True, check=False).stdout
    return ["--disable-polkit"] if "--disable-polkit" in said else []
