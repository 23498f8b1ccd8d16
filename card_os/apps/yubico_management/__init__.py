"""The management application of a YubiKey, as far as Yubico's tools ask it what the key is (piv.md section 9).

SELECT answers a text that ends in the firmware's version; READ CONFIG answers what there is on the key. Nothing can be
changed. Its state is the serial number, 4 bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.application import Application
from card_os.command import ANYBODY, Command, Session
from card_os.fact import Fact, Kind
from card_os.sw import SW, CardError
from card_os.tlv import Tlv, join, parse_all
from card_os.wire import WireError

__all__ = ["AID", "Device", "Management"]

AID = bytes.fromhex("A000000527471117")
SERIAL_BYTES = 4
READ_CONFIG = 0x1D


class _Tag(IntEnum):
    USB_SUPPORTED = 0x01
    SERIAL = 0x02
    USB_ENABLED = 0x03
    FORM_FACTOR = 0x04
    VERSION = 0x05
    AUTO_EJECT_TIMEOUT = 0x06
    CHALLENGE_RESPONSE_TIMEOUT = 0x07
    DEVICE_FLAGS = 0x08
    CONFIG_LOCK = 0x0A


@dataclass(frozen=True, slots=True)
class Device:
    """What does not change on a key. applications: bits, 10 being PIV; form_factor: 1, a keychain with USB-A."""

    version: tuple[int, int, int]
    applications: int = 0x0010
    form_factor: int = 0x01


class Management(Application[bytes, None]):
    """The application as the kernel sees it."""

    aid = AID
    name = "Yubico management"

    def __init__(self, device: Device) -> None:
        self.device = device
        self.commands = {
            READ_CONFIG: Command(
                "READ CONFIG",
                frozenset(page << 8 for page in range(0x100)),
                range(1),
                ANYBODY,
                self._read_config,
                "YubiKey manual, management: read config",
                refusals={SW.WRONG_DATA: "there is no such page"},
                answer_words=_answer_words,
                samples=((0x0000, b""), (0x0100, b"")),
            )
        }

    def select(self, session: Session[bytes, None], apdu: CommandApdu) -> ResponseApdu:
        return ResponseApdu(f"Virtual mgr - FW version {'.'.join(map(str, self.device.version))}".encode())

    def decode(self, raw: bytes) -> bytes:
        if len(raw) != SERIAL_BYTES:
            raise WireError(f"a serial number has {SERIAL_BYTES} bytes")
        return raw

    def facts(self, state: bytes) -> Iterable[Fact]:
        yield Fact(Kind.RULE, "serial number", state, str(int.from_bytes(state, "big")))

    def _read_config(self, session: Session[bytes, None], apdu: CommandApdu) -> bytes:
        """READ CONFIG: a length byte and the objects of page 0; there is no other page."""
        if apdu.p1:
            raise CardError(SW.WRONG_DATA, "there is only page 0", subject="READ CONFIG")
        device = self.device
        applications = device.applications.to_bytes(2, "big")
        values = {
            _Tag.USB_SUPPORTED: applications,
            _Tag.SERIAL: session.state,
            _Tag.USB_ENABLED: applications,
            _Tag.FORM_FACTOR: bytes([device.form_factor]),
            _Tag.VERSION: bytes(device.version),
            _Tag.AUTO_EJECT_TIMEOUT: bytes(2),
            _Tag.CHALLENGE_RESPONSE_TIMEOUT: b"\x0f",
            _Tag.DEVICE_FLAGS: b"\x00",
            _Tag.CONFIG_LOCK: b"\x00",
        }
        objects = join(Tlv(tag, value) for tag, value in values.items())
        return bytes([len(objects)]) + objects


def _answer_words(apdu: CommandApdu, data: bytes) -> str:
    try:
        found = {one.tag: one.value for one in parse_all(data[1:])}
    except WireError:
        return ""
    return f"version {'.'.join(map(str, found[_Tag.VERSION]))}" if _Tag.VERSION in found else ""
