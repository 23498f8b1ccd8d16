"""card_os.apps.piv.keys: GENERATE (SP 800-73-5 part 2, 3.3.1), and Yubico's import, move and delete (piv.md 8)."""

from dataclasses import replace

import pytest

from card_os.apps.piv.rules import SLOTS
from card_os.apps.piv.state import Origin, Slot
from card_os.apps.piv.wire import PinPolicy, TouchPolicy
from card_os.curve25519 import Ed25519PrivateKey
from card_os.ec import EcPrivateKey
from card_os.key import PrivateKey
from card_os.key_kind import KeyKind
from card_os.rsa import RsaPrivateKey
from card_os.tlv import Tlv, join
from tests.unit.card_os.apps.piv.piv_card import (
    STRICT,
    YUBIKEY,
    PivCard,
    admin_card,
    contactless,
    key_of,
    new_state,
    slot_of,
)

P256, RSA_1024, RSA_2048 = KeyKind.P256, KeyKind.RSA_1024, KeyKind.RSA_2048


def slot(card: PivCard, reference: int) -> Slot:
    found = card.state.slot(reference)
    assert found is not None
    return found


# --- GENERATE


@pytest.mark.parametrize(
    ("algorithm", "head", "size"),
    [("11", "7F4943864104", 73), ("14", "7F4963866104", 105), ("07", "7F4982010981820100", 275)],
)
def test_a_key_is_made_and_its_public_half_answered(algorithm: str, head: str, size: int) -> None:
    card = admin_card()
    for asks in (f"AC0380{'01'}{algorithm}",):
        answer = card.send("0047009A", asks)
        assert answer.startswith(head)
        assert len(answer) // 2 == 2 + (size - 3 if algorithm != "07" else size - 5)
    made = slot(card, 0x9A)
    assert (made.origin, made.pin_policy, made.touch_policy) == (Origin.GENERATED, PinPolicy.ONCE, TouchPolicy.NEVER)


def test_the_order_and_lengths_are_those_that_yubico_piv_tool_reads() -> None:
    card = admin_card()
    answer = bytes.fromhex(card.send("0047009C", "AC03800107"))
    key = slot(card, 0x9C).key
    assert isinstance(key, RsaPrivateKey)
    modulus = key.n.to_bytes(256, "big")
    assert answer == bytes.fromhex("7F4982010981820100") + modulus + bytes.fromhex("82030100019000")
    key_answer = bytes.fromhex(card.send("0047009D", "AC03800111"))
    made = slot(card, 0x9D).key
    assert isinstance(made, EcPrivateKey)
    assert key_answer == bytes.fromhex("7F49438641") + made.point + b"\x90\x00"


@pytest.mark.parametrize("reference", [*SLOTS, 0xF9])
def test_keys_are_made_in_every_slot(reference: int) -> None:
    policy = {0x9C: PinPolicy.ALWAYS, 0x9E: PinPolicy.NEVER}.get(reference, PinPolicy.ONCE)
    for rules in (STRICT, YUBIKEY):
        card = admin_card(rules=rules)
        answer = card.send(f"004700{reference:02X}", "AC03800111")
        if reference == 0xF9 and rules is STRICT:
            assert answer == "6A86"
        else:
            assert answer[-4:] == "9000"
            assert slot(card, reference).pin_policy == policy


@pytest.mark.parametrize("reference", [0x00, 0x04, 0x80, 0x81, 0x96, 0x9B, 0x9F, 0xFF])
def test_other_references_are_no_slots(reference: int) -> None:
    assert admin_card(rules=YUBIKEY).send(f"004700{reference:02X}", "AC03800111") == "6A86"


@pytest.mark.parametrize(
    "data",
    [
        *("00", "AC00", "AC03800112", "AC0380012E", "AC03800127", "AC03800103", "AC0480021100", "AC03810111"),
        *("AC06800111990100", "AC068001118101AA", "AC0880010781030000FF", "AD03800111", "AC03800111AC03800111"),
        "AC0380011116",
    ],
)
def test_what_no_slot_can_have_is_wrong_data(data: str) -> None:
    card = admin_card(new_state(slot_of(0x9A)))
    before = card.state
    assert card.send("0047009A", data) == "6A80"
    assert card.state == before


def test_the_exponent_is_65537() -> None:
    card = admin_card()
    for exponent, answer in (("010001", "9000"), ("00010001", "9000"), ("03", "6A80"), ("010101", "6A80")):
        inner = "800107" + f"81{len(exponent) // 2:02X}" + exponent
        assert card.send("0047009A", f"AC{len(inner) // 2:02X}" + inner)[-4:] == answer


