"""The PIN pad as OpenSC uses it, over the private service: programs log in and never see the PIN.

OpenSC's default configuration asks every reader for its features and, if it has a PIN pad, uses it whenever it is
given no PIN.
"""

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.attached import gids_card
from tests.interop.need import require_tool
from tests.interop.piv_user import certificate, key
from vsc.pcsc import Service
from vsc.pinpad import Ask, PinPad, pin_source
from vsc.profiles.options import IssuedKey
from vsc.reader import Reader
from vsc.testing import SoftCard
from vsc.trace import Trace
from vsc.trace.jsonl import dump

PIN, WRONG_PIN, NEW_PIN = b"12345678", b"87654321", b"new PIN"
GET_TRIES = bytes.fromhex("0020008000")
"""VERIFY without a PIN: 63Cx tells the tries."""
TRIES = 5
PATIENCE_S = 60.0
ROOT = Path(__file__).resolve().parents[2]


class Desk:
    """A reader with a PIN pad and a fresh card in it, and OpenSC's tools beside it."""

    def __init__(self, service: Service, reader: Reader, folder: Path) -> None:
        foreign = ("OPENSC_", "XDG_", "PKCS11", "PCSCLITE_NO")
        self.env = {name: value for name, value in service.environment.items() if not name.startswith(foreign)}
        # OpenSC caches by the card's number, and all of these cards have the same.
        self.env |= {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache"), "LC_ALL": "C.UTF-8"}
        self.folder = folder
        self.reader = reader

    def types(self, source: str | Ask) -> None:
        PinPad(self.reader, pin_source(source) if isinstance(source, str) else source)

    def types_lines(self, *lines: bytes) -> None:
        path = self.folder / "typed"
        path.write_bytes(b"\n".join(lines))
        self.types(f"file:{path}")

    def tool(self, *command: str | Path, keys: str = "") -> subprocess.CompletedProcess[str]:
        require_tool(str(command[0]))
        return subprocess.run(
            command, env=self.env, input=keys, capture_output=True, text=True, timeout=60, check=False
        )

    def login(self) -> str:
        """ "" or the error of C_Login."""
        done = self.tool("pkcs11-tool", "--login", "--list-objects")
        assert done.returncode == ("C_Login failed" in done.stderr), done.stderr
        return done.stderr.partition("C_Login failed: rv = ")[2].partition(" ")[0]

    def verify(self) -> str:
        """What pkcs15-tool complains of."""
        return self.tool("pkcs15-tool", "--verify-pin").stderr.rpartition("Operation failed: ")[2].strip()

    def change(self) -> tuple[int, str]:
        """Exit code of pkcs15-tool, which asks for both PINs and gets an empty line each, and what it complains of."""
        done = self.tool("pkcs15-tool", "--change-pin", keys="\n\n\n")
        reader, *complaints = done.stderr.splitlines()
        assert reader == "Using reader with a card: Virtual Smart Card 00 00"
        return done.returncode, " ".join(complaints).removeprefix("PIN code change failed: ")

    def change_by_pkcs11(self) -> str:
        """ "" or the error of C_SetPIN."""
        done = self.tool("pkcs11-tool", "--change-pin")
        assert done.returncode == ("C_SetPIN failed" in done.stderr), done.stderr
        return done.stderr.partition("C_SetPIN failed: rv = ")[2].partition(" ")[0]

    def tries_left(self) -> int:
        self.reader.reset()
        self.reader.transmit(bytes.fromhex("00A4040409A0000003974254465900"))
        return self.reader.transmit(GET_TRIES)[-1] & 0x0F


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    reader = Reader()
    reader.insert(gids_card())
    trace = Trace()
    trace.follow(reader)
    service = Service([reader])
    with service:
        yield Desk(service, reader, tmp_path)
    assert service.faults == ()
    # What the pad sends is in the trace, too, and the PIN is not.
    assert trace.entries
    seen = trace.text() + "".join(map(dump, trace.entries))
    assert not any(form in seen for pin in (PIN, WRONG_PIN, NEW_PIN) for form in (pin.decode(), pin.hex()))


def test_opensc_tool_sees_the_pad(desk: Desk) -> None:
    assert "PIN pad" not in desk.tool("opensc-tool", "--list-readers").stdout
    desk.types("cancel")
    assert re.search(r"Yes +PIN pad +Virtual Smart Card 00 00", desk.tool("opensc-tool", "--list-readers").stdout)
    assert "PIN pad present" in desk.tool("pkcs11-tool", "--list-token-slots").stdout


def test_login_makes_a_key_and_signs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSC_TEST_PIN", PIN.decode())
    desk.types("env:VSC_TEST_PIN")
    made = desk.tool("pkcs11-tool", "--login", "--keypairgen", "--key-type", "RSA:2048", "--id", "00")
    assert made.returncode == 0, made.stderr
    data, signature, public = (desk.folder / name for name in ("data", "signature", "public"))
    data.write_bytes(b"to be signed")
    sign = ("--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", "00", "--input-file", data, "--output-file", signature)
    signed = desk.tool("pkcs11-tool", "--login", *sign)
    assert signed.returncode == 0, signed.stderr
    read = desk.tool("pkcs11-tool", "--read-object", "--type", "pubkey", "--id", "00", "--output-file", public)
    assert read.returncode == 0, read.stderr
    verified = desk.tool(
        "openssl", "dgst", "-sha256", "-verify", public, "-keyform", "DER", "-signature", signature, data
    )
    assert verified.stdout == "Verified OK\n", verified.stderr


@pytest.mark.parametrize(
    ("source", "of_login", "of_verify"),
    [
        ("cancel", "CKR_FUNCTION_CANCELED", "Input operation cancelled by user"),
        ("timeout", "CKR_FUNCTION_CANCELED", "Timed out while waiting for user input"),
    ],
)
def test_nobody_types_a_pin(desk: Desk, source: str, of_login: str, of_verify: str) -> None:
    desk.types(source)
    assert (desk.login(), desk.verify()) == (of_login, of_verify)
    assert desk.tries_left() == TRIES


@pytest.mark.parametrize("pin", [b"", b"123", b"1234567890123456"])
def test_a_pin_of_a_length_that_opensc_forbids(desk: Desk, pin: bytes) -> None:
    desk.types_lines(pin)
    assert (desk.login(), desk.verify()) == ("CKR_PIN_LEN_RANGE", "Invalid PIN length")
    assert desk.tries_left() == TRIES


def test_a_wrong_pin_counts(desk: Desk) -> None:
    desk.types_lines(WRONG_PIN)
    assert desk.login() == "CKR_PIN_INCORRECT"
    assert desk.tries_left() == TRIES - 1
    assert desk.verify() == "PIN code or key incorrect"
    assert desk.tries_left() == TRIES - 2
    desk.types_lines(PIN)
    assert desk.login() == ""
    assert desk.tries_left() == TRIES


def test_pkcs15_tool_changes_the_pin(desk: Desk) -> None:
    desk.types_lines(PIN, NEW_PIN)
    assert desk.change() == (0, "")
    assert desk.login() == "CKR_PIN_INCORRECT"
    desk.types_lines(NEW_PIN)
    assert desk.login() == ""


@pytest.mark.parametrize(
    ("lines", "complaint", "tries"),
    [
        ((PIN, NEW_PIN, b"another"), "The two PINs did not match", TRIES),
        ((PIN, b"new"), "Invalid PIN length", TRIES),
        ((b"123", NEW_PIN), "Invalid PIN length", TRIES),
        ((PIN,), "Input operation cancelled by user", TRIES),
        ((WRONG_PIN, NEW_PIN), "PIN code incorrect; tries left: 4", TRIES - 1),
    ],
)
def test_a_change_that_fails(desk: Desk, lines: tuple[bytes, ...], complaint: str, tries: int) -> None:
    desk.types_lines(*lines)
    assert desk.change()[1] == complaint
    assert desk.tries_left() == tries
    desk.types_lines(PIN)
    assert desk.login() == ""


def test_a_change_in_time(desk: Desk) -> None:
    desk.types("timeout")
    assert desk.change() == (2, "Timed out while waiting for user input")


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ((PIN, NEW_PIN, b"another"), "CKR_PIN_INVALID"),
        ((PIN, b"new"), "CKR_PIN_LEN_RANGE"),
        ((PIN,), "CKR_FUNCTION_CANCELED"),
        ((WRONG_PIN, NEW_PIN), "CKR_PIN_INCORRECT"),
        ((PIN, NEW_PIN), ""),
    ],
)
def test_pkcs11_tool_changes_the_pin(desk: Desk, lines: tuple[bytes, ...], error: str) -> None:
    desk.types_lines(*lines)
    assert desk.change_by_pkcs11() == error
    desk.types_lines(PIN if error else NEW_PIN)
    assert desk.login() == ""


