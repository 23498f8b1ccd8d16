"""Rows 29 to 43: challenge and response with the admin key. (winrt-smartcards.md, section 8.)"""

import gc
import subprocess
import threading
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsc
from tests.interop.need import require_tool
from tests.rows import app
from tests.rows.app import KEY, OTHER_KEY
from tests.rows.conftest import PutBeside
from tests.rows.foreign import Powered
from tests.unit.vsc.host.cards import Recorded
from vsc.host import calculate_response
from vsc.interaction import PinScript, user_interaction
from vsc.winrt import hresult
from vsc.winrt.challenge import SmartCardChallengeContext
from vsc.winrt.cryptography import (
    CryptographicEngine,
    SymmetricAlgorithmNames,
    SymmetricKeyAlgorithmProvider,
)
from vsc.winrt.enums import SmartCardReaderKind
from vsc.winrt.errors import WinRTError
from vsc.winrt.operations import AsyncStatus
from vsc.winrt.provisioning import SmartCardProvisioning
from vsc.winrt.readers import SmartCard


def context_of(provisioning: SmartCardProvisioning) -> SmartCardChallengeContext:
    return provisioning.get_challenge_context_async().get()


def code_of(call: Any) -> int:
    with pytest.raises(WinRTError) as raised:
        call()
    return raised.value.winerror


# --- rows 29 to 31: who has the key


def test_row_29_who_has_the_key_passes_and_who_has_not_does_not() -> None:
    made = app.create()
    assert app.verify_key(made, KEY)
    assert not app.verify_key(made, OTHER_KEY)


def test_row_30_one_function_answers_all_four_kinds_of_challenge() -> None:
    made = app.create()
    with context_of(made) as context:
        assert context.verify_response_async(calculate_response(context.challenge, KEY)).get()
    with context_of(made) as context:
        response = calculate_response(context.challenge, KEY)
        context.change_administrative_key_async(response, OTHER_KEY).get()
    with context_of(made) as context:
        context.provision_async(calculate_response(context.challenge, OTHER_KEY), True).get()
    with user_interaction(PinScript(["246801"])):
        assert made.request_pin_reset_async(app.answers(OTHER_KEY)).get()


def test_row_31_no_bit_of_the_response_may_be_another() -> None:
    made = app.create()
    for bit in range(64):
        with context_of(made) as context:
            response = bytearray(calculate_response(context.challenge, KEY))
            response[bit // 8] ^= 1 << bit % 8
            assert context.verify_response_async(response).get() is False
    assert app.verify_key(made, KEY)


def test_row_31_parity_bits_do_not_count() -> None:
    flipped = bytes(byte ^ 1 for byte in KEY)
    assert app.verify_key(app.create(), flipped)


# --- rows 32 to 37: the calculation

VECTORS = [
    ("010203040506070801020304050607080102030405060708", "0000000000000000", "B073DC3FB209536D"),
    ("010203040506070801020304050607080102030405060708", "1122334455667788", "6C5E94DCADD39F1D"),
    ("010203040506070801020304050607080102030405060708", "0011223344556677", "26604D88E55BD3E7"),
    (
        "010203040506070801020304050607080102030405060708",
        "00112233445566770011223344556677",
        "26604D88E55BD3E75F1D90BAC66C3B5B",
    ),
    ("101112131415161718191A1B1C1D1E1F2021222324252627", "0011223344556677", "62E0136B850237BC"),
    ("111013121514171619181B1A1D1C1F1E2120232225242726", "0011223344556677", "62E0136B850237BC"),
]


def by_engine(challenge: bytes, key: bytes) -> bytes:
    """As the page's snippet computes it."""
    provider = SymmetricKeyAlgorithmProvider.open_algorithm(SymmetricAlgorithmNames.triple_des_cbc)
    return bytes(CryptographicEngine.encrypt(provider.create_symmetric_key(key), challenge, None))


@pytest.mark.parametrize(("key", "challenge", "response"), VECTORS)
def test_row_32_the_vectors(key: str, challenge: str, response: str) -> None:
    for calculate in (calculate_response, by_engine):
        assert calculate(bytes.fromhex(challenge), bytes.fromhex(key)) == bytes.fromhex(response)


@settings(max_examples=25)
@given(
    st.binary(min_size=24, max_size=24), st.integers(1, 5).flatmap(lambda n: st.binary(min_size=8 * n, max_size=8 * n))
)
def test_row_32_openssl_computes_the_same(key: bytes, challenge: bytes) -> None:
    openssl = require_tool("openssl")
    command = [openssl, "enc", "-des-ede3-cbc", "-K", key.hex(), "-iv", "00" * 8, "-nopad"]
    expected = subprocess.run(command, input=challenge, capture_output=True, check=True, timeout=60).stdout
    assert calculate_response(challenge, key) == by_engine(challenge, key) == expected


def test_row_33_a_missing_challenge_is_named() -> None:
    with pytest.raises(TypeError, match="challenge"):
        calculate_response(None, KEY)  # type: ignore[arg-type]


def test_row_34_a_missing_key_is_named() -> None:
    with pytest.raises(TypeError, match="admin_key"):
        calculate_response(bytes(8), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 1, 7, 9, 15])
