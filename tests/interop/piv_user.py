"""Somebody with PIV cards that were made from PFX files, and what a server has to know of them.

The cards: `rsa`, with RSA keys in 9A, 9C and 9D, and `ec`, with a P-256 key in 9A.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PublicFormat, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.interop.filling import EMPTY, authority, module_path
from tests.interop.need import require_tool, unavailable
from tests.interop.vsc_run import Vsc, ordinary_user

PIN, PUK = "123456", "12345678"
SUBJECT = "Ada Lovelace"
REALM, PRINCIPAL = "VSC.TEST", "ada"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_PKINIT_SAN = x509.ObjectIdentifier("1.3.6.1.5.2.2")
_PKINIT_CLIENT = x509.ObjectIdentifier("1.3.6.1.5.2.3.4")
PKINIT_KDC = x509.ObjectIdentifier("1.3.6.1.5.2.3.5")


@cache
def key(name: str) -> Key:
    """The same in every call. A name that begins with `ec` is on P-256."""
    return ec.generate_private_key(ec.SECP256R1()) if name.startswith("ec") else rsa.generate_private_key(65537, 2048)


def tlv(tag: int, value: bytes) -> bytes:
    assert len(value) < 128
    return bytes([tag, len(value)]) + value


def principal_name(*names: str) -> x509.OtherName:
    """KRB5PrincipalName in a SubjectAltName (RFC 4556 section 3.2.2): in the realm of these tests."""
    strings = b"".join(tlv(0x1B, name.encode()) for name in names)
    kind = b"\x01" if len(names) == 1 else b"\x02"
    name = tlv(0x30, tlv(0xA0, tlv(0x02, kind)) + tlv(0xA1, tlv(0x30, strings)))
    return x509.OtherName(_PKINIT_SAN, tlv(0x30, tlv(0xA0, tlv(0x1B, REALM.encode())) + tlv(0xA1, name)))


@cache
def certificate(owner: str) -> x509.Certificate:
    """A certificate for `key(owner)` by the authority: `kdc` is a KDC's, every other one is Ada's."""
    is_kdc, public, now = owner == "kdc", key(owner).public_key(), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kdc" if is_kdc else SUBJECT)])
    mine = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION, _PKINIT_CLIENT]
    usages = [PKINIT_KDC] if is_kdc else mine
    principal = principal_name("krbtgt", REALM) if is_kdc else principal_name(PRINCIPAL)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(authority().certificate.subject)
    builder = builder.public_key(public).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    builder = builder.add_extension(_key_usage(encrypts=isinstance(public, rsa.RSAPublicKey)), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([principal]), critical=False)
    return builder.sign(authority().key, SHA256())


def _key_usage(*, encrypts: bool) -> x509.KeyUsage:
    """MIT's KDC wants a client's key to sign, and OpenSC goes by what the certificate says."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=encrypts,
        data_encipherment=False,
        key_agreement=not encrypts,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def ssh_keys() -> bytes:
    """The public keys in 9A of both cards, as sshd has them."""
    lines = (key(name).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) for name in ("rsa", "ec"))
    return b"\n".join(lines) + b"\n"


class PivUser(Vsc):
    """An ordinary user with the two cards. Files: ca.pem, and of each key its certificate: rsa.pem, sign.pem …"""

    def make(self) -> None:
        authority().write(self.folder, "ca")
        for name in ("rsa", "sign", "kx", "ec"):
            own = certificate(name)
            pfx = pkcs12.serialize_key_and_certificates(name.encode(), key(name), own, None, NoEncryption())
            (self.folder / f"{name}.pfx").write_bytes(pfx)
            (self.folder / f"{name}.pem").write_bytes(own.public_bytes(Encoding.PEM))
        slots = ("--slot", "9c=sign.pfx", "--slot", "9d=kx.pfx")
        self("create", "rsa", "--profile", "piv", "--pin", "default", "--pfx", "rsa.pfx", *slots)
        self("create", "ec", "--profile", "piv", "--pin", "default", "--pfx", "ec.pfx")
        for name in ("rsa", "sign", "kx", "ec"):
            (self.folder / f"{name}.pfx").unlink()

    def client(self, card: str, *command: str | Path, code: int = 0, env: Mapping[str, str] = EMPTY) -> tuple[str, str]:
        """Runs a program with one of the cards in a reader; its standard output and error."""
        require_tool(str(command[0]))
        return self("run", "--card", card, "--", "timeout", "50", *command, code=code, **env)

    def shell(self, card: str, script: str, *, code: int = 0, env: Mapping[str, str] = EMPTY) -> tuple[str, str]:
        return self.client(card, "sh", "-c", script, code=code, env=env)

    def engine(self) -> dict[str, str]:
        """The variables that give openssl its PKCS#11 engine. The PIN comes from the environment, not from argv."""
        if not list(Path("/usr/lib").glob("**/engines-3/pkcs11.so")):
            unavailable("the pkcs11 engine of openssl (libengine-pkcs11-openssl) is not installed")
        (self.folder / "engine.cnf").write_text(
            "openssl_conf = top\n[top]\nengines = all\n[all]\npkcs11 = one\n[one]\nengine_id = pkcs11\n"
            f"MODULE_PATH = {module_path()}\nPIN = $ENV::CARD_PIN\ninit = 0\n"
        )
        return {"OPENSSL_CONF": str(self.folder / "engine.cnf"), "CARD_PIN": PIN}


@contextmanager
def piv_user() -> Iterator[PivUser]:
    with ordinary_user(PivUser) as user:
        user.make()
        yield user
        assert user.left() == []
