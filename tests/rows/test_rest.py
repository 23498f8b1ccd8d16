"""Row 61: what the page does not show, of the same API. (winrt-smartcards.md, section 8.)"""

import uuid
from collections.abc import Callable

import pytest

from tests.rows import app
from tests.rows.app import KEY, NAME, OK, OTHER_KEY, PIN
from vsc.host import calculate_response
from vsc.interaction import PinScript, user_interaction
from vsc.machine import InProcessMachine
from vsc.winrt import hresult
from vsc.winrt.enums import SmartCardReaderStatus, SmartCardStatus
from vsc.winrt.errors import WinRTError
from vsc.winrt.provisioning import SmartCardProvisioning

CARD_ID = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
OTHER_ID = uuid.UUID("ffeeddcc-bbaa-9988-7766-554433221100")
CARD_CF = bytes.fromhex("00CBA010045C02DF2200")
CARD_ID_OBJECT = bytes.fromhex("00CBA012045C02DF2000")


def code_of(call: Callable[[], object]) -> int:
    with pytest.raises(WinRTError) as raised:
        call()
    return raised.value.winerror


def provision(made: SmartCardProvisioning, wipe: bool, *card_id: uuid.UUID) -> None:
    with made.get_challenge_context_async().get() as context:
        assert context.provision_async(calculate_response(context.challenge, KEY), wipe, *card_id).get() is None


# --- the admin key


def test_row_61_the_admin_key_is_replaced() -> None:
    made = app.create()
    with made.get_challenge_context_async().get() as context:
        response = calculate_response(context.challenge, KEY)
        assert context.change_administrative_key_async(response, OTHER_KEY).get() is None
    assert not app.verify_key(made, KEY)
    assert app.verify_key(made, OTHER_KEY)
    assert app.verify_pin(made.smart_card, PIN) == OK


def test_row_61_with_a_wrong_response_it_is_not() -> None:
    made = app.create()
    with made.get_challenge_context_async().get() as context:
        assert code_of(lambda: context.change_administrative_key_async(bytes(8), OTHER_KEY).get()) == (
            hresult.SCARD_W_WRONG_CHV
        )
    assert app.verify_key(made, KEY)


@pytest.mark.parametrize("size", [0, 16, 23, 25])
def test_row_61_a_new_key_of_another_size_is_refused_before_the_card_is_asked(size: int) -> None:
    made = app.create()
    with made.get_challenge_context_async().get() as context:
        response = calculate_response(context.challenge, KEY)
        assert code_of(lambda: context.change_administrative_key_async(response, bytes(size))) == hresult.E_INVALIDARG
        context.change_administrative_key_async(response, OTHER_KEY).get()
    assert app.verify_key(made, OTHER_KEY)


# --- provisioning anew


def filled() -> SmartCardProvisioning:
    """A card with something on it: the attestation key."""
    with user_interaction(PinScript([PIN])):
        attested = SmartCardProvisioning.request_attested_virtual_smart_card_creation_async
        made = attested(NAME, KEY, app.policy(), CARD_ID).get()
    assert made is not None
    return made


def is_filled(made: SmartCardProvisioning) -> bool:
    try:
        return bool(made.get_authority_key_container_name_async().get())
    except WinRTError as error:
        if error.winerror != hresult.SCARD_E_UNSUPPORTED_FEATURE:
            raise
        return False


def test_row_61_formatting_wipes_the_card_and_gives_it_a_random_id() -> None:
    made = filled()
    before = app.transmit(made.smart_card, CARD_CF)
    assert is_filled(made)
    provision(made, True)
    assert not is_filled(made)
    assert made.get_id_async().get() != CARD_ID
    assert app.transmit(made.smart_card, CARD_CF) != before
    assert made.get_name_async().get() == NAME
    assert app.verify_key(made, KEY)
    assert app.verify_pin(made.smart_card, PIN) == OK
    assert app.transmit(made.smart_card, app.MASTER_FILE)[-2:] == OK


@pytest.mark.parametrize(("wipe", "stays"), [(True, False), (False, True)])
def test_row_61_provisioning_with_an_id(wipe: bool, stays: bool) -> None:
    made = filled()
    provision(made, wipe, OTHER_ID)
    assert made.get_id_async().get() == OTHER_ID
    assert is_filled(made) is stays


def test_row_61_provisioning_without_format_and_id_keeps_the_id() -> None:
    made = filled()
    before = app.transmit(made.smart_card, CARD_CF)
    provision(made, False)
    assert made.get_id_async().get() == CARD_ID
    assert is_filled(made)
    assert app.transmit(made.smart_card, CARD_CF) != before


def test_row_61_provisioning_with_a_wrong_response_changes_nothing() -> None:
    made = filled()
    with made.get_challenge_context_async().get() as context:
        assert code_of(lambda: context.provision_async(bytes(8), True, OTHER_ID).get()) == hresult.SCARD_W_WRONG_CHV
    assert made.get_id_async().get() == CARD_ID
    assert is_filled(made)


