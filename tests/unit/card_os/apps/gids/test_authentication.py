"""GENERAL AUTHENTICATE with the admin key, byte for byte, and INTERNAL AUTHENTICATE (gids.md 5.5 to 5.7, 11)."""

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from card_os.admin import AdminKey, encrypt
from card_os.apps.gids.state import GidsState, LifeCycle
from card_os.key_kind import KeyKind
from tests.unit.card_os.apps.gids.gids_card import (
    ACTIVATE,
    ADMIN_KEY,
    ASK_CHALLENGE,
    LOGOUT,
    MSE_ADMIN,
    P_256,
    SELECT_DF,
    SELECT_GIDS,
    FixedEnv,
    GidsCard,
    card_with_ec,
    create,
    crt,
    ec_key,
    get,
    key_fcp,
    key_file,
    put,
    ready_card,
    ready_state,
)

# gids.md section 11, computed there with another 3DES.
CHALLENGE, RESPONSE = "0557897F8D84407B", "A2088CF6DDAA4664"
R1, R2 = "101112131415161718191A1B1C1D1E1F", "A0A1A2A3A4A5A6A7A8A9AAABACADAEAF"
Z2 = "11121314151617"
HOST = "06EC26547DF4BEAD5C04AEB9F96B0885353BABCB33A080DF8FFFAB2202818F5771A01DAB3C8EBA64"
CARD = "398C0E06C0096AE836A466CB607C0250C8554AD39AAD26EE20C6E5961D2EE7A4573C77A66205CBE3"

ANSWER = f"008700000C7C0A8208{RESPONSE}00"
WRONG_ANSWER = "008700000C7C0A8208" + "00" * 8 + "00"
ASK_MUTUAL = f"00870000147C128110{R1}00"
ANSWER_MUTUAL = f"008700002C7C2A8228{HOST}00"


def external(env: FixedEnv | None = None, **settings: int) -> GidsCard:
    """A card whose challenge is the one of the vectors, asked for already."""
    card = ready_card(env or FixedEnv(CHALLENGE), **settings)
    assert card.send(MSE_ADMIN) == "9000"
    assert card.send(ASK_CHALLENGE) == f"7C0A8108{CHALLENGE}9000"
    return card


def mutual() -> GidsCard:
    card = ready_card(FixedEnv(R2, Z2))
    assert card.send(MSE_ADMIN) == "9000"
    assert card.send(ASK_MUTUAL) == f"7C128110{R2}9000"
    return card


def test_external_form_as_in_the_vectors() -> None:
    card = external()
    assert card.send(ANSWER) == "9000"
    assert card.is_admin


def test_mutual_form_as_in_the_vectors() -> None:
    card = mutual()
    assert card.send(ANSWER_MUTUAL) == f"7C2A8228{CARD}9000"
    assert card.is_admin


def test_the_default_key_as_measured_on_the_reference_applet() -> None:
    key = bytes.fromhex("0102030405060708" * 3)
    card = GidsCard(replace_admin_key(key), FixedEnv(CHALLENGE))
    card.run(MSE_ADMIN, ASK_CHALLENGE)
    assert card.send("008700000C7C0A8208" + "7716F4B2D7214EB2" + "00") == "9000"


def replace_admin_key(key: bytes) -> GidsState:
    file = ready_state().key_file(0x80)
    assert file is not None
    return ready_state().with_file(file.with_key(AdminKey.new(key)))


def test_parity_bits_of_the_key_do_not_matter() -> None:
    other = bytes(byte ^ 1 for byte in ADMIN_KEY)
    card = GidsCard(replace_admin_key(other), FixedEnv(CHALLENGE))
    card.run(MSE_ADMIN, ASK_CHALLENGE)
    assert card.send(ANSWER) == "9000"


@pytest.mark.parametrize("command", ["0022C1A403830180", "002281A403830180", "0022C1A406800102830180"])
def test_the_admin_key_is_chosen_by_any_of_these(command: str) -> None:
    card = ready_card(FixedEnv(CHALLENGE))
    card.run(command, ASK_CHALLENGE)
    assert card.send(ANSWER) == "9000"


@pytest.mark.parametrize("command", [ASK_CHALLENGE, ASK_MUTUAL, ANSWER, ANSWER_MUTUAL])
def test_without_mse_nothing_is_answered(command: str) -> None:
    card = ready_card()
    assert card.send(command) == "6985"
    assert not card.is_admin


