"""ssh to a loopback sshd, with a key on a card made by `vsc create --pfx`. The account is the fixture's own.

Everything is in a private corner (namespace.py): its own network, so that the port is free, and its own /etc/passwd,
/etc/shadow and /etc/group, with one account more. The machine's own are never written to.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.filling import PIN, Filled, filled, identity, module_path
from tests.interop.namespace import Namespace, NamespaceRefused
from tests.interop.need import require_tool, unavailable

ACCOUNT, ACCOUNT_ID = "vsc-guest", 64_123
PORT = 2222

CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/authorized
AllowUsers {account}
StrictModes no
UsePAM no
AuthenticationMethods publickey
LogLevel VERBOSE
"""


@dataclass
class World:
    """A user with a card, and the folder of a sshd that knows the key of that card."""

    ada: Filled
    folder: Path

    def ssh(self, *command: str, code: int = 0, pin: str = PIN) -> tuple[str, str]:
        """Logs in with the card. The PIN comes from a program that ssh asks, never from the command line."""
        options = (
            *("-F", "none", "-p", str(PORT), "-o", f"UserKnownHostsFile={self.folder}/known"),
            *("-o", "StrictHostKeyChecking=yes", "-o", f"PKCS11Provider={module_path()}"),
            *(
                "-o",
                "PreferredAuthentications=publickey",
                "-o",
                "IdentityAgent=none",
                "-o",
                "NumberOfPasswordPrompts=1",
            ),
        )
        asking = {"SSH_ASKPASS": str(self.folder / "askpass"), "SSH_ASKPASS_REQUIRE": "force", "CARD_PIN": pin}
        return self.ada.client("ssh", *options, f"{ACCOUNT}@127.0.0.1", *command, code=code, env=asking)


@pytest.fixture
def world() -> Iterator[World]:
    for tool in ("ssh", "ssh-keygen", "sshd", "mount"):
        require_tool(tool)
    if os.geteuid() != 0:
        unavailable("only root can give a test an account to log in to")
    # sshd reads the account's keys as that account, which must not enter the folder of the card's owner.
    with filled() as ada, tempfile.TemporaryDirectory(prefix="vs", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with guest_account(folder) as namespace, sshd(namespace, folder):
            ada.become = [*namespace.inside([], cwd=ada.folder), *ada.become]
            yield World(ada, folder)


@contextmanager
def guest_account(folder: Path) -> Iterator[Namespace]:
    """A corner of the machine in which there is one account more: no password, a shell."""
    lines = {
        "passwd": f"{ACCOUNT}:x:{ACCOUNT_ID}:{ACCOUNT_ID}:guest:{folder}:/bin/sh",
        "shadow": f"{ACCOUNT}:*:19000:0:99999:7:::",
        "group": f"{ACCOUNT}:x:{ACCOUNT_ID}:",
    }
    empty = folder / "privsep"
    empty.mkdir(mode=0o755)
    try:
        namespace = Namespace(bind={"/run/sshd": empty})
    except NamespaceRefused as refusal:
        unavailable(f"no namespace of its own for the test: {refusal}")
    with namespace:
        for name, line in lines.items():
            original, copy = Path("/etc") / name, folder / name
            # Nobody else's password is copied: sshd asks about this account alone.
            there = "" if name == "shadow" else f"{original.read_text().rstrip()}\n"
            copy.write_text(f"{there}{line}\n")
            subprocess.run(namespace.inside([require_tool("mount"), "--bind", copy, original]), check=True)
        yield namespace


@contextmanager
def sshd(namespace: Namespace, folder: Path) -> Iterator[None]:
    """A sshd that takes the card's key for the account, and nothing else. What it says is in a failed test's report."""
    make = (require_tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", folder / "host")
    subprocess.run(make, check=True)
    host = (folder / "host.pub").read_text().split()[:2]
    (folder / "known").write_text(f"[127.0.0.1]:{PORT} {' '.join(host)}\n")
    (folder / "authorized").write_bytes(ssh_key() + b"\n")
    (folder / "config").write_text(CONFIG.format(port=PORT, folder=folder, account=ACCOUNT))
    (folder / "askpass").write_text('#!/bin/sh\nprintf "%s\\n" "$CARD_PIN"\n')
    (folder / "askpass").chmod(0o755)
    daemon = namespace.popen(
        [require_tool("sshd"), "-D", "-e", "-f", folder / "config"], stdin=None, stderr=subprocess.PIPE
    )
    assert daemon.stderr is not None
    said = ""
    while "Server listening on 127.0.0.1" not in said:
        line = daemon.stderr.readline()
        said += line
        assert line, f"sshd did not start: {said}"
    try:
        yield
    finally:
        daemon.terminate()
        print(said + daemon.communicate(timeout=60)[1])  # noqa: T201


def ssh_key() -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return identity().key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


def test_a_login_with_the_card(world: World) -> None:
    out, _ = world.ssh("id", "-un")
    assert out == f"{ACCOUNT}\n"


def test_a_wrong_pin_is_no_login(world: World) -> None:
    _, err = world.ssh("id", "-un", code=255, pin="87654321")
    assert "Permission denied (publickey)" in err
    assert "4 of 5 tries left" in world.ada("show", "ada")[0]


def test_another_key_is_no_login(world: World) -> None:
    (world.folder / "authorized").write_text("")
    _, err = world.ssh("id", "-un", code=255)
    assert "Permission denied (publickey)" in err


def test_the_machine_has_no_such_account(world: World) -> None:
    assert ACCOUNT not in Path("/etc/passwd").read_text()
