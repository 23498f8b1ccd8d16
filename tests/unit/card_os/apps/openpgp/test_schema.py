"""card_os.apps.openpgp.schema, outline and bounds: what is kept, and what is told of it."""

from dataclasses import replace

import pytest

from card_os.apps.openpgp import OpenPgp
from card_os.apps.openpgp.personalisation import factory_state, personalised
from card_os.apps.openpgp.state import OpenPgpState
from card_os.apps.openpgp.wire import Key
from card_os.description import DescriptionError
from card_os.fact import Kind
from card_os.key_kind import KeyKind
from card_os.symmetric import SymmetricKey
from tests.unit.card_os.apps.openpgp.openpgp_card import STRICT, with_key

APPLICATION = OpenPgp()
VERSION_1 = "4F5047500100000042050803033132333435360203000A030331323334353637380000000003810100000000002400000000"


def full() -> OpenPgpState:
    state = personalised(STRICT, serial=0x42, resetting_code=b"87654321")
    for key, kind in zip(Key, (KeyKind.ED25519, KeyKind.X25519, KeyKind.RSA_2048), strict=False):
        state = with_key(state, key, kind)
    slot = state.slots[0]
    state = state.with_slot(replace(slot, fingerprint=bytes(range(20)), created=1, certificate=b"\x30\x00"))
    holder = replace(state.holder, name=b"Lovelace<<Ada", private_3=b"secret")
    return replace(state, aes=SymmetricKey.of(KeyKind.AES_128, bytes(16)), holder=holder)


@pytest.mark.parametrize("state", [factory_state(STRICT, 1), full()], ids=["new", "full"])
def test_it_comes_back(state: OpenPgpState) -> None:
    assert APPLICATION.decode(APPLICATION.encode(state)) == state
    assert APPLICATION.read_description(APPLICATION.describe(state)) == state


def test_the_bytes_of_version_1() -> None:
    assert APPLICATION.encode(factory_state(STRICT, 0x42)).hex().upper().startswith(VERSION_1)


def test_a_key_of_another_kind_than_its_attributes_is_refused() -> None:
    state = full()
    described = APPLICATION.describe(state)
    described["slots"][0]["attributes"] = "010800002000"  # type: ignore[index]
    with pytest.raises(DescriptionError, match="a key of Ed25519 where one of RSA-2048 belongs"):
        APPLICATION.read_description(described)
    described = APPLICATION.describe(state)
    described["slots"][0]["fingerprint"] = "00"  # type: ignore[index]
    with pytest.raises(DescriptionError, match="a fingerprint has 20 bytes"):
        APPLICATION.read_description(described)


def test_facts_name_what_people_know() -> None:
    facts = {fact.name: fact for fact in APPLICATION.facts(full())}
    assert facts["PIN tries"].value == 3
    assert (facts["key SIG"].kind, facts["key SIG"].shown) == (Kind.KEY, "Ed25519")
    assert facts["resetting code"].kind == Kind.SECRET
    assert facts["resetting code tries"].value == 3
    assert facts["name"].shown == "13 bytes"


def test_the_outline_lists_passwords_and_slots() -> None:
    found = APPLICATION.outline(full())
    assert [one.name for one in found.references] == ["PIN", "resetting code", "admin PIN"]
    assert [(one.number, one.name, one.kind) for one in found.slots] == [
        (1, "SIG", KeyKind.ED25519),
        (2, "DEC", KeyKind.X25519),
        (3, "AUT", KeyKind.RSA_2048),
    ]
    assert found.slots[0].certificates == (b"\x30\x00",)
    assert found.identity == bytes.fromhex("D276000124010304FFFE000000420000")
    new = APPLICATION.outline(factory_state(STRICT, 1))
    assert [one.name for one in new.references] == ["PIN", "admin PIN"]
    assert new.slots == ()


def test_bounds() -> None:
    state = full()
    APPLICATION.check_bounds(state)
    with pytest.raises(ValueError, match="5E"):
        APPLICATION.check_bounds(replace(state, holder=replace(state.holder, login=bytes(2049))))
    with pytest.raises(ValueError, match="certificate of key SIG"):
        APPLICATION.check_bounds(state.with_slot(replace(state.slots[0], certificate=bytes(2049))))
    with pytest.raises(ValueError, match="other places"):
        APPLICATION.check_bounds(replace(state, slots=state.slots[:2]))


def test_it_is_named_by_any_beginning_of_its_aid() -> None:
    state = factory_state(STRICT, 0x42)
    aid = bytes.fromhex("D276000124010304FFFE000000420000")
    for size in (5, 6, 8, 16):
        assert APPLICATION.is_named(aid[:size], state)
        assert APPLICATION.is_named(aid[:size])
    assert not APPLICATION.is_named(aid[:-3] + b"\1\0\0", state)
    assert APPLICATION.template(state).hex().upper() == "61124F10" + aid.hex().upper()