@pytest.mark.parametrize("command", [ANSWER, ANSWER_MUTUAL])
def test_a_response_without_a_challenge_is_out_of_sequence(command: str) -> None:
    card = ready_card()
    card.run(MSE_ADMIN)
    assert card.send(command) == "6985"


def test_a_right_answer_cannot_be_replayed() -> None:
    card = external(FixedEnv(CHALLENGE, CHALLENGE))
    assert card.send(ANSWER) == "9000"
    assert card.send(ANSWER) == "6985"
    card = mutual()
    card.run(ANSWER_MUTUAL)
    assert card.send(ANSWER_MUTUAL) == "6985"


def test_a_wrong_answer_uses_the_challenge_up() -> None:
    card = external()
    assert card.send(WRONG_ANSWER) == "6982"
    assert card.send(ANSWER) == "6985"
    assert not card.is_admin


WRONG_HOST = {
    "R1 and R2 the other way round": R1 + R2 + "01020304050607" + "80",
    "another R1": R2 + "00" * 16 + "01020304050607" + "80",
    "another R2": "00" * 16 + R1 + "01020304050607" + "80",
    "no padding": R2 + R1 + "01020304050607" + "00",
}


@pytest.mark.parametrize("plain", WRONG_HOST.values(), ids=WRONG_HOST)
def test_a_wrong_host_cryptogram_is_refused(plain: str) -> None:
    card = mutual()
    wrong = encrypt(ADMIN_KEY, bytes.fromhex(plain)).hex()
    assert card.send(f"008700002C7C2A8228{wrong}00") == "6982"
    assert card.send(ANSWER_MUTUAL) == "6985"
    assert not card.is_admin


def test_the_hosts_part_of_the_secret_is_free() -> None:
    card = mutual()
    plain = bytes.fromhex(R2 + R1 + "FFFFFFFFFFFFFF" + "80")
    assert card.sw(f"008700002C7C2A8228{encrypt(ADMIN_KEY, plain).hex()}00") == "9000"


@pytest.mark.parametrize("size", [0, 1, 7, 16, 24, 39, 41, 48])
def test_an_answer_of_another_length_is_wrong(size: int) -> None:
    for card in (external(), mutual()):
        assert card.respond(bytes.fromhex(HOST + HOST)[:size]) == "6982"
        assert card.send(ANSWER) == "6985"
        assert not card.is_admin


def test_the_answer_to_one_form_does_not_fit_the_other() -> None:
    assert external().send(ANSWER_MUTUAL) == "6982"
    assert mutual().send(ANSWER) == "6982"


@pytest.mark.parametrize(
    "between",
    [
        SELECT_GIDS,
        SELECT_DF,
        get(0xA010, 0xDF21),
        "00200080",
        "0020008008" + b"12345678".hex(),
        LOGOUT,
        MSE_ADMIN,
        "00CA7F6800",
        "0084000008",
        "00A4040C07A0000001" + "16DB00",
        put(0xA014, 0xDF30, b""),
        "0070000001",
    ],
)
def test_any_other_command_in_between_kills_the_challenge(between: str) -> None:
    card = external()
    card.send(between)
    card.send(MSE_ADMIN)
    assert card.send(ANSWER) == "6985"
    assert not card.is_admin


def test_get_response_belongs_to_the_dialogue() -> None:
    card = ready_card(FixedEnv(CHALLENGE))
    card.run(MSE_ADMIN)
    assert card.send("00870000047C02810004") == "7C0A81086108"
    assert card.send("00C0000008") == CHALLENGE + "9000"
    assert card.send(ANSWER) == "9000"


def test_another_channel_does_not_disturb_and_does_not_profit() -> None:
    card = ready_card(FixedEnv(CHALLENGE))
    card.run("0070000001", MSE_ADMIN, ASK_CHALLENGE)
    assert card.send("01200080") == "63C3"
    assert card.send("01" + ANSWER[2:]) == "6985"
    assert card.send(ANSWER) == "9000"
    assert card.sw("01CBA014025C0000") == "6982"
    assert card.sw("00CBA014025C0000") == "9000"


def test_a_new_request_replaces_the_challenge() -> None:
    card = external(FixedEnv(CHALLENGE, "FFEEDDCCBBAA9988"))
    assert card.send(ASK_CHALLENGE) == "7C0A8108FFEEDDCCBBAA99889000"
    assert card.send(ANSWER) == "6982"


