"""card_os.atr: the samples of iso7816.md section 10, and what is no answer to reset."""

import pytest

from card_os.atr import MAX_BYTES, Atr, Interface
from card_os.wire import WireError
from tests.unit.each import each

T1_INTERFACE = (Interface(0x18, None, 0xFF), Interface(protocol=1), Interface(0xFE, 0x45, protocol=1))

SAMPLES = [
    ("3B80800101", Atr((Interface(), Interface(protocol=0), Interface(protocol=1))), (0, 1)),
    ("3B8480015653433172", Atr((Interface(), Interface(protocol=0), Interface(protocol=1)), b"VSC1"), (0, 1)),
    ("3BD418FF8131FE45565343314F", Atr(T1_INTERFACE, b"VSC1"), (1,)),
    (
        "3BF4130000 8131FE45 56534331 9B",
        Atr((Interface(0x13, 0, 0), Interface(protocol=1), Interface(0xFE, 0x45, protocol=1)), b"VSC1"),
        (1,),
    ),
    (
        "3BFD130000 8131FE15 8073C021C057597562694B6579 40",
        Atr(
            (Interface(0x13, 0, 0), Interface(protocol=1), Interface(0xFE, 0x15, protocol=1)),
            bytes.fromhex("8073C021C0") + b"WYubiKey",
        ),
        (1,),
    ),
    ("3B0456534331", Atr(historical=b"VSC1"), (0,)),
    ("3F00", Atr(ts=0x3F), (0,)),
    ("3B8000", Atr((Interface(), Interface(protocol=0))), (0,)),
    ("3B801F039C", Atr((Interface(), Interface(3, protocol=15))), (0,)),
]


@pytest.mark.parametrize(("raw", "atr", "protocols"), SAMPLES, ids=[row[0] for row in SAMPLES])
def test_samples(raw: str, atr: Atr, protocols: tuple[int, ...]) -> None:
    wire = bytes.fromhex(raw)
    assert Atr.parse(wire) == atr
    assert bytes(atr) == wire
    assert atr.protocols == protocols


@pytest.mark.parametrize("raw", [row[0] for row in SAMPLES])
def test_a_byte_missing_or_left_over_is_refused(raw: str) -> None:
    wire = bytes.fromhex(raw)
    for size in range(len(wire)):
        with pytest.raises(WireError):
            Atr.parse(wire[:size])
    with pytest.raises(WireError):
        Atr.parse(wire + b"\x00")


def test_a_wrong_tck_is_refused() -> None:
    for tck in each([byte for byte in range(256) if byte != 0x4F]):
        with pytest.raises(WireError, match="TCK"):
            Atr.parse(bytes.fromhex("3BD418FF8131FE4556534331") + bytes([tck]))


def test_tck_is_absent_only_if_t0_alone_is_offered() -> None:
    assert not Atr().has_tck
    assert not Atr((Interface(), Interface(protocol=0))).has_tck
    assert Atr((Interface(), Interface(protocol=1))).has_tck
    assert Atr((Interface(), Interface(protocol=0), Interface(protocol=15))).has_tck


@pytest.mark.parametrize("ts", [0x00, 0x3A, 0xFF])
def test_ts_is_3b_or_3f(ts: int) -> None:
    with pytest.raises(WireError):
        Atr.parse(bytes([ts, 0]))
    with pytest.raises(WireError):
        Atr(ts=ts)


def _groups(count: int) -> tuple[Interface, ...]:
    return (Interface(1, 2, 3), *(Interface(1, 2, 3, protocol=1) for _ in range(count - 1)))


def test_an_atr_has_at_most_33_bytes() -> None:
    # TS, T0, three full groups with TD and one without, TCK: 18 bytes, so 15 historical bytes fill it.
    assert len(bytes(Atr(_groups(4), bytes(15)))) == MAX_BYTES
    with pytest.raises(WireError, match="33"):
        Atr(_groups(5), bytes(15))


def test_too_long_an_atr_is_not_parsed_either() -> None:
    raw = bytes([0x3B, 0xFF]) + b"\x01\x02\x03\xf1" * 8 + b"\x01\x02\x03\x01" + bytes(16)
    with pytest.raises(WireError):
        Atr.parse(raw)


@pytest.mark.parametrize(
    "interface",
    [
        (),
        (Interface(protocol=1),),
        (Interface(), Interface()),
        (Interface(), Interface(protocol=16)),
        (Interface(), Interface(protocol=-1)),
        (Interface(ta=256),),
        (Interface(tb=-1),),
    ],
)
def test_an_atr_cannot_hold_nonsense(interface: tuple[Interface, ...]) -> None:
    with pytest.raises(ValueError):
        Atr(interface)


def test_at_most_15_historical_bytes() -> None:
    with pytest.raises(WireError, match="15"):
        Atr(historical=bytes(16))


def test_t15_is_no_protocol_and_each_protocol_is_named_once() -> None:
    atr = Atr((Interface(), *(Interface(protocol=t) for t in (1, 15, 1, 0))))
    assert atr.protocols == (1, 0)
