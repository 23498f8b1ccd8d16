"""YubiKeys and Yubico's tools: yubico-piv-tool and ykcs11 2.2, and the newest ykman (piv.md 10.1 and 10.2)."""

import re
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.interop.need import require_module, require_tool
from tests.interop.piv_run import ADMIN_KEY, PIN, PUK, PivCards

YKCS11 = "/usr/lib/x86_64-linux-gnu/libykcs11.so.2"
OLD, NEW = "yubikey-5.4", "yubikey-5.7"
BOTH = pytest.mark.parametrize("profile", [OLD, NEW])


@pytest.fixture
def cards() -> Iterator[PivCards]:
    for tool in ("pkcs11-tool", "yubico-piv-tool", "openssl"):
        require_tool(tool)
    with PivCards.of_user() as found:
        yield found


def tool(cards: PivCards, *words: str | Path, check: bool = True) -> CompletedProcess[str]:
    return cards.run("key", "yubico-piv-tool", *words, check=check)


def ykman(cards: PivCards, *words: str | Path, check: bool = True) -> CompletedProcess[str]:
    require_module("ykman")
    return cards.run("key", "ykman", *words, check=check)


# --- yubico-piv-tool 2.2, which knows 3DES management keys only


def test_status(cards: PivCards) -> None:
    cards.make("key", OLD)
    said = tool(cards, "-a", "status").stdout
    assert re.search(r"Version:\t5\.4\.3\nSerial Number:\t\d{8}\n", said)
    assert "PIN tries left:\t3" in said


@pytest.mark.parametrize("algorithm", ["RSA2048", "ECCP256", "ECCP384"])
def test_keys_are_generated_sign_and_are_attested(cards: PivCards, algorithm: str) -> None:
    cards.make("key", OLD)
    public, attested = cards.file("public.pem"), cards.file("attested.pem")
    tool(cards, "-a", "generate", "-s", "9a", "-A", algorithm, "-o", public)
    tool(cards, "-a", "attest", "-s", "9a", "-o", attested)
    assert "CN=YubiKey PIV Attestation 9a" in cards.openssl("x509", "-in", attested, "-noout", "-subject").replace(
        " = ", "="
    )
    assert cards.openssl("x509", "-in", attested, "-noout", "-pubkey") == public.read_text()
    signed = tool(cards, "-a", "verify-pin", "-P", PIN, "-a", "test-signature", "-s", "9a", "-i", attested).stderr
    assert "Successful" in signed
    # The authority is the card's own, and its certificate is in 5FFF01.
    authority = cards.file("authority.pem")
    tool(cards, "-a", "read-certificate", "-s", "f9", "-o", authority)
    assert "OK" in cards.openssl("verify", "-no_check_time", "-partial_chain", "-CAfile", authority, attested)


def test_a_key_and_its_certificate_are_imported(cards: PivCards) -> None:
    cards.make("key", OLD)
    private, certificate = cards.file("private.pem"), cards.file("certificate.pem")
    new = ("-newkey", "rsa:2048", "-nodes", "-keyout", private, "-subj", "/CN=Imported", "-out", certificate)
    cards.openssl("req", "-x509", *new)
    tool(cards, "-a", "import-key", "-s", "9c", "-i", private)
    tool(cards, "-a", "import-certificate", "-s", "9c", "-i", certificate)
    assert "Imported" in tool(cards, "-a", "status").stdout
    check = ("-a", "verify-pin", "-P", PIN, "-a", "test-decipher", "-s", "9c", "-i", certificate)
    assert "Successfully performed RSA decryption" in tool(cards, *check).stderr
    assert tool(cards, "-a", "attest", "-s", "9c", check=False).returncode != 0
    tool(cards, "-a", "delete-certificate", "-s", "9c")
    assert "Imported" not in tool(cards, "-a", "status").stdout


def test_an_elliptic_curve_key_deciphers(cards: PivCards) -> None:
    cards.make("key", OLD)
    private, certificate = cards.file("private.pem"), cards.file("certificate.pem")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", private)
    cards.openssl("req", "-x509", *new, "-subj", "/CN=EC", "-out", certificate)
    tool(cards, "-a", "import-key", "-s", "9d", "-i", private)
    check = ("-a", "verify-pin", "-P", PIN, "-a", "test-decipher", "-s", "9d", "-i", certificate)
    assert "Successfully performed ECDH exchange with card." in tool(cards, *check).stderr


