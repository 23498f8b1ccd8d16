"""Unmodified PC/SC programs under `vsc run`, as an ordinary user: no pcscd, no driver, no root.

Where the tests run as root, vsc and the programs run as nobody. No test sleeps; whatever hangs is ended by `timeout`.
"""

import importlib.util
import platform
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.need import require_tool, unavailable
from tests.interop.test_run import PIN
from tests.interop.vsc_run import BIN, Vsc, ordinary_user

CLIENTS = Path(__file__).with_name("clients")
DESK, SHELF = READERS = ("Desk 00 00", "Shelf 00 00")
NOBODY = 65_534
MODULE = "opensc-pkcs11.so"
GIDS_ATR = "3b8d0180fba000000397425446590201c9"


class OrdinaryUser(Vsc):
    """With a card called "work" and two readers to run programs on."""

    def client(self, *command: str | Path) -> str:
        """Runs a program with the card "work" in the first of two readers; its standard output."""
        readers = [word for name in READERS for word in ("--reader", name)]
        return self("run", "--card", "work", *readers, "--", "timeout", "50", *command)[0]


@pytest.fixture
def vsc() -> Iterator[OrdinaryUser]:
    with ordinary_user(OrdinaryUser) as user:
        yield user
        assert user.left() == []


def library(name: str) -> Path:
    """The path of a shared library, as the loader finds it."""
    loader = subprocess.run([require_tool("ldconfig"), "-p"], capture_output=True, text=True, check=True)
    found = re.findall(rf"^\s*{re.escape(name)} \(.*\) => (\S+)$", loader.stdout, re.MULTILINE)
    if not found:
        unavailable(f"{name} is not installed")
    # Where there are libraries of two architectures, ours names it in its path.
    return Path(next((path for path in found if platform.machine() in path), found[0]))


def opensc_pkcs11() -> Path:
    """OpenSC's PKCS #11 module: no library of the loader's, but it lives where libraries do."""
    folders = [library("libpcsclite.so.1").parent, Path("/usr/lib64"), Path("/usr/lib")]
    found = [path for folder in folders for path in (folder / MODULE, folder / "pkcs11" / MODULE) if path.exists()]
    if not found:
        unavailable(f"{MODULE} is not installed")
    return found[0]


