"""GIDS in facts; and which commands present a secret, and which must be refused."""

from dataclasses import fields, replace

import pytest

from card_os.admin import AdminKey
from card_os.apdu import CommandApdu
from card_os.apps.gids.commands import COMMANDS
from card_os.apps.gids.protected import protected
from card_os.apps.gids.schema import STATE
from card_os.apps.gids.state import GidsState, GidsVolatile, KeyFile, LifeCycle
from card_os.command import Session
from card_os.fact import Kind, by_name
from card_os.memory import Memory, Persistent
from card_os.pin import PinPolicy
from tests.unit.card_os.apps.gids.gids_card import (
    ADMIN_KEY,
    ASK_CHALLENGE,
    MSE_ADMIN,
    PIN,
    FixedEnv,
    GidsCard,
    blank_card,
    card_with_rsa,
    ready_card,
    ready_state,
)

facts = STATE.facts
VOLATILE_AID = b"\xf0\x00\x00\x00\x00"


def counter(card: GidsCard, command: str) -> str:
    """What a command would spend, sent now."""
    channel = card.card._volatile.channels[0]
    session: Session[GidsState, GidsVolatile] = Session(
        FixedEnv(),
        channel.volatile,
        0,
        lambda: b"",
        Memory(Persistent(((VOLATILE_AID, card.state),)), lambda _: None),
        VOLATILE_AID,
    )
    apdu = CommandApdu.parse(bytes.fromhex(command))
    return ", ".join(COMMANDS[apdu.ins].presents(session, apdu))


def test_every_part_of_the_state_is_in_some_fact() -> None:
    start = by_name(facts(card_with_rsa().state))
    assert {fact.kind for fact in start.values()} == set(Kind)
    state = card_with_rsa().state
    changes: dict[str, object] = {
        "life_cycle": LifeCycle.TERMINATED,
        "pin": state.pin.with_value(b"87654321"),
        "puk": state.puk.with_value(b"87654321"),
        "pin_policy": PinPolicy(),
        "admin_try_limit": 9,
        "files": state.files[:-1],
        "template": b"x",
        "fmd": b"x",
        "rule": state.files[0].rule,
    }
    assert set(changes) == {field.name for field in fields(state)}
    for name, value in changes.items():
        changed = replace(state, **{name: value})  # type: ignore[arg-type]
        assert by_name(facts(changed)) != start, name


def test_names_are_unique() -> None:
    names = [fact.name for fact in facts(card_with_rsa().state)]
    assert len(names) == len(set(names))


def test_a_second_admin_key_has_a_name_of_its_own() -> None:
    state = ready_state(admin_try_limit=3)
    first = state.key_file(0x80)
    assert first is not None
    names = by_name(facts(state.with_file(replace(first, efid=0xB082))))
    assert {"admin key", "admin key tries", "admin key 82", "admin key 82 tries"} <= set(names)


VERIFY = f"0020008008{PIN.hex()}"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (VERIFY, "PIN tries"),
        (f"0020008108{PIN.hex()}", "PUK tries"),
        (f"0024008010{PIN.hex() * 2}", "PIN tries"),
        (f"0024008110{PIN.hex() * 2}", "PUK tries"),
        (f"002C008010{PIN.hex() * 2}", "PUK tries, PIN tries"),
        ("00200080", ""),
        ("00200082", ""),
        (f"0020008308{PIN.hex()}", ""),
        (f"002C028008{PIN.hex()}", ""),
        (f"0024018008{PIN.hex()}", ""),
        ("00CBA010045C02DF2200", ""),
        ("00870000047C028200", ""),
    ],
)
def test_what_a_command_presents(command: str, expected: str) -> None:
    assert counter(ready_card(puk=b"87654321", admin_try_limit=3), command) == expected
    assert counter(blank_card(), command) == "", "nothing is compared before the card is operational"


def test_a_response_with_a_limited_admin_key() -> None:
    card = ready_card(admin_try_limit=3)
    response = "008700000C7C0A8208" + "00" * 8
    assert counter(card, response) == ""
    card.send(MSE_ADMIN)
    assert counter(card, response) == ""
    card.send(ASK_CHALLENGE)
    assert counter(card, response) == "admin key tries"
    assert counter(card, ASK_CHALLENGE) == ""


def test_a_response_with_an_unlimited_admin_key() -> None:
    card = ready_card()
    card.send(MSE_ADMIN)
    card.send(ASK_CHALLENGE)
    assert counter(card, "008700000C7C0A8208" + "00" * 8) == ""
    file = card.state.key_file(0x80)
    assert isinstance(file, KeyFile)
    assert file.key == AdminKey.new(ADMIN_KEY)


@pytest.mark.parametrize("make", [ready_card, card_with_rsa])
def test_what_is_protected_is_refused_without_a_right_and_some_of_it_is_not_with_both(make: object) -> None:
    assert callable(make)
    commands = [command.hex() for command in protected(make().state)]
    assert len(commands) >= 10
    assert all(not make().send(command).endswith("9000") for command in commands)
    proved = []
    for command in commands:
        card = make()
        card.prove("user")
        proved.append(card.send(command)[-4:])
    assert proved[0] == "9000"
    assert proved.count("9000") >= 3


def test_nothing_is_protected_before_the_card_is_operational() -> None:
    assert protected(blank_card().state) == ()


def test_a_terminated_card_protects_what_it_protected() -> None:
    ended = replace(ready_state(), life_cycle=LifeCycle.TERMINATED)
    assert all(not GidsCard(ended).send(command.hex()).endswith("9000") for command in protected(ended))