@pytest.mark.parametrize("command", [ASK_CHALLENGE, ASK_MUTUAL])
def test_a_new_request_drops_an_earlier_authentication(command: str) -> None:
    card = external(FixedEnv(CHALLENGE))
    card.run(ANSWER, MSE_ADMIN)
    assert card.is_admin
    card.run(MSE_ADMIN, command)
    assert not card.is_admin


def test_a_failed_answer_drops_the_authentication() -> None:
    card = external(FixedEnv(CHALLENGE))
    card.run(ANSWER, MSE_ADMIN, ASK_CHALLENGE)
    assert card.send(WRONG_ANSWER) == "6982"
    assert not card.is_admin


def test_pin_and_admin_key_do_not_touch_each_other() -> None:
    card = ready_card()
    card.prove("both")
    assert card.login(b"wrong") == "63C2"
    assert card.is_admin
    card.prove("user")
    card.ask_challenge()
    assert card.respond(bytes(8)) == "6982"
    assert card.is_user


@pytest.mark.parametrize(
    "data",
    [
        "028100",
        "7C00",
        "7C048100" + "8200",
        "7C028000",
        "7C028500",
        "7C0281",
        "7C0A8108" + "00" * 8,
        "7C11810F" + "00" * 15,
        "7C138111" + "00" * 17,
        "7C028100" + "00",
        "7D028100",
        "FF",
    ],
)
def test_a_bad_template_is_6a80(data: str) -> None:
    card = ready_card()
    card.run(MSE_ADMIN)
    assert card.send(f"00870000{len(data) // 2:02X}{data}00") == "6A80"


@pytest.mark.parametrize("p1p2", ["0100", "0080", "FFFF"])
def test_p1p2_of_general_authenticate_is_0000(p1p2: str) -> None:
    assert ready_card().send(f"0087{p1p2}047C02810000") == "6A86"


@pytest.mark.parametrize("phase", ["CREATION", "INITIALISATION", "TERMINATED"])
def test_the_admin_key_is_for_the_operational_state(phase: str) -> None:
    card = GidsCard(replace(ready_state(), life_cycle=LifeCycle[phase]))
    expected = "6985" if phase == "TERMINATED" else "6986"
    assert [card.send(MSE_ADMIN), card.send(ASK_CHALLENGE)] == [expected, expected]


@pytest.mark.parametrize("command", ["0084000008", "0082000008" + "00" * 8])
def test_gids_has_no_get_challenge_and_no_external_authenticate(command: str) -> None:
    assert ready_card().send(command) == "6D00"


def test_a_long_dialogue_may_be_chained() -> None:
    card = mutual()
    assert card.chain("870000", bytes.fromhex(ANSWER_MUTUAL[10:-2]), 20) == f"7C2A8228{CARD}9000"


# --- the try limit, an option


def wrong(card: GidsCard) -> str:
    challenge = card.ask_challenge()
    return card.respond(bytes(8)) if challenge else card.send(ASK_CHALLENGE)


def test_without_a_limit_there_are_tries_for_ever() -> None:
    card = ready_card()
    assert {wrong(card) for _ in range(50)} == {"6982"}
    assert card.state == ready_state()
    assert card.admin_login() == "9000"


def test_a_limited_key_blocks_after_its_tries() -> None:
    card = ready_card(admin_try_limit=3)
    assert [wrong(card) for _ in range(5)] == ["6982", "6982", "6982", "6983", "6983"]
    assert card.admin_login() == "6983"
    card.card.reset()
    assert card.admin_login() == "6983"
    assert card.login() == "9000"


def test_a_right_answer_gives_the_tries_back() -> None:
    card = ready_card(admin_try_limit=3)
    wrong(card)
    wrong(card)
    assert card.admin_login() == "9000"
    assert card.state == ready_state(admin_try_limit=3)


def test_asking_for_a_challenge_costs_no_try() -> None:
    card = ready_card(admin_try_limit=3)
    for _ in range(10):
        assert card.ask_challenge()
    assert card.state == ready_state(admin_try_limit=3)


# --- more admin keys

SECOND_ADMIN = key_fcp([crt("A4", 0x02, 0x82, usage=0xC0)], 0xB082, rule="870020FF")


@pytest.mark.parametrize(("who", "sw"), [("nobody", "6982"), ("user", "6982"), ("admin", "9000"), ("both", "9000")])
def test_a_second_admin_key_is_made_by_an_administrator(who: str, sw: str) -> None:
    card = ready_card()
    card.prove(who)
    assert card.send(create(SECOND_ADMIN)) == sw