def test_rsa_1024_is_for_retired_keys_but_on_a_yubikey() -> None:
    for rules, answer in ((STRICT, "6A80"), (YUBIKEY, "9000")):
        card = admin_card(rules=rules)
        assert card.send("0047009A", "AC03800106")[-4:] == answer
        assert card.send("00470082", "AC03800106")[-4:] == "9000"


@pytest.mark.parametrize("algorithm", ["16", "E0", "E1"])
def test_yubicos_algorithms_are_those_of_newer_ones(algorithm: str) -> None:
    if algorithm != "16":
        card = admin_card(rules=YUBIKEY)
        assert card.send("0047009A", "AC038001" + algorithm).startswith("7F49228620")
    older = replace(YUBIKEY, kinds=frozenset({P256}))
    assert admin_card(rules=older).send("0047009A", "AC038001" + algorithm) == "6A80"


def test_policies_come_with_a_key_where_the_card_knows_them() -> None:
    card = admin_card(rules=YUBIKEY)
    assert card.send("0047009A", "AC09800111AA0103AB0102")[-4:] == "9000"
    assert (slot(card, 0x9A).pin_policy, slot(card, 0x9A).touch_policy) == (PinPolicy.ALWAYS, TouchPolicy.ALWAYS)
    assert card.send("0047009C", "AC09800111AA0100AB0100")[-4:] == "9000"
    assert (slot(card, 0x9C).pin_policy, slot(card, 0x9C).touch_policy) == (PinPolicy.ALWAYS, TouchPolicy.NEVER)
    for wrong in ("AA0104AB0101", "AA0101AB0104", "AA020101AB0101", "AA00AB0101AB00"):
        assert card.send("0047009A", f"AC{3 + len(wrong) // 2:02X}800111{wrong}") in ("6A80", "9000")
    assert admin_card().send("0047009A", "AC06800111AA0103") == "6A80"


def test_a_key_is_made_by_the_administrator_and_by_contact() -> None:
    assert PivCard().send("0047009A", "AC03800111") == "6982"
    assert PivCard(rules=contactless()).send("0047009A", "AC03800111") == "6A81"
    assert admin_card().run("0047019A05AC03800111") == "6A86"
    assert admin_card().run("0047009A00") == "6700"


def test_a_new_key_takes_the_place_of_the_old_one() -> None:
    card = admin_card(new_state(slot_of(0x9A), slot_of(0x9C)))
    before = slot(card, 0x9A)
    card.send("0047009A", "AC03800114")
    assert slot(card, 0x9A).key.kind == KeyKind.P384
    assert slot(card, 0x9A) != before
    assert [one.reference for one in card.state.slots] == [0x9A, 0x9C]


# --- IMPORT KEY


def numbers(key: PrivateKey) -> bytes:
    if isinstance(key, RsaPrivateKey):
        size = key.block_bytes // 2
        values = (key.p, key.q, key.dp, key.dq, key.qinv)
        return join(Tlv(tag, value.to_bytes(size, "big")) for tag, value in enumerate(values, 1))
    tag = 0x06 if isinstance(key, EcPrivateKey) else 0x07 if isinstance(key, Ed25519PrivateKey) else 0x08
    return bytes(Tlv(tag, bytes(key)))


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [
        (0x06, RSA_1024),
        (0x07, RSA_2048),
        (0x11, P256),
        (0x14, KeyKind.P384),
        (0xE0, KeyKind.ED25519),
        (0xE1, KeyKind.X25519),
    ],
    ids=str,
)
def test_a_key_is_imported(algorithm: int, kind: KeyKind) -> None:
    card = admin_card(rules=YUBIKEY)
    assert card.send(f"00FE{algorithm:02X}9D", numbers(key_of(kind))) == "9000"
    assert slot(card, 0x9D).key == key_of(kind)
    assert slot(card, 0x9D).origin == Origin.IMPORTED
    policies = bytes.fromhex("AA0101AB0103")
    assert card.send(f"00FE{algorithm:02X}9A", numbers(key_of(kind)) + policies) == "9000"
    assert (slot(card, 0x9A).pin_policy, slot(card, 0x9A).touch_policy) == (PinPolicy.NEVER, TouchPolicy.CACHED)


