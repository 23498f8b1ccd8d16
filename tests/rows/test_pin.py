"""Rows 44 to 53: changing and resetting a PIN. (winrt-smartcards.md, section 8.)"""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest

import vsc
from tests.rows import app
from tests.rows.app import KEY, NAME, OK, OTHER_KEY, PIN
from vsc.host import calculate_response
from vsc.interaction import PinScript, QuestionKind, user_interaction
from vsc.machine import InProcessMachine
from vsc.reader import Reader
from vsc.unraisable import Unraisable
from vsc.winrt import hresult, pin_reset_timeout
from vsc.winrt.buffers import IBuffer
from vsc.winrt.errors import WinRTError
from vsc.winrt.operations import AsyncStatus
from vsc.winrt.pin_reset import SmartCardPinResetRequest
from vsc.winrt.provisioning import SmartCardProvisioning

NEW = "246801"
WRONG = "999999"


@pytest.fixture
def made() -> SmartCardProvisioning:
    return app.create()


def change(made: SmartCardProvisioning, *answers: str | None) -> tuple[bool, PinScript]:
    script = PinScript(answers)
    with user_interaction(script):
        return made.request_pin_change_async().get(), script


def reset(made: SmartCardProvisioning, handler: Callable[[Any, Any], object], *answers: str | None) -> bool:
    with user_interaction(PinScript(answers or [NEW])):
        return made.request_pin_reset_async(handler).get()


def code_of(call: Callable[[], object]) -> int:
    with pytest.raises(WinRTError) as raised:
        call()
    return raised.value.winerror


def block(made: SmartCardProvisioning) -> None:
    for left in (4, 3, 2, 1):
        assert app.verify_pin(made.smart_card, WRONG) == bytes([0x63, 0xC0 | left])
    app.verify_pin(made.smart_card, WRONG)
    assert app.tries_left(made.smart_card) == 0


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes]]:
    """Every command that reaches a card, with its answer."""
    pairs: list[tuple[bytes, bytes]] = []
    transmit = Reader.transmit

    def recording(reader: Reader, command: bytes, **options: Any) -> bytes:
        answer = transmit(reader, command, **options)
        pairs.append((command, answer))
        return answer

    monkeypatch.setattr(Reader, "transmit", recording)
    return pairs


# --- rows 44 to 46: change


def test_row_44_a_change_asks_for_the_old_pin_and_the_new_one(made: SmartCardProvisioning) -> None:
    done, script = change(made, PIN, NEW)
    assert done
    assert [question.kind for question in script.questions] == [QuestionKind.CURRENT_PIN, QuestionKind.NEW_PIN]
    old, new = script.questions
    assert (old.card, old.tries_left) == (NAME, 5)
    assert new.policy is not None
    assert new.policy.min_length == 6


def test_row_45_after_a_change_the_new_pin_verifies(made: SmartCardProvisioning) -> None:
    done, _ = change(made, PIN, NEW)
    assert done is True
    assert app.verify_pin(made.smart_card, NEW) == OK
    assert app.verify_pin(made.smart_card, PIN) == b"\x63\xc4"


@pytest.mark.parametrize("answers", [(None,), (PIN, None)])
def test_row_45_cancelled_nothing_is_changed(made: SmartCardProvisioning, answers: tuple[str | None, ...]) -> None:
    done, _ = change(made, *answers)
    assert done is False
    assert app.verify_pin(made.smart_card, PIN) == OK


def test_row_46_a_new_pin_against_the_policy_is_asked_again_and_costs_no_try(made: SmartCardProvisioning) -> None:
    done, script = change(made, PIN, "123", None)
    assert not done
    assert script.questions[-1].problem is not None
    assert app.tries_left(made.smart_card) == 5
    assert app.verify_pin(made.smart_card, PIN) == OK


def test_row_46_a_wrong_old_pin_costs_one_try_and_is_asked_again(made: SmartCardProvisioning) -> None:
    done, script = change(made, WRONG, NEW, None)
    assert not done
    assert app.tries_left(made.smart_card) == 4
    asked = [question.tries_left for question in script.questions if question.kind is QuestionKind.CURRENT_PIN]
    assert asked == [5, 4]