def test_pin_puk_management_key_retries_and_reset(cards: PivCards) -> None:
    cards.make("key", OLD)
    tool(cards, "-a", "change-pin", "-P", PIN, "-N", "654321")
    tool(cards, "-a", "change-puk", "-P", PUK, "-N", "87654321")
    tool(cards, "-a", "unblock-pin", "-P", "87654321", "-N", "111111")
    key = "A1" * 24
    tool(cards, "-a", "set-mgm-key", "-n", key)
    retries = ("-a", "verify-pin", "-P", "111111", "-a", "pin-retries", "--pin-retries", "5", "--puk-retries", "6")
    assert tool(cards, *retries, check=False).returncode != 0
    tool(cards, f"--key={key}", *retries)
    assert "PIN tries left:\t5" in tool(cards, "-a", "status").stdout
    assert tool(cards, "-a", "reset", check=False).returncode != 0
    for _ in range(6):
        tool(cards, "-a", "verify-pin", "-P", "999999", check=False)
        tool(cards, "-a", "change-puk", "-P", "99999999", "-N", "88888888", check=False)
    tool(cards, "-a", "reset")
    assert "PIN tries left:\t3" in tool(cards, "-a", "status").stdout
    tool(cards, "-a", "set-chuid", "-a", "set-ccc")


# --- ykcs11


def test_ykcs11_lists_and_signs(cards: PivCards) -> None:
    if not Path(YKCS11).exists():
        require_tool("ykcs11 (libykcs11.so.2)")
    cards.make("key", OLD)
    public, certificate = cards.file("public.pem"), cards.file("certificate.pem")
    tool(cards, "-a", "generate", "-s", "9a", "-A", "ECCP256", "-o", public)
    tool(cards, "-a", "attest", "-s", "9a", "-o", certificate)
    tool(cards, "-a", "import-certificate", "-s", "9a", "-i", certificate)
    listed = cards.pkcs11("key", "--login", "--pin", PIN, "--list-objects", module=YKCS11).stdout
    assert "Private key for PIV Authentication" in listed
    data, signature = cards.file("data", b"text"), cards.file("signature")
    sign = ("--sign", "--id", "01", "--mechanism", "ECDSA-SHA256", "--signature-format", "openssl")
    cards.pkcs11("key", "--login", "--pin", PIN, *sign, "--input-file", data, "--output-file", signature, module=YKCS11)
    assert cards.openssl("dgst", "-sha256", "-verify", public, "-signature", signature, data) == "Verified OK\n"


# --- ykman


@BOTH
def test_ykman_takes_it_for_a_yubikey(cards: PivCards, profile: str) -> None:
    cards.make("key", profile)
    said = ykman(cards, "info").stdout
    assert "Device type: YubiKey 5A" in said
    assert re.search(r"Serial number: \d{8}\n", said)
    assert re.search(r"PIV +\tEnabled", said)
    version = {OLD: "5.4.3", NEW: "5.7.1"}[profile]
    assert f"Firmware version: {version}" in said
    piv = ykman(cards, "piv", "info").stdout
    assert re.search(rf"PIV version: +{re.escape(version)}\n", piv)
    assert re.search(r"PIN tries remaining: +3/3\n", piv)
    assert re.search(rf"Management key algorithm: +{ {OLD: 'TDES', NEW: 'AES192'}[profile] }\n", piv)


KEYS = [
    ("9a", "eccp256", OLD),
    ("9c", "rsa2048", OLD),
    ("9a", "eccp384", NEW),
    ("82", "ed25519", NEW),
    ("9d", "rsa3072", NEW),
]


@pytest.mark.parametrize(("slot", "algorithm", "profile"), KEYS)
def test_ykman_makes_keys_and_certificates(cards: PivCards, slot: str, algorithm: str, profile: str) -> None:
    cards.make("key", profile)
    public, request = cards.file("public.pem"), cards.file("request.pem")
    admin, pin = ("-m", ADMIN_KEY), ("-P", PIN)
    ykman(cards, "piv", "keys", "generate", "-a", algorithm, *admin, slot, public)
    ykman(cards, "piv", "certificates", "generate", "-s", "CN=Ada", *admin, *pin, slot, public)
    ykman(cards, "piv", "certificates", "request", "-s", "CN=Ada", *pin, slot, public, request)
    assert "verify OK" in cards.openssl("req", "-in", request, "-noout", "-verify")
    made = cards.file("made.pem", ykman(cards, "piv", "certificates", "export", slot, "-").stdout)
    assert "CN=Ada" in cards.openssl("x509", "-in", made, "-noout", "-subject").replace(" = ", "=")
    cards.openssl("verify", "-CAfile", made, made)
    assert ykman(cards, "piv", "keys", "export", slot, "-").stdout == public.read_text()
    assert "Origin:                 GENERATED" in ykman(cards, "piv", "keys", "info", slot).stdout
    attested = cards.file("attested.pem", ykman(cards, "piv", "keys", "attest", slot, "-").stdout)
    assert cards.openssl("x509", "-in", attested, "-noout", "-pubkey") == public.read_text()
    ykman(cards, "piv", "certificates", "delete", *admin, *pin, slot)
    assert "CN=Ada" not in ykman(cards, "piv", "info").stdout


