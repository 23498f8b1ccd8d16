"""Keys and certificates by pkcs11-tool and pkcs15-init; openssl, which knows nothing of cards, is the judge."""

import hashlib
import re
from pathlib import Path

import pytest

from tests.interop.vsc_cards import PIN, PluggedIn

BOTH = ("vsc create", "gids-tool")
"""The two ways to make `card`, see conftest.py."""
TEXT = b"A short text: it must fit into PKCS#1 of 1024 bits."


def assert_signs(card: PluggedIn, public: Path, number: int = 0) -> None:
    data = card.file("data", TEXT)
    signature = card.sign(data, number)
    assert card.openssl("dgst", "-sha256", "-verify", public, "-signature", signature, data) == "Verified OK\n"
    # The same key signs what the host has prepared, here a text without DigestInfo.
    plain = card.sign(data, number, mechanism="RSA-PKCS")
    query: list[str | Path] = ["-verify", "-pubin", "-inkey", public, "-sigfile", plain, "-in", data]
    assert card.openssl("pkeyutl", *query) == "Signature Verified Successfully\n"


def encrypted(card: PluggedIn, public: Path) -> Path:
    cryptogram = card.file("cryptogram")
    card.openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", public, "-in", card.file("data", TEXT), "-out", cryptogram)
    return cryptogram


def assert_decrypts(card: PluggedIn, public: Path, number: int = 0) -> None:
    assert card.decrypt(encrypted(card, public), number) == TEXT


def assert_does_not_decrypt(card: PluggedIn, public: Path, number: int = 0) -> None:
    query: list[str | Path] = [
        "--mechanism",
        "RSA-PKCS",
        "--id",
        f"{number:02x}",
        "--input-file",
        encrypted(card, public),
    ]
    refused = card.pkcs11("--decrypt", *query, check=False)
    assert refused.returncode == 1
    assert "C_DecryptInit failed: rv = CKR_KEY_TYPE_INCONSISTENT" in refused.stderr


def certificate(card: PluggedIn, public: Path, subject: str) -> Path:
    """A certificate for a key that never leaves the card, signed by an authority of openssl's."""
    key, request, authority, made = (card.file(name) for name in ("ca.key", "ca.csr", "ca.pem", "certificate.der"))
    new_key: list[str | Path] = ["-newkey", "rsa:2048", "-nodes", "-keyout", key]
    card.openssl("req", "-x509", *new_key, "-subj", "/CN=Test authority", "-out", authority)
    card.openssl("req", "-new", "-key", key, "-subj", subject, "-out", request)
    issue: list[str | Path] = [
        "-req",
        "-in",
        request,
        "-force_pubkey",
        public,
        "-CA",
        authority,
        "-CAkey",
        key,
        "-CAcreateserial",
    ]
    card.openssl("x509", *issue, "-outform", "DER", "-out", made)
    return made


def foreign_key(card: PluggedIn, bits: int = 2048) -> tuple[Path, Path, Path]:
    """A key pair of openssl's: private PEM, private DER, public PEM."""
    pem, der, public = (card.file(name) for name in ("foreign.pem", "foreign.der", "foreign.public.pem"))
    card.openssl("genrsa", "-out", pem, str(bits))
    card.openssl("rsa", "-in", pem, "-traditional", "-outform", "DER", "-out", der)
    card.openssl("rsa", "-in", pem, "-pubout", "-out", public)
    return pem, der, public


def remaining(card: PluggedIn) -> list[tuple[str, str, str]]:
    """Kind, label and usage of keys and certificates OpenSC lists."""
    parts = re.split(r"^(?=\w+ Key Object|Certificate Object|Profile object)", card.objects(), flags=re.MULTILINE)
    found = []
    for part in parts:
        if part and not part.startswith("Profile object"):
            rows = dict(re.findall(r"^  (\w+): *(.*)$", part, flags=re.MULTILINE))
            found.append((part.split(" Object")[0], rows.get("label", "").strip(), rows.get("Usage", "")))
    return found


@pytest.mark.parametrize(
    ("card", "bits"),
    [
        *(("vsc create", bits) for bits in (1024, 2048, 3072, 4096)),
        ("gids-tool", 2048),
        *(pytest.param("gids-tool", bits, marks=pytest.mark.long) for bits in (1024, 3072, 4096)),
    ],
    indirect=["card"],
)
def test_generate_sign_decrypt(card: PluggedIn, bits: int) -> None:
    card.generate(bits)
    public = card.public_key()
    assert f"Public-Key: ({bits} bit)" in card.openssl("pkey", "-pubin", "-in", public, "-noout", "-text")
    assert_signs(card, public)
    assert_decrypts(card, public)
    assert card.vsc.containers("card") == [(0, "key exchange", f"RSA {bits}")]


