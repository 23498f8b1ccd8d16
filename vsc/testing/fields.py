"""Data fields and P1-P2 for the commands of each application: what gets past the first checks, and some of it further.

The command tables say which lengths are accepted, not what the bytes mean. `FIELDS` says that, by AID and instruction;
a command without an entry gets data objects, or any bytes, of an accepted length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from card_os.apps.gids.wire import AID as GIDS_AID
from card_os.apps.gids.wire import Crt, Ins
from card_os.pin import PinPolicy
from card_os.tlv import Tlv, join, tag_bytes
from vsc.testing.quick import QuickEnv

Bytes = st.SearchStrategy[bytes]


@dataclass(frozen=True, slots=True)
class Fields:
    """What a command carries. p1p2: values that the row accepts, few enough that they meet; empty: any it accepts.

    is_tlv: the card refuses a data field that is no sequence of data objects.
    """

    data: Bytes | None = None
    p1p2: Sequence[int] = ()
    is_tlv: bool = False


# --- data objects ----------------------------------------------------------------------------------------------------


def tlv(tag: int, value: Bytes) -> st.SearchStrategy[Tlv]:
    """One data object."""
    return value.map(lambda raw: Tlv(tag, raw))


def objects(*options: st.SearchStrategy[Tlv]) -> Bytes:
    """Up to four of them, in any order."""
    return st.lists(st.one_of(*options), max_size=4).map(join)


def sequence(*parts: st.SearchStrategy[Tlv]) -> Bytes:
    """All of them, in this order."""
    return st.tuples(*parts).map(join)


def template(tag: int, value: Bytes) -> Bytes:
    """A constructed object round them."""
    return value.map(lambda raw: bytes(Tlv(tag, raw)))


# --- GIDS ------------------------------------------------------------------------------------------------------------


_SMALL = st.binary(max_size=20)
_KEY_ID = st.sampled_from([b"\x80", b"\x81", b"\x82", b"\x83", b"\x9f", b"", b"\x81\x00"])
_ALGORITHM = st.sampled_from([bytes([n]) for n in (2, 6, 7, 0x0C, 0x0D, 0x0E, 0x16, 0x46, 0x56, 0x57, 0x86, 0x1C, 0)])
_EFIDS = (0xA000, 0xA010, 0xA011, 0xA012, 0xA013, 0xB080, 0xB081, 0xB083, 0x3FFF, 0x2F00, 0x2F01, 0, 0xA0FF)
_EFID = st.sampled_from([efid.to_bytes(2, "big") for efid in _EFIDS])
_TAGS = (0xDF1F, 0xDF20, 0xDF21, 0xDF22, 0xDF23, 0xDF7E, 0x5C, 0x7F71, 0x7F72, 0x7F73, 0x61, 0x47, 0x81)
_TAG = st.sampled_from(_TAGS)
_RULES = ("033000", "0300FF", "8F10101000", "8F00000000", "870020FF", "03")
_RULE = st.sampled_from([bytes.fromhex(rule) for rule in _RULES])
_USAGE = st.sampled_from([b"\x40", b"\x80", b"\xc0"])
_CRT = st.one_of(
    *(tlv(crt, sequence(tlv(0x80, _ALGORITHM), tlv(0x83, _KEY_ID), tlv(0x95, _USAGE))) for crt in Crt)
).map(bytes)
_KEY_VALUE = (
    st.sampled_from([bytes(24), bytes(range(24))]) | st.just(bytes(QuickEnv(0).rsa_key(1024))) | st.binary(max_size=60)
)
_KEY_TYPE = st.sampled_from([b"\x01", b"\x02", b"\x03"])
_PIN = st.sampled_from([b"12345678", b"1234", bytes(127), b""]) | _SMALL
_DIGEST = st.sampled_from([0, 1, 20, 32, 51, 64, 97, 117, 127, 128, 129, 133]).map(lambda size: b"\x00\x01" * size)
_MECHANISM = sequence(tlv(0x80, _ALGORITHM), tlv(0x83, _KEY_ID))
_TWO_PINS = st.builds(lambda old, new: old + new, _PIN, _PIN)
_TAG_LIST = st.lists(_TAG, max_size=3).map(lambda tags: bytes(Tlv(0x5C, b"".join(map(tag_bytes, tags)))))
_WHOLE_PUBLIC_KEY = st.sampled_from([bytes.fromhex("7F4980"), b""])
_FCP = (tlv(0x82, st.sampled_from([b"\x39", b"\x18"])), tlv(0x83, _EFID), tlv(0x8C, _RULE))

_GIDS: Mapping[int, Fields] = {
    Ins.VERIFY: Fields(_PIN, (0x80, 0x81, 0x82, 0x00)),
    Ins.CHANGE_REFERENCE_DATA: Fields(_TWO_PINS, (0x80, 0x81, 0x180, 0x181)),
    Ins.RESET_RETRY_COUNTER: Fields(_TWO_PINS, (0x80, 0x280, 0x81)),
    Ins.MANAGE_SECURITY_ENVIRONMENT: Fields(
        _MECHANISM | objects(tlv(0x80, _ALGORITHM), tlv(0x83, _KEY_ID), tlv(0x84, _KEY_ID)),
        (0x41B6, 0x41B8, 0xC1A4, 0x41A4),
        is_tlv=True,
    ),
    Ins.PERFORM_SECURITY_OPERATION: Fields(_DIGEST.map(lambda raw: raw[: len(raw) // 2]) | _DIGEST, (0x9E9A, 0x8086)),
    Ins.GENERATE_ASYMMETRIC_KEY_PAIR: Fields(template(0xAC, _MECHANISM), is_tlv=True),
    Ins.GENERAL_AUTHENTICATE: Fields(
        template(
            0x7C,
            objects(
                tlv(0x81, st.sampled_from([b"", bytes(8), bytes(16)])),
                tlv(0x82, st.sampled_from([bytes(8), bytes(40)])),
            ),
        ),
        is_tlv=True,
    ),
    Ins.INTERNAL_AUTHENTICATE: Fields(
        template(0x7C, objects(tlv(0x81, st.just(bytes(32))), tlv(0x81, _SMALL), tlv(0x82, _SMALL))), is_tlv=True
    ),
    Ins.SELECT: Fields(_EFID | st.just(b""), (0x0000, 0x0004, 0x000C, 0x0002)),
    Ins.GET_DATA: Fields(
        _TAG_LIST | template(0x70, sequence(tlv(0x84, _KEY_ID), tlv(0xA5, _WHOLE_PUBLIC_KEY))),
        (0xA000, 0xA010, 0xA011, 0xA012, 0x0000, 0x3FFF, 0x2F00, 0x2F01, 0xB080, 0xB081),
        is_tlv=True,
    ),
    Ins.PUT_DATA: Fields(
        st.builds(lambda tag, value: bytes(Tlv(tag, value)), _TAG, _SMALL | st.just(bytes(PinPolicy())))
        | template(
            0x70,
            sequence(
                tlv(0x84, _KEY_ID), tlv(0xA5, objects(tlv(0x83, _KEY_TYPE), tlv(0x87, _KEY_VALUE)) | st.just(b""))
            ),
        ),
        (0xA000, 0xA010, 0xA012, 0xA013, 0x3FFF, 0x0000, 0xB080),
        is_tlv=True,
    ),
    Ins.CREATE_FILE: Fields(template(0x62, sequence(*_FCP) | sequence(*_FCP, tlv(0xA5, _CRT))), is_tlv=True),
}

FIELDS: Mapping[bytes, Mapping[int, Fields]] = {GIDS_AID: _GIDS}
"""By AID, then by instruction."""
