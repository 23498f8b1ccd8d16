"""card_os.apps.piv.codec: every state through an image and back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.apps.piv import Piv, PivState
from card_os.apps.piv.personalisation import new_pin
from card_os.apps.piv.state import AdminKey, CardCertificate, Origin, Slot
from card_os.apps.piv.wire import PinPolicy, TouchPolicy
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.symmetric import KEY_BYTES, SymmetricKey
from card_os.wire import WireError
from tests.unit.card_os.apps.piv.piv_card import key_of, new_state

PIV = Piv()
KINDS = [KeyKind.RSA_1024, KeyKind.P256, KeyKind.P384, KeyKind.ED25519, KeyKind.X25519]
pins = st.builds(new_pin, st.binary(min_size=6, max_size=8), st.integers(1, 15))
slots = st.builds(
    Slot,
    st.sampled_from([0x9A, 0x9C, 0x9D, 0x9E, 0x82, 0x95, 0xF9]),
    st.sampled_from(KINDS).map(key_of),
    st.sampled_from(Origin),
    st.sampled_from(PinPolicy),
    st.sampled_from(TouchPolicy),
)
admins = st.builds(
    lambda kind, value, touch: AdminKey(SymmetricKey.of(kind, value[: KEY_BYTES[kind]]), touch),
    st.sampled_from(list(KEY_BYTES)),
    st.binary(min_size=32, max_size=32),
    st.sampled_from(TouchPolicy),
)


@st.composite
def states(draw: st.DrawFn) -> PivState:
    key = key_of(draw(st.sampled_from([KeyKind.P256, KeyKind.P384])))
    assert isinstance(key, EcPrivateKey)
    state = replace(
        new_state(),
        pin=draw(pins),
        puk=draw(pins),
        global_pin=draw(st.none() | pins),
        admin=draw(admins),
        sm=draw(st.none() | st.builds(CardCertificate, st.just(key), st.binary(max_size=300))),
        serial=draw(st.integers(0, 2**32 - 1)),
    )
    for slot in draw(st.lists(slots, max_size=3)):
        state = state.with_slot(slot)
    for tag, value in draw(st.dictionaries(st.integers(1, 0xFFFFFF), st.binary(max_size=300), max_size=3)).items():
        state = state.with_object(tag, value)
    return state


@given(states())
def test_a_state_is_read_back(state: PivState) -> None:
    assert PIV.decode(PIV.encode(state)) == state


@given(states(), st.data())
def test_what_is_cut_off_is_no_state(state: PivState, data: st.DataObject) -> None:
    raw = PIV.encode(state)
    at = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(WireError):
        PIV.decode(raw[:at])
    with pytest.raises(WireError):
        PIV.decode(raw + b"\x00")


@given(st.binary(max_size=60).map(lambda raw: b"PIV\x01" + raw) | st.binary(max_size=60))
def test_any_bytes_are_a_state_or_an_error(raw: bytes) -> None:
    try:
        state = PIV.decode(raw)
    except WireError:
        return
    assert PIV.decode(PIV.encode(state)) == state


@given(states())
def test_no_secret_is_told(state: PivState) -> None:
    text = repr(state) + "".join(fact.shown for fact in PIV.facts(state))
    assert "Secret(…)" in repr(state)
    assert state.admin.key.value.reveal().hex() not in text
    names = [fact.name for fact in PIV.facts(state)]
    assert len(names) == len(set(names))