def test_a_certificate_is_written_and_read_back(card: PluggedIn) -> None:
    card.generate(2048)
    written = certificate(card, card.public_key(), "/CN=Alice")
    card.pkcs11("--write-object", written, "--type", "cert", "--id", "00", "--label", "Alice")
    read = card.file("read.der")
    card.pkcs11("--read-object", "--type", "cert", "--id", "00", "--output-file", read, login=False)
    assert read.read_bytes() == written.read_bytes()
    pem = card.file("read.pem", card.tool("pkcs15-tool", "--read-certificate", "00").stdout.encode())
    from_card = card.openssl("x509", "-in", pem, "-noout", "-pubkey")
    assert from_card == card.public_key().read_text()
    assert card.openssl("verify", "-CAfile", card.file("ca.pem"), pem) == f"{pem}: OK\n"
    assert card.vsc.show("card")["containers"][0]["certificates"] == ["CN=Alice"]


def test_pkcs11_imports_a_key_to_sign(card: PluggedIn) -> None:
    _, der, public = foreign_key(card)
    card.pkcs11("--write-object", der, "--type", "privkey", "--id", "00", "--label", "import")
    assert card.public_key().read_text() == public.read_text()
    assert_signs(card, public)
    assert_does_not_decrypt(card, public)
    assert card.vsc.containers("card") == [(0, "signature", "RSA 2048")]


@pytest.mark.parametrize(
    ("card", "bits"),
    [*((way, 1024) for way in BOTH), *(pytest.param(way, 4096, marks=pytest.mark.long) for way in BOTH)],
    indirect=["card"],
)
def test_pkcs11_imports_a_key_to_decrypt(card: PluggedIn, bits: int) -> None:
    _, der, public = foreign_key(card, bits)
    card.pkcs11("--write-object", der, "--type", "privkey", "--id", "00", "--label", "import", "--usage-decrypt")
    assert_decrypts(card, public)
    assert_signs(card, public)
    assert card.vsc.containers("card") == [(0, "key exchange", f"RSA {bits}")]


def test_pkcs15_init_imports_a_key(card: PluggedIn) -> None:
    pem, _, public = foreign_key(card)
    query: list[str | Path] = [
        "--store-private-key",
        pem,
        "--auth-id",
        "80",
        "--pin",
        PIN,
        "--id",
        "00",
        "--label",
        "import",
    ]
    card.tool("opensc-tool", "--reset")
    # Without --verify-pin OpenSC 0.23 does not show the PIN to the card, whatever --pin says.
    refused = card.tool("pkcs15-init", *query, check=False)
    assert (refused.returncode, refused.stderr) == (
        1,
        "Failed to store private key: Security status not satisfied\n",
    )
    assert card.vsc.containers("card") == []
    card.tool("pkcs15-init", *query, "--verify-pin")
    assert card.public_key().read_text() == public.read_text()
    assert_signs(card, public)
    assert card.vsc.containers("card") == [(0, "signature", "RSA 2048")]


def test_pkcs15_init_imports_a_key_with_its_certificate(card: PluggedIn) -> None:
    """A PKCS#12 file, as people have them."""
    pem, _, public = foreign_key(card)
    p12 = card.file("alice.p12")
    card.openssl("req", "-x509", "-key", pem, "-subj", "/CN=Alice", "-out", card.file("alice.pem"))
    card.openssl("pkcs12", "-export", "-in", card.file("alice.pem"), "-inkey", pem, "-passout", "pass:x", "-out", p12)
    secrets: list[str | Path] = ["--auth-id", "80", "--pin", PIN, "--verify-pin", "--passphrase", "x"]
    card.tool("pkcs15-init", "--store-private-key", p12, "--format", "pkcs12", *secrets, "--id", "00")
    assert_signs(card, public)
    assert card.vsc.show("card")["containers"][0]["certificates"] == ["CN=Alice"]


