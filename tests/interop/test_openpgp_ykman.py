"""The OpenPGP side of YubiKeys, and ykman: PINs, tries, keys, certificates, attestation, reset."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.need import require_module, require_tool
from tests.interop.piv_run import PivCards

PIN, ADMIN = "123456", "12345678"
SELECT, VERIFY_ADMIN = "00A4040006D27600012401", "00200083083132333435363738"


@pytest.fixture(params=["yubikey-5.4", "yubikey-5.7"])
def cards(request: pytest.FixtureRequest) -> Iterator[PivCards]:
    require_module("ykman")
    require_tool("openssl")
    with PivCards.of_user() as found:
        found.make("key", request.param)
        # ykman makes no OpenPGP keys.
        apdus = " ".join((SELECT, VERIFY_ADMIN, "00DA00C10A162B06010401DA470F01", "0047800002B60000"))
        with found.vsc.start("sh", "-c", f"printf '%s\\n' {apdus} | vsc transmit key -") as process:
            out, err = process.communicate(timeout=60)
        assert out.count("9000") == 4, out + err
        yield found


def ykman(cards: PivCards, *words: str | Path) -> str:
    done = cards.run("key", "ykman", "openpgp", *words)
    return done.stdout + done.stderr


def test_what_yubico_s_tool_does(cards: PivCards) -> None:
    assert "Application version:        5." in ykman(cards, "info")
    ykman(cards, "access", "change-pin", "-P", PIN, "-n", "654321")
    ykman(cards, "access", "change-admin-pin", "-a", ADMIN, "-n", "11223344")
    ykman(cards, "access", "change-reset-code", "-a", "11223344", "-r", "87654321")
    ykman(cards, "access", "unblock-pin", "-r", "87654321", "-n", PIN)
    ykman(cards, "access", "set-retries", "-a", "11223344", "-f", "4", "5", "6")
    said = ykman(cards, "info")
    tries = [line.split()[-1] for line in said.splitlines() if "tries remaining" in line]
    assert tries == ["4", "5", "6"]
    _keys(cards, "11223344")
    ykman(cards, "reset", "-f")
    said = ykman(cards, "info")
    assert [line.split()[-1] for line in said.splitlines() if "tries remaining" in line] == ["3", "0", "3"]


def _keys(cards: PivCards, admin: str) -> None:
    key, certificate, back = (cards.file(name) for name in ("key.pem", "certificate.pem", "back.pem"))
    cards.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", key)
    cards.openssl("req", "-x509", "-key", key, "-subj", "/CN=Ada", "-days", "9", "-out", certificate)
    ykman(cards, "certificates", "import", "-a", admin, "aut", certificate)
    ykman(cards, "certificates", "export", "aut", back)
    assert back.read_text().strip() == certificate.read_text().strip()
    ykman(cards, "certificates", "delete", "-a", admin, "aut")
    ykman(cards, "keys", "set-touch", "-a", admin, "-f", "sig", "on")
    attested = cards.file("attested.pem")
    ykman(cards, "keys", "attest", "-P", PIN, "sig", attested)
    assert "ED25519" in cards.openssl("x509", "-in", attested, "-noout", "-text")
    assert "On" in ykman(cards, "keys", "info", "sig")
    # The attestation key goes last: what it certified is of the maker's.
    ykman(cards, "keys", "import", "-a", admin, "att", key)
    assert "P384" in ykman(cards, "keys", "info", "att").upper().replace("SEC", "").replace("R1", "")
