"""Rows 17 to 28: making a virtual smart card. (winrt-smartcards.md, section 8; 25 and 27 have live tests, too.)"""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from card_os.pin import PinPolicy
from tests.rows import app
from tests.rows.app import KEY, NAME, OK, PIN
from vsc.cli.__main__ import cli
from vsc.interaction import PinScript, QuestionKind, user_interaction
from vsc.machine import InProcessMachine, use
from vsc.store.memory import MemoryStore
from vsc.winrt import hresult, simulate
from vsc.winrt.buffers import IBuffer
from vsc.winrt.cryptography import CryptographicBuffer
from vsc.winrt.enums import SmartCardPinCharacterPolicyOption as Option
from vsc.winrt.errors import WinRTError
from vsc.winrt.operations import IAsyncOperation
from vsc.winrt.pin_policy import SmartCardPinPolicy, card_policy
from vsc.winrt.provisioning import SmartCardProvisioning

SPECIAL = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
CLASSES = {
    "uppercase_letters": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "lowercase_letters": "abcdefghijklmnopqrstuvwxyz",
    "digits": "0123456789",
    "special_characters": SPECIAL,
}
request = SmartCardProvisioning.request_virtual_smart_card_creation_async


def nothing_is_there(machine: InProcessMachine) -> bool:
    return not app.readers() and not list(machine.store.images())


def code_of(call: Callable[[], object]) -> int:
    with pytest.raises(OSError) as raised:
        call()
    return int(raised.value.winerror)  # type: ignore[attr-defined]


# --- row 17: three values


@pytest.mark.parametrize("arguments", [(), (NAME,), (NAME, KEY)])
def test_row_17_none_of_the_three_may_be_missing(arguments: tuple[Any, ...], machine: InProcessMachine) -> None:
    with pytest.raises(TypeError):
        request(*arguments)
    assert nothing_is_there(machine)


@pytest.mark.parametrize(
    "arguments",
    [
        (None, KEY, "policy"),
        (b"name", KEY, "policy"),
        (NAME, None, "policy"),
        (NAME, KEY.hex(), "policy"),
        (NAME, list(KEY), "policy"),
        (NAME, KEY, None),
        (NAME, KEY, PinPolicy()),
        (NAME, KEY, "policy", str(uuid.uuid4())),
        (NAME, KEY, "policy", None),
    ],
)
def test_row_17_each_has_a_type(arguments: tuple[Any, ...], machine: InProcessMachine) -> None:
    call: Callable[..., object] = request
    with pytest.raises(TypeError):
        call(*(app.policy() if argument == "policy" else argument for argument in arguments))
    assert nothing_is_there(machine)


@pytest.mark.parametrize("size", [0, 8, 16, 23, 25, 32])
def test_row_17_a_key_has_24_bytes(size: int, machine: InProcessMachine) -> None:
    assert code_of(lambda: request(NAME, bytes(size), app.policy())) == hresult.E_INVALIDARG
    assert nothing_is_there(machine)


def test_row_17_keywords_are_refused() -> None:
    with pytest.raises(TypeError):
        request(friendly_name=NAME, administrative_key=KEY, pin_policy=app.policy())  # type: ignore[call-arg]


# --- row 18: the friendly name


@given(st.text())
def test_row_18_any_text_is_a_friendly_name(name: str) -> None:
    machine = InProcessMachine(MemoryStore(), pcsc=False)
    try:
        with use(machine):
            assert app.create(name).get_name_async().get() == name
    finally:
        machine.close()


@pytest.mark.parametrize("name", ["", "x" * 5000, "Grüße ☂", "-leading dash", "a\nb", "\0"])
def test_row_18_long_and_odd_names_too(name: str) -> None:
    first, second = app.create(name), app.create(name)
    assert first.get_name_async().get() == second.get_name_async().get() == name
    assert first.get_id_async().get() != second.get_id_async().get()


def test_row_18_a_name_that_can_be_the_cards_is_the_stores_too(machine: InProcessMachine) -> None:
    app.create("work")
    app.create("work")
    names = sorted(image.name for image in machine.store.images())  # type: ignore[union-attr]
    assert names[1] == "work"
    assert names[0].startswith("card-")


def test_row_18_the_command_line_shows_it() -> None:
    with use(InProcessMachine(pcsc=False)) as machine:
        try:
            app.create("Grüße vom Amt")
            shown = CliRunner().invoke(cli, ["list"], catch_exceptions=False)
        finally:
            machine.close()
    assert "Grüße vom Amt" in shown.output


# --- rows 19 to 22: the policy


