"""ssh to a loopback sshd, with a key on a card made by `vsc create --pfx`. The account is the fixture's own.

Everything is in a private corner (namespace.py): its own network, so that the port is free, and its own /etc/passwd,
/etc/shadow and /etc/group, with one account more. The machine's own are never written to.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.filling import PIN, Filled, filled, identity, module_path
from tests.interop.need import require_tool, unavailable
from tests.interop.sshd import ACCOUNT, PORT, guest_account, sshd


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
        with guest_account(folder) as namespace, sshd(namespace, folder, ssh_key() + b"\n"):
            ada.become = [*namespace.inside([], cwd=ada.folder), *ada.become]
            yield World(ada, folder)


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
