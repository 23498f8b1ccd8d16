"""card_os.channel: the rows of MANAGE CHANNEL (iso7816.md section 5). Through a whole card: test_card.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pytest

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.application import Application
from card_os.channel import Channel, Volatile
from card_os.class_byte import MAX_CHANNELS
from card_os.command import Command, Session, Table, dispatch
from card_os.kernel import KERNEL, KernelIns, KernelSession
from card_os.sw import SW, CardError
from tests.unit.each import each


class Plain(Application[None, list[str]]):
    """An application whose volatile part is a list, new for each selection."""

    aid = b"PLAIN"
    name = "plain"
    commands: Mapping[int, Command] = MappingProxyType({})

    def new_volatile(self) -> list[str]:
        return []

    def select(self, session: Session[None, list[str]], apdu: CommandApdu) -> ResponseApdu:
        return ResponseApdu()

    def template(self, state: None) -> bytes:
        return b""

    def encode(self, state: None) -> bytes:
        return b""

    def decode(self, raw: bytes) -> None:
        return None


DEFAULT, OTHER = Plain(), Plain()


def volatile_with(*channels: int) -> Volatile:
    volatile = Volatile.after_reset(DEFAULT)
    volatile.channels |= {number: Channel.fresh(OTHER) for number in channels}
    return volatile


@dataclass
class Channels:
    """Of a card its channels."""

    volatile: Volatile

    def select(self, number: int, apdu: CommandApdu) -> ResponseApdu:
        raise NotImplementedError

    def fresh(self, here: int) -> Channel:
        return Channel.fresh(self.volatile.channels[here].application if here else DEFAULT)


def manage(volatile: Volatile, p1: int, p2: int, *, here: int = 0, data: bytes = b"") -> bytes:
    command = CommandApdu(here, KernelIns.MANAGE_CHANNEL, p1, p2, data)
    return dispatch(Table(KERNEL), KernelSession(Channels(volatile), here), command).data


def test_after_a_reset_only_channel_0_is_open() -> None:
    volatile = Volatile.after_reset(DEFAULT)
    assert list(volatile.channels) == [0]
    assert volatile.channels[0].application is DEFAULT
    assert Volatile.after_reset(None).channels[0] == Channel(None)


@pytest.mark.parametrize(("already", "number"), [((), 1), ((1,), 2), ((2, 3), 1), (tuple(range(1, 19)), 19)])
def test_the_card_chooses_the_lowest_free_channel_and_says_which(already: tuple[int, ...], number: int) -> None:
    volatile = volatile_with(*already)
    assert manage(volatile, 0x00, 0x00) == bytes([number])
    assert number in volatile.channels


def test_the_host_may_choose_the_channel() -> None:
    for number in each(range(1, MAX_CHANNELS)):
        volatile = volatile_with()
        assert manage(volatile, 0x00, number) == b""
        assert set(volatile.channels) == {0, number}


def test_a_channel_opened_from_channel_0_is_as_after_a_reset() -> None:
    volatile = volatile_with()
    volatile.channels[0] = Channel(OTHER, ["verified"])
    manage(volatile, 0x00, 1)
    assert volatile.channels[1].application is DEFAULT
    assert volatile.channels[1].volatile == []


def test_a_channel_opened_from_another_has_its_application_with_nothing_verified() -> None:
    volatile = volatile_with(2)
    volatile.channels[2].volatile.append("verified")
    manage(volatile, 0x00, 0x00, here=2)
    assert volatile.channels[1].application is OTHER
    assert volatile.channels[1].volatile == []
    assert volatile.channels[2].volatile == ["verified"]


@pytest.mark.parametrize(
    ("here", "p2", "closed"), [(0, 1, 1), (0, 19, 19), (1, 0, 1), (19, 0, 19), (1, 19, 19), (1, 1, 1)]
)
def test_a_channel_is_closed_from_itself_or_from_another(here: int, p2: int, closed: int) -> None:
    volatile = volatile_with(1, 19)
    assert manage(volatile, 0x80, p2, here=here) == b""
    assert set(volatile.channels) == {0, 1, 19} - {closed}


def test_a_channel_opened_again_remembers_nothing() -> None:
    volatile = volatile_with(1)
    volatile.channels[1].volatile.append("verified")
    volatile.channels[1].link.pending = ResponseApdu(b"left over")
    manage(volatile, 0x80, 1)
    manage(volatile, 0x00, 1)
    assert volatile.channels[1] == Channel.fresh(DEFAULT)


EVERY = tuple(range(1, MAX_CHANNELS))


@pytest.mark.parametrize(
    ("open_channels", "p1", "p2", "data", "sw"),
    [
        (EVERY, 0x00, 0x00, b"", SW.FUNCTION_NOT_SUPPORTED),
        ((1,), 0x00, 0x01, b"", SW.INCORRECT_P1P2),
        ((), 0x00, 0x14, b"", SW.INCORRECT_P1P2),
        ((), 0x00, 0xFF, b"", SW.INCORRECT_P1P2),
        ((), 0x80, 0x00, b"", SW.INCORRECT_P1P2),
        ((), 0x80, 0x14, b"", SW.INCORRECT_P1P2),
        ((), 0x80, 0x01, b"", SW.CHANNEL_NOT_SUPPORTED),
        ((), 0x40, 0x00, b"", SW.INCORRECT_P1P2),
        ((), 0x01, 0x00, b"", SW.INCORRECT_P1P2),
        ((), 0xFF, 0xFF, b"", SW.INCORRECT_P1P2),
        ((), 0x00, 0x00, b"\x01", SW.WRONG_LENGTH),
        ((1,), 0x80, 0x01, b"\x01", SW.WRONG_LENGTH),
        ((), 0x40, 0x00, b"\x01", SW.INCORRECT_P1P2),
    ],
)
def test_refusals_leave_the_channels_as_they_were(
    open_channels: tuple[int, ...], p1: int, p2: int, data: bytes, sw: SW
) -> None:
    volatile = volatile_with(*open_channels)
    with pytest.raises(CardError) as refused:
        manage(volatile, p1, p2, data=data)
    assert refused.value.sw == sw
    assert set(volatile.channels) == {0, *open_channels}
