"""card_os.apps.piv.messages: a whole card under secure messaging, with contacts and without (piv.md section 11)."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from card_os.apps.piv import PivState, Rules
from card_os.apps.piv.personalisation import pairing_code_data, personalised
from card_os.apps.piv.secure_messaging import CS2, CS7, Suite
from card_os.apps.piv.state import CardCertificate
from card_os.apps.piv.wire import PinPolicy, UsagePolicy
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.tlv import Tlv
from tests.unit.card_os.apps.piv.piv_card import (
    GUID,
    NEW_PIN,
    PIN,
    PUK,
    STRICT,
    YUBIKEY,
    PivCard,
    contactless,
    slot_of,
    template,
)
from tests.unit.card_os.apps.piv.sm_host import HOST_ID, SmHost
from tests.unit.card_os.apps.piv.test_secure_messaging import CVC, D_CARD
from vsc.world import SeededEnv

CODE = b"12345678"
SIGN = template("82008120" + "11" * 32)
VCI = UsagePolicy.PIN | UsagePolicy.VCI
OPEN_VCI = VCI | UsagePolicy.VCI_WITHOUT_PAIRING_CODE
PIN_BYTES, NEW_PIN_BYTES = bytes.fromhex(PIN), bytes.fromhex(NEW_PIN)


class NonceEnv(SeededEnv):
    """A world whose nonces are A0, A1 and so on."""

    def random_bytes(self, count: int) -> bytes:
        return bytes(range(0xA0, 0xA0 + count)) if count <= 24 else super().random_bytes(count)


def state_with_key(kind: KeyKind = KeyKind.P256, policy: int = VCI, code: bytes | None = CODE) -> PivState:
    scalar = D_CARD if kind == KeyKind.P256 else D_CARD**2 % 2**380
    slots = [
        slot_of(0x9A),
        slot_of(0x9C, KeyKind.RSA_2048, PinPolicy.ALWAYS),
        slot_of(0x9E, pin_policy=PinPolicy.NEVER),
    ]
    state = replace(personalised(guid=GUID, policy=policy), sm=CardCertificate(EcPrivateKey(kind, scalar), CVC))
    for slot in slots:
        state = state.with_slot(slot)
    return state if code is None else state.with_object(0x5FC123, pairing_code_data(code))


def card_with_key(rules: Rules = STRICT, policy: int = VCI, kind: KeyKind = KeyKind.P256) -> PivCard:
    return PivCard(state_with_key(kind, policy), rules, NonceEnv(1))


def opened(card: PivCard, suite: Suite = CS2) -> SmHost:
    """Runs key establishment and checks the card's cryptogram."""
    host = SmHost(EcPrivateKey.generate(suite.kind, SeededEnv("host").random_bytes).library_key())
    take(card, host)
    return host


def take(card: PivCard, host: SmHost) -> None:
    answer = card.run(host.opening().hex())
    while answer[-4:-2] == "61":
        answer = answer[:-4] + card.run("00C00000")
    assert answer[-4:] == "9000"
    outer, _ = Tlv.parse_head(bytes.fromhex(answer[:-4]))
    inner, rest = Tlv.parse_head(outer.value)
    assert (outer.tag, inner.tag, rest) == (0x7C, 0x82, b"")
    assert card.state.sm is not None
    public = card.state.sm.key.library_key().public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    host.take(inner.value, public, CVC)


def wrapped(card: PivCard, host: SmHost, header: str, data: bytes = b"", *, le: bool = False) -> str:
    """One exchange under secure messaging: the plain answer."""
    ins, p1, p2 = bytes.fromhex(header)[1:]
    answer = card.card.transmit(host.wrap(ins, p1, p2, data, le=le))
    while answer[-2] == 0x61:
        answer = answer[:-2] + card.card.transmit(bytes.fromhex("00C00000"))
    if len(answer) == 2:
        return answer.hex().upper()
    plain, sw = host.unwrap(answer)
    return plain.hex().upper() + f"{sw:04X}"


# --- the transcript of OpenSC (piv.md 11.5), the card being ours


