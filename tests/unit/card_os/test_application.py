"""card_os.application: what an application gets without asking, and what it must bring."""

from collections.abc import Mapping

import pytest

from card_os.apdu import CommandApdu
from card_os.application import Application
from card_os.atr import Atr
from card_os.card import Card
from card_os.command import ANYBODY, Command, Session
from card_os.description import DescriptionError
from card_os.memory import Persistent
from vsc.world import SeededEnv


def keep(session: Session[bytes, None], apdu: CommandApdu) -> bytes:
    session.commit(apdu.data)
    return b""


class Smallest(Application[bytes, None]):
    """Only what must be there."""

    aid = b"SMALL"
    name = "smallest"
    commands: Mapping[int, Command] = {0xDB: Command("KEEP", {0}, range(256), ANYBODY, keep, "this test")}


class Counting(Application[int, None]):
    """A state that is no bytes, and no codec for it."""

    aid = b"COUNT"
    name = "counting"
    commands: Mapping[int, Command] = {}


def card() -> Card:
    return Card((Smallest(),), Persistent(((Smallest.aid, b"old"),)), SeededEnv(0), atr=Atr())


def test_the_defaults_are_the_gentle_ones() -> None:
    assert Smallest.keeps_status_on_reselect is True
    assert Smallest.refuses_broken_chains is False


def test_an_application_need_not_listen_to_every_command() -> None:
    assert card().transmit(bytes.fromhex("00FF0000")) == b"\x6d\x00"


def test_three_names_make_an_application() -> None:
    one = card()
    assert one.transmit(b"\x00\xa4\x04\x00\x05SMALL") == b"\x90\x00"
    assert one.transmit(b"\x00\xdb\x00\x00\x03new") == b"\x90\x00"
    assert one.persistent.state(b"SMALL") == b"new"


def test_anybody_is_anybody() -> None:
    assert ANYBODY.words == "always"


def test_the_default_template_holds_the_aid() -> None:
    assert Smallest().template(b"") == b"\x61\x07\x4f\x05SMALL"


def test_a_state_of_bytes_needs_no_codec() -> None:
    one = Smallest()
    assert one.decode(one.encode(b"state")) == b"state"
    assert one.describe(b"\x01\x02") == {"state": "0102"}
    assert one.read_description({"state": "0102"}) == b"\x01\x02"
    with pytest.raises(DescriptionError, match="more: unknown"):
        one.read_description({"state": "0102", "more": 1})


def test_any_other_state_does_and_that_is_said() -> None:
    with pytest.raises(TypeError, match="'counting' has no schema for a state of type int"):
        Counting().encode(1)
