"""A home with cards in every state, and files of every kind, for whoever uses them wrongly."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509 import load_der_x509_certificate

from card_os.pin import PinPolicy
from tests.unit.vsc import rows, samples
from tests.unit.vsc.samples import gids_state
from vsc.errors import CardLocked, ImageError
from vsc.factory import create, create_blank
from vsc.store.image import Image
from vsc.store.sqlite import SqliteStore
from vsc.world import SeededEnv

PIN, NEW, WRONG, PASSWORD = samples.PIN.decode(), "n3w-s3cr3t", "wr0ng-s3cr3t", "pa55-s3cr3t"
SECRETS = {
    "PIN": PIN,
    "NEW": NEW,
    "WRONG": WRONG,
    "PASSWORD": PASSWORD,
    "SHORT": "s3c",
    "KEY": samples.ADMIN_KEY.hex(),
    "WRONG_KEY": "5EC12E7" * 6 + "AAAAAA",
    "KEY_23": "5EC12E" * 7 + "AAAA",
}
"""Environment variables, and what must never be printed."""
SHORT, KEY_23 = SECRETS["SHORT"], bytes.fromhex(SECRETS["KEY_23"])


def make(home: Path) -> None:
    """Fills a home: work (with a key), blank, policy, puk, blocked, locked, damaged."""
    store = SqliteStore(home)
    store.create(samples.image("work", samples.state_with_key()))
    store.create(samples.image("damaged"))
    rows.put(home, b"damaged", "damaged")
    blocked = samples.state(admin_tries=1)
    store.create(samples.image("blocked", replace(blocked, pin=replace(blocked.pin, tries_left=0))))
    create_blank("blank", store=store)
    create("policy", pin=samples.PIN, admin_key=samples.ADMIN_KEY, policy=PinPolicy(min_length=6), store=store)
    create("puk", pin=samples.PIN, admin_key=samples.ADMIN_KEY, puk=b"87654321", store=store)
    SqliteStore(home, passphrase=b"passphrase", scrypt_cost=2).create(samples.image("locked"))


def make_files(folder: Path) -> None:
    """key.pem with certificate.pem, other-key.pem, ada.pfx (with a password), garbage."""
    key, other = samples.rsa_key().library_key(), SeededEnv("another key").rsa_key(1024).library_key()
    certificate = load_der_x509_certificate(samples.certificate())
    for name, one in {"key.pem": key, "other-key.pem": other}.items():
        pem = one.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / name).write_bytes(pem)
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    protection = BestAvailableEncryption(PASSWORD.encode())
    (folder / "ada.pfx").write_bytes(pkcs12.serialize_key_and_certificates(b"Ada", key, certificate, None, protection))
    (folder / "garbage").write_bytes(b"\x00garbage")


@dataclass(frozen=True, slots=True)
class State:
    """All that a home holds: for each card its image, or why it has none."""

    cards: Mapping[str, Image | str]

    @classmethod
    def of(cls, home: Path) -> "State":
        found = SqliteStore(home).images()
        return cls({_name(one): one if isinstance(one, Image) else str(one) for one in found})

    def after_a_wrong_secret(self, card: str, what: str) -> "State":
        """The same, but that the PIN, the PUK or the admin key of a card has one try less."""
        image = self.cards[card]
        assert isinstance(image, Image)
        state = gids_state(image)
        if what == "admin key":
            file = state.key_file(0x80)
            assert file is not None
            key = replace(file.key, tries_left=file.key.tries_left - 1)  # type: ignore
            state = state.with_file(replace(file, key=key))
        else:
            field = what.lower()
            pin = getattr(state, field)
            state = replace(state, **{field: replace(pin, tries_left=pin.tries_left - 1)})
        return State({**self.cards, card: image.with_persistent(image.profile.persistent(state))})


def _name(one: Image | ImageError | CardLocked) -> str:
    return one.name if isinstance(one, Image | CardLocked) else str(one)