def test_an_rsa_key_comes_in_a_chain_as_yubico_piv_tool_sends_it() -> None:
    card = admin_card(rules=YUBIKEY)
    data = numbers(key_of(RSA_2048))
    assert len(data) == 655
    assert [card.run("10FE079EFF" + data[at : at + 255].hex()) for at in (0, 255)] == ["9000"] * 2
    assert card.run("00FE079E91" + data[510:].hex()) == "9000"
    assert slot(card, 0x9E).key == key_of(RSA_2048)


def test_numbers_that_are_no_key_are_refused() -> None:
    good = numbers(key_of(RSA_1024))
    rsa = key_of(RSA_1024)
    assert isinstance(rsa, RsaPrivateKey)
    wrong = [
        b"",
        b"\x01",
        good[:-1],
        good + b"\x06\x01\x00",
        numbers(replace(rsa, dp=rsa.dp + 2)),
        numbers(replace(rsa, p=rsa.q)),
        numbers(replace(rsa, p=rsa.p + 2)),
        numbers(replace(rsa, q=1)),
        numbers(replace(rsa, qinv=rsa.qinv ^ 1)),
        numbers(key_of(P256)),
    ]
    card = admin_card(rules=YUBIKEY)
    for data in wrong[1:]:
        assert card.send("00FE069A", data) == "6A80"
    for data in (
        b"\x06\x1f" + bytes(31),
        b"\x06\x20" + bytes(32),
        b"\x06\x20" + b"\xff" * 32,
        b"\x07\x20" + b"\x01" * 32,
    ):
        assert card.send("00FE119A", data) == "6A80"
    assert card.send("00FEE09A", b"\x07\x1f" + bytes(31)) == "6A80"
    assert card.send("00FE079A", good) == "6A80"
    assert card.state.slots == ()


def test_other_algorithms_and_slots_are_none() -> None:
    card = admin_card(rules=YUBIKEY)
    data = numbers(key_of(P256))
    for header, answer in (("00FE039A", "6A86"), ("00FE119B", "6A86"), ("00FE1104", "6A86"), ("00FE059A", "9000")):
        assert card.send(header, data) == answer.replace("9000", "6A80")
    assert PivCard(rules=YUBIKEY).send("00FE119A", data) == "6982"
    assert admin_card().send("00FE119A", data) == "6D00"


def test_what_is_wrong_with_a_key_says_nothing_of_it() -> None:
    card = admin_card(rules=YUBIKEY)
    outcome = card.card.exchange(bytes.fromhex("00FE119A23" + "0621" + "AB" * 33))
    assert "AB" not in str(outcome.reason)
    assert str(outcome.reason) == "authentication key 9A: the data are no P-256 key"


# --- MOVE KEY


def test_a_key_moves_and_takes_its_policies_along() -> None:
    before = slot_of(0x9A, pin_policy=PinPolicy.ALWAYS, touch_policy=TouchPolicy.CACHED)
    card = admin_card(new_state(before), YUBIKEY)
    assert card.run("00F6829A") == "9000"
    assert list(card.state.slots) == [replace(before, reference=0x82)]
    assert card.run("00F6FF82") == "9000"
    assert not card.state.slots
    assert card.run("00F6FF82") == "6A88"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("00F69C9A", "6985"),
        ("00F69A9A", "6985"),
        ("00F6829D", "6A88"),
        ("00F6009A", "6A86"),
        ("00F69B9A", "6A86"),
        ("00F6F99A", "6A86"),
        ("00F69DF9", "6A86"),
        ("00F69A9B", "6A86"),
        ("00F6829A0100", "6700"),
    ],
)
def test_what_cannot_be_moved_stays(command: str, answer: str) -> None:
    card = admin_card(new_state(slot_of(0x9A), slot_of(0x9C), slot_of(0xF9)), YUBIKEY)
    before = card.state
    assert card.run(command) == answer
    assert card.state == before


def test_moving_is_the_administrators_and_of_newer_yubikeys() -> None:
    assert PivCard(new_state(slot_of(0x9A)), YUBIKEY).run("00F6829A") == "6982"
    assert YUBIKEY.yubico is not None
    older = replace(YUBIKEY, yubico=replace(YUBIKEY.yubico, has_move=False))
    assert admin_card(new_state(slot_of(0x9A)), older).run("00F6829A") == "6D00"


def test_the_attestation_key_can_be_deleted() -> None:
    card = admin_card(new_state(slot_of(0xF9)), YUBIKEY)
    assert card.run("00F6FFF9") == "9000"
    assert card.state.slots == ()
