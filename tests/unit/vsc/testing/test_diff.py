"""Differences between cards, in words."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from card_os.application import Application
from card_os.apps.gids import Gids
from card_os.apps.gids.personalisation import blank, personalised
from card_os.apps.gids.state import DataFile, GidsState, KeyFile, LifeCycle
from card_os.atr import Atr, Interface
from card_os.description import Description
from card_os.ec import EcPrivateKey
from card_os.fact import Kind
from card_os.key_kind import KeyKind
from card_os.pin import CharacterRule, PinPolicy
from tests.unit.card_os.apps.gids.gids_card import P_256, ec_crts, ec_key, exchange_crts, key_fcp, key_file, rsa_key
from vsc.profiles import GIDS, PROFILES, Profile
from vsc.testing import SoftCard
from vsc.testing.diff import Diff, applications_of, diff, facts_of
from vsc.world import SeededEnv

ADMIN_KEY = bytes(range(24))


def state(**changes: Any) -> GidsState:
    made = personalised(
        pin=b"12345678", admin_key=ADMIN_KEY, card_id=uuid.UUID(int=1).bytes_le, tries=5, admin_try_limit=4
    )
    return replace(made, **changes)


def card(of: GidsState) -> SoftCard:
    return SoftCard(GIDS, GIDS.persistent(of), SeededEnv(1))


def lines(a: GidsState, b: GidsState) -> list[str]:
    return list(diff(card(a), card(b)))


def data(efid: int) -> DataFile:
    file = state().file(efid)
    assert isinstance(file, DataFile)
    return file


def keys(efid: int = 0xB080) -> KeyFile:
    file = state().file(efid)
    assert isinstance(file, KeyFile)
    return file


def admin(**changes: Any) -> GidsState:
    file = keys()
    assert file.key is not None
    return state().with_file(file.with_key(replace(file.key, **changes)))


RSA_FILE = key_file(key_fcp(exchange_crts(7)), rsa_key(2048))
START = state()
SPENT = replace(START.pin, tries_left=4)
OBJECT = data(0xA012).objects[0]
POLICY = PinPolicy(min_length=6, max_length=12, digits=CharacterRule.REQUIRE_AT_LEAST_ONE)

CHANGES: list[tuple[GidsState, list[str]]] = [
    (state(pin=SPENT), ["PIN tries 5 -> 4"]),
    (state(pin=START.pin.with_value(b"87654321")), ["PIN changed"]),
    (state(pin=replace(START.pin, value=None)), ["PIN removed"]),
    (state(puk=START.puk.with_value(b"87654321")), ["PUK set"]),
    (state(pin=replace(START.pin, try_limit=9, tries_left=9)), ["PIN tries 5 -> 9", "PIN try limit: 5 -> 9"]),
    (state(pin_policy=POLICY), ["PIN policy: none -> 6 to 12 bytes, digits required, other disallowed"]),
    (state(life_cycle=LifeCycle.TERMINATED), ["life cycle: operational -> terminated"]),
    (admin(tries_left=3), ["admin key tries 4 -> 3"]),
    (admin(value=type(keys().key.value)(bytes(24))), ["admin key changed"]),  # type: ignore[union-attr]
    (state(admin_try_limit=None), ["admin key try limit: 4 -> none"]),
    (
        START.with_file(data(0xA012).with_object(replace(OBJECT, value=bytes(18)))),
        ["object DF20 in A012: 16 bytes -> 18 bytes"],
    ),
    (
        START.with_file(data(0xA012).with_object(replace(OBJECT, value=bytes(16)))),
        ["object DF20 in A012: 16 bytes, changed"],
    ),
    (START.with_file(data(0xA012).without_object(0xDF20)), ["object DF20 in A012: 16 bytes -> none"]),
    (START.with_file(data(0xA013).with_object(replace(OBJECT, value=b"1"))), ["object DF20 in A013: none -> 1 byte"]),
    (START.with_file(replace(data(0xA013), rule=data(0xA014).rule)), ["rule of file A013: 033030 -> 032020"]),
    (START.with_file(replace(data(0xA013), is_active=False)), ["life cycle of file A013: active -> not active"]),
    (START.without_file(0xA013), ["file A013 deleted"]),
    (START.with_file(replace(data(0xA013), efid=0xA099)), ["file A099 created"]),
    (START.with_file(RSA_FILE), ["file B081 created", "key 81: none -> RSA 2048"]),
    (
        START.with_file(key_file(key_fcp(ec_crts(P_256)), ec_key(KeyKind.P256))),
        ["file B081 created", "key 81: none -> P-256"],
    ),
]


@pytest.mark.parametrize(("changed", "words"), CHANGES, ids=[words[0] for _, words in CHANGES])
def test_a_change_in_words(changed: GidsState, words: Sequence[str]) -> None:
    assert lines(START, changed) == list(words)
    assert len(lines(changed, START)) == len(words), "the way back is told too"


def test_the_way_back() -> None:
    assert lines(state(pin=SPENT), START) == ["PIN tries 4 -> 5"]
    assert lines(START.with_file(RSA_FILE), START) == ["file B081 deleted", "key 81: RSA 2048 -> none"]
    assert lines(state(pin=replace(START.pin, value=None)), START) == ["PIN set"]


def test_another_key_of_the_same_kind() -> None:
    one, other = START.with_file(RSA_FILE), START.with_file(RSA_FILE.with_key(rsa_key(2048, 1)))
    assert lines(one, other) == ["key 81: RSA 2048, changed"]


def test_several_changes_are_several_lines() -> None:
    found = diff(card(START), card(replace(START.with_file(RSA_FILE), pin=SPENT)))
    assert str(found) == "PIN tries 5 -> 4\nfile B081 created\nkey 81: none -> RSA 2048"
    assert len(found) == 3
    assert "PIN tries 5 -> 4" in found
    assert found


def test_nothing_is_falsy() -> None:
    one = card(START)
    for nothing in (diff(one, one), diff(one, card(START)), one.diff(one.snapshot()), Diff()):
        assert not nothing
        assert str(nothing) == ""
        assert list(nothing) == []


def test_what_has_no_words_is_told_by_its_place() -> None:
    """The order in which files were made is part of the state."""
    swapped = replace(START, files=(START.files[1], START.files[0], *START.files[2:]))
    assert lines(START, swapped)[0] == "files 1 efid changed"


def test_a_blank_card_becomes_a_personalised_one() -> None:
    found = lines(blank(tries=5, admin_try_limit=4), START)
    assert found[:2] == ["life cycle: initialisation -> operational", "PIN set"]
    assert {"file A012 created", "object DF20 in A012: none -> 16 bytes", "file B080 created", "admin key set"} <= set(
        found
    )


def test_no_secret_in_a_line_or_a_fact() -> None:
    texts = [str(diff(card(blank(tries=5)), card(START.with_file(RSA_FILE)))), repr(facts_of(card(START)))]
    for text in texts:
        for secret in (b"12345678", ADMIN_KEY):
            assert secret.hex() not in text.lower()
            assert secret.decode("latin-1") not in text


# --- applications that say nothing of themselves


class Plain(Application[bytes, None]):
    """One that has no better words than its bytes."""

    aid = bytes.fromhex("F0010203040506")
    name = "plain"
    commands = {}  # noqa: RUF012


class Described(Plain):
    """One that describes itself."""

    aid = bytes.fromhex("F0010203040507")
    name = "described"

    def describe(self, state: bytes) -> Description:
        pin = {"tries_left": state[0], "try_limit": 9, "value": state.hex()}
        return {"pin": pin, "is_open": bool(state[1]), "objects": [{"value": ["00", state.hex()]}]}


def two(plain: bytes, described: bytes) -> SoftCard:
    profile = Profile("two", "two applications", Atr((Interface(),)), (Plain(), Described()))
    return SoftCard(profile, profile.persistent(plain, described), SeededEnv(1))


def test_an_application_without_words_is_read_from_its_description_and_shows_no_text() -> None:
    found = diff(two(b"one", b"\x03\x00"), two(b"two", b"\x02\x01"))
    assert list(found) == [
        "plain: state changed",
        "described: pin tries 3 -> 2",
        "described: pin value changed",
        "described: is open: False -> True",
        "described: objects 1 value changed",
    ]


def test_its_counters_are_known_as_such() -> None:
    facts = facts_of(two(b"", b"\x03\x00"))
    assert facts["described: pin tries"].kind is Kind.COUNTER
    assert facts["described: pin tries"].value == 3


def test_the_applications_of_whatever_holds_a_state() -> None:
    soft = SoftCard.make()
    for one in (soft, soft.card, soft.snapshot()):
        assert [application.name for application in applications_of(one)] == ["GIDS"]

    class Bare:
        persistent = soft.persistent

    assert isinstance(applications_of(Bare())[0], Gids)


def test_every_application_of_ours_has_words() -> None:
    """What the default shows is safe, and no more: whoever adds an application adds its facts."""
    for profile in PROFILES.values():
        for application in profile.applications:
            is_told = application.schema is not None or type(application).facts is not Application.facts
            assert is_told, application.name


def test_a_curve_key_is_no_secret_told() -> None:
    key = ec_key(KeyKind.P256)
    assert isinstance(key, EcPrivateKey)
    found = str(diff(card(START), card(START.with_file(key_file(key_fcp(ec_crts(P_256)), key)))))
    assert f"{key.scalar:X}" not in found
