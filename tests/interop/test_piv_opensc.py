"""A PIV card and OpenSC 0.23 (piv.md 10.3 and 10.4); keys are made by yubico-piv-tool, openssl is the judge."""

from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.interop.need import require_tool
from tests.interop.piv_run import ADMIN_KEY, PIN, PUK, PivCards

TEXT = b"what is signed"
SLOTS = {"9a": ("ECCP256", "01"), "9c": ("RSA2048", "02"), "9d": ("ECCP256", "03"), "9e": ("ECCP256", "04")}
"""Algorithm, and the PKCS#11 id that OpenSC gives the slot."""


@pytest.fixture
def cards() -> Iterator[PivCards]:
    for tool in ("opensc-tool", "pkcs11-tool", "pkcs15-tool", "piv-tool", "yubico-piv-tool", "openssl"):
        require_tool(tool)
    with PivCards.of_user() as found:
        found.make("card", "piv")
        yield found


def yubico(cards: PivCards, *words: str | Path) -> CompletedProcess[str]:
    return cards.run("card", "yubico-piv-tool", "-r", "Virtual", *words)


def fill(cards: PivCards, slot: str) -> Path:
    """Makes a key, has an authority certify it, and puts the certificate on the card; returns the public key."""
    algorithm, number = SLOTS[slot]
    public, own = cards.file(f"{slot}.pem"), cards.file("ca.key")
    yubico(cards, "-a", "generate", "-s", slot, "-A", algorithm, "-o", public)
    request, made = cards.file("ca.csr"), cards.file(f"{slot}.crt")
    cards.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", own,
                  "-subj", f"/CN=Slot {number}", "-out", request)  # fmt: skip
    cards.openssl("x509", "-req", "-in", request, "-signkey", own, "-force_pubkey", public, "-out", made)
    yubico(cards, "-a", "import-certificate", "-s", slot, "-i", made)
    return public


def test_opensc_knows_the_card(cards: PivCards) -> None:
    assert cards.run("card", "opensc-tool", "-n").stdout == "Personal Identity Verification Card\n"
    listed = cards.run("card", "pkcs15-tool", "-D").stdout
    assert "PIN [PIN]" in listed
    token = cards.pkcs11("card", "--list-token-slots").stdout
    assert "token initialized, PIN initialized" in token or "PIN initialized" in token


def test_two_cards_have_two_serial_numbers(cards: PivCards) -> None:
    cards.make("other", "piv")
    one, other = (cards.run(name, "opensc-tool", "--serial").stdout for name in ("card", "other"))
    assert one != other
    assert len(one.split()) >= 16


@pytest.mark.parametrize(
    ("slot", "mechanism"), [("9a", "ECDSA-SHA256"), ("9c", "SHA256-RSA-PKCS"), ("9e", "ECDSA-SHA256")]
)
def test_keys_sign(cards: PivCards, slot: str, mechanism: str) -> None:
    public, number = fill(cards, slot), SLOTS[slot][1]
    data, signature = cards.file("data", TEXT), cards.file("signature")
    sign = ("--sign", "--id", number, "--mechanism", mechanism, "--input-file", data, "--output-file", signature)
    form = ("--signature-format", "openssl") if "ECDSA" in mechanism else ()
    cards.pkcs11("card", "--login", "--pin", PIN, *sign, *form)
    assert cards.openssl("dgst", "-sha256", "-verify", public, "-signature", signature, data) == "Verified OK\n"


def test_pss_is_padded_by_the_host(cards: PivCards) -> None:
    public = fill(cards, "9c")
    data, signature = cards.file("data", TEXT), cards.file("signature")
    sign = ("--sign", "--id", "02", "--mechanism", "SHA256-RSA-PKCS-PSS", "--input-file", data)
    cards.pkcs11("card", "--login", "--pin", PIN, *sign, "--output-file", signature)
    pss = ("-sigopt", "rsa_padding_mode:pss")
    assert cards.openssl("dgst", "-sha256", "-verify", public, *pss, "-signature", signature, data) == "Verified OK\n"


def test_key_management_agrees(cards: PivCards) -> None:
    public = fill(cards, "9d")
    own, point, derived = cards.file("own.pem"), cards.file("own.der"), cards.file("derived")
    cards.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", own)
    cards.openssl("pkey", "-in", own, "-pubout", "-outform", "DER", "-out", point)
    derive = ("--derive", "--id", "03", "--mechanism", "ECDH1-DERIVE", "--input-file", point, "--output-file", derived)
    cards.pkcs11("card", "--login", "--pin", PIN, *derive)
    expected = cards.file("expected")
    cards.openssl("pkeyutl", "-derive", "-inkey", own, "-peerkey", public, "-out", expected)
    assert derived.read_bytes() == expected.read_bytes()


def test_random_numbers_come_from_the_card(cards: PivCards) -> None:
    files = [cards.file("one"), cards.file("other")]
    for file in files:
        cards.pkcs11("card", "--generate-random", "16", "--output-file", file)
    one, other = (file.read_bytes() for file in files)
    assert len(one) == len(other) == 16
    assert one != other


def test_a_pin_is_changed_blocked_and_unblocked(cards: PivCards) -> None:
    cards.run("card", "pkcs15-tool", "--change-pin", "--pin", PIN, "--new-pin", "654321")
    wrong = [cards.pkcs11("card", "--login", "--pin", "111111", "--list-objects", check=False) for _ in range(3)]
    assert [one.returncode for one in wrong] == [1, 1, 1]
    assert "CKR_PIN_INCORRECT" in wrong[0].stderr
    locked = cards.pkcs11("card", "--login", "--pin", "654321", "--list-objects", check=False)
    assert "CKR_PIN_LOCKED" in locked.stderr
    cards.run("card", "pkcs15-tool", "--unblock-pin", "--puk", PUK, "--new-pin", "222222")
    cards.pkcs11("card", "--login", "--pin", "222222", "--list-objects")
    for _ in range(3):
        refused = cards.run(
            "card", "pkcs15-tool", "--unblock-pin", "--puk", "99999999", "--new-pin", "333333", check=False
        )
        assert "PUK code incorrect" in refused.stderr
    blocked = cards.run("card", "pkcs15-tool", "--unblock-pin", "--puk", PUK, "--new-pin", "333333", check=False)
    assert "Authentication method blocked" in blocked.stderr


def test_piv_tool_authenticates_writes_objects_and_makes_keys(cards: PivCards) -> None:
    key = str(cards.file("key", bytes.fromhex(ADMIN_KEY)))
    content = cards.file("object", bytes.fromhex("5308C10100C20100FE00"))
    # piv-tool 0.23 ends with the number of bytes that it wrote, and fails where it should show a key (piv.md 10.3).
    cards.run("card", "piv-tool", "-A", "M:9B:03", "-O", "6060", "-i", content, check=False, PIV_EXT_AUTH_KEY=key)
    assert "C1 01 00 C2 01 00 FE 00" in cards.run("card", "opensc-tool", "-s", "00CB3FFF055C035FC10C00").stdout
    cards.run("card", "piv-tool", "-A", "M:9B:03", "-G", "9A:11", check=False, PIV_EXT_AUTH_KEY=key)
    sign = "0087119A267C2482008120" + "11" * 32
    said = cards.run("card", "opensc-tool", "-s", "00200080083132333435" + "36FFFF", "-s", sign).stdout
    assert said.count("SW1=0x90, SW2=0x00") == 2
