"""vsc.testing.hooks: what an application of one's own has left out, named where an invariant is broken."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import pytest

from card_os.apdu import CommandApdu
from card_os.application import Application
from card_os.atr import Atr
from card_os.command import ANYBODY, Command, Session
from card_os.fact import Fact, Kind
from card_os.pin import Pin, verify
from card_os.secret import Secret
from vsc.profiles import Profile
from vsc.testing import SoftCard, TornCardError, tear_everywhere
from vsc.world import SystemEnv

VERIFY = bytes.fromhex("0020008004")
TRIES = "PIN tries"


@dataclass(frozen=True)
class State:
    pin: Pin


def verify_pin(session: Session[State, None], apdu: CommandApdu) -> bytes:
    verify(session.state.pin, apdu.data, lambda pin: session.commit(State(pin)), subject="PIN")
    return b""


ROW = Command("VERIFY", {0x80}, {4}, ANYBODY, verify_pin, "", presents=lambda session, apdu: (TRIES,))


class Honest(Application[State, None]):
    aid, name = b"\xf0HONEST", "honest"
    commands = MappingProxyType({0x20: ROW})

    def encode(self, state: State) -> bytes:
        assert state.pin.value is not None
        return bytes([state.pin.tries_left]) + state.pin.value.reveal()

    def decode(self, raw: bytes) -> State:
        return State(Pin(Secret(raw[1:]), 3, raw[0]))

    def facts(self, state: State) -> Iterable[Fact]:
        yield Fact(Kind.COUNTER, TRIES, state.pin.tries_left, str(state.pin.tries_left))
        yield Fact(Kind.SECRET, "PIN", state.pin.value)


class WithoutFacts(Honest):
    facts = Application.facts


class WithoutPresents(Honest):
    commands = MappingProxyType({0x20: replace(ROW, presents=lambda session, apdu: ())})


class WithNeither(WithoutFacts, WithoutPresents):
    pass


class WithAnotherName(Honest):
    commands = MappingProxyType({0x20: replace(ROW, presents=lambda session, apdu: ("tries",))})


class Twofold(WithoutPresents):
    """A bug: what is refused has changed more than a counter, and nothing says that it is a PIN."""

    def facts(self, state: State) -> Iterable[Fact]:
        yield Fact(Kind.OBJECT, "data", state.pin.tries_left, str(state.pin.tries_left))


def torn(application: Application[Any, Any]) -> str:
    profile = Profile("own", "One's own", Atr(historical=b"own"), (application,))
    card = SoftCard(profile, profile.persistent(State(Pin(Secret(b"1234"), 3, 3))), SystemEnv())
    try:
        return str(tear_everywhere(lambda card: [card.transmit(VERIFY + pin) for pin in (b"0000", b"1234")], card=card))
    except TornCardError as error:
        return str(error)


def test_with_both_nothing_is_missing() -> None:
    assert "6 power cuts at 3 commits of 2 commands" in torn(Honest())


@pytest.mark.parametrize(
    ("application", "missing"),
    [
        (WithoutFacts(), ["the application 'honest' has no `facts`", "what differs: byte 1 of 5 of its state"]),
        (WithoutFacts(), ["`presents` 'PIN tries', and `facts` have no such counter; there is: none"]),
        (WithNeither(), ["has no `facts`", "compares a PIN or a key, its row has no `presents`"]),
        (WithAnotherName(), ["`presents` 'tries', and `facts` have no such counter; there is: 'PIN tries'"]),
        (Twofold(), ["compares a PIN or a key, its row has no `presents`"]),
    ],
)
def test_what_is_missing_is_named(application: Application[Any, Any], missing: list[str]) -> None:
    said = torn(application)
    assert "1234" not in said
    assert all(words in said.partition("missing, perhaps: ")[2] for words in missing), said
