"""The OpenPGP card with OpenSC: openpgp-tool, pkcs15-tool and pkcs11-tool, which know nothing of GnuPG."""

import re
from collections.abc import Iterator

import pytest

from tests.interop.need import require_tool
from tests.interop.piv_run import PivCards

PIN, ADMIN = "123456", "12345678"


@pytest.fixture
def cards() -> Iterator[PivCards]:
    for tool in ("openpgp-tool", "pkcs15-tool", "pkcs11-tool", "openssl"):
        require_tool(tool)
    with PivCards.of_user() as found:
        found.vsc("create", "key", "--profile", "openpgp-63cx", "--pin", "default", "--admin-pin", "default")
        yield found


def run(cards: PivCards, tool: str, *words: str, check: bool = True) -> str:
    done = cards.run("key", tool, *words, check=check, OPENSC_DRIVER="openpgp")
    return done.stdout + done.stderr


def test_keys_are_made_listed_and_used(cards: PivCards) -> None:
    assert "AID" in run(cards, "openpgp-tool", "-C") or "unmanaged" in run(cards, "openpgp-tool", "--card-info")
    for key in ("1", "2", "3"):
        said = run(cards, "openpgp-tool", "-G", key, "-t", "rsa2048", "--verify", "CHV3", "--pin", ADMIN)
        # Without the reader's property of long answers OpenSC cuts the key, and stores a fingerprint of zeros.
        assert "0000000000000000" not in said
    listed = run(cards, "pkcs15-tool", "--list-keys", "--list-pins")
    assert listed.count("Private RSA Key") == 3
    assert len(re.findall(r"^PIN \[", listed, re.MULTILINE)) == 3
    digest, signature, public = (cards.file(name, b"hello" * 9) for name in ("message", "signature", "public"))
    run(cards, "pkcs11-tool", "--read-object", "--type", "pubkey", "--id", "03", "-o", str(public))
    sign = ("--login", "--pin", PIN, "--sign", "--id", "03", "-m", "SHA256-RSA-PKCS")
    run(cards, "pkcs11-tool", *sign, "-i", str(digest), "-o", str(signature))
    verify = ("-sha256", "-verify", public, "-keyform", "DER", "-signature", signature, digest)
    assert "Verified OK" in cards.openssl("dgst", *verify)


def test_a_wrong_pin_is_told_as_one_and_pins_are_changed(cards: PivCards) -> None:
    wrong = run(cards, "pkcs11-tool", "--login", "--pin", "999999", "--list-objects", check=False)
    assert "CKR_PIN_INCORRECT" in wrong
    run(cards, "pkcs15-tool", "--change-pin", "--auth-id", "02", "--pin", PIN, "--new-pin", "654321")
    run(cards, "pkcs11-tool", "--login", "--pin", "654321", "--list-objects")
    run(cards, "pkcs11-tool", "--generate-random", "16", "-o", str(cards.file("random")))
    run(cards, "openpgp-tool", "--erase")
    run(cards, "pkcs11-tool", "--login", "--pin", PIN, "--list-objects")