def test_ykman_imports_moves_and_deletes_keys(cards: PivCards) -> None:
    cards.make("key", NEW)
    private, admin = cards.file("private.pem"), ("-m", ADMIN_KEY)
    for algorithm, slot in (("EC", "9e"), ("ED25519", "82"), ("X25519", "83"), ("RSA", "9d")):
        options = ("-pkeyopt", "ec_paramgen_curve:P-256") if algorithm == "EC" else ()
        cards.openssl("genpkey", "-algorithm", algorithm, *options, "-out", private)
        ykman(cards, "piv", "keys", "import", *admin, "--pin-policy", "never", slot, private)
    said = ykman(cards, "piv", "keys", "info", "82").stdout
    assert re.search(r"Algorithm: +ED25519\nOrigin: +IMPORTED\nPIN required for use: +NEVER", said)
    assert ykman(cards, "piv", "keys", "attest", "9e", "-", check=False).returncode != 0
    ykman(cards, "piv", "keys", "move", *admin, "83", "95")
    assert "X25519" in ykman(cards, "piv", "keys", "info", "95").stdout
    assert ykman(cards, "piv", "keys", "move", *admin, "82", "95", check=False).returncode != 0
    ykman(cards, "piv", "keys", "delete", *admin, "95")
    assert ykman(cards, "piv", "keys", "info", "95", check=False).returncode != 0


def test_ykman_changes_what_guards_the_key(cards: PivCards) -> None:
    cards.make("key", NEW)
    access = ("piv", "access")
    ykman(cards, *access, "change-pin", "-P", PIN, "-n", "abcdef")
    ykman(cards, *access, "change-puk", "-p", PUK, "-n", "87654321")
    new = "AB" * 32
    ykman(cards, *access, "change-management-key", "-m", ADMIN_KEY, "-n", new, "-a", "aes256")
    assert "AES256" in ykman(cards, "piv", "info").stdout
    ykman(cards, *access, "set-retries", "-m", new, "-P", "abcdef", "5", "200", "-f")
    assert re.search(r"PUK tries remaining: +200/200\n", ykman(cards, "piv", "info").stdout)
    wrong = ykman(cards, *access, "change-pin", "-P", "999999", "-n", "111111", check=False)
    assert "4 tries left" in wrong.stderr
    ykman(cards, *access, "unblock-pin", "-p", PUK, "-n", "222222")
    ykman(cards, *access, "change-pin", "-P", "222222", "-n", "333333")


def test_ykman_protects_the_management_key_by_the_pin(cards: PivCards) -> None:
    cards.make("key", NEW)
    protect = ("change-management-key", "-m", ADMIN_KEY, "-P", PIN, "--generate", "--protect")
    ykman(cards, "piv", "access", *protect)
    ykman(cards, "piv", "keys", "generate", "-a", "eccp256", "-P", PIN, "9a", cards.file("public.pem"))
    assert "Management key is stored on the YubiKey, protected by PIN." in ykman(cards, "piv", "info").stdout


def test_ykman_keeps_objects_and_resets(cards: PivCards) -> None:
    cards.make("key", NEW)
    admin, content = ("-m", ADMIN_KEY, "-P", PIN), cards.file("content", bytes(range(256)) * 8)
    ykman(cards, "piv", "objects", "import", *admin, "0x5f0001", content)
    exported = cards.file("exported")
    ykman(cards, "piv", "objects", "export", "0x5f0001", exported)
    assert exported.read_bytes() == content.read_bytes()
    ykman(cards, "piv", "objects", "generate", *admin, "chuid")
    ykman(cards, "piv", "objects", "generate", *admin, "ccc")
    ykman(cards, "piv", "reset", "-f")
    assert "CHUID: No data available" in ykman(cards, "piv", "info").stdout
