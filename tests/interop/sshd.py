"""A sshd on loopback in a corner of its own, with an account that the machine has not."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
def sshd(namespace: Namespace, folder: Path, keys: bytes) -> Iterator[None]:
    """A sshd that takes these keys for the account, and nothing else. What it says is in a failed test's report."""
    make = (require_tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", folder / "host")
    subprocess.run(make, check=True)
    host = (folder / "host.pub").read_text().split()[:2]
    (folder / "known").write_text(f"[127.0.0.1]:{PORT} {' '.join(host)}\n")
    (folder / "authorized").write_bytes(keys)
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
