"""The state as a value."""

from dataclasses import replace

import pytest

from card_os.access import AccessRule, Right
from card_os.admin import AdminKey, Challenge
from card_os.apps.gids.state import (
    DEFAULT_FMD,
    DEFAULT_TEMPLATE,
    DataFile,
    Environment,
    GidsState,
    GidsVolatile,
    KeyFile,
    KeyUse,
    LifeCycle,
    key_type,
)
from card_os.apps.gids.wire import EC_KINDS, Crt
from card_os.pin import NO_POLICY, Pin, PinPolicy
from card_os.tlv import Tlv
from tests.unit.card_os.apps.gids.gids_card import ADMIN_KEY, PIN, ec_key, ready_state, rsa_key

RULE = AccessRule.parse(bytes.fromhex("033000"))


def test_a_new_object_goes_to_the_end_and_a_known_one_keeps_its_place() -> None:
    file = DataFile(0xA010, RULE, objects=(Tlv(0xDF21, b"1"), Tlv(0xDF22, b"2")))
    assert [one.tag for one in file.with_object(Tlv(0xDF20)).objects] == [0xDF21, 0xDF22, 0xDF20]
    assert file.with_object(Tlv(0xDF21, b"3")).objects == (Tlv(0xDF21, b"3"), Tlv(0xDF22, b"2"))
    assert file.without_object(0xDF21).objects == (Tlv(0xDF22, b"2"),)
    assert file.without_object(0xDF99) == file
    assert file.get(0xDF99) is None


def test_files_keep_their_order_as_well() -> None:
    state = ready_state()
    order = [file.efid for file in state.files]
    first = replace(state.files[0], is_active=False)
    assert [file.efid for file in state.with_file(first).files] == order
    assert state.with_file(first).files[0] == first
    assert [file.efid for file in state.with_file(DataFile(1, RULE)).files] == [*order, 1]
    assert [file.efid for file in state.without_file(0xA010).files] == [one for one in order if one != 0xA010]


def test_a_data_file_is_no_key_file_whatever_its_number() -> None:
    state = GidsState(files=(DataFile(0xB081, RULE),))
    assert state.key_file(0x81) is None
    assert ready_state().key_file(0x80) is not None


@pytest.mark.parametrize(
    ("crt", "usage", "is_admin"),
    [
        (Crt.AUTHENTICATION, 0xC0, True),
        (Crt.AUTHENTICATION, 0x80, True),
        (Crt.AUTHENTICATION, 0x40, False),
        (Crt.SIGNATURE, 0xC0, False),
    ],
)
def test_what_makes_a_key_an_admin_key(crt: Crt, usage: int, is_admin: bool) -> None:
    assert KeyFile(0xB082, RULE, (KeyUse(crt, 2, usage),)).is_admin == is_admin


def test_the_type_of_a_key_is_the_low_half_of_its_algorithms() -> None:
    assert [key_type(rsa_key(1024)), key_type(rsa_key(2048))] == [6, 7]
    assert [key_type(ec_key(kind)) for kind in EC_KINDS.values()] == [0xC, 0xD, 0xE]
    assert key_type(AdminKey.new(ADMIN_KEY)) == 2


def test_a_file_accepts_the_keys_it_was_made_for() -> None:
    file = KeyFile(0xB081, RULE, (KeyUse(Crt.SIGNATURE, 0x56, 0x40),))
    assert file.accepts(rsa_key(1024))
    assert not file.accepts(rsa_key(2048))
    assert file.find_use(Crt.SIGNATURE, None) == file.find_use(Crt.SIGNATURE, 0x56) == file.uses[0]
    assert file.find_use(Crt.SIGNATURE, 0x16) is None
    assert file.find_use(Crt.CONFIDENTIALITY, None) is None


def test_no_policy_means_4_to_127_bytes_of_anything() -> None:
    assert GidsState().enforced_policy == NO_POLICY
    assert GidsState(pin_policy=PinPolicy()).enforced_policy == PinPolicy()


def test_what_a_new_card_says_of_itself() -> None:
    assert DEFAULT_TEMPLATE.hex() == "4f0ba00000039742544659020173034001c0"
    assert DEFAULT_FMD.hex() == "5f2f01407f65028000"
    assert bytes(GidsState().rule).hex() == "033030"
    assert GidsState().life_cycle == LifeCycle.INITIALISATION


def test_clearing_security_keeps_only_the_current_file() -> None:
    use = KeyUse(Crt.SIGNATURE, 0x56, 0x40)
    volatile = GidsVolatile(
        Right.USER | Right.EXTERNAL, 0xA010, Challenge(0x80, bytes(8)), {Crt.SIGNATURE: Environment(0x81, use)}, {1: 2}
    )
    volatile.clear_security()
    assert volatile == GidsVolatile(current_ef=0xA010)


def test_no_secret_shows_in_the_text_of_a_state() -> None:
    state = ready_state().with_file(KeyFile(0xB081, RULE, (), key=rsa_key(1024)))
    text = repr(state)
    assert repr(PIN) not in text
    assert "12345678" not in text
    assert str(rsa_key(1024).d) not in text
    assert "\\x01#Eg" not in text


@pytest.mark.parametrize("name", ["pin", "puk"])
def test_no_pin_has_more_tries_than_63cx_can_say(name: str) -> None:
    assert GidsState(**{name: Pin(None, 15, 15)})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="1 to 15 tries"):
        GidsState(**{name: Pin(None, 16, 16)})  # type: ignore[arg-type]