def test_a_key_that_only_computes_is_no_admin_key() -> None:
    card = ready_card()
    card.prove("user")
    assert card.send(create(key_fcp([crt("A4", 0x02, 0x82, usage=0x40)], 0xB082))) == "9000"


def test_a_second_admin_key_opens_the_same_doors() -> None:
    card = ready_card()
    card.prove("admin")
    key = bytes.fromhex("00112233445566778899AABBCCDDEEFF0011223344556677")
    card.run(create(SECOND_ADMIN), ACTIVATE, "00DB3FFF21701F840182A51A8718" + key.hex(), LOGOUT)
    card.run("0022C1A403830182")
    challenge = bytes.fromhex(card.send(ASK_CHALLENGE))[4:12]
    assert card.respond(encrypt(key, challenge)) == "9000"
    assert card.is_admin


def test_a_challenge_is_for_the_key_it_was_asked_with() -> None:
    """Otherwise the weaker of two keys could answer for the other."""
    card = ready_card()
    card.prove("admin")
    card.run(create(SECOND_ADMIN), ACTIVATE, "00DB3FFF21701F840182A51A8718" + "11" * 24, LOGOUT)
    challenge = card.ask_challenge()
    card.run("0022C1A403830182")
    assert card.respond(encrypt(b"\x11" * 24, challenge)) == "6985"


def test_a_key_not_made_for_verifying_authenticates_nobody() -> None:
    fcp = key_fcp([crt("A4", 0x02, 0x82, usage=0x40)], 0xB082)
    admin = ready_state().key_file(0x80)
    assert admin is not None
    card = GidsCard(ready_state().with_file(key_file(fcp, admin.key)))
    card.login()
    card.run("0022C1A403830182")
    assert card.send(ASK_CHALLENGE) == "6A81"


def test_an_asymmetric_key_gives_a_clean_status_word() -> None:
    card = card_with_ec()
    card.login()
    card.run("002241A403830181")
    assert card.send(ASK_CHALLENGE) == "6A81"


def test_an_elliptic_curve_key_made_for_verifying_is_no_admin_key() -> None:
    state = ready_state().with_file(
        key_file(key_fcp([crt("A4", P_256, usage=0xC0)], rule="870000FF"), ec_key(KeyKind.P256))
    )
    card = GidsCard(state)
    card.run("0022C1A403830181")
    assert card.send(ASK_CHALLENGE) == "6A81"


def test_an_admin_key_that_was_not_loaded_cannot_be_chosen() -> None:
    state = ready_state().with_file(key_file(SECOND_ADMIN, None))
    assert GidsCard(state).send("0022C1A403830182") == "6A88"


# --- INTERNAL AUTHENTICATE

DIGEST = hashlib.sha256(b"challenge").digest()
SIGN = f"00880000247C228120{DIGEST.hex()}00"


def test_an_elliptic_curve_key_answers_with_a_signature() -> None:
    card = card_with_ec(P_256)
    card.login()
    card.run("002241A403840181")
    answer = card.read(SIGN)
    assert answer[0] == 0x7C
    assert answer[2] == 0x82
    public = ec_key(KeyKind.P256).library_key().public_key()
    public.verify(answer[4:], DIGEST, ec.ECDSA(Prehashed(SHA256())))


@pytest.mark.parametrize(
    ("data", "sw"),
    [
        ("7C022F00", "6A81"),
        ("7C0485008100", "6A81"),
        ("7C00", "6A80"),
        ("7D028100", "6A80"),
        ("7C028100", "6700"),
    ],
)
def test_internal_authenticate_refuses_what_it_does_not_know(data: str, sw: str) -> None:
    card = card_with_ec()
    card.login()
    card.run("002241A403840181")
    assert card.send(f"00880000{len(data) // 2:02X}{data}00") == sw


def test_internal_authenticate_needs_pin_and_security_environment() -> None:
    card = card_with_ec()
    assert card.send("002241A403840181") == "6982"
    assert card.send(SIGN) == "6985"
    card.login()
    card.run("002241A403840181")
    card.login(b"wrong")
    assert card.send(SIGN) == "6982"


def test_internal_authenticate_needs_an_elliptic_curve_key() -> None:
    card = ready_card()
    card.run(MSE_ADMIN)
    assert card.send(SIGN) == "6A81"
