"""What the host's half writes, OpenSC reads, and the other way round; openssl is the judge of signatures.

The card is in memory. Programs reach it through a private PC/SC service; for our own host it is taken out of the
reader meanwhile, so that nobody talks to it twice.
"""

import datetime
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from card_os.apps.gids.personalisation import blank, personalised
from card_os.card import Card
from tests.interop.need import require_tool
from tests.interop.pcsc.conftest import client_env
from vsc.errors import WrongPin
from vsc.host import AdminForm, AdminKeyResponder, DirectConnection, Gids, KeyUse
from vsc.pcsc import Service
from vsc.profiles import GIDS
from vsc.reader import Reader
from vsc.world import SystemEnv

PIN = "12345678"
ADMIN_KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF0123456789ABCDEF")
OTHER_KEY = bytes(range(24))
TEXT = b"A short text: it must fit into PKCS#1 of 1024 bits."


class Desk:
    """A reader with a card, OpenSC's tools for it, and our host."""

    def __init__(self, service: Service, reader: Reader, folder: Path) -> None:
        self._service = service
        self._reader = reader
        self.folder = folder
        self._runs = 0

    def put(self, card: Card) -> Card:
        """Puts another card into the reader."""
        self._reader.swap(card) if self._reader.card else self._reader.insert(card)
        return card

    @contextmanager
    def host(self, pin: str | None = PIN) -> Iterator[Gids]:
        card = self._reader.eject()
        try:
            with DirectConnection(card) as connection:
                gids = Gids.connect(connection)
                if pin is not None:
                    gids.verify_pin(pin.encode())
                yield gids
        finally:
            self._reader.insert(card)

    def tool(self, name: str, *arguments: str | Path, code: int = 0) -> str:
        """Runs one of OpenSC's tools, with caches of its own; returns its standard output."""
        self._runs += 1
        env = client_env(self._service, self.folder / f"home {self._runs}")
        command = [require_tool(name), *map(str, arguments)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def pkcs11(self, *arguments: str | Path, pin: str = PIN) -> str:
        return self.tool("pkcs11-tool", "--login", "--pin", pin, *arguments)

    def file(self, name: str, content: bytes | None = None) -> Path:
        path = self.folder / name
        if content is not None:
            path.write_bytes(content)
        return path

    def assert_pkcs11_signs(self, number: int, certificate: x509.Certificate) -> None:
        """pkcs11-tool signs with the key of a container; openssl verifies with the certificate."""
        public = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.pkcs11_sign(number)
        words: list[str | Path] = [
            "-sha256",
            "-verify",
            self.file("public.pem", public),
            "-signature",
            self.file("signature"),
        ]
        done = subprocess.run(
            ["openssl", "dgst", *words, self.file("text")], capture_output=True, text=True, check=True
        )
        assert done.stdout == "Verified OK\n"

    def pkcs11_sign(self, number: int) -> None:
        where: list[str | Path] = ["--input-file", self.file("text", TEXT), "--output-file", self.file("signature")]
        self.pkcs11("--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", f"{number:02x}", *where)


def personalised_card() -> Card:
    """Ready for use, as `vsc create` makes it."""
    state = personalised(pin=PIN.encode(), admin_key=ADMIN_KEY, card_id=uuid.uuid4().bytes_le, tries=5)
    return GIDS.card(GIDS.persistent(state), SystemEnv())


def copy_of(card: Card) -> Card:
    return GIDS.card(card.persistent, SystemEnv())


def self_signed(key: RSAPrivateKey, common_name: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(datetime.datetime(2020, 1, 1)).not_valid_after(datetime.datetime(2040, 1, 1))
    return builder.sign(key, SHA256())


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    for tool in ("pkcs11-tool", "pkcs15-tool", "gids-tool", "openssl"):
        require_tool(tool)
    reader = Reader()
    service = Service([reader])
    with service:
        desk = Desk(service, reader, tmp_path)
        desk.put(personalised_card())
        yield desk
    assert service.faults == ()


@pytest.mark.parametrize("bits", [1024, 2048, 3072, 4096])
@pytest.mark.parametrize("use", [KeyUse.EXCHANGE, KeyUse.SIGNATURE])
def test_opensc_lists_and_uses_what_the_host_has_imported(desk: Desk, use: KeyUse, bits: int) -> None:
    key = generate_private_key(65_537, bits)
    certificate = self_signed(key, "Ada Lovelace")
    with desk.host() as gids:
        number = gids.import_key(key, name="Ada's key", use=use)
        gids.write_certificate(number, der(certificate))
    listed = desk.pkcs11("--list-objects")
    assert listed.count("label:      Ada's key\n") == 3  # private key, public key, certificate
    assert "subject:    DN: CN=Ada Lovelace" in listed
    dump = desk.tool("pkcs15-tool", "-D")
    assert "Private RSA Key [Ada's key]" in dump
    assert "X.509 Certificate [Ada's key]" in dump
    pem = desk.tool("pkcs15-tool", "--read-certificate", "00")
    assert x509.load_pem_x509_certificate(pem.encode()) == certificate
    desk.assert_pkcs11_signs(number, certificate)


def test_opensc_deciphers_with_an_imported_exchange_key(desk: Desk) -> None:
    key = generate_private_key(65_537, 2048)
    with desk.host() as gids:
        gids.import_key(key)
    public = desk.file("public.pem", key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    paths: list[str | Path] = ["-in", desk.file("text", TEXT), "-out", desk.file("cryptogram")]
    subprocess.run(["openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", public, *paths], check=True)
    where: list[str | Path] = ["--input-file", desk.file("cryptogram"), "--output-file", desk.file("clear")]
    desk.pkcs11("--decrypt", "--mechanism", "RSA-PKCS", "--id", "00", *where)
    assert desk.file("clear").read_bytes() == TEXT


def test_opensc_uses_what_the_host_has_generated_and_certified(desk: Desk) -> None:
    with desk.host() as gids:
        numbers = [gids.generate_key(2048, name=f"key {count}") for count in range(4)]
        certificates = [self_signed(gids.private_key(number), f"Number {number}") for number in numbers]
        for number, certificate in zip(numbers, certificates, strict=True):
            gids.write_certificate(number, der(certificate))
    for number, certificate in zip(numbers, certificates, strict=True):
        desk.pkcs11("--read-object", "--type", "cert", "--id", f"{number:02x}", "--output-file", desk.file("read"))
        assert desk.file("read").read_bytes() == der(certificate)
        desk.assert_pkcs11_signs(number, certificate)


def test_the_host_uses_what_opensc_has_made(desk: Desk) -> None:
    desk.pkcs11("--keypairgen", "--key-type", "rsa:2048", "--id", "00", "--label", "made there")
    key = generate_private_key(65_537, 2048)
    certificate = self_signed(key, "Imported there")
    words = ["--type", "privkey", "--id", "01", "--label", "imported there", "--usage-sign"]
    desk.pkcs11("--write-object", desk.file("key.der", key_der(key)), *words)
    desk.pkcs11("--write-object", desk.file("c.der", der(certificate)), "--type", "cert", "--id", "01")
    with desk.host() as gids:
        made, imported = gids.containers()
        assert (made.name, made.use, made.key_bits, made.certificate) == ("made there", KeyUse.EXCHANGE, 2048, None)
        assert (imported.name, imported.use, imported.certificate) == (
            "imported there",
            KeyUse.SIGNATURE,
            der(certificate),
        )
        assert imported.public_key() == key.public_key()
        for number in (0, 1):
            signed = self_signed(gids.private_key(number), "by the card")
            signed.verify_directly_issued_by(signed)
        assert gids.import_key(key, name="third") == 2
    assert "label:      third\n" in desk.pkcs11("--list-objects")
    desk.assert_pkcs11_signs(1, certificate)


def key_der(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def test_both_delete_what_the_other_has_made_and_go_on(desk: Desk) -> None:
    desk.pkcs11("--keypairgen", "--key-type", "rsa:1024", "--id", "00", "--label", "theirs")
    with desk.host() as gids:
        gids.import_key(generate_private_key(65_537, 1024), name="ours")
        gids.delete_container(0)
    listed = desk.pkcs11("--list-objects")
    assert "label:      ours\n" in listed
    assert "theirs" not in listed
    desk.pkcs11("--delete-object", "--type", "privkey", "--id", "01")
    with desk.host() as gids:
        assert gids.containers() == ()
    # OpenSC keeps the ids of deleted keys for taken, so it chooses.
    desk.pkcs11("--keypairgen", "--key-type", "rsa:1024", "--label", "theirs again")
    with desk.host() as gids:
        (container,) = gids.containers()
        assert (container.number, container.name) == (0, "theirs again")
        assert container.public_key() is not None


def test_opensc_sees_a_formatted_card_as_new(desk: Desk) -> None:
    new_id = uuid.uuid4()
    with desk.host() as gids:
        key = generate_private_key(65_537, 1024)
        gids.write_certificate(gids.import_key(key, name="gone"), der(self_signed(key, "Gone")))
    with desk.host(pin=None) as gids:
        gids.authenticate(AdminKeyResponder(ADMIN_KEY))
        gids.format(new_id)
    listed = desk.pkcs11("--list-objects")
    assert "Private Key" not in listed
    assert "Certificate" not in listed
    assert new_id.bytes_le.hex() in desk.tool("pkcs15-tool", "--list-info")
    desk.pkcs11("--keypairgen", "--key-type", "rsa:1024", "--id", "00", "--label", "new")
    with desk.host() as gids:
        assert [one.name for one in gids.containers()] == ["new"]


def test_pins_and_admin_keys_of_both_sides(desk: Desk) -> None:
    with desk.host(pin=None) as gids:
        gids.change_pin(old=PIN.encode(), new=b"87654321")
    desk.tool("pkcs15-tool", "--change-pin", "--pin", "87654321", "--new-pin", "246813")
    desk.tool("gids-tool", "-C", "--admin-key", ADMIN_KEY.hex(), "--new-admin-key", OTHER_KEY.hex())
    with desk.host(pin="246813") as gids:
        with pytest.raises(WrongPin):
            gids.verify_pin(PIN.encode())
        for form in AdminForm:
            gids.reset_pin(new=b"135790", respond=AdminKeyResponder(OTHER_KEY), form=form)
        gids.verify_pin(b"135790")
        gids.authenticate(AdminKeyResponder(OTHER_KEY))
        gids.change_admin_key(ADMIN_KEY)
    desk.tool("gids-tool", "-U", "--admin-key", ADMIN_KEY.hex(), "--pin", "222222")
    with desk.host(pin="222222"):
        pass


def test_a_card_that_gids_tool_has_initialised(desk: Desk) -> None:
    desk.put(GIDS.card(GIDS.persistent(blank(tries=5)), SystemEnv()))
    serial = uuid.uuid4().bytes_le.hex()
    desk.tool("gids-tool", "-X", "--admin-key", ADMIN_KEY.hex(), "--pin", PIN, "--serial-number", serial)
    key = generate_private_key(65_537, 2048)
    certificate = self_signed(key, "Ada Lovelace")
    with desk.host() as gids:
        card_id = gids.card_id()
        assert card_id is not None
        assert card_id.bytes_le.hex() == serial
        gids.write_certificate(gids.import_key(key), der(certificate))
    desk.assert_pkcs11_signs(0, certificate)


def test_opensc_reads_a_card_that_was_pulled_out_in_the_middle(desk: Desk) -> None:
    """After every command of an import, a certificate and a deletion: the old key is listed, with its certificate."""
    old, new = (generate_private_key(65_537, 1024) for _ in range(2))
    card = personalised_card()
    gids = logged_in(card)
    gids.write_certificate(gids.import_key(old, name="old"), der(self_signed(old, "Old")))
    start = copy_of(card)
    recorder = Stopping(card)
    gids = logged_in(recorder)
    first = len(recorder.states)
    number = gids.import_key(new, name="new")
    gids.write_certificate(number, der(self_signed(new, "New")))
    gids.delete_container(number)
    states = dict.fromkeys(recorder.states[first:])
    assert len(states) > 15
    assert start.persistent in states
    for state in states:
        desk.put(GIDS.card(state, SystemEnv()))
        dump = desk.tool("pkcs15-tool", "-D")
        assert "Private RSA Key [old]" in dump
        assert "X.509 Certificate [old]" in dump


class Stopping:
    """Keeps the state of a card after every command."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self.states = [card.persistent]

    def power_on(self) -> bytes:
        return self._card.power_on()

    def transmit(self, command: bytes) -> bytes:
        answer = self._card.transmit(command)
        self.states.append(self._card.persistent)
        return answer


def logged_in(card: Card | Stopping) -> Gids:
    gids = Gids.connect(DirectConnection(card))
    gids.verify_pin(PIN.encode())
    return gids
