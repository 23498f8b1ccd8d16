"""The conversations of OpenSC 0.23 with our card have the shape they have with another GIDS card.

The expected shapes are from captures of the same commands with GidsApplet (a Java Card applet, on jCardSim), from the
first successful SELECT on. A shape is CLA INS P1 P2 and the status word of each command; the data are the card's own.
OpenSC itself says what passed between it and the card: OPENSC_DEBUG=9.
"""

import re
from pathlib import Path

from tests.interop.conftest import PlugIn
from tests.interop.test_keys import certificate
from tests.interop.vsc_cards import ADMIN_KEY, PIN, SERIAL, PluggedIn

# "00440000 9000 x6" is six times the same.
BIND = """
    00A40400 9000  00A40800 6A86  00A4080C 6A86  00A40800 6A86 x2
    00CBA000 9000  00CBA010 9000  00CBA012 9000  00CB3FFF 9000  00CB3FFF 6A88  00CBA000 9000  00CBA010 9000
"""
# With one RSA-2048 key: its public key is 270 bytes and so comes in two parts; then the PIN's counter.
BIND_PKCS11 = BIND + "00CB3FFF 610E  00C00000 9000  00CB3FFF 9000"
INITIALISE = """
    00A40400 9000  00A4040C 9000  00CBA000 6A82  00240180 9000
    00E00000 9000  00440000 9000  00E00000 9000  00440000 9000  00E00000 9000  00440000 9000  00E00000 9000
    00440000 9000  00E00000 9000  00440000 9000  00E00000 9000  00440000 9000  00E00000 9000  00440000 9000
    00DB3FFF 9000  00DBA000 9000  00DBA010 9000 x3  00DBA012 9000  00A4000C 9000  00440000 9000
"""
CHANGE_PIN = BIND + "00240080 9000"
VERIFY_PIN = BIND + "00200080 9000"
CHANGE_PIN_PKCS11 = BIND_PKCS11 + "00200080 9000  00CB3FFF 9000  00240080 9000"
SIGN = BIND_PKCS11 + "00CB3FFF 9000  00200080 9000  002241B6 9000  002A9E9A 9000  00200082 9000"
UNBLOCK = "00A40400 9000  00A4040C 9000  0022C1A4 9000  00870000 9000 x2  002C0280 9000  00200082 9000"

DUMP = re.compile(r"(Outgoing|Incoming) APDU \(\d+ bytes?\):\n((?:(?:[0-9A-F]{2} ){1,16}.*\n)+)")
SELECT_GIDS = "00A4040009A0000003974254465900"


def shape(text: str) -> list[str]:
    """A written shape, spelled out."""
    found = re.findall(r"([0-9A-F]{8} [0-9A-F]{4})(?: x(\d))?", text)
    return [step for step, times in found for _ in range(int(times or 1))]


def conversation(card: PluggedIn, *command: str | Path) -> list[str]:
    """Runs a command and returns the shape of what it said to the card."""
    said = card.pcscd.run(*command, env={"OPENSC_DEBUG": "9"}).stderr
    apdus = ["".join(re.findall(r"^((?:[0-9A-F]{2} ){1,16})", body, re.MULTILINE)) for _, body in DUMP.findall(said)]
    apdus = [apdu.replace(" ", "") for apdu in apdus]
    pairs = list(zip(apdus[::2], apdus[1::2], strict=True))
    start = next(at for at, (sent, _) in enumerate(pairs) if sent == SELECT_GIDS)
    return [f"{sent[:8]} {answer[-4:]}" for sent, answer in pairs[start:]]


def test_initialisation(plug_in: PlugIn) -> None:
    secrets = ["--admin-key", ADMIN_KEY, "--pin", PIN, "--serial-number", SERIAL]
    assert conversation(plug_in("--blank"), "gids-tool", "--initialize", *secrets) == shape(INITIALISE)


def test_pins(card: PluggedIn) -> None:
    old, new = ["--pin", PIN], "654321"
    assert conversation(card, "pkcs15-tool", "--change-pin", *old, "--new-pin", new) == shape(CHANGE_PIN)
    assert conversation(card, "pkcs15-tool", "--verify-pin", "--pin", new) == shape(VERIFY_PIN)
    unblock = ["--unblock", "--admin-key", ADMIN_KEY, *old]
    assert conversation(card, "gids-tool", *unblock) == shape(UNBLOCK)
    card.generate(2048)
    command = ["pkcs11-tool", "--login", *old, "--change-pin", "--new-pin", new]
    assert conversation(card, *command) == shape(CHANGE_PIN_PKCS11)


def test_signature(card: PluggedIn) -> None:
    card.generate(2048)
    files: list[str | Path] = ["--input-file", card.file("data", b"x"), "--output-file", card.file("signature")]
    mechanism = ["--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", "00"]
    assert conversation(card, "pkcs11-tool", "--login", "--pin", PIN, *mechanism, *files) == shape(SIGN)
    # With a certificate OpenSC reads that, too, to its end.
    written = certificate(card, card.public_key(), "/CN=Alice")
    card.pkcs11("--write-object", written, "--type", "cert", "--id", "00")
    with_certificate = conversation(card, "pkcs11-tool", "--login", "--pin", PIN, *mechanism, *files)
    without = [step for step in with_certificate if not step.startswith(("00C00000", "00CBA010 61"))]
    assert without == [step for step in shape(SIGN) if not step.startswith("00C00000")]
    assert len(with_certificate) > len(shape(SIGN))