def alive(words: str) -> list[str]:
    """The processes that have these words in their command line or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                text = (process / name).read_bytes()
            except OSError:  # it has ended, or is none of ours
                continue
            if words.encode() in text:
                found.append(f"{process.name}: {text!r}")
    return found


def test_nobody_here_is_root(vsc: OrdinaryUser) -> None:
    out, _ = vsc("run", "--", "sh", "-c", "id -u; echo $PCSCLITE_CSOCK_NAME; stat -c '%u %a' $PCSCLITE_CSOCK_NAME")
    user, socket, socket_mode = out.splitlines()
    assert user != "0"
    assert Path(socket).is_relative_to(vsc.runtime)
    assert socket_mode == f"{user} 600"


def test_pcsc_scan_sees_the_card_go_and_come_live(vsc: OrdinaryUser) -> None:
    scan = f"echo $VSC_SOCKET; exec timeout 50 {require_tool('stdbuf')} -oL {require_tool('pcsc_scan')} -n"
    vsc("create", "work", "--pin", "default")
    with vsc.popen("run", "--card", "work", "--reader", DESK, "--", "sh", "-c", scan) as process:
        assert process.stdout is not None
        try:
            socket = process.stdout.readline().strip()
            for state, then in (("inserted", "eject"), ("removed", "insert"), ("inserted", "eject"), ("removed", "")):
                report = [""]
                while "Card state:" not in report[-1]:
                    report.append(process.stdout.readline())
                    assert report[-1], f"pcsc_scan ended after {report}"
                assert f"Card {state}" in report[-1], report
                assert any(f"Reader 0: {DESK}" in line for line in report), report
                if then:
                    vsc(then, "work", "--socket", socket)
        finally:
            process.terminate()


def test_gids_tool_initialises_a_blank_card_of_the_store(vsc: OrdinaryUser) -> None:
    for name in ("gids-tool", "pkcs15-tool"):
        require_tool(name)
    vsc("create", "work", "--blank")
    secrets = ["--pin", "246810", "--admin-key", "00112233445566778899aabbccddeeff0011223344556677"]
    # Without a serial number it asks for one. Its exit status is 0 whatever happened.
    vsc.client("gids-tool", "--initialize", *secrets, "--serial-number", "000102030405060708090a0b0c0d0e0f")
    vsc.client("pkcs15-tool", "--verify-pin", "--pin", "246810")  # another run: the store has kept it
    assert "operational" in vsc("show", "work")[0]


def test_pyscard(vsc: OrdinaryUser) -> None:
    """Its readers(), CardRequest, CardMonitor, shared and exclusive connections and transactions."""
    if importlib.util.find_spec("smartcard") is None:
        unavailable("pyscard is not installed")
    vsc("create", "work", "--pin", "default")
    out = vsc.client(BIN / "python", CLIENTS / "pyscard_client.py", *READERS)
    assert out == "all as it should be\n"


def test_java(vsc: OrdinaryUser) -> None:
    """javax.smartcardio lists, connects, transmits and waits."""
    java = require_tool("java")
    require_tool("javac")  # what `java Client.java` compiles with comes with it
    vsc("create", "work", "--pin", "default")
    pcsc = f"-Dsun.security.smartcardio.library={library('libpcsclite.so.1')}"
    out = vsc.client(java, "-XX:-UsePerfData", pcsc, CLIENTS / "Client.java", DESK)
    assert out.splitlines() == [
        f"terminals: {DESK},{SHELF}",
        "present: true",
        f"atr: {GIDS_ATR}",
        "protocol: T=1",
        "select: 9000",
        "exclusive: 9000",
        "no change: false",
        "change: true",
        f"removed: {DESK}",
        "after removal: SCARD_W_REMOVED_CARD",
        "change: true",
        f"inserted: {DESK}",
        "absent: false",
        "absent: true",
        "present: false",
        "present: true",
        "select: 9000",
    ]


def test_gpg_says_that_this_is_no_openpgp_card_and_leaves_no_daemon(vsc: OrdinaryUser) -> None:
    for name in ("gpg", "gpg-agent", "gpg-connect-agent"):
        require_tool(name)
    listing = subprocess.run([require_tool("gpgconf"), "--list-dirs"], capture_output=True, text=True, check=True)
    folders = dict(line.split(":", 1) for line in listing.stdout.splitlines())
    require_tool(f"{folders['libexecdir']}/scdaemon")  # a package of its own, and in nobody's PATH
    script = """
        echo disable-ccid > "$GNUPGHOME/scdaemon.conf"
        timeout 30 gpg --card-status
        echo "status $?"
        echo "home $GNUPGHOME"
        timeout 10 gpg-connect-agent --no-autostart 'GETINFO pid' /bye
        timeout 10 gpg-connect-agent --no-autostart 'SCD GETINFO pid' /bye"""
    out, err = vsc("run", "--isolate", "--", "sh", "-c", script)
    status, home, agent, _, scdaemon, _ = out.splitlines()
    assert status == "status 2", err
    assert "OpenPGP card not available" in err
    folder = home.removeprefix("home ")
    assert folder.startswith("/")
    # Both daemons were there when gpg had ended; with vsc they went.
    pids = [re.fullmatch(r"D (\d+)", line) for line in (agent, scdaemon)]
    assert all(pids), out + err
    assert alive(folder) == []


def test_ssh_keygen_prints_the_key_of_the_card(vsc: OrdinaryUser) -> None:
    """A key is enough, it needs no certificate."""
    for name in ("pkcs11-tool", "openssl", "ssh-keygen"):
        require_tool(name)
    vsc("create", "work", "--pin", "default")
    make = ["--keypairgen", "--key-type", "rsa:2048", "--id", "00", "--label", "k"]
    vsc.client("pkcs11-tool", "--login", "--pin", PIN, *make)
    printed = vsc.client("ssh-keygen", "-D", opensc_pkcs11()).splitlines()
    vsc.client("pkcs11-tool", "--read-object", "--type", "pubkey", "--id", "00", "--output-file", "key.der")
    vsc.client("openssl", "pkey", "-pubin", "-inform", "DER", "-in", "key.der", "-out", "key.pem")
    expected = vsc.client("ssh-keygen", "-i", "-m", "PKCS8", "-f", "key.pem").split()
    assert [line.split()[:2] for line in printed] == [expected[:2]]
    assert expected[0] == "ssh-rsa"
