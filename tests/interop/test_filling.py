"""Cards filled by `vsc`, used by OpenSC, GnuTLS and openssl, which know nothing of each other, under `vsc run`."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.interop.filling import LABEL, PASSWORD, PIN, SUBJECT, Filled, authority, filled, identity, module_path, pfx
from tests.interop.foreign_files import PRINTABLE, T61, Workshop
from tests.interop.need import require_tool

URI = "pkcs11:id=%00;type=private"
ENGINE = ("-engine", "pkcs11", "-keyform", "engine")


@pytest.fixture
def ada() -> Iterator[Filled]:
    for tool in ("pkcs11-tool", "pkcs15-tool", "openssl"):
        require_tool(tool)
    with filled() as user:
        yield user


def objects(listing: str) -> dict[str, dict[str, str]]:
    """What pkcs11-tool and pkcs15-tool list, by kind: the rows of each object."""
    parts = re.split(r"^(?=\S)", listing, flags=re.MULTILINE)
    found = {}
    for part in filter(None, parts):
        head, _, rest = part.partition("\n")
        found[head.split(" Object")[0].split(" [")[0]] = {
            "head": head,
            **{key.lower(): value for key, value in re.findall(r"^\s+(\w+)\s*: *(.*?)\s*$", rest, re.MULTILINE)},
        }
    return found


class TestOpensc:
    def test_pkcs11_tool_shows_key_certificate_and_label(self, ada: Filled) -> None:
        seen = objects(ada.client("pkcs11-tool", "--list-objects", "--login", "--pin", PIN)[0])
        for kind in ("Private Key", "Public Key", "Certificate"):
            assert (seen[kind]["label"], seen[kind]["id"]) == (LABEL, "00"), kind
        assert seen["Certificate"]["subject"] == f"DN: CN={SUBJECT}"
        assert "sign" in seen["Private Key"]["usage"]
        assert "decrypt" in seen["Private Key"]["usage"]

    def test_pkcs15_tool_shows_key_certificate_and_label(self, ada: Filled) -> None:
        seen = objects(ada.client("pkcs15-tool", "--dump")[0])
        for kind in ("Private RSA Key", "Public RSA Key", "X.509 Certificate"):
            assert seen[kind]["head"].endswith(f"[{LABEL}]"), kind
            assert seen[kind]["id"] == "00", kind
        assert seen["Private RSA Key"]["modlength"] == "2048"

    def test_the_certificate_is_the_one_of_the_pfx(self, ada: Filled) -> None:
        pem = ada.client("pkcs15-tool", "--read-certificate", "00")[0]
        assert x509.load_pem_x509_certificate(pem.encode()) == identity().certificate
        assert x509.load_pem_x509_certificate(ada("cert", "get", "ada")[0].encode()) == identity().certificate

    def test_two_more_from_files_and_one_made_on_the_card(self, ada: Filled) -> None:
        certificate, key = identity("Grace Hopper").write(ada.folder, "grace")
        ada("load", "ada", "--key", key, "--cert", certificate, "--pin", "default")
        ada("load", "ada", "--key", key, "--cert", certificate, "--pin", "default", "--sign-only", "--label", "Signing")
        ada("keygen", "ada", "--type", "rsa:1024", "--self-signed", "CN=Made here", "--pin", "default")
        listing = ada.client("pkcs11-tool", "--list-objects", "--type", "cert")[0]
        assert re.findall(r"label: *(.*?)\s*\n", listing) == [LABEL, "Grace Hopper", "Signing", "Made here"]
        for number in range(4):
            script = f"""set -e
                echo hello > letter
                pkcs11-tool --login --pin {PIN} --sign --id 0{number} -m SHA256-RSA-PKCS -i letter -o letter.sig
                pkcs15-tool --read-certificate 0{number} | openssl x509 -noout -pubkey > key.pem
                openssl dgst -sha256 -verify key.pem -signature letter.sig letter"""
            assert "Verified OK" in ada.client("sh", "-c", script)[0]

    def test_a_request_becomes_a_certificate(self, ada: Filled) -> None:
        """keygen --csr, an authority of openssl's, cert put; then OpenSC shows the certificate with the key."""
        ada("keygen", "ada", "--csr", "bob.csr", "--subject", "CN=Bob,O=Example", "--pin", "default")
        authority().write(ada.folder, "ca")
        script = """set -e
            openssl req -in bob.csr -noout -verify -subject
            openssl x509 -req -in bob.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 -out bob.pem
            vsc cert put ada 1 bob.pem --pin default
            openssl verify -CAfile ca.pem bob.pem"""
        with ada.start("sh", "-c", script) as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "self-signature verify OK" in out + err
        assert "bob.pem: OK" in out
        seen = objects(ada.client("pkcs15-tool", "--list-certificates")[0])
        assert seen["X.509 Certificate"]["head"].endswith("[Bob]")
        pem = ada.client("pkcs15-tool", "--read-certificate", "01")[0]
        assert x509.load_pem_x509_certificate(pem.encode()) == x509.load_pem_x509_certificate(
            (ada.folder / "bob.pem").read_bytes()
        )


