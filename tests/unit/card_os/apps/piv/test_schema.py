"""card_os.apps.piv.schema: every state through an image, an archive and back; its facts; its bounds."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os import key as keys
from card_os.apps.piv import Piv, PivState, Rules
from card_os.apps.piv.personalisation import new_pin
from card_os.apps.piv.state import AdminKey, CardCertificate, Origin, Slot
from card_os.apps.piv.wire import PinPolicy, TouchPolicy
from card_os.description import DescriptionError
from card_os.ec import EcPrivateKey
from card_os.fact import by_name
from card_os.key_kind import KeyKind
from card_os.symmetric import KEY_BYTES, SymmetricKey
from card_os.wire import WireError
from tests.unit.card_os.apps.piv.piv_card import key_of, new_state, slot_of

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
def test_a_state_is_read_from_its_description(state: PivState) -> None:
    assert PIV.read_description(PIV.describe(state)) == state


def test_a_description_in_another_order_is_the_same_card() -> None:
    state = new_state(slot_of(0x9A), slot_of(0x9C), slot_of(0x82))
    described = PIV.describe(state)
    for name in ("objects", "slots"):
        listed = described[name]
        assert isinstance(listed, list)
        listed.reverse()
    assert PIV.read_description(described) == state
    twice = {**described, "slots": [*described["slots"], *described["slots"]]}  # type: ignore[misc]
    with pytest.raises(DescriptionError, match="there is a key 9C already"):
        PIV.read_description(twice)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("management_key", {"touch_policy": "never", "key": {"cipher": "AES-128", "value": "00"}}, "16 bytes"),
        ("management_key", {"touch_policy": "never", "key": {"cipher": "P-256", "value": "00"}}, "not one of"),
        ("management_key", {"touch_policy": "soon", "key": {"cipher": "AES-128", "value": "00" * 16}}, "never"),
        ("serial_number", 2**32, "0 to 4294967295"),
        ("secure_messaging", {"key": {"type": "Ed25519", "pem": []}, "cvc": ""}, "PEM"),
    ],
)
def test_what_cannot_be_is_named(name: str, value: object, text: str) -> None:
    with pytest.raises(DescriptionError, match=text) as refused:
        PIV.read_description({**PIV.describe(new_state()), name: value})
    assert str(refused.value).startswith(name)


def test_a_key_says_its_kind_and_is_of_it() -> None:
    described = PIV.describe(new_state(slot_of(0x9A, KeyKind.P384)))
    slots: Any = described["slots"]
    assert slots[0]["key"]["type"] == "P-384"
    slots[0]["key"]["type"] = "P-256"
    with pytest.raises(DescriptionError, match="a key of P-384, not of P-256"):
        PIV.read_description(described)


def test_the_key_of_secure_messaging_is_one_of_a_curve() -> None:
    key = key_of(KeyKind.P256)
    assert isinstance(key, EcPrivateKey)
    state = replace(new_state(), sm=CardCertificate(key, b"cvc"))
    raw = PIV.encode(state).replace(keys.encode(key), keys.encode(key_of(KeyKind.ED25519)))
    with pytest.raises(WireError):
        PIV.decode(raw)


def test_bounds_hold_for_what_comes_in_another_way() -> None:
    application = Piv(replace(Rules(), max_object_bytes=200, max_bytes=250))
    application.check_bounds(new_state())
    with pytest.raises(ValueError, match="certificate 9A: 201 bytes"):
        application.check_bounds(new_state().with_object(0x5FC105, bytes(201)))
    with pytest.raises(ValueError, match="more than 250 bytes"):
        application.check_bounds(new_state().with_object(0x5FC105, bytes(200)))


def test_facts_are_named_for_people() -> None:
    facts = by_name(PIV.facts(new_state(slot_of(0x9C, KeyKind.RSA_1024, PinPolicy.ALWAYS))))
    shown = {name: fact.shown for name, fact in facts.items()}
    assert shown["PIN tries"] == "3"
    assert shown["signature key 9C"] == "RSA-1024"
    assert shown["PIN policy of signature key 9C"] == "always"
    assert shown["CHUID"] == "59 bytes"
    assert shown["cipher of the management key"] == "3DES"
    assert shown["PIN"] == shown["management key"] == ""


def test_images_keep_their_bytes_for_ever() -> None:
    """Version 1 of a small card."""
    state = new_state(slot_of(0x9A), guid=None)
    scalar = bytes(key_of(KeyKind.P256)).hex()
    assert PIV.encode(state).hex() == (
        b"PIV\x01".hex()
        + "0a0303313233343536ffff"
        + "0a03033132333435363738"
        + "00"
        + "1a0131"
        + "0102030405060708" * 3
        + "00000000"
        + "00112233"
        + "0000001f"
        + "0001"
        + "00000019"
        + "00007e"
        + "00000012"
        + "4f0ba0000003080000100001005f2f024000"
        + "0001"
        + "00000029"
        + "9a010201"
        + "00000021"
        + "11"
        + scalar
    )


@given(states())
def test_no_secret_is_told(state: PivState) -> None:
    text = repr(state) + "".join(fact.shown for fact in PIV.facts(state))
    assert "Secret(…)" in repr(state)
    assert state.admin.key.value.reveal().hex() not in text
    names = [fact.name for fact in PIV.facts(state)]
    assert len(names) == len(set(names))