def test_row_19_the_defaults_of_a_policy() -> None:
    policy = SmartCardPinPolicy()
    assert (policy.min_length, policy.max_length) == (8, 127)
    assert [getattr(policy, name) for name in CLASSES] == [Option.ALLOW] * 4


def test_row_20_the_minimum_length_is_honoured() -> None:
    policy = SmartCardPinPolicy()
    policy.min_length = 6
    made, script = app.request(rules=policy, pins=["13579", "135790"])
    assert made is not None
    assert [question.problem is None for question in script.questions] == [True, False]
    assert app.verify_pin(made.smart_card, "135790") == OK


def test_row_20_the_card_keeps_to_it() -> None:
    card = app.create(rules=app.policy(min_length=6)).smart_card
    change = bytes.fromhex("002400800B") + PIN.encode() + b"13579"
    assert app.transmit(card, change) == b"\x6a\x80"
    assert app.verify_pin(card, PIN) == OK


@pytest.mark.parametrize("length", [3, 128])
def test_row_20_lengths_go_from_4_to_127(length: int) -> None:
    policy = SmartCardPinPolicy()
    assert code_of(lambda: setattr(policy, "min_length", length)) == hresult.E_INVALIDARG
    assert code_of(lambda: setattr(policy, "max_length", length)) == hresult.E_INVALIDARG


def allows(policy: SmartCardPinPolicy, pin: str) -> bool:
    """An oracle of its own: what section 2 says, said again."""
    if not policy.min_length <= len(pin) <= policy.max_length:
        return False
    if not set(pin) <= set("".join(CLASSES.values())):
        return False
    return all(
        rule == Option.ALLOW or (rule == Option.REQUIRE_AT_LEAST_ONE) == bool(set(pin) & set(characters))
        for rule, characters in ((getattr(policy, name), characters) for name, characters in CLASSES.items())
    )


lengths = st.integers(4, 127)
rules = st.sampled_from(Option)


@st.composite
def policies(draw: st.DrawFn) -> SmartCardPinPolicy:
    policy = SmartCardPinPolicy()
    policy.min_length, policy.max_length = draw(lengths), draw(lengths)
    for name in CLASSES:
        setattr(policy, name, draw(rules))
    return policy


def is_possible(policy: SmartCardPinPolicy) -> bool:
    some = any(getattr(policy, name) != Option.DISALLOW for name in CLASSES)
    return some and policy.min_length <= policy.max_length


pins = st.text(st.sampled_from("".join(CLASSES.values()) + " é\0\x7f"), max_size=20) | st.text(max_size=130)


@given(policies().filter(is_possible), pins)
def test_row_21_a_verdict_is_the_oracles(policy: SmartCardPinPolicy, pin: str) -> None:
    assert (card_policy(policy).violations(pin.encode()) == ()) == allows(policy, pin)


@given(policies().filter(is_possible), pins.filter(bool))
def test_row_21_and_so_is_the_cards(policy: SmartCardPinPolicy, pin: str) -> None:
    machine = InProcessMachine(MemoryStore(), pcsc=False)
    try:
        with use(machine):
            made, script = app.request(rules=policy, pins=[pin, None])
    finally:
        machine.close()
    assert (made is not None) == allows(policy, pin) == (len(script.questions) == 1)


@pytest.mark.parametrize("character", SPECIAL)
def test_row_21_each_special_character_is_one(character: str) -> None:
    policy = app.policy(special_characters=Option.REQUIRE_AT_LEAST_ONE)
    assert app.request(rules=policy, pins=[f"1234{character}67", None])[0] is not None
    forbidding = app.policy(special_characters=Option.DISALLOW)
    assert app.request(rules=forbidding, pins=[f"1234{character}67", None])[0] is None


def test_row_21_there_are_32_of_them() -> None:
    assert len(set(SPECIAL)) == len(SPECIAL) == 32


@pytest.mark.parametrize("character", [" ", "é", "\0", "\x7f"])
def test_row_21_what_is_in_no_class_is_refused(character: str) -> None:
    assert app.request(pins=[f"1234{character}67", None])[0] is None


def test_row_22_a_contradictory_policy_is_refused(machine: InProcessMachine) -> None:
    nothing = SmartCardPinPolicy()
    for name in CLASSES:
        setattr(nothing, name, Option.DISALLOW)
    crossed = app.policy(min_length=20, max_length=10)
    assert code_of(lambda: request(NAME, KEY, nothing)) == hresult.E_INVALIDARG
    assert code_of(lambda: request(NAME, KEY, crossed)) == hresult.E_INVALIDARG
    assert nothing_is_there(machine)