def test_key_and_certificate_are_deleted(card: PluggedIn) -> None:
    card.generate(2048, label="doomed")
    written = certificate(card, card.public_key(), "/CN=Alice")
    card.pkcs11("--write-object", written, "--type", "cert", "--id", "00", "--label", "Alice")
    # What remaining() would see if nothing was deleted.
    assert {kind for kind, *_ in remaining(card)} == {"Certificate", "Private Key", "Public Key"}

    card.pkcs11("--delete-object", "--type", "cert", "--id", "00")
    assert {kind for kind, *_ in remaining(card)} == {"Private Key", "Public Key"}
    assert card.vsc.show("card")["containers"][0]["certificates"] == []

    card.pkcs11("--delete-object", "--type", "privkey", "--id", "00")
    # OpenSC goes on listing a container without a key, with no name and of no use (gids.md 10.2.6).
    assert all(row[1:] == ("", "none") for row in remaining(card))
    assert card.vsc.containers("card") == []


def test_a_new_key_takes_the_place_of_a_deleted_one(card: PluggedIn) -> None:
    card.generate(1024, 0, "first")
    card.generate(1024, 1, "second")
    second = card.public_key(1).read_text()
    card.pkcs11("--delete-object", "--type", "privkey", "--id", "00")
    assert card.vsc.containers("card") == [(1, "key exchange", "RSA 1024")]
    # No --id: OpenSC keeps the id of the deleted key taken ("Non unique object ID" in its debug log).
    card.pkcs11("--keypairgen", "--key-type", "rsa:2048", "--label", "third")
    assert card.vsc.containers("card") == [(0, "key exchange", "RSA 2048"), (1, "key exchange", "RSA 1024")]
    assert_signs(card, card.public_key(0), 0)
    assert card.public_key(1).read_text() == second
    assert_signs(card, card.public_key(1), 1)


def test_many_keys_on_one_card(card: PluggedIn) -> None:
    """From the third on OpenSC chains what it writes of the container map; each key answers for itself."""
    for number in range(6):
        card.generate(1024, number, f"key {number}")
    publics = [card.public_key(number) for number in range(6)]
    assert len({public.read_text() for public in publics}) == 6
    card.pkcs11("--delete-object", "--type", "privkey", "--id", "03")
    for number in (0, 2, 4, 5):
        assert_signs(card, publics[number], number)
    labels = [one["name"] for one in card.vsc.show("card")["containers"]]
    assert labels == ["key 0", "key 1", "key 2", "key 4", "key 5"]


def test_pkcs15_crypt_signs_and_decrypts(card: PluggedIn) -> None:
    """The third of OpenSC's ways to a key, without PKCS#11."""
    card.generate(2048)
    public, signature, clear = card.public_key(), card.file("signature"), card.file("clear")
    key: list[str | Path] = ["--key", "00", "--pin", PIN, "--pkcs1", "--raw"]
    digest = card.file("digest", hashlib.sha256(TEXT).digest())
    card.tool("pkcs15-crypt", "--sign", "--sha-256", *key, "--input", digest, "--output", signature)
    verify: list[str | Path] = ["-sha256", "-verify", public, "-signature", signature, card.file("data", TEXT)]
    assert card.openssl("dgst", *verify) == "Verified OK\n"
    card.tool("pkcs15-crypt", "--decipher", *key, "--input", encrypted(card, public), "--output", clear)
    assert clear.read_bytes() == TEXT


def test_keys_outlive_the_reader(card: PluggedIn) -> None:
    """Keys, certificates and names are on disk, not in the process that plays the card."""
    card.generate(2048)
    public = card.public_key()
    listed = remaining(card)
    card.replug()
    assert remaining(card) == listed
    assert_signs(card, public)


def test_no_key_without_the_pin(card: PluggedIn) -> None:
    card.generate(1024)
    card.tool("opensc-tool", "--reset")
    query: list[str | Path] = ["--id", "00", "--mechanism", "RSA-PKCS", "--input-file", card.file("data", TEXT)]
    refused = card.pkcs11("--sign", *query, "--output-file", card.file("out"), login=False, check=False)
    assert refused.returncode == 1
    assert not card.file("out").exists()


def test_the_self_test_of_pkcs11_tool(card: PluggedIn) -> None:
    """Its one error is the random generator, which a GIDS card does not offer."""
    card.generate(2048, label="tested")
    tested = card.pkcs11("--test")
    errors = [line.strip() for line in tested.stderr.splitlines() if "ERR" in line]
    assert errors == ["ERR: C_GenerateRandom failed: CKR_FUNCTION_NOT_SUPPORTED (0x54)"]
    lines = [line.strip() for line in tested.stdout.splitlines()]
    assert lines[-1] == "1 errors"
    assert lines.count("testing key 0 (tested)") == 3  # signatures, verify, decryption
    assert lines.count("RSA-PKCS: OK") == 3