def test_the_worked_session() -> None:
    card = card_with_key(contactless())
    answer = card.run(
        "00872704507C4E814A00C56D00000000000004233BBE1B01402B5568432D7AB0E10D02ECB86663CE9B826E49863249E36F335F"
        "1B110405746289D5E55AE418B50EC37248F55897538F840A2F6C1CB68522FE0A820000"
    )
    nonce = bytes(range(0xA0, 0xB0)).hex().upper()
    assert answer == "7C81F98281F600" + nonce + "0538949AF6DE6B75ABC4F8B62F703F55" + CVC.hex().upper() + "9000"
    assert card.run("0C2000981D871101B09C90FD53EF49D1E97A85C2CA17B8378E080E6D24C2BE4AC99300") == (
        "990290008E0860974A8BBC81FCC29000"
    )


def test_select_says_which_suite_there_is() -> None:
    assert PivCard().run("00A4040005A000000308").endswith("079000") is False
    assert card_with_key().run("00A4040005A000000308").endswith("AC068001270601009000")
    assert card_with_key(kind=KeyKind.P384).run("00A4040005A000000308").endswith("AC0680012E0601009000")


# --- with contacts


@pytest.mark.parametrize("suite", [CS2, CS7], ids=["CS2", "CS7"])
def test_commands_go_through_a_session(suite: Suite) -> None:
    card = card_with_key(kind=suite.kind)
    host = opened(card, suite)
    assert wrapped(card, host, "0020 0080".replace(" ", "")) == "63C3"
    assert wrapped(card, host, "00200080", PIN_BYTES) == "9000"
    assert wrapped(card, host, "00200080") == "9000"
    assert wrapped(card, host, "00CB3FFF", bytes.fromhex("5C017E"), le=True) == card.get("7E")
    assert wrapped(card, host, "0087119A", SIGN, le=True)[-4:] == "9000"
    assert wrapped(card, host, "00240080", PIN_BYTES + NEW_PIN_BYTES) == "9000"
    assert wrapped(card, host, "00200080", PIN_BYTES) == "63C2"


def test_a_chain_is_wrapped_as_a_whole_and_its_answer_fetched_in_parts() -> None:
    card = card_with_key()
    host = opened(card)
    block = b"\x00\x01" + b"\xff" * 217 + b"\x00" + bytes(36)
    data = template(bytes(Tlv(0x82)) + bytes(Tlv(0x81, block)))
    assert wrapped(card, host, "00200080", PIN_BYTES) == "9000"
    whole = host.wrap(0x87, 0x07, 0x9C, data, le=True)
    body = whole[7:-2]
    assert card.run("1C87079CFF" + body[:255].hex()) == "9000"
    first = bytes.fromhex(card.run(f"0C87079C{len(body) - 255:02X}" + body[255:].hex() + "00"))
    assert first[-2] == 0x61
    rest = bytes.fromhex(card.run(f"00C00000{first[-1]:02X}"))
    plain, sw = host.unwrap(first[:-2] + rest)
    assert (plain[:4].hex(), sw) == ("7c820104", 0x9000)
    assert wrapped(card, host, "00200080", PIN_BYTES) == "9000"


def test_plain_commands_and_selects_in_between_leave_the_session() -> None:
    card = card_with_key()
    host = opened(card)
    for command in ("00CB3FFF035C017E00", "00A4040006A00000000101", "00A4040005A000000308", "00200080"):
        card.run(command)
    assert wrapped(card, host, "00200080", PIN_BYTES) == "9000"
    assert card.run("00200080") == "9000"


def test_a_second_key_establishment_keeps_what_the_pin_proved() -> None:
    card = card_with_key()
    host = opened(card)
    assert wrapped(card, host, "00200080", PIN_BYTES) == "9000"
    old = replace_session(host)
    take(card, host)
    assert wrapped(card, host, "00200080") == "9000"
    assert wrapped(card, old, "00200080") == "6988"
    assert wrapped(card, host, "00200080") == "6982"


def replace_session(host: SmHost) -> SmHost:
    return SmHost(host.key, host.mac, host.enc, host.rmac, host.counter, host.chain, host.answer_chain)


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