@given(policies(), st.data())
def test_row_22_every_other_policy_has_a_pin(policy: SmartCardPinPolicy, data: st.DataObject) -> None:
    if not is_possible(policy):
        with pytest.raises(WinRTError):
            card_policy(policy)
        return
    used = {name: one for name, one in CLASSES.items() if getattr(policy, name) != Option.DISALLOW}
    needed = [one for name, one in used.items() if getattr(policy, name) == Option.REQUIRE_AT_LEAST_ONE]
    size = data.draw(st.integers(max(policy.min_length, len(needed)), policy.max_length))
    pin = [data.draw(st.sampled_from(one)) for one in needed]
    pin += data.draw(
        st.lists(st.sampled_from("".join(used.values())), min_size=size - len(pin), max_size=size - len(pin))
    )
    assert card_policy(policy).violations("".join(pin).encode()) == ()


# --- rows 23 and 24: the admin key


def test_row_23_a_random_key() -> None:
    first, second = CryptographicBuffer.generate_random(24), CryptographicBuffer.generate_random(24)
    assert isinstance(first, IBuffer)
    assert len(first) == first.length == 24
    assert bytes(first) != bytes(second)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, IBuffer])
def test_row_23_any_buffer_will_do(kind: Callable[[bytes], Any]) -> None:
    raw = os.urandom(24)
    made = app.create(key=kind(raw))
    assert app.verify_key(made, raw)


def test_row_24_a_key_from_outside_works() -> None:
    made = app.create(key=KEY)
    assert app.verify_key(made, KEY)
    assert not app.verify_key(made, app.OTHER_KEY)


@pytest.mark.parametrize("source", ["file:{file}", "env:ROW_24"])
def test_row_24_the_command_line_takes_it_from_a_file_and_the_environment(source: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY.hex())
    words = ["create", "row24", "--pin", "default", "--admin-key", source.format(file=file)]
    assert CliRunner().invoke(cli, words, env={"ROW_24": KEY.hex()}, catch_exceptions=False).exit_code == 0
    with use(InProcessMachine(pcsc=False)) as machine:
        try:
            machine.plug("row24")
            (card,) = app.readers()[0].find_all_cards_async().get()
            made = SmartCardProvisioning.from_smart_card_async(card).get()
            assert app.verify_key(made, KEY)
        finally:
            machine.close()


# --- rows 25 to 28: creation


def test_row_25_creation_gives_a_provisioning_of_a_card_in_a_reader() -> None:
    with user_interaction(PinScript([PIN])):
        made = request(NAME, KEY, app.policy())
        assert isinstance(made, IAsyncOperation)
        provisioning = made.get()
    assert isinstance(provisioning, SmartCardProvisioning)
    reader = provisioning.smart_card.reader
    assert reader.device_id in {one.device_id for one in app.readers()}


def test_row_26_the_pin_is_asked_while_creating() -> None:
    made, script = app.request()
    assert made is not None
    (question,) = script.questions
    assert question.kind is QuestionKind.NEW_PIN
    assert question.card == NAME
    assert question.policy is not None
    assert question.policy.min_length == 6
    assert app.verify_pin(made.smart_card, PIN) == OK


def test_row_26_cancelling_leaves_nothing(machine: InProcessMachine) -> None:
    made, _ = app.request(pins=[None])
    assert made is None
    assert nothing_is_there(machine)


def test_row_26_a_card_that_cannot_be_plugged_in_is_not_left(
    machine: InProcessMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(machine, "plug", refuse)
    assert code_of(app.request) == hresult.E_ACCESSDENIED
    assert nothing_is_there(machine)


def test_row_27_right_after_creation_the_card_is_ready() -> None:
    made = app.create()
    assert app.verify_pin(made.smart_card, PIN) == OK
    assert app.transmit(made.smart_card, app.MASTER_FILE)[-2:] == OK
    assert isinstance(made.get_id_async().get(), uuid.UUID)


def test_row_28_a_failure_for_who_is_no_administrator_can_be_shown(machine: InProcessMachine) -> None:
    with simulate(administrator=False):
        assert code_of(app.request) == hresult.E_ACCESSDENIED == -2147024891
    assert nothing_is_there(machine)


def test_row_28_and_so_can_the_others(machine: InProcessMachine) -> None:
    with simulate(tpm="absent"):
        assert code_of(app.request) == hresult.NTE_DEVICE_NOT_FOUND
    with simulate(tpm="not-ready"):
        assert code_of(app.request) == hresult.NTE_DEVICE_NOT_READY
    with simulate(card_limit=0):
        assert code_of(app.request) == hresult.E_UNEXPECTED
    assert nothing_is_there(machine)
    with simulate(card_limit=1):
        app.create()
        assert code_of(app.request) == hresult.E_UNEXPECTED


def test_row_28_by_default_no_rights_are_needed() -> None:
    assert app.create() is not None