def keys_shown(ada: Filled) -> list[str]:
    return re.findall(r"^Private RSA Key \[(.*)\]", ada.client("pkcs15-tool", "--list-keys")[0], re.MULTILINE)


def test_a_key_that_is_deleted_leaves_no_ghost(ada: Filled) -> None:
    """OpenSC shows a free place of the container map as a key without a name, so none is left at its end."""
    certificate, key = identity("Grace Hopper").write(ada.folder, "grace")
    ada("load", "ada", "--key", key, "--cert", certificate, "--pin", "default")
    assert keys_shown(ada) == [LABEL, "Grace Hopper"]
    ada("cert", "delete", "ada", "1", "--pin", "default")
    seen = objects(ada.client("pkcs11-tool", "--list-objects")[0])
    assert seen["Certificate"]["label"] == LABEL
    script = "vsc key delete --reader 'Virtual Smart Card 00 00' 1 --yes --pin default && pkcs15-tool --list-keys"
    assert re.findall(r"^Private RSA Key \[(.*)\]", ada.client("sh", "-c", script)[0], re.MULTILINE) == [LABEL]
    ada("key", "delete", "ada", "0", "--yes", "--pin", "default")
    assert keys_shown(ada) == []
    ada.client("pkcs11-tool", "--login", "--pin", PIN, "--keypairgen", "--key-type", "rsa:1024", "--label", "New")
    assert keys_shown(ada) == ["New"]


def test_a_certificate_with_odd_names(ada: Filled) -> None:
    """OpenSC reads what `cryptography` does not: letters that a PrintableString has not."""
    bench = Workshop(ada.folder)
    plain = bench.certificate(bench.key("odd.key"), "plain.pem", "ada@example.org*", organization="Smith & Sons_Co")
    odd = bench.retyped(plain, "odd.key", "odd.pem", old=T61, new=PRINTABLE)
    (ada.folder / "odd.key").chmod(0o644)
    out, _ = ada("load", "ada", "--key", "odd.key", "--cert", odd, "--pin", "default")
    assert out.endswith("with a certificate for CN=ada@example.org*,O=Smith & Sons_Co.\n")
    pem = ada.client("pkcs15-tool", "--read-certificate", "01")[0]
    assert bench.openssl("x509", "-outform", "DER", stdin=pem.encode()) == bench.openssl(
        "x509", "-in", odd, "-outform", "DER"
    )
    assert ada("cert", "get", "ada", "1")[0].split() == pem.split()
    assert "CN=ada@example.org*,O=Smith & Sons_Co" in ada("show", "ada")[0]


def test_a_card_is_filled_while_it_is_in_a_reader(ada: Filled) -> None:
    """`vsc load` reaches the card where it is, through PC/SC, and the next program sees the new key."""
    certificate, key = identity("Grace Hopper").write(ada.folder, "grace")
    script = f"""set -e
        pkcs11-tool --list-objects --type cert
        vsc load ada --key {key} --cert {certificate} --pin default
        vsc keygen ada --type rsa:1024 --self-signed "CN=Made here" --pin default
        pkcs11-tool --list-objects --type cert"""
    labels = re.findall(r"label: *(.*?)\s*\n", ada.client("sh", "-c", script)[0])
    assert labels == [LABEL, LABEL, "Grace Hopper", "Made here"]


class TestGnutls:
    """p11tool finds OpenSC's module by itself, through p11-kit; or it is told with --provider."""

    def listed(self, text: str) -> list[tuple[str, str]]:
        return re.findall(r"\tType: (.*?) \(.*(?:\n\t.*)*?\n\tLabel: (.*)\n", text)

    def test_list_all(self, ada: Filled) -> None:
        tokens = ada.client("p11tool", "--provider", module_path(), "--list-tokens")[0]
        (url,) = re.findall(r"URL: (pkcs11:\S+)", tokens)
        words = ("p11tool", "--provider", module_path(), "--login", "--list-all", url)
        out, _ = ada.client(*words, env={"GNUTLS_PIN": PIN})
        assert self.listed(out) == [("Private key", LABEL), ("Public key", LABEL), ("X.509 Certificate", LABEL)]

    def test_list_all_without_the_pin(self, ada: Filled) -> None:
        out, _ = ada.client("p11tool", "--provider", module_path(), "--list-all")
        assert self.listed(out) == [("Public key", LABEL), ("X.509 Certificate", LABEL)]

    def test_list_all_by_p11_kit(self, ada: Filled) -> None:
        out, _ = ada.client("p11tool", "--list-all", "pkcs11:model=PKCS%2315%20emulated")
        assert self.listed(out) == [("Public key", LABEL), ("X.509 Certificate", LABEL)]

    def test_certtool_makes_a_request_with_the_key(self, ada: Filled) -> None:
        (ada.folder / "template").write_text('cn = "Ada"\n')
        words = ("--generate-request", "--load-privkey", URI, "--load-pubkey", "pkcs11:id=%00;type=public")
        ada.client(
            *("certtool", "--provider", module_path(), *words, "--template", "template", "--outfile", "ada.csr"),
            env={"GNUTLS_PIN": PIN},
        )
        request = x509.load_pem_x509_csr((ada.folder / "ada.csr").read_bytes())
        assert request.is_signature_valid
        assert request.public_key() == identity().key.public_key()


