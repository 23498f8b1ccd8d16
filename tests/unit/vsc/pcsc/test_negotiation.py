import pytest

from vsc.pcsc.codes import Protocol, ReturnCode
from vsc.pcsc.errors import Refused
from vsc.pcsc.negotiation import negotiate, offered

T0, T1, T15, RAW = Protocol.T0, Protocol.T1, Protocol.T15, Protocol.RAW
BOTH = bytes.fromhex("3B80800101")


@pytest.mark.parametrize(
    ("atr", "protocols"),
    [
        ("3B00", T0),
        ("3B8000", T0),
        ("3B8001", T1),
        ("3B80800101", T0 | T1),
        ("3B80811F00", T1 | T15),
        ("3B901100", T0),
        ("3B801001", T1),  # TA2: specific mode
        ("3B80901101", T1),
        ("3B808080808001", T0 | T1),
        ("3B8F", T0),
        ("", T0),
    ],
)
def test_an_atr_offers_its_protocols(atr: str, protocols: Protocol) -> None:
    assert offered(bytes.fromhex(atr)) == protocols


def test_t1_comes_before_t0() -> None:
    assert negotiate(T0 | T1, Protocol.UNDEFINED, BOTH) == T1
    assert negotiate(T0, Protocol.UNDEFINED, BOTH) == T0
    assert negotiate(Protocol.ANY_OLD, Protocol.UNDEFINED, BOTH) == T1


def test_what_is_in_use_stays() -> None:
    assert negotiate(T0 | T1, T0, BOTH) == T0
    with pytest.raises(Refused) as refusal:
        negotiate(T1, T0, BOTH)
    assert refusal.value.rv == ReturnCode.PROTO_MISMATCH


def test_raw_is_always_had() -> None:
    assert negotiate(RAW | T1, T0, BOTH) == RAW


def test_none_in_common() -> None:
    with pytest.raises(Refused):
        negotiate(T0, Protocol.UNDEFINED, bytes.fromhex("3B800181"))