def test_row_46_five_wrong_pins_block(made: SmartCardProvisioning) -> None:
    with pytest.raises(WinRTError) as raised:
        change(made, WRONG, NEW, *[WRONG] * 4)
    assert raised.value.winerror == hresult.SCARD_W_CHV_BLOCKED
    assert app.tries_left(made.smart_card) == 0
    assert code_of(lambda: change(made, PIN, NEW)) == hresult.SCARD_W_CHV_BLOCKED


# --- rows 47 to 49: reset


def test_row_47_the_handler_is_called_once_with_provisioning_and_request(made: SmartCardProvisioning) -> None:
    calls: list[tuple[object, object]] = []
    answer = app.answers()

    def handler(sender: object, request: object) -> None:
        calls.append((sender, request))
        answer(sender, request)

    assert reset(made, handler)
    ((sender, request),) = calls
    assert sender is made
    assert isinstance(request, SmartCardPinResetRequest)
    assert isinstance(request.challenge, IBuffer)
    assert request.deadline.utcoffset() is not None


def test_row_47_the_new_pin_is_asked_before_the_handler_is_called(made: SmartCardProvisioning) -> None:
    script = PinScript([NEW])
    asked: list[int] = []

    def handler(sender: Any, request: Any) -> None:
        asked.append(len(script.questions))
        app.answers()(sender, request)

    with user_interaction(script):
        assert made.request_pin_reset_async(handler).get()
    assert asked == [1]
    assert [question.kind for question in script.questions] == [QuestionKind.NEW_PIN]


async def no_handler(sender: object, request: object) -> None: ...


@pytest.mark.parametrize("wrong", [no_handler, None, "handler"])
def test_row_47_a_handler_is_a_plain_function(made: SmartCardProvisioning, wrong: Any) -> None:
    with pytest.raises(TypeError):
        made.request_pin_reset_async(wrong)


def test_row_48_challenge_and_response_are_what_the_card_saw(
    made: SmartCardProvisioning, sent: list[tuple[bytes, bytes]]
) -> None:
    seen: list[bytes] = []

    def handler(sender: object, request: SmartCardPinResetRequest) -> None:
        response = calculate_response(request.challenge, KEY)
        seen.extend([bytes(request.challenge), response])
        request.set_response(response)

    assert reset(made, handler)
    authentications = [(command, answer) for command, answer in sent if command[1] == 0x87]
    asked, answered = authentications
    assert asked[1][4:12] == seen[0]
    assert answered[0][9:17] == seen[1]
    assert answered[1] == OK


def test_row_49_the_handler_may_return_before_the_answer_is_there(made: SmartCardProvisioning) -> None:
    returned = threading.Event()

    def handler(sender: object, request: SmartCardPinResetRequest) -> None:
        deferral = request.get_deferral()

        def ask_the_server() -> None:
            assert returned.wait(app.WAIT_S)
            request.set_response(calculate_response(request.challenge, KEY))
            deferral.complete()

        threading.Thread(target=ask_the_server).start()
        returned_soon.append(True)

    returned_soon: list[bool] = []
    with user_interaction(PinScript([NEW])):
        operation = made.request_pin_reset_async(handler)
        assert operation.wait(0) == AsyncStatus.STARTED
        returned.set()
        assert operation.get() is True
    assert returned_soon
    assert app.verify_pin(made.smart_card, NEW) == OK


# --- rows 50 to 53: how it ends


def test_row_50_a_handler_that_fails_fails_the_operation_and_the_card_is_as_before(
    made: SmartCardProvisioning, unraised: list[Unraisable], machine: InProcessMachine
) -> None:
    def handler(sender: object, request: SmartCardPinResetRequest) -> None:
        deferral = request.get_deferral()
        try:
            raise ConnectionError("no server")
        finally:
            deferral.complete()

    before = images(machine)
    with pytest.raises(WinRTError) as raised:
        reset(made, handler)
    assert raised.value.winerror == hresult.PYWINRT_E_UNRAISABLE_PYTHON_EXCEPTION
    assert isinstance(raised.value.__cause__, ConnectionError)
    assert [one.exc_type for one in unraised] == [ConnectionError]
    assert images(machine) == before
    assert app.verify_pin(made.smart_card, PIN) == OK
    assert app.verify_key(made, KEY)


def images(machine: InProcessMachine) -> list[bytes]:
    return [bytes(image) for image in machine.store.images()]  # type: ignore[arg-type]


