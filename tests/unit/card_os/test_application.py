"""card_os.application: what an application gets without asking, and what it must bring."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from card_os.apdu import ResponseApdu
from card_os.application import Application
from card_os.atr import Atr
from card_os.card import Card
from card_os.command import Command, Session
from card_os.memory import Persistent
from vsc.world import SeededEnv


class Smallest(Application[None, None]):
    """Only what must be there."""

    aid = b"SMALL"
    name = "smallest"
    commands: Mapping[int, Command] = MappingProxyType({})

    def new_volatile(self) -> None:
        return None

    def select(self, session: Session[None, None], p2: int) -> ResponseApdu:
        return ResponseApdu()

    def template(self, state: None) -> bytes:
        return b""

    def encode(self, state: None) -> bytes:
        return b""

    def decode(self, raw: bytes) -> None:
        return None


def test_the_defaults_are_the_gentle_ones() -> None:
    assert Smallest.keeps_status_on_reselect is True
    assert Smallest.refuses_broken_chains is False


def test_an_application_need_not_listen_to_every_command() -> None:
    card = Card((Smallest(),), Persistent(((Smallest.aid, None),)), SeededEnv(0), atr=Atr())
    assert card.transmit(bytes.fromhex("00FF0000")) == b"\x6d\x00"


@pytest.mark.parametrize("name", ["new_volatile", "select", "template", "encode", "decode"])
def test_an_application_must_bring_its_five_methods(name: str) -> None:
    unfinished = type("Unfinished", (Smallest,), {name: getattr(Application, name)})
    with pytest.raises(TypeError, match=name):
        unfinished()
    assert Smallest()