class TestOpenssl:
    def test_a_request(self, ada: Filled) -> None:
        ada.client(
            "openssl", "req", "-new", *ENGINE, "-key", URI, "-subj", "/CN=Ada", "-out", "ada.csr", env=ada.engine()
        )
        request = x509.load_pem_x509_csr((ada.folder / "ada.csr").read_bytes())
        assert request.is_signature_valid
        assert request.public_key() == identity().key.public_key()

    def test_a_signature(self, ada: Filled) -> None:
        (ada.folder / "letter").write_text("hello")
        public = identity().key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (ada.folder / "key.pem").write_bytes(public)
        sign = ("openssl", "dgst", *ENGINE, "-sha256", "-sign", URI, "-out", "letter.sig", "letter")
        ada.client(*sign, env=ada.engine())
        verify = ("openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "letter.sig", "letter")
        with ada.start(*verify) as process:
            assert process.communicate(timeout=60)[0] == "Verified OK\n"

    def test_a_wrong_pin_makes_no_request(self, ada: Filled) -> None:
        variables = {**ada.engine(), "CARD_PIN": "87654321"}
        words = ("openssl", "req", "-new", *ENGINE, "-key", URI, "-subj", "/CN=Ada", "-out", "ada.csr")
        ada.client(*words, code=1, env=variables)
        assert not (ada.folder / "ada.csr").exists()
        assert "4 of 5 tries left" in ada("show", "ada")[0]


class TestFilesOfOpenssl:
    """A PFX as openssl makes it, in each of its ways."""

    WAYS = (
        ("-legacy",),
        ("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"),
        ("-keypbe", "AES-256-CBC", "-certpbe", "AES-256-CBC", "-macalg", "sha512"),
        ("-keypbe", "NONE", "-certpbe", "NONE"),
    )

    @pytest.mark.parametrize("way", WAYS, ids=" ".join)
    def test_it_is_read(self, ada: Filled, way: tuple[str, ...]) -> None:
        certificate, key = identity().write(ada.folder, "ada")
        words = ("-inkey", key, "-in", certificate, "-name", "From openssl", "-out", "o.pfx", "-passout", "env:PFX")
        with ada.start("openssl", "pkcs12", "-export", *words, *way, PFX=PASSWORD) as process:
            assert process.wait(timeout=60) == 0
        ada("load", "ada", "--pfx", "o.pfx", "--pfx-password", "env:PFX", "--pin", "default", PFX=PASSWORD)
        assert "From openssl" in ada.client("pkcs11-tool", "--list-objects", "--type", "cert")[0]

    def test_encrypted_keys_are_read(self, ada: Filled) -> None:
        certificate, key = identity().write(ada.folder, "ada")
        for number, (program, *options) in enumerate(
            [
                ("rsa", "-aes256", "-traditional"),
                ("pkcs8", "-topk8"),
                ("pkcs8", "-topk8", "-outform", "DER"),
                ("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"),
            ],
            start=1,
        ):
            file = ada.folder / f"encrypted-{number}"
            words = ("-in", key, "-passout", "env:KEY", "-out", file)
            with ada.start("openssl", program, *options, *words, KEY=PASSWORD) as process:
                assert process.wait(timeout=60) == 0
            load = ("load", "ada", "--key", file, "--cert", certificate, "--key-password", "env:KEY")
            ada(*load, "--pin", "default", KEY=PASSWORD)
        assert len(ada("show", "ada")[0].split("CN=Ada Lovelace")) == 6


def test_a_bad_pfx_makes_no_card(ada: Filled) -> None:
    (ada.folder / "cut.pfx").write_bytes(pfx()[:-100])
    words: list[tuple[str | Path, ...]] = [
        ("--pfx", "ada.pfx", "--pfx-password", "env:WRONG"),
        ("--pfx", "ada.pfx"),
    ]
    for one in words:
        assert "password" in ada("create", "new", "--pin", "default", *one, code=5, WRONG="battery staple")[1]
    for file in ("cut.pfx", "nothing.pfx", "."):
        ada("create", "new", "--pin", "default", "--pfx", file, code=1)
    assert "new" not in ada("list")[0].split()