@pytest.mark.parametrize("mistake", ["replay", "MAC", "header", "no 8E", "cut", "instruction", "class 04", "class 08"])
def test_a_mistake_ends_the_session_in_clear_and_costs_no_try(mistake: str) -> None:
    card = card_with_key()
    host = opened(card)
    assert wrapped(card, host, "00200080", PIN_BYTES) == "9000"
    good = host.wrap(0x20, 0x00, 0x80, PIN_BYTES)
    if mistake == "replay":
        card.card.transmit(good)
    wrong, answer = {
        "replay": (good, "6988"),
        "MAC": (flipped(good, len(good) - 2), "6988"),
        "header": (flipped(good, 3), "6988"),
        "no 8E": (good[:4] + bytes([19]) + good[5:24] + b"\x00", "6987"),
        "cut": (good[:4] + bytes([28]) + good[6:], "6988"),
        "instruction": (host.wrap(0x2C, 0x00, 0x80, bytes.fromhex(PUK + NEW_PIN)), "6882"),
        "class 04": (b"\x04" + good[1:], "6882"),
        "class 08": (b"\x08" + good[1:], "6882"),
    }[mistake]
    assert card.card.transmit(wrong).hex().upper() == answer
    assert card.run(host.wrap(0x20, 0x00, 0x80).hex()) == "6982"
    # What the PIN had proved stays, and nothing was counted.
    assert card.run("00200080") == "9000"
    assert card.tries() == (3, 3)


def test_keys_are_gone_after_a_reset() -> None:
    card = card_with_key()
    host = opened(card)
    card.card.reset()
    assert wrapped(card, host, "00200080") == "6982"


def test_a_pin_that_is_wrong_inside_is_told_inside_and_the_session_lives() -> None:
    card = card_with_key()
    host = opened(card)
    assert wrapped(card, host, "00200080", b"999999\xff\xff") == "63C2"
    assert wrapped(card, host, "00200080", PIN_BYTES) == "9000"
    assert wrapped(card, host, "00CB3FFF", bytes.fromhex("5C035FC105"), le=True) == "6A82"


def test_a_change_of_the_pin_may_come_without_padding() -> None:
    # OpenSC 0.26 and 0.27 (piv.md 11.3); nothing else may.
    for rules, answer in ((STRICT, "9000"), (replace(STRICT, takes_unpadded=False), "6988")):
        card = card_with_key(rules)
        host = opened(card)
        sent = host.wrap(0x24, 0x00, 0x80, PIN_BYTES + NEW_PIN_BYTES, pads=False)
        got = card.card.transmit(sent)
        assert (f"{host.unwrap(got)[1]:04X}" if len(got) > 2 else got.hex()) == answer
    card = card_with_key()
    host = opened(card)
    assert card.card.transmit(host.wrap(0x87, 0x11, 0x9A, SIGN[:32], pads=False)).hex() == "6988"


def test_a_counter_ahead_makes_garbage_of_an_old_pin_and_costs_a_try() -> None:
    # The MAC does not cover the counter (piv.md 11.4). What is no PIN at all costs nothing on this card.
    card = card_with_key(YUBIKEY_WITH_SM)
    host = opened(card)
    host.counter += 1
    answer = card.card.transmit(host.wrap(0x24, 0x00, 0x80, PIN_BYTES + NEW_PIN_BYTES))
    host.counter -= 1
    assert host.unwrap(answer) == (b"", 0x63C2)
    assert card.tries() == (2, 3)


YUBIKEY_WITH_SM = replace(YUBIKEY, has_secure_messaging=True)


@pytest.mark.parametrize(
    ("inner", "answer"),
    [
        ("814A10" + HOST_ID.hex() + "04" + "11" * 64 + "8200", "6A80"),
        ("814A00" + HOST_ID.hex() + "04" + "00" * 63 + "01" + "8200", "6A80"),
        ("814A00" + HOST_ID.hex() + "02" + "11" * 64 + "8200", "6A80"),
        ("814900" + HOST_ID.hex() + "04" + "11" * 63 + "8200", "6A80"),
        ("8200", "6A80"),
        ("8100" + "8200", "6A80"),
        ("820100" + "8100", "6A80"),
        ("82008500", "6A80"),
    ],
)
def test_a_key_establishment_that_is_none_ends_the_session_before(inner: str, answer: str) -> None:
    card = card_with_key()
    host = opened(card)
    assert card.authenticate(0x27, 0x04, inner) == answer
    assert wrapped(card, host, "00200080") == "6982"


def test_another_suite_or_no_key_is_no_key() -> None:
    card = card_with_key()
    for algorithm in (0x2E, 0x11, 0x00):
        assert card.authenticate(algorithm, 0x04, "81008200") == "6A86"
    assert PivCard().authenticate(0x27, 0x04, "81008200") == "6A86"


