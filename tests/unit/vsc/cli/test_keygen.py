"""vsc.cli.keygen and vsc.cli.cert."""

import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from tests.unit.vsc.filling import stuff
from vsc.factory import home_store
from vsc.store import Image

PIN = ("--pin", "env:PIN")
SMALL = ("--type", "rsa:1024")


@pytest.fixture
def card(shell: Shell, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A card, and a folder with a key and certificates."""
    monkeypatch.setenv("PIN", samples.PIN.decode())
    shell.ok("create", "work", *PIN)
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "ada.key").write_bytes(stuff.key_file())
    (folder / "ada.pem").write_bytes(stuff.certificate().public_bytes(Encoding.PEM))
    (folder / "other.pem").write_bytes(stuff.certificate("CN=Other", seed="other").public_bytes(Encoding.PEM))
    return "work"


def image() -> Image:
    return home_store().read("work")


class TestKeygen:
    def test_a_key(self, shell: Shell, card: str) -> None:
        out = shell.ok("keygen", card, *SMALL, *PIN)
        assert out == "Made 'RSA 1024 key': an RSA 1024 key in container 0.\n"

    def test_with_a_certificate(self, shell: Shell, card: str) -> None:
        words = ("--self-signed", "CN=Ada", "--days", "7", "--alt-name", "dns:a.example", "--alt-name", "email:a@b.c")
        made = json.loads(shell.ok("keygen", card, *SMALL, *PIN, *words, "--json"))
        key = {"container": 0, "label": "Ada", "key_bits": 1024, "kind": "rsa:1024"}
        assert made == {**key, "subject": "CN=Ada", "csr": None}
        certificate = x509.load_pem_x509_certificate(shell.ok("cert", "get", card).encode())
        certificate.verify_directly_issued_by(certificate)
        assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 7
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["a.example"]

    def test_with_a_request(self, shell: Shell, card: str, tmp_path: Path) -> None:
        path = tmp_path / "files" / "a.csr"
        shell.ok("keygen", card, *SMALL, *PIN, "--csr", str(path), "--subject", "CN=Ada", "--label", "Mine")
        request = x509.load_pem_x509_csr(path.read_bytes())
        assert request.is_signature_valid
        assert request.subject.rfc4514_string() == "CN=Ada"

    def test_the_subject_of_a_request_is_the_name_of_the_card(self, shell: Shell, card: str) -> None:
        out = shell.ok("keygen", card, *SMALL, *PIN, "--csr", "-")
        assert x509.load_pem_x509_csr(out.encode()).subject.rfc4514_string() == "CN=work"
        assert "needs a --subject" in shell.fails(2, "keygen", "--reader", "any", "--csr", "-")

    def test_the_request_alone_on_stdout(self, shell: Shell, card: str) -> None:
        out = shell.ok("keygen", card, *SMALL, *PIN, "--csr", "-", "--self-signed", "CN=Ada")
        assert x509.load_pem_x509_csr(out.encode()).subject.rfc4514_string() == "CN=Ada"

    @pytest.mark.parametrize(
        ("code", "words", "sentence"),
        [
            (1, ("--type", "ec:p256"), "vsc: an EC P-256 key: the card makes RSA of 1024"),
            (1, ("--type", "rsa:512"), "vsc: 'rsa:512' is not a kind of key"),
            (1, ("--self-signed", "Ada"), "vsc: 'Ada' is not a name like"),
            (1, ("--self-signed", "CN=Ada", "--days", "0"), "vsc: a certificate is valid for 1 to 36500 days"),
            (1, ("--self-signed", "CN=Ada", "--alt-name", "ada"), "vsc: 'ada' is not an alternative name"),
            (1, ("--csr", "nowhere/a.csr", "--subject", "CN=Ada"), "vsc: the request cannot be written to 'nowhere/a"),
            (1, ("--csr", ".", "--subject", "CN=Ada"), "vsc: the request cannot be written to '.'"),
            (1, ("--container", "3"), "vsc: key container 3 is not free"),
            (2, ("--subject", "CN=Ada"), "--subject is for --csr"),
            (2, ("--alt-name", "dns:a"), "--alt-name is for --self-signed and --csr"),
            (2, ("--days", "many"), "Invalid value for '--days'"),
        ],
    )
    def test_what_is_refused(self, shell: Shell, card: str, code: int, words: tuple[str, ...], sentence: str) -> None:
        before = image()
        assert sentence in shell.fails(code, "keygen", card, *PIN, *words)
        assert image() == before


class TestCert:
    def test_put_and_get(self, shell: Shell, card: str, tmp_path: Path) -> None:
        shell.ok("load", card, "--key", "ada.key", *PIN)
        assert shell.ok("cert", "put", card, "0", "ada.pem", *PIN) == (
            "Put the certificate for CN=Ada Lovelace into container 0.\n"
        )
        pem = stuff.certificate().public_bytes(Encoding.PEM)
        assert shell.ok("cert", "get", card).encode() == pem
        assert shell.ok("cert", "get", card, "0", "-o", "copy.pem") == ""
        assert Path("copy.pem").read_bytes() == pem
        shell.ok("cert", "get", card, "0", "--der", "-o", "copy.der")
        assert Path("copy.der").read_bytes() == stuff.certificate().public_bytes(Encoding.DER)
        assert json.loads(shell.ok("cert", "put", card, "0", "copy.der", *PIN, "--json")) == {
            "container": 0,
            "subject": "CN=Ada Lovelace",
        }

    def test_which_of_several(self, shell: Shell, card: str) -> None:
        for _ in range(2):
            shell.ok("load", card, "--key", "ada.key", "--cert", "ada.pem", *PIN)
        assert "say which of 0, 1" in shell.fails(2, "cert", "get", card)
        assert shell.ok("cert", "get", card, "1").encode() == stuff.certificate().public_bytes(Encoding.PEM)

    @pytest.mark.parametrize(
        ("code", "words", "sentence"),
        [
            (1, ("get", "work"), "vsc: the card 'work' has no certificate"),
            (1, ("get", "work", "0"), "vsc: container 0 of the card 'work' has no certificate"),
            (1, ("get", "work", "9"), "vsc: the card has no key container 9"),
            (4, ("get", "nobody"), "vsc: there is no card called 'nobody'"),
            (1, ("put", "work", "0", "other.pem", *PIN), "vsc: key and certificate do not match"),
            (1, ("put", "work", "0", "ada.key", *PIN), "vsc: that is not a certificate in PEM or DER"),
            (1, ("put", "work", "0", "nothing", *PIN), "vsc: the certificate file 'nothing' cannot be read"),
            (1, ("put", "work", "9", "ada.pem", *PIN), "vsc: there is no key in container 9"),
            (2, ("put", "work", "zero", "ada.pem", *PIN), "'zero' is no number of a container"),
        ],
    )
    def test_what_is_refused(self, shell: Shell, card: str, code: int, words: tuple[str, ...], sentence: str) -> None:
        shell.ok("load", card, "--key", "ada.key", *PIN)
        before = image()
        assert sentence in shell.fails(code, "cert", *words)
        assert image() == before
