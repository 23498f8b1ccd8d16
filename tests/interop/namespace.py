"""A private corner of the machine: its own network, its own /run, and nothing in it outlives its owner.

vpcd listens on fixed TCP ports of every interface, and pcscd's socket has a fixed path. Two of them, or one
beside the machine's own, can only live apart in namespaces of the kernel. This file has both ends:

- `Namespace`, which a test uses: it starts the *holder* and puts commands inside.
- the holder, this same file run as a program. It makes the namespaces, says so in one line, and then waits for
  its standard input to end. That happens when the owner closes it *and* when the owner dies, however violently;
  the holder then kills every process left in the namespace. So there is one way to end, and nothing leaks.

As root two namespaces are enough (mount, network). Anybody else gets a user namespace around them, in which he
is root; some systems forbid that, and then `NamespaceRefused` says why.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

Stream = int | IO[str] | None

# From the kernel's headers (linux/sched.h, linux/mount.h, linux/sockios.h, linux/if.h). os.unshare() came with
# Python 3.12; mount() and the interface flags were never there, and `ip` is not on every small Debian.
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x0002_0000, 0x1000_0000, 0x4000_0000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x4_0000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
TCP_LISTEN = "0A"  # as /proc/net/tcp has it


class NamespaceRefused(Exception):
    """This kernel, container or user may not make the namespaces."""


class Namespace:
    """Own network (only `lo`, which is up) and own /run, with `bind` laid over paths below /run.

    bind: path inside -> folder outside that shows there. Folders below /run outside cannot be seen inside.
    hide: folders that look empty inside.
    """

    def __init__(self, *, bind: Mapping[str, Path], hide: Sequence[str] = ()) -> None:
        wishes = {"bind": {inside: str(folder) for inside, folder in bind.items()}, "hide": list(hide)}
        # Own session: Ctrl-C goes to the whole foreground group, and the holder must outlast its owner.
        self._holder = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, json.dumps(wishes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._holder.stdout is not None
        ready = self._holder.stdout.readline().split()
        if not ready:
            raise NamespaceRefused(self._holder.communicate()[1].strip())
        self._with_user = "user" in ready
        self._processes: list[subprocess.Popen[str]] = []

    def inside(self, command: Sequence[str | Path], *, cwd: Path | None = None) -> list[str]:
        """The same command, run inside. The process is the command itself: its pid takes signals as usual."""
        target = ["--target", str(self._holder.pid), "--mount", "--net"]
        user = ["--user", "--preserve-credentials"] if self._with_user else []
        # Entering a mount namespace leaves the working directory at /.
        there = ["env", f"--chdir={cwd or Path.cwd()}", "--"]
        return [tool("nsenter"), *target, *user, "--", *there, *map(str, command)]

    def popen(
        self,
        command: Sequence[str | Path],
        *,
        stdin: Stream = subprocess.DEVNULL,
        stdout: Stream = None,
        stderr: Stream = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[str]:
        """Starts a command inside; `close` ends it if nobody did before."""
        process = subprocess.Popen(
            self.inside(command, cwd=cwd),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=env,
            text=True,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def listening_ports(self) -> set[int]:
        """TCP ports (IPv4) on which somebody inside waits for connections. Looking does not connect."""
        rows = Path(f"/proc/{self._holder.pid}/net/tcp").read_text().splitlines()[1:]
        sockets = [row.split() for row in rows]  # number, local address:port, remote address:port, state, ...
        return {int(local.rpartition(":")[2], 16) for _, local, _, state, *_ in sockets if state == TCP_LISTEN}

    def close(self) -> None:
        """Ends everything inside, children of children too, and returns when it is gone."""
        self._holder.communicate()  # closes its standard input: the signal to end
        for process in self._processes:
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
            process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def tool(name: str) -> str:
    """The path of a program, also where an ordinary user's PATH has no sbin (pcscd lives there)."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/bin", "/bin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found


# --- the holder -----------------------------------------------------------------------------------------------


def hold(bind: Mapping[str, str], hide: Sequence[str]) -> None:
    """Makes the namespaces, waits for the end of standard input, ends all that lives inside."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with_user = enter_new_namespaces()
    bring_up_loopback()
    # A private copy of the mount table: nothing below shows outside.
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    for folder in ["/run", *hide]:
        if Path(folder).is_dir():
            mount("tmpfs", folder, "tmpfs", 0)
    for inside, folder in bind.items():
        Path(inside).mkdir(parents=True)
        mount(folder, inside, "", MS_BIND)
    sys.stdout.write("ready user\n" if with_user else "ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    end_all_others()


def enter_new_namespaces() -> bool:
    """True when it took a user namespace, in which the caller is root."""
    if os.geteuid() == 0:
        try:
            unshare(CLONE_NEWNS | CLONE_NEWNET)
        except OSError:  # root in a container: a user namespace may still be allowed
            pass
        else:
            return False
    user, group = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    return True


def unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "unshare: " + os.strerror(ctypes.get_errno()))


def mount(source: str, target: str, kind: str, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None)
    if done != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}: " + os.strerror(ctypes.get_errno()))


def bring_up_loopback() -> None:
    """`ip link set lo up`."""
    import fcntl

    request = struct.Struct("16sh14x")  # struct ifreq: name, flags
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        _, flags = request.unpack(fcntl.ioctl(any_socket, SIOCGIFFLAGS, request.pack(b"lo", 0))[: request.size])
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request.pack(b"lo", flags | IFF_UP))


def end_all_others() -> None:
    """Kills until nobody is left: what is alive may still fork while we look."""
    while others := [fd for pid in all_pids() if (fd := open_neighbour(pid)) is not None]:
        for neighbour in others:
            try:
                signal.pidfd_send_signal(neighbour, signal.SIGKILL)
                select.select([neighbour], [], [])  # readable once the process is gone
            except ProcessLookupError:
                pass
            finally:
                os.close(neighbour)


def all_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def open_neighbour(pid: int) -> int | None:
    """A handle on this process if it lives in our (new, so private) network namespace and is not us.

    The handle comes first and the look second, so a reused pid can never be hit.
    """
    if pid == os.getpid():
        return None
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return None
    try:
        if os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat("/proc/self/ns/net").st_ino:
            return handle
    except OSError:  # gone, or somebody else's: either way not ours
        pass
    os.close(handle)
    return None


if __name__ == "__main__":
    try:
        hold(**json.loads(sys.argv[1]))
    except OSError as refusal:
        sys.exit(f"{refusal.strerror} (uid {os.geteuid()})")