def test_row_35_only_whole_blocks(size: int) -> None:
    with pytest.raises(ValueError, match="challenge"):
        calculate_response(bytes(size), KEY)


@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_row_35_the_response_is_as_long_as_the_challenge(blocks: int) -> None:
    assert len(calculate_response(bytes(8 * blocks), KEY)) == 8 * blocks


@pytest.mark.parametrize("size", [0, 8, 16, 23, 25, 32])
def test_row_36_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="admin_key"):
        calculate_response(bytes(8), bytes(size))
    assert code_of(lambda: by_engine(bytes(8), bytes(size))) == hresult.E_INVALIDARG


def test_row_37_it_is_public() -> None:
    assert vsc.calculate_response(bytes(8), bytes.fromhex(VECTORS[0][0])) == bytes.fromhex(VECTORS[0][2])
    assert "calculate_response" in vsc.__all__


# --- row 38: any GIDS card


def beside_or_ours(kind: SmartCardReaderKind) -> SmartCard:
    (reader,) = app.readers(kind)
    (card,) = reader.find_all_cards_async().get()
    return card


@pytest.mark.parametrize("kind", [SmartCardReaderKind.TPM, SmartCardReaderKind.GENERIC])
def test_row_38_the_same_for_a_physical_card_and_a_virtual_one(kind: SmartCardReaderKind, beside: str) -> None:
    app.create()
    provisioning = SmartCardProvisioning.from_smart_card_async(beside_or_ours(kind)).get()
    assert app.verify_key(provisioning, KEY)
    assert not app.verify_key(provisioning, OTHER_KEY)
    with user_interaction(PinScript([app.PIN, "246801"])):
        assert provisioning.request_pin_change_async().get()
    with user_interaction(PinScript(["975310"])):
        assert provisioning.request_pin_reset_async(app.answers()).get()
    assert app.verify_pin(provisioning.smart_card, "975310") == app.OK


class Replayed(Recorded):
    """A recording; the card knows none of the objects that nobody asked it for then."""

    def transmit(self, command: bytes) -> bytes:
        if command not in {known for known, _ in self.pairs}:
            return b"\x6a\x88"
        return super().transmit(command)


def test_row_38_a_replayed_card_that_is_not_ours_is_managed(put_beside: PutBeside) -> None:
    put_beside(Powered(Replayed("list")))
    provisioning = SmartCardProvisioning.from_smart_card_async(beside_or_ours(SmartCardReaderKind.GENERIC)).get()
    # The id that gids-tool gave it, as Windows reads it: the first three fields are little-endian.
    assert str(provisioning.get_id_async().get()) == "33221100-5544-7766-8899-aabbccddeeff"
    assert provisioning.get_name_async().get() == provisioning.smart_card.reader.name


def test_row_38_a_replayed_card_that_is_not_ours_changes_its_pin(put_beside: PutBeside) -> None:
    card = Replayed("change-pin")
    put_beside(Powered(card))
    provisioning = SmartCardProvisioning.from_smart_card_async(beside_or_ours(SmartCardReaderKind.GENERIC)).get()
    with user_interaction(PinScript(["654321", "135790"])):
        assert provisioning.request_pin_change_async().get()
    wanted = [command for command, _ in card.pairs]
    assert [command for command in card.sent if command[1] in (0x20, 0x24) and len(command) > 5][-2:] == wanted[1:]


# --- rows 39 to 42: a context


def test_row_39_a_challenge_has_8_bytes_and_does_not_come_again() -> None:
    made = app.create()
    challenges = set()
    for _ in range(1000):
        with context_of(made) as context:
            challenges.add(bytes(context.challenge))
    assert len(challenges) == 1000
    assert {len(challenge) for challenge in challenges} == {8}


