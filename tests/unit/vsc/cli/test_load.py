"""vsc.cli.load, vsc.cli.material, and `vsc create --pfx`."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from tests.unit.vsc.filling import stuff
from vsc.factory import home_store
from vsc.interaction import PinScript, QuestionKind, user_interaction
from vsc.store.summary import summarise

PIN = samples.PIN.decode()
PASSWORD = stuff.PASSWORD.decode()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files of every kind, and the PIN and the password in the environment."""
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.chdir(folder)
    other = stuff.certificate("CN=Authority", seed="other")
    large = stuff.certificate(extra_bytes=bytes(65_536))
    elliptic = ec.generate_private_key(ec.SECP256R1())
    contents = {
        "ada.pfx": stuff.pfx(),
        "chain.pfx": stuff.pfx(others=(other,)),
        "open.pfx": stuff.pfx(password=None),
        "ec.pfx": pkcs12.serialize_key_and_certificates(None, elliptic, None, None, stuff.encryption(None)),
        "keyless.pfx": pkcs12.serialize_key_and_certificates(None, None, None, [other], stuff.encryption(None)),
        "ada.key": stuff.key_file(),
        "locked.key": stuff.key_file(password=stuff.PASSWORD),
        "ada.pem": stuff.certificate().public_bytes(Encoding.PEM),
        "ada.der": stuff.certificate().public_bytes(Encoding.DER),
        "other.pem": other.public_bytes(Encoding.PEM),
        "large.der": large.public_bytes(Encoding.DER),
        "small.key": stuff.key_file(private=stuff.key("small", 768)),
        "text": b"hello\n",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    monkeypatch.setenv("PIN", PIN)
    monkeypatch.setenv("PW", PASSWORD)
    monkeypatch.setenv("WRONG", "00000000")
    return folder


@pytest.fixture
def card(shell: Shell, files: Path, home: Path) -> str:
    shell.ok("create", "work", "--pin", "env:PIN")
    return "work"


def containers(name: str = "work") -> list[tuple[int, str, str, str | None, list[str]]]:
    found = summarise(home_store().read(name)).containers
    return [(one.number, one.name, one.use, one.key, one.certificates) for one in found]


ADA = (0, "Ada's key", "key exchange", "RSA 1024", ["CN=Ada Lovelace"])


def test_a_pfx(shell: Shell, card: str) -> None:
    out = shell.ok("load", card, "--pfx", "ada.pfx", "--pfx-password", "env:PW", "--pin", "env:PIN")
    assert out == 'Loaded "Ada\'s key": an RSA 1024 key in container 0, with a certificate for CN=Ada Lovelace.\n'
    assert containers() == [ADA]


def test_as_json(shell: Shell, card: str) -> None:
    words = ("load", card, "--key", "ada.key", "--pin", "env:PIN", "--label", "Mine", "--sign-only", "--json")
    assert json.loads(shell.ok(*words)) == {
        "container": 0,
        "label": "Mine",
        "key_bits": 1024,
        "kind": "rsa:1024",
        "subject": None,
    }
    assert containers() == [(0, "Mine", "signature", "RSA 1024", [])]


@pytest.mark.parametrize(
    "words",
    [
        ("--key", "ada.key", "--cert", "ada.pem"),
        ("--key", "ada.key", "--cert", "ada.der", "--container", "0"),
        ("--key", "locked.key", "--cert", "ada.pem", "--key-password", "env:PW"),
        ("--pfx", "open.pfx"),
    ],
)
def test_other_files(shell: Shell, card: str, words: tuple[str, ...]) -> None:
    shell.ok("load", card, *words, "--pin", "env:PIN")
    assert [one[2:] for one in containers()] == [ADA[2:]]


def test_what_is_left_out_is_told(shell: Shell, card: str) -> None:
    done = shell("load", card, "--pfx", "chain.pfx", "--pfx-password", "env:PW", "--pin", "env:PIN")
    assert (done.code, done.err) == (0, "vsc: 1 other certificate left out: a card has room for one beside each key\n")


def test_several_keys(shell: Shell, card: str, files: Path) -> None:
    """In one file, of which the card takes two."""
    curve = ec.derive_private_key(7, ec.SECP256R1())
    keys = (curve, stuff.key(), stuff.key("other"))
    (files / "several.key").write_bytes(b"".join(stuff.key_file(private=one) for one in keys))
    (files / "both.pem").write_bytes((files / "other.pem").read_bytes() + (files / "ada.pem").read_bytes())
    words = ("load", card, "--key", "several.key", "--cert", "both.pem", "--pin", "env:PIN")
    before = home_store().read(card)
    assert "a container and a label are for one alone" in shell.fails(1, *words, "--label", "x")
    assert home_store().read(card) == before
    done = shell(*words, "--json")
    assert done.err == "vsc: left out: an EC P-256 key: the card takes RSA of 1024, 2048, 3072, 4096 bits\n"
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [(one["container"], one["label"]) for one in lines] == [(0, "Ada Lovelace"), (1, "Authority")]
    assert [one[4] for one in containers()] == [["CN=Ada Lovelace"], ["CN=Authority"]]


def test_an_expired_certificate_is_loaded_with_a_warning(
    shell: Shell, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datetime

    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> "Later":
            return cls(2050, 1, 1, tzinfo=tz)

    monkeypatch.setattr("vsc.filling.load.datetime", Later)
    done = shell("load", card, "--key", "ada.key", "--cert", "ada.pem", "--pin", "env:PIN")
    assert (done.code, done.err) == (0, "vsc: warning: the certificate expired on 2040-01-01\n")
    assert len(containers()) == 1


KEY = ("--key", "ada.key")
REFUSED: list[tuple[int, tuple[str, ...], str]] = [
    (1, ("--pfx", "nothing.pfx"), "vsc: the PFX file 'nothing.pfx' cannot be read: No such file or directory"),
    (1, ("--pfx", "."), "vsc: the PFX file '.' cannot be read: Is a directory"),
    (1, ("--pfx", "text"), "vsc: that is not a PFX file (PKCS#12)"),
    (1, ("--pfx", "ada.key"), "vsc: that is not a PFX file (PKCS#12)"),
    (5, ("--pfx", "ada.pfx"), "vsc: the PFX file needs a password: say --pfx-password prompt|env:VAR|file:PATH"),
    (5, ("--pfx", "ada.pfx", "--pfx-password", "env:WRONG"), "vsc: wrong password for the PFX file"),
    (2, ("--pfx", "ada.pfx", "--pfx-password", "env:NOT_SET"), "the environment variable NOT_SET is not set"),
    (2, ("--pfx", "ada.pfx", "--pfx-password", "swordfish"), "never the secret itself"),
    (2, ("--pfx", "ada.pfx", "--pfx-password", "prompt"), "there is no terminal to ask on"),
    (1, ("--pfx", "keyless.pfx"), "vsc: there is no private key in the PFX file"),
    (1, ("--pfx", "ec.pfx"), "vsc: an EC P-256 key: the card takes RSA of 1024, 2048, 3072, 4096 bits"),
    (1, ("--key", "nothing.key"), "vsc: the key file 'nothing.key' cannot be read: No such file or directory"),
    (1, ("--key", "ada.pem"), "vsc: that is not a private key in PEM, DER or OpenSSH's format: it has certificate"),
    (1, ("--key", "small.key"), "vsc: an RSA 768 key: the card takes RSA of 1024, 2048, 3072, 4096 bits"),
    (5, ("--key", "locked.key"), "vsc: the key file needs a password: say --key-password prompt|env:VAR|file:PATH"),
    (5, ("--key", "locked.key", "--key-password", "env:WRONG"), "vsc: wrong password for the key file"),
    (1, (*KEY, "--cert", "nothing.pem"), "vsc: the certificate file 'nothing.pem' cannot be read: No such file"),
    (1, (*KEY, "--cert", "text"), "vsc: that is not a certificate in PEM or DER"),
    (1, (*KEY, "--cert", "other.pem"), "vsc: key and certificate do not match: the certificate does not belong to"),
    (1, (*KEY, "--cert", "large.der"), "vsc: the certificate is too large: "),
    (1, (*KEY, "--container", "7"), "vsc: key container 7 is not free"),
    (1, (*KEY, "--label", "x" * 40), "vsc: a label has 1 to 39 printable characters"),
    (2, (*KEY, "--container", "-1"), "'-1' is no number of a container"),
    (2, (), "say --pfx FILE, or --key FILE with its --cert FILE"),
    (2, ("--cert", "ada.pem"), "say --pfx FILE, or --key FILE with its --cert FILE"),
    (2, ("--pfx", "ada.pfx", *KEY), "say --pfx FILE, or --key FILE with its --cert FILE"),
    (2, ("--pfx", "ada.pfx", "--cert", "ada.pem"), "a PFX has its own certificate"),
    (2, (*KEY, "--pfx-password", "env:PW"), "--pfx-password is for --pfx"),
]


@pytest.mark.parametrize(("code", "words", "sentence"), REFUSED, ids=[" ".join(words) for _, words, _ in REFUSED])
def test_what_is_refused_leaves_the_card_as_it_is(
    shell: Shell, card: str, code: int, words: tuple[str, ...], sentence: str
) -> None:
    before = home_store().read(card)
    error = shell.fails(code, "load", card, *words, "--pin", "env:PIN")
    assert sentence in error
    assert "swordfish" not in error
    assert home_store().read(card) == before


def test_a_wrong_pin_costs_a_try_and_nothing_else(shell: Shell, card: str) -> None:
    assert "wrong PIN, 4 tries left" in shell.fails(5, "load", card, *KEY, "--pin", "env:WRONG")
    assert containers() == []


def test_the_pin_is_asked_for_until_it_is_right(shell: Shell, card: str) -> None:
    script = PinScript(["00000000", PIN])
    with user_interaction(script):
        shell.ok("load", card, *KEY)
    assert [one.kind for one in script.questions] == [QuestionKind.CURRENT_PIN] * 2
    assert len(containers()) == 1


def test_somebody_cancels(shell: Shell, card: str) -> None:
    before = home_store().read(card)
    with user_interaction(PinScript([None])):
        assert shell.fails(3, "load", card, *KEY) == "cancelled\n"
    assert home_store().read(card) == before


def test_nobody_is_asked_about_files_that_are_no_good(shell: Shell, card: str) -> None:
    with user_interaction(PinScript([])):
        assert "not a private key" in shell.fails(1, "load", card, "--key", "text")


def test_no_card(shell: Shell, card: str) -> None:
    assert "there is no card called 'nobody'" in shell.fails(4, "load", "nobody", *KEY, "--pin", "env:PIN")
    shell.fails(2, "load", *KEY, "--pin", "env:PIN")


def test_nothing_secret_is_said(shell: Shell, card: str) -> None:
    said = shell.ok("load", card, "--pfx", "ada.pfx", "--pfx-password", "env:PW", "--pin", "env:PIN", "--json")
    said += shell.fails(5, "load", card, "--pfx", "ada.pfx", "--pfx-password", "env:WRONG", "--pin", "env:PIN")
    assert PASSWORD not in said
    assert PIN not in said


class TestCreate:
    def test_a_card_with_its_key(self, shell: Shell, files: Path, home: Path) -> None:
        shell.ok("create", "new", "--pin", "env:PIN", "--pfx", "ada.pfx", "--pfx-password", "env:PW", "--tries", "3")
        assert containers("new") == [ADA]
        assert summarise(home_store().read("new")).pin == {"tries_left": 3, "try_limit": 3}

    def test_as_json(self, shell: Shell, files: Path, home: Path) -> None:
        made = json.loads(shell.ok("create", "new", "--pin", "env:PIN", "--pfx", "open.pfx", "--json"))
        assert [one["certificates"] for one in made["containers"]] == [["CN=Ada Lovelace"]]

    @pytest.mark.parametrize(("code", "words", "sentence"), [row for row in REFUSED if "--pfx" in row[1]][:11])
    def test_a_bad_pfx_makes_no_card(
        self, shell: Shell, files: Path, home: Path, code: int, words: tuple[str, ...], sentence: str
    ) -> None:
        assert sentence in shell.fails(code, "create", "new", "--pin", "env:PIN", *words)
        assert not home_store().exists("new")

    @pytest.mark.parametrize(
        "words",
        [
            ("--pfx", "open.pfx", "--blank"),
            ("--pfx", "open.pfx", "--no-file-system", "--pin", "env:PIN"),
            ("--pfx-password", "env:PW", "--pin", "env:PIN"),
        ],
    )
    def test_usage(self, shell: Shell, files: Path, home: Path, words: tuple[str, ...]) -> None:
        assert "--pfx" in shell.fails(2, "create", "new", *words)
        assert not home_store().exists("new")
