"""A YubiKey and a PIV card in real pcscd readers, through vpcd."""

import sys
from pathlib import Path

import pytest

from tests.interop.conftest import StartPcscd
from tests.interop.need import require_module, require_tool
from tests.interop.vsc_cards import Attach, Vsc

PIN = "123456"
YKMAN = (sys.executable, "-m", "ykman._cli.__main__")


@pytest.mark.parametrize("profile", ["yubikey-5.4", "yubikey-5.7"])
def test_yubicos_tools_find_their_key(
    start_pcscd: StartPcscd, vsc: Vsc, attach: Attach, profile: str, tmp_path: Path
) -> None:
    require_tool("yubico-piv-tool")
    require_module("ykman")
    # Its tools look at the reader's name (piv.md section 0, row 8).
    pcscd = start_pcscd(["Yubico YubiKey CCID"])
    vsc("create", "key", "--profile", profile, "--pin", "default", "--admin-key", "default")
    attach(pcscd, "key")
    version = {"yubikey-5.4": "5.4.3", "yubikey-5.7": "5.7.1"}[profile]
    assert f"Version:\t{version}\n" in pcscd.run("yubico-piv-tool", "-a", "status").stdout
    said = pcscd.run(*YKMAN, "-r", "CCID 00 00", "piv", "info").stdout
    assert version in said
    public = tmp_path / "public.pem"
    admin = "0102030405060708" * 3
    pcscd.run(*YKMAN, "-r", "CCID 00 00", "piv", "keys", "generate", "-a", "eccp256", "-m", admin, "9a", public)
    words = ("piv", "certificates", "generate", "-s", "CN=Ada", "-m", admin, "-P", PIN, "9a", public)
    pcscd.run(*YKMAN, "-r", "CCID 00 00", *words)
    assert "CN=Ada" in pcscd.run(*YKMAN, "-r", "CCID 00 00", "piv", "info").stdout


def test_opensc_logs_in_to_a_piv_card(start_pcscd: StartPcscd, vsc: Vsc, attach: Attach) -> None:
    require_tool("pkcs11-tool")
    pcscd = start_pcscd()
    vsc("create", "card", "--profile", "piv", "--pin", "default")
    attach(pcscd, "card")
    assert pcscd.run("opensc-tool", "-n").stdout == "Personal Identity Verification Card\n"
    assert "PIN" in pcscd.run("pkcs15-tool", "-D").stdout
    pcscd.run("pkcs15-tool", "--verify-pin", "--pin", PIN)
    wrong = pcscd.run("pkcs15-tool", "--verify-pin", "--pin", "999999", check=False)
    assert wrong.returncode != 0
