"""Cards that are the same in every run, and the recipe of the golden image."""

import datetime
import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from card_os.access import AccessRule
from card_os.apps.gids.minidriver import CONTAINER, CONTAINER_MAP, DIRECTORY, DirectoryEntry
from card_os.apps.gids.personalisation import personalised
from card_os.apps.gids.state import DataFile, GidsState, KeyFile, KeyUse
from card_os.apps.gids.wire import Crt
from card_os.pin import PinPolicy
from card_os.rsa import RsaPrivateKey
from card_os.tlv import Tlv
from vsc.profiles import GIDS
from vsc.store.image import Image
from vsc.world import SeededEnv

PIN = b"24681357"
PIN_HEX = PIN.hex().upper()
ADMIN_KEY = bytes.fromhex("0123456789ABCDEF 23456789ABCDEF01 456789ABCDEF0123")
CARD_ID = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
UUID_OF_CARD_ID = "33221100-5544-7766-8899-aabbccddeeff"

SELECT = "00A4040009A00000039742544659"
VERIFY = f"0020008008{PIN_HEX}"
WRONG_VERIFY = "00200080083030303030303030"
PIN_STATUS = "00200080"

IMAGES = Path(__file__).parent / "images"
GOLDEN = IMAGES / "v1-gids.card"
GOLDEN_2 = IMAGES / "v2-gids.card"
GOLDEN_LABEL = "Ada’s card \N{KEY}"
CERTIFICATE_PLACE = (0xA010, 0xDF24)


@cache
def rsa_key() -> RsaPrivateKey:
    return SeededEnv("golden image").rsa_key(1024)


@cache
def certificate(common_name: str = "Ada Lovelace") -> bytes:
    """A self-signed DER certificate of `rsa_key`, the same bytes in every run."""
    key = rsa_key().library_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2040, 1, 1))
    )
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def certificate_file(der: bytes) -> bytes:
    """A certificate as hosts keep it: a header, then a zlib stream without compression, so that no version differs."""
    return b"\x01\x00" + len(der).to_bytes(2, "little") + zlib.compress(der, 0)


def state(*, policy: PinPolicy | None = None, tries: int = 3, admin_tries: int | None = None) -> GidsState:
    """An operational card without keys but the admin key."""
    return personalised(
        pin=PIN, admin_key=ADMIN_KEY, card_id=CARD_ID, tries=tries, pin_policy=policy, admin_try_limit=admin_tries
    )


def with_content(start: GidsState, place: tuple[int, int], value: bytes) -> GidsState:
    """Returns the state with one host file written, rights or not."""
    efid, tag = place
    file = start.file(efid)
    assert isinstance(file, DataFile)
    return start.with_file(file.with_object(Tlv(tag, value)))


def content_of(start: GidsState, place: tuple[int, int]) -> bytes:
    file = start.file(place[0])
    assert isinstance(file, DataFile)
    found = file.get(place[1])
    assert found is not None
    return found.value


def container(name: str, *, flags: int = 0x03, signature_bits: int = 0, exchange_bits: int = 1024) -> bytes:
    """A record of the container map."""
    fields = {"flags": flags, "signature_bits": signature_bits, "exchange_bits": exchange_bits}
    return CONTAINER.build({"name": name.encode("utf-16-le").ljust(80, b"\x00"), **fields})


def state_with_key(stored_certificate: bytes | None = None, *, name: str = "Ada's key") -> GidsState:
    """An operational card with an RSA key in container 0 and its certificate as kxc00."""
    uses = tuple(KeyUse(*use, 0x40) for use in ((Crt.CONFIDENTIALITY, 0x46), (Crt.SIGNATURE, 0x56)))
    rule = AccessRule.parse(bytes.fromhex("8F10101000"))
    made = state().with_file(KeyFile(0xB081, rule, uses, is_active=True, born_operational=True, key=rsa_key()))
    made = with_content(made, CONTAINER_MAP, container(name))
    entry = DirectoryEntry("mscp", "kxc00", CERTIFICATE_PLACE[1], CERTIFICATE_PLACE[0])
    made = with_content(made, DIRECTORY, content_of(made, DIRECTORY) + bytes(entry))
    stored = certificate_file(certificate()) if stored_certificate is None else stored_certificate
    return with_content(made, CERTIFICATE_PLACE, stored)


def image(name: str = "work", card_state: GidsState | None = None) -> Image:
    return Image(name, GIDS, GIDS.persistent(card_state or state()))


def gids_state(card: Image) -> GidsState:
    """The state of the GIDS application of a card."""
    (found,) = (state for _, state in card.persistent.applications if isinstance(state, GidsState))
    return found


def golden_image() -> Image:
    """What the golden files were written from, once: the first by version 0.1.0, the second with GOLDEN_LABEL."""
    start = state_with_key()
    return image("golden", replace(start, pin=replace(start.pin, tries_left=2)))


def large_golden_image() -> Image:
    """The same card with more than fits in one row: what the database of version 3 was written from."""
    start = gids_state(golden_image())
    for number in range(3):
        start = with_content(start, (0xA012, 0xDF30 + number), bytes([number]) * 6000)
    return replace(image("golden", start), label=GOLDEN_LABEL)