def test_row_50_no_response_at_all(made: SmartCardProvisioning, sent: list[tuple[bytes, bytes]]) -> None:
    assert code_of(lambda: reset(made, lambda sender, request: None)) == hresult.E_ILLEGAL_METHOD_CALL
    assert not [command for command, _ in sent if command[1] == 0x2C]
    assert app.verify_pin(made.smart_card, PIN) == OK


def test_row_51_a_forgotten_pin_is_reset(made: SmartCardProvisioning) -> None:
    block(made)
    assert reset(made, app.answers()) is True
    assert app.tries_left(made.smart_card) == 5
    assert app.verify_pin(made.smart_card, NEW) == OK
    assert app.verify_pin(made.smart_card, PIN) == b"\x63\xc4"


def test_row_52_a_wrong_response_changes_nothing(made: SmartCardProvisioning) -> None:
    assert code_of(lambda: reset(made, app.answers(OTHER_KEY))) == hresult.SCARD_W_WRONG_CHV
    assert app.verify_pin(made.smart_card, PIN) == OK


def test_row_52_cancelled_the_handler_is_not_called(made: SmartCardProvisioning) -> None:
    calls: list[object] = []
    assert reset(made, lambda *arguments: calls.append(arguments), None) is False
    assert calls == []
    assert app.verify_pin(made.smart_card, PIN) == OK


def test_row_52_the_deadline_passes(made: SmartCardProvisioning) -> None:
    kept: list[Any] = []
    is_kept = threading.Event()

    def handler(sender: object, request: SmartCardPinResetRequest) -> None:
        kept.extend([request, request.get_deferral()])
        is_kept.set()

    with pin_reset_timeout(2):  # Long enough for a busy machine to call the handler.
        assert code_of(lambda: reset(made, handler)) == hresult.ERROR_TIMEOUT
    assert is_kept.wait(app.WAIT_S)
    request, deferral = kept
    assert code_of(lambda: request.set_response(calculate_response(request.challenge, KEY))) == (
        hresult.E_ILLEGAL_METHOD_CALL
    )
    deferral.complete()
    assert app.verify_pin(made.smart_card, PIN) == OK
    assert reset(made, app.answers())


def test_row_52_a_card_with_a_puk_is_not_reset_by_its_admin_key(machine: InProcessMachine) -> None:
    vsc.create("with puk", pin=PIN, admin_key=KEY, puk="87654321", card_id=uuid.uuid4())
    machine.plug("with puk")
    (card,) = app.readers()[0].find_all_cards_async().get()
    provisioning = SmartCardProvisioning.from_smart_card_async(card).get()
    calls: list[object] = []
    failed = code_of(lambda: reset(provisioning, lambda *arguments: calls.append(arguments)))
    assert failed == hresult.SCARD_E_UNSUPPORTED_FEATURE
    assert calls == []
    assert app.verify_key(provisioning, KEY)


def test_row_52_an_operation_that_is_cancelled_in_time_changes_nothing(made: SmartCardProvisioning) -> None:
    operations: list[Any] = []
    has_operation = threading.Event()

    def handler(sender: object, request: SmartCardPinResetRequest) -> None:
        request.set_response(calculate_response(request.challenge, KEY))
        assert has_operation.wait(app.WAIT_S)
        operations[0].cancel()

    with user_interaction(PinScript([NEW])):
        operations.append(made.request_pin_reset_async(handler))
        has_operation.set()
        assert operations[0].wait(app.WAIT_S) == AsyncStatus.CANCELED
    assert app.verify_pin(made.smart_card, PIN) == OK


def test_row_53_the_snippet() -> None:
    app.create()

    def snippet() -> bool:
        (card,) = app.readers()[0].find_all_cards_async().get()
        provisioning = SmartCardProvisioning.from_smart_card_async(card).get()

        def on_request(pin_reset_sender: SmartCardProvisioning, request: SmartCardPinResetRequest) -> None:
            deferral = request.get_deferral()
            try:
                response = calculate_response(request.challenge, KEY)
                request.set_response(response)
            finally:
                deferral.complete()

        return provisioning.request_pin_reset_async(on_request).get()

    with user_interaction(PinScript([NEW])):
        assert snippet() is True
