"""PIV cards on the command line: slots by their names, the management key where it is wanted, keys at creation."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12

from tests.unit.vsc.cli.shell import Shell
from tests.unit.vsc.host.piv.cards import certificate
from vsc.store.sqlite import SqliteStore
from vsc.store.summary import summarise
from vsc.testing.player import key_of

PIN = ("--pin", "default")


def pfx(path: Path, kind: str, password: bytes = b"") -> Path:
    key = key_of(kind)
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    own = x509.load_der_x509_certificate(certificate(key))
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"Ada", key, own, None, encryption))
    return path


@pytest.fixture
def user(tmp_path: Path) -> Path:
    return pfx(tmp_path / "user.pfx", "rsa:2048")


def test_a_card_without_contacts(shell: Shell, store: SqliteStore, user: Path) -> None:
    shell.ok("create", "alice", "--profile", "piv-contactless", *PIN, "--pfx", str(user))
    shown = shell.ok("show", "alice")
    assert "Management key  set" in shown
    assert "RSA 2048" in shown


def test_a_card_with_its_keys(shell: Shell, store: SqliteStore, user: Path, tmp_path: Path) -> None:
    sign, more = pfx(tmp_path / "sign.pfx", "ec:p256"), pfx(tmp_path / "more.pfx", "ec:p384")
    slots = ("--slot", f"9c={sign}", "--slot", f"82={more}")
    shell.ok("create", "alice", "--profile", "piv", *PIN, "--pfx", str(user), *slots)
    image = store.read("alice")
    found = [(one.name, one.key, one.certificates) for one in summarise(image).containers]
    assert found == [
        ("9A", "RSA 2048", ["CN=Ada"]),
        ("9C", "EC P-256", ["CN=Ada"]),
        ("82", "EC P-384", ["CN=Ada"]),
    ]
    assert "BEGIN CERTIFICATE" in shell.ok("cert", "get", "alice", "9c")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--profile", "gids", "--slot", "9c=FILE"), "--slot is for PIV cards"),
        (("--profile", "piv", "--slot", "9c"), "say a slot and a file"),
        (("--profile", "piv", "--slot", "9c=FILE", "--slot", "9C=FILE"), "each slot takes one key"),
    ],
)
def test_what_is_said_wrong(shell: Shell, store: SqliteStore, user: Path, words: tuple[str, ...], said: str) -> None:
    given = [word.replace("FILE", str(user)) for word in words]
    assert said in shell.fails(2, "create", "x", *PIN, *given)
    assert list(store.images()) == []


def test_a_slot_that_there_is_not(shell: Shell, store: SqliteStore, user: Path) -> None:
    assert "no slot '9x'" in shell.fails(5, "create", "x", "--profile", "piv", *PIN, "--slot", f"9x={user}")
    assert list(store.images()) == []


def test_made_put_and_deleted(shell: Shell, store: SqliteStore, user: Path, tmp_path: Path) -> None:
    shell.ok("create", "key", "--profile", "yubikey", *PIN)
    assert "in slot 9A, with a certificate for CN=Ada" in shell.ok("load", "key", "--pfx", str(user))
    made = shell.ok("keygen", "key", *PIN, "--type", "ec:p256", "--container", "9d", "--self-signed", "CN=kx")
    assert made == "Made 'kx': an EC P-256 key in slot 9D, with a certificate for CN=kx.\n"
    assert "from slot 9A" in shell.ok("key", "delete", "key", "9a", "--yes")
    assert "of slot 9D" in shell.ok("cert", "delete", "key", "9d")
    wrong = tmp_path / "key"
    wrong.write_text("00" * 24)
    words = ("load", "key", "--pfx", str(user), "--admin-key", f"file:{wrong}")
    assert "not the card's admin key" in shell.fails(5, *words)
    assert "no key slot 9A" in shell.fails(1, "key", "delete", "key", "9a", "--yes")


def test_a_blocked_card(shell: Shell, store: SqliteStore) -> None:
    shell.ok("create", "alice", "--profile", "piv", *PIN)
    reset = ("pin", "reset", "alice", "--new-pin", "default")
    assert "with its PUK, not with the admin key" in shell.fails(1, *reset, "--admin-key", "stored")
    shell.ok(*reset, "--puk", "default")
    shell.ok("pin", "verify", "alice", *PIN)
    assert shell.ok("admin-key", "verify", "alice", "--admin-key", "stored") == "That is the card's admin key.\n"