def test_row_40_from_challenge_and_key_to_the_response() -> None:
    made = app.create()
    with context_of(made) as context:
        response = by_engine(context.challenge, KEY)
        assert len(response) == 8
        assert context.verify_response_async(response).get()


def test_row_41_right_is_true_and_wrong_is_false_without_an_exception() -> None:
    made = app.create()
    for key, expected in ((KEY, True), (OTHER_KEY, False)):
        with context_of(made) as context:
            response = calculate_response(context.challenge, key)
            assert context.verify_response_async(response).get() is expected


@pytest.mark.parametrize("response", [b"", bytes(7), bytes(9), bytes(300)])
def test_row_41_a_response_of_another_length_is_false_too(response: bytes) -> None:
    made = app.create()
    with context_of(made) as context:
        assert context.verify_response_async(response).get() is False
    assert app.verify_key(made, KEY)


def test_row_42_the_snippet_which_never_closes_its_context() -> None:
    app.create()

    def snippet() -> bool:
        verify_result = False
        card = beside_or_ours(SmartCardReaderKind.TPM)
        provisioning = SmartCardProvisioning.from_smart_card_async(card).get()
        context = provisioning.get_challenge_context_async().get()
        response = by_engine(context.challenge, KEY)
        verify_result = context.verify_response_async(response).get()
        contexts.append(context)
        return verify_result

    contexts: list[SmartCardChallengeContext] = []
    assert snippet()
    assert snippet()  # The first context is still there, and holds nothing.


# --- row 43: closable, for one response


def test_row_43_a_context_is_closable() -> None:
    made = app.create()
    with context_of(made) as context:
        response = calculate_response(context.challenge, KEY)
    context.close()
    assert code_of(lambda: context.challenge) == hresult.RO_E_CLOSED
    assert code_of(lambda: context.verify_response_async(response)) == hresult.RO_E_CLOSED
    assert code_of(lambda: context.change_administrative_key_async(response, KEY)) == hresult.RO_E_CLOSED
    assert code_of(lambda: context.provision_async(response, False)) == hresult.RO_E_CLOSED
    assert app.verify_key(made, KEY)


def test_row_43_a_context_takes_one_response() -> None:
    made = app.create()
    with context_of(made) as context:
        response = calculate_response(context.challenge, KEY)
        assert context.verify_response_async(response).get()
        assert code_of(lambda: context.verify_response_async(response)) == hresult.E_ILLEGAL_METHOD_CALL
        assert (
            code_of(lambda: context.change_administrative_key_async(response, OTHER_KEY))
            == hresult.E_ILLEGAL_METHOD_CALL
        )
    assert app.verify_key(made, KEY)


def test_row_43_an_old_response_is_wrong_for_a_new_challenge() -> None:
    made = app.create()
    with context_of(made) as context:
        old = calculate_response(context.challenge, KEY)
        assert context.verify_response_async(old).get()
    with context_of(made) as context:
        assert context.verify_response_async(old).get() is False


def test_row_43_a_second_context_waits_for_the_first() -> None:
    made = app.create()
    again = SmartCardProvisioning.from_smart_card_async(made.smart_card).get()
    for other in (made, again):
        first = context_of(made)
        waiting = other.get_challenge_context_async()
        assert waiting.wait(0) == AsyncStatus.STARTED
        assert first.verify_response_async(calculate_response(first.challenge, KEY)).get()
        with waiting.get() as second:
            assert second.verify_response_async(calculate_response(second.challenge, KEY)).get()


def test_row_43_a_context_that_is_forgotten_gives_the_card_free() -> None:
    made = app.create()
    gc.collect()  # What other tests have left is not to warn below.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        context = context_of(made)
        del context
        gc.collect()
    assert [one.category for one in caught] == [ResourceWarning]
    assert app.verify_key(made, KEY)


def test_row_43_nothing_stays_verified_after_a_context() -> None:
    made = app.create()
    put_key = bytes.fromhex("00DB3FFF267024840180A51F8718") + OTHER_KEY + bytes.fromhex("8803")
    with context_of(made) as context:
        assert context.verify_response_async(calculate_response(context.challenge, KEY)).get()
    from vsc.host import challenge

    answer = app.transmit(made.smart_card, put_key + challenge.key_check_value(OTHER_KEY))
    assert answer == b"\x69\x82"


def test_row_43_contexts_of_many_threads_all_get_their_turn() -> None:
    made = app.create()
    verdicts: list[bool] = []
    threads = [threading.Thread(target=lambda: verdicts.append(app.verify_key(made, KEY))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == [True] * 8