PROMPTED = """
import subprocess, sys
from bench.attached import gids_card
from vsc.pcsc import Service
from vsc.pinpad import PinPad, pin_source
from vsc.profiles.options import IssuedKey
from vsc.reader import Reader
from vsc.testing import SoftCard

reader = Reader()
reader.insert(gids_card())
PinPad(reader, pin_source("prompt"))
with Service([reader]) as env:
    sys.exit(subprocess.run(["pkcs11-tool", "--login", "--list-objects"], env=env, start_new_session=True).returncode)
"""


@pytest.mark.parametrize(
    ("keys", "code", "said"),
    [("12345678\r", 0, "profile_id"), ("12345\r", 1, "CKR_PIN_INCORRECT"), ("1234\x03", 1, "CKR_FUNCTION_CANCELED")],
)
def test_somebody_types_at_the_terminal(tmp_path: Path, keys: str, code: int, said: str) -> None:
    require_tool("pkcs11-tool")
    person, program = pty.openpty()
    # Not pexpect: it forks Python code, which may hang for ever in a process with threads, as this one is.
    child = subprocess.Popen(
        [require_tool("setsid"), "--ctty", sys.executable, "-c", PROMPTED],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        stdin=program,
        stdout=program,
        stderr=program,
    )
    os.close(program)
    try:
        read_to(person, b"PIN (4 to 15) for Virtual Smart Card 00 00: ")
        os.write(person, keys.encode())
        screen = read_to(person, None).decode()
        assert child.wait(PATIENCE_S) == code
    finally:
        child.kill()
        child.wait()
        os.close(person)
    assert said in screen
    # Up to the first line's end: an echo would stand there. Further on, pkcs11-tool prints addresses, digits at random.
    assert "1" not in screen.partition("\n")[0]


