"""What a reader says of itself by SCardControl (PC/SC part 10): its features, and its properties.

Every reader of ours has properties: a program that looks for the most data an APDU may carry would otherwise think that
only short ones pass. OpenSC sizes its buffers by it, and loses the end of a longer answer without a word.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from construct import GreedyRange, Int8ub, Int32ub, Struct

from card_os.wire import Format

FEATURE_REQUEST = 0x4200_0D48
"""CM_IOCTL_GET_FEATURE_REQUEST."""
MAX_APDU_DATA_BYTES = 65_536


class Feature(IntEnum):
    """Those that readers of ours have, by their tags in part 10."""

    VERIFY_PIN_DIRECT = 0x06
    MODIFY_PIN_DIRECT = 0x07
    GET_TLV_PROPERTIES = 0x12

    @property
    def control_code(self) -> int:
        """Any would do: programs ask. These are the ones that the driver for CCID readers has."""
        return 0x4233_0000 + self


class Property(NamedTuple):
    """size: in bytes."""

    tag: int
    size: int
    value: int


NO_DISPLAY = Property(0x01, 2, 0)
"""wLcdLayout: no display that a program could write on."""
NO_PSEUDO_APDUS = Property(0x09, 1, 0)
"""bPPDUSupport."""
MAX_APDU_DATA = Property(0x0A, 4, MAX_APDU_DATA_BYTES)
"""dwMaxAPDUDataSize: more than 256, so extended length."""
PROPERTIES = (NO_DISPLAY, NO_PSEUDO_APDUS, MAX_APDU_DATA)
"""Of any reader. No wIdVendor and wIdProduct: it is no USB device, and programs look for faulty ones by them."""

_FEATURES = Format(GreedyRange(Struct("tag" / Int8ub, "length" / Int8ub, "value" / Int32ub)))


def control(code: int) -> bytes | None:
    """What a reader answers that has nothing else; None: it does not know the code."""
    if code == FEATURE_REQUEST:
        return features([Feature.GET_TLV_PROPERTIES])
    return properties(PROPERTIES) if code == Feature.GET_TLV_PROPERTIES.control_code else None


def features(them: Iterable[Feature]) -> bytes:
    """The answer to FEATURE_REQUEST: for each its tag and its control code, big-endian."""
    entries = [{"tag": int(feature), "length": 4, "value": feature.control_code} for feature in them]
    return bytes(_FEATURES.struct.build(entries))


def properties(them: Iterable[Property]) -> bytes:
    """TLVs; numbers little-endian, as drivers give them on every host and OpenSC reads them."""
    return b"".join(bytes([tag, size]) + value.to_bytes(size, "little") for tag, size, value in them)
