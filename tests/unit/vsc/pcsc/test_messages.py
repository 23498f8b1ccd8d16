import pytest

from card_os.wire import WireError
from vsc.pcsc import messages as m
from vsc.pcsc.codes import Command, ReturnCode

SIZES = {
    m.Header: 8, m.Version: 12, m.EstablishContext: 12, m.ReleaseContext: 8, m.Connect: 152, m.Reconnect: 24,
    m.Disconnect: 12, m.BeginTransaction: 8, m.EndTransaction: 12, m.Cancel: 8, m.Status: 8, m.Transmit: 32,
    m.Control: 24, m.GetSetAttribute: 280, m.Notification: 8, m.ReaderEvents: 8, m.ArraySize: 4, m.ReaderState: 184,
}  # fmt: skip


@pytest.mark.parametrize(("kind", "size"), SIZES.items(), ids=lambda one: getattr(one, "__name__", str(one)))
def test_each_struct_has_the_size_that_the_c_compiler_gives_it(kind: type[m.Message], size: int) -> None:
    assert size == kind.SIZE
    with pytest.raises(WireError):
        kind.parse(bytes(size - 1))
    with pytest.raises(WireError):
        kind.parse(bytes(size + 1))


@pytest.mark.parametrize("kind", SIZES, ids=lambda one: str(one.__name__))
def test_what_is_built_is_parsed_to_the_same(kind: type[m.Message]) -> None:
    raw = bytes(kind.SIZE)
    assert bytes(kind.parse(raw)) == raw


def test_fields_are_where_the_reference_has_them() -> None:
    raw = bytes(m.Connect(0x01020304, m.padded_name(b"R"), 2, 3, -2, 5, ReturnCode.NO_SMARTCARD))
    assert raw[:6] == bytes([4, 3, 2, 1, ord("R"), 0])
    assert raw[132:] == bytes.fromhex("02000000 03000000 feffffff 05000000 0c001080")
    entry = bytes(m.ReaderState(m.padded_name(b"R"), 1, 0x34, -1, bytes(range(33)), 33, 2))
    assert entry[128:141] == bytes.fromhex("01000000 34000000 ffffffff 00")
    assert entry[172:] == bytes.fromhex("20 000000 21000000 02000000")


def test_a_name_ends_at_its_nul_or_at_127_bytes() -> None:
    assert m.Connect(1, b"ab\0cd".ljust(128, b"x"), 1, 1).name == b"ab"
    assert m.Connect(1, b"x" * 128, 1, 1).name == b"x" * 127
    assert len(m.padded_name(b"x" * 127)) == 128
    with pytest.raises(ValueError, match="127 bytes"):
        m.padded_name(b"x" * 128)


def test_refusals_carry_nothing_but_the_code() -> None:
    assert m.Transmit(1, 2, 16, 5, 2, 16, 99).refused(ReturnCode.NO_SMARTCARD).receive_bytes == 0
    assert m.Control(1, 2, 3, 4, 5).refused(ReturnCode.NO_SMARTCARD).returned_bytes == 0
    assert m.EstablishContext(9, 7).refused(ReturnCode.INVALID_VALUE).context == 0
    assert m.Status(1).refused(ReturnCode.RESET_CARD) == m.Status(1, ReturnCode.RESET_CARD)


def test_every_command_has_its_struct_or_none() -> None:
    assert set(m.REQUESTS) == set(Command)