def read_to(person: int, end: bytes | None) -> bytes:
    """What is shown up to `end`, or until the program has gone."""
    seen = b""
    while end is None or not seen.endswith(end):
        assert select.select([person], [], [], PATIENCE_S)[0], seen
        try:
            seen += os.read(person, 1000)
        except OSError:  # EIO: nobody has the other end any more.
            assert end is None, seen
            break
    return seen


def test_a_piv_card(tmp_path: Path) -> None:
    """What OpenSC has the pad send is a PIN of 8 bytes, filled up with FF."""
    reader, own = Reader(), tmp_path / "own.pem"
    card = SoftCard.make("piv", keys=[IssuedKey(key("ec"), certificate("ec").public_bytes(Encoding.DER))])
    reader.insert(card)
    service = Service([reader])
    with service:
        desk = Desk(service, reader, tmp_path)
        desk.types_lines(b"654321")
        assert desk.login() == "CKR_PIN_INCORRECT"
        desk.types_lines(b"123456")
        data, signature = tmp_path / "data", tmp_path / "signature"
        data.write_bytes(b"to be signed")
        own.write_bytes(certificate("ec").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        sign = ("--sign", "--mechanism", "ECDSA-SHA256", "--signature-format", "openssl", "--id", "01")
        signed = desk.tool("pkcs11-tool", "--login", *sign, "--input-file", data, "--output-file", signature)
        assert signed.returncode == 0, signed.stderr
        verified = desk.tool("openssl", "dgst", "-sha256", "-verify", own, "-signature", signature, data)
        assert verified.stdout == "Verified OK\n", verified.stderr
    assert service.faults == ()
