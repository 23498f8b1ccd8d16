"""What the tests of filled cards share: an authority with its certificates, and cards made from a PFX."""

import datetime
import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from tests.interop.need import require_tool, unavailable
from tests.interop.vsc_run import Vsc, ordinary_user

PIN = "12345678"
PASSWORD = "correct horse"
SUBJECT = "Ada Lovelace"
LABEL = "Ada's key"
MODULE = "opensc-pkcs11.so"
EMPTY: Mapping[str, str] = MappingProxyType({})
_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")


@dataclass(frozen=True)
class Identity:
    """A key and the certificate that the authority gave it."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Writes certificate and key as PEM, readable for everybody: nothing here is a secret."""
        paths = folder / f"{name}.pem", folder / f"{name}.key"
        paths[0].write_bytes(self.certificate.public_bytes(Encoding.PEM))
        paths[1].write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return paths


@cache
def _key(owner: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def authority() -> Identity:
    return Identity(_key("authority"), _issue("Test authority", is_authority=True))


def identity(owner: str = SUBJECT) -> Identity:
    """Whoever it is; `localhost` is a TLS server. The same in every call."""
    return _identity(owner)


@cache
def _identity(owner: str) -> Identity:
    return Identity(_key(owner), _issue(owner))


def _issue(owner: str, *, is_authority: bool = False) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, owner)])
    issuer, signer = (name, _key("authority")) if is_authority else (authority().certificate.subject, authority().key)
    public = _key("authority" if is_authority else owner).public_key()
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(_key("authority").public_key()), critical=False
        )
    )
    if owner == "localhost":
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, SHA256())


def pfx(owner: str = SUBJECT, *, name: str = LABEL, password: str = PASSWORD) -> bytes:
    """As an authority hands it out: key, certificate, and the certificate of the authority."""
    one = identity(owner)
    return pkcs12.serialize_key_and_certificates(
        name.encode(),
        one.key,
        one.certificate,
        [authority().certificate],
        BestAvailableEncryption(password.encode()),
    )


def module_path() -> str:
    """OpenSC's PKCS#11 module, for programs that do not look for it themselves."""
    found = [Path(folder) / MODULE for folder in _FOLDERS if (Path(folder) / MODULE).exists()]
    if not found:
        unavailable(f"{MODULE} is not installed")
    return str(found[0])


class Filled(Vsc):
    """An ordinary user with one card, "ada", made from a PFX."""

    def make(self) -> None:
        (self.folder / "ada.pfx").write_bytes(pfx())
        words = ("create", "ada", "--pin", "default", "--pfx", "ada.pfx", "--pfx-password", "env:PFX_PASSWORD")
        self(*words, PFX_PASSWORD=PASSWORD)

    def client(self, *command: str | Path, code: int = 0, env: Mapping[str, str] = EMPTY) -> tuple[str, str]:
        """Runs a program with the card in a reader; its standard output and error."""
        require_tool(str(command[0]))
        return self("run", "--card", "ada", "--", "timeout", "50", *command, code=code, **env)

    def engine(self) -> dict[str, str]:
        """The variables that give openssl its PKCS#11 engine. The PIN comes from the environment, not from argv."""
        if not list(Path("/usr/lib").glob("**/engines-3/pkcs11.so")):
            unavailable("the pkcs11 engine of openssl (libengine-pkcs11-openssl) is not installed")
        (self.folder / "engine.cnf").write_text(
            "openssl_conf = top\n[top]\nengines = all\n[all]\npkcs11 = one\n[one]\nengine_id = pkcs11\n"
            f"MODULE_PATH = {module_path()}\nPIN = $ENV::CARD_PIN\ninit = 0\n[req]\ndistinguished_name = dn\n[dn]\n"
        )
        return {"OPENSSL_CONF": str(self.folder / "engine.cnf"), "CARD_PIN": PIN}


@contextmanager
def filled(kind: type[Filled] = Filled) -> Iterator[Filled]:
    with ordinary_user(kind) as user:
        user.make()
        yield user
        assert user.left() == []