def test_row_61_the_old_names_of_provisioning_warn() -> None:
    made = app.create()
    with made.get_challenge_context_async().get() as context:
        response = calculate_response(context.challenge, KEY)
        with pytest.warns(DeprecationWarning, match="provision_async_with_new_card_id"):
            context.provision_async_with_new_card_id(response, False, OTHER_ID).get()
    assert made.get_id_async().get() == OTHER_ID


def test_row_61_an_id_is_a_uuid() -> None:
    made = app.create()
    with made.get_challenge_context_async().get() as context, pytest.raises(TypeError):
        context.provision_async(bytes(8), True, str(OTHER_ID))  # type: ignore[arg-type]


# --- creation


@pytest.mark.parametrize("card_id", [CARD_ID, uuid.UUID(int=0)])
def test_row_61_a_card_is_created_with_an_id(card_id: uuid.UUID) -> None:
    made = app.create(card_id=card_id)
    assert made.get_id_async().get() == card_id
    assert app.transmit(made.smart_card, CARD_ID_OBJECT)[3:19] == card_id.bytes_le


def test_row_61_two_cards_of_one_id_are_allowed_with_a_warning() -> None:
    app.create("one", card_id=CARD_ID)
    with pytest.warns(UserWarning, match="already"):
        made = app.create("two", card_id=CARD_ID)
    assert made.get_id_async().get() == CARD_ID


def test_row_61_the_old_names_of_creation_warn() -> None:
    for name in ("request_virtual_smart_card_creation_async", "request_attested_virtual_smart_card_creation_async"):
        with (
            user_interaction(PinScript([PIN])),
            pytest.warns(DeprecationWarning, match=f"{name}_with_card_id is deprecated"),
        ):
            made = getattr(SmartCardProvisioning, f"{name}_with_card_id")(NAME, KEY, app.policy(), uuid.uuid4()).get()
        assert made is not None


def test_row_61_an_attested_card_has_a_key_with_a_name() -> None:
    made = filled()
    assert made.get_id_async().get() == CARD_ID
    name = made.get_authority_key_container_name_async().get()
    assert name == made.get_authority_key_container_name_async().get() != ""
    assert app.verify_key(made, KEY)
    plain = app.create("plain")
    assert code_of(lambda: plain.get_authority_key_container_name_async().get()) == (
        hresult.SCARD_E_UNSUPPORTED_FEATURE
    )


def test_row_61_cancelling_an_attested_creation_gives_none() -> None:
    with user_interaction(PinScript([None])):
        attested = SmartCardProvisioning.request_attested_virtual_smart_card_creation_async
        assert attested(NAME, KEY, app.policy()).get() is None
    assert app.readers() == []


# --- cards and connections


def test_row_61_the_answer_to_reset() -> None:
    card = app.create().smart_card
    atr = card.get_answer_to_reset_async().get()
    assert bytes(atr)[0] == 0x3B
    assert atr.length == len(bytes(atr))


def test_row_61_statuses(machine: InProcessMachine) -> None:
    card = app.create().smart_card
    assert card.reader.get_status_async().get() == SmartCardReaderStatus.READY
    assert card.get_status_async().get() == SmartCardStatus.READY
    with card.connect_async().get():
        assert card.get_status_async().get() == SmartCardStatus.SHARED
    (place,) = machine.readers()
    with place.connect(exclusive=True):
        assert card.get_status_async().get() == SmartCardStatus.EXCLUSIVE
        assert code_of(lambda: card.connect_async().get()) == hresult.SCARD_E_SHARING_VIOLATION
    assert card.get_status_async().get() == SmartCardStatus.READY


def test_row_61_a_command_and_its_answer() -> None:
    card = app.create().smart_card
    with card.connect_async().get() as connection:
        answer = connection.transmit_async(app.EF_ATR).get()
        assert bytes(answer)[-2:] == OK
        assert answer.length > 2
        assert bytes(connection.transmit_async(bytearray.fromhex("00FF0000")).get()) == b"\x6d\x00"


@pytest.mark.parametrize("command", [b"", b"\0", b"\0\0\0"])
def test_row_61_too_short_a_command_is_not_sent(command: bytes) -> None:
    card = app.create().smart_card
    with card.connect_async().get() as connection:
        assert code_of(lambda: connection.transmit_async(command)) == hresult.E_INVALIDARG


def test_row_61_a_connection_is_closable() -> None:
    card = app.create().smart_card
    connection = card.connect_async().get()
    connection.close()
    connection.close()
    assert code_of(lambda: connection.transmit_async(app.EF_ATR)) == hresult.RO_E_CLOSED


def test_row_61_nothing_is_fetched_by_itself() -> None:
    card = app.create().smart_card
    assert app.transmit(card, bytes.fromhex("00CB2F01025C0001"))[0] in (0x6C, 0x61, 0x43)
