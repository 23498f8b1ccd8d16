"""Somebody with a card: what a test of a login needs to know of them."""

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from vsc.errors import VscError
from vsc.testing.card import SoftCard
from vsc.testing.card_factory import CardFactory
from vsc.testing.reader import VirtualReader

MODULE = "opensc-pkcs11.so"
_FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib")
_SERIAL_DIGITS = 16


@dataclass(frozen=True, slots=True)
class CardUser:
    """A person, their card in a reader, and what others know of them.

    certificate: the one on the card; certificate_file: the same in PEM. ca_bundle: PEM file with the certificates of
    the authorities that a server must trust to let the user in. container: number of their key on the card.
    """

    name: str
    card: SoftCard
    reader: VirtualReader
    pin: str
    certificate: x509.Certificate
    certificate_file: Path
    ca_bundle: Path
    container: int
    card_id: uuid.UUID

    @classmethod
    def of(cls, card: SoftCard, reader: VirtualReader, *, made_by: CardFactory, folder: Path) -> Self:
        """Writes the files into the folder. VscError if the factory has not made a certificate for that card."""
        filled = made_by.on_card(card)
        if filled is None or filled.certificate is None or filled.card_id is None:
            raise VscError("the card of a user has a key and a certificate: make it with key= and certificate=")
        files = folder / "certificate.pem", folder / "ca-bundle.pem"
        trusted = filled.authorities or (filled.certificate,)
        files[0].write_bytes(filled.certificate.public_bytes(Encoding.PEM))
        files[1].write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in trusted))
        name, pin = filled.name or "", card.pin or ""
        return cls(name, card, reader, pin, filled.certificate, *files, filled.container, filled.card_id)

    def __repr__(self) -> str:
        return f"<CardUser {self.name!r}>"

    @property
    def pkcs11_uri(self) -> str:
        """Key and certificate as OpenSC's PKCS#11 module has them (RFC 7512); the PIN is not in it."""
        # OpenSC's serial number of a token is the end of the card id.
        return f"pkcs11:serial={self.card_id.bytes_le.hex()[-_SERIAL_DIGITS:]};id=%{self.container:02X}"

    @property
    def pkcs11_module(self) -> Path:
        """OpenSC's module. VscError if it is not installed."""
        return pkcs11_module()


def pkcs11_module() -> Path:
    """Where OpenSC's PKCS#11 module is, whatever the platform calls its folders. VscError if it is nowhere."""
    for folder in map(Path, _FOLDERS):
        for path in (folder / MODULE, *sorted(folder.glob(f"*-linux-*/{MODULE}"))):
            if path.exists():
                return path
    raise VscError(f"{MODULE} is not installed (Debian: package opensc-pkcs11)")