def test_a_card_without_the_key_has_no_secure_messaging() -> None:
    for rules in (STRICT, YUBIKEY):
        assert PivCard(rules=rules).run("0C2000800A8E08000000000000000000") == "6882"
    assert card_with_key().run("0C2000800A8E08000000000000000000") == "6982"
    # A card that has none at all says so at the first part of a chain.
    assert PivCard(rules=replace(YUBIKEY, has_secure_messaging=False)).run("1C87079C0187") == "6882"


# --- without contacts: the virtual contact interface


def test_without_contact_nothing_is_open_until_the_pairing_code() -> None:
    card = card_with_key(contactless())
    assert card.run("00200098") == "6982"
    host = opened(card)
    assert wrapped(card, host, "00200080", PIN_BYTES) == "6982"
    assert wrapped(card, host, "00CB3FFF", bytes.fromhex("5C035FC107"), le=True) == "6982"
    assert wrapped(card, host, "0087119A", SIGN, le=True) == "6982"
    assert wrapped(card, host, "00200098") == "6300"
    assert wrapped(card, host, "00200098", b"87654321") == "6300"
    assert wrapped(card, host, "00200098", CODE) == "9000"
    assert wrapped(card, host, "00200098") == "9000"
    assert wrapped(card, host, "00200080", PIN_BYTES) == "9000"
    assert wrapped(card, host, "00CB3FFF", bytes.fromhex("5C035FC107"), le=True)[-4:] == "9000"
    assert wrapped(card, host, "00CB3FFF", bytes.fromhex("5C035FC123"), le=True) == "530C9908" + CODE.hex() + "FE009000"
    assert wrapped(card, host, "0087119A", SIGN, le=True)[-4:] == "9000"
    # The same in clear is as closed as before.
    assert card.get("5FC107") == card.send("0087119A", SIGN) == card.run("00200080") == "6982"
    # And the PUK never goes without contact.
    assert wrapped(card, host, "00240081", bytes.fromhex(PUK + PUK)) == "6982"


def test_a_wrong_pairing_code_closes_again_and_so_does_log_out() -> None:
    card = card_with_key(contactless())
    host = opened(card)
    assert wrapped(card, host, "00200098", CODE) == "9000"
    assert wrapped(card, host, "00200098", b"00000000") == "6300"
    assert wrapped(card, host, "00200080") == "6982"
    assert wrapped(card, host, "00200098", CODE) == "9000"
    assert wrapped(card, host, "0020FF98") == "9000"
    assert wrapped(card, host, "00200080") == "6982"


def test_some_cards_want_no_pairing_code() -> None:
    card = card_with_key(contactless(), OPEN_VCI)
    host = opened(card)
    assert wrapped(card, host, "00200080", PIN_BYTES) == "9000"
    assert wrapped(card, host, "0087119A", SIGN, le=True)[-4:] == "9000"


@pytest.mark.parametrize("policy", [UsagePolicy.PIN, UsagePolicy.PIN | UsagePolicy.VCI_WITHOUT_PAIRING_CODE])
def test_a_policy_without_the_bit_has_no_virtual_contact_interface(policy: int) -> None:
    card = card_with_key(contactless(), policy)
    host = opened(card)
    assert wrapped(card, host, "00200098", CODE) == "6A88"
    assert wrapped(card, host, "00200080", PIN_BYTES) == "6982"


def test_the_last_try_is_for_contact() -> None:
    card = card_with_key(contactless(), OPEN_VCI)
    host = opened(card)
    wrong = b"999999\xff\xff"
    assert [wrapped(card, host, "00200080", wrong) for _ in range(3)] == ["63C2", "63C1", "6983"]
    assert wrapped(card, host, "00200080", PIN_BYTES) == "6983"
    assert wrapped(card, host, "00240080", PIN_BYTES + NEW_PIN_BYTES) == "6983"
    assert card.tries() == (1, 3)
    assert PivCard(card.state).verify() == "9000"


def test_key_9e_and_the_signers_certificate_are_open() -> None:
    card = PivCard(card_with_key().state.with_object(0x5FC122, b"\x70\x00"), contactless())
    assert card.get("5FC122") == "530270009000"
    assert card.send("0087119E", SIGN)[-4:] == "9000"
