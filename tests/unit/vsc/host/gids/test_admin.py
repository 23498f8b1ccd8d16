"""The admin key: both forms of challenge and response, and replacing it."""

import pytest

from tests.unit.vsc.host.cards import FCI, RESPOND, SELECT, Refusing, Script, Wrapped, host, new_card, state_of
from tests.unit.vsc.samples import ADMIN_KEY, state
from vsc.errors import (
    AdminKeyBlocked,
    AuthenticationRequired,
    UnexpectedStatus,
    UnsupportedCard,
    VscError,
    WrongAdminResponse,
)
from vsc.host import AdminForm, AdminKeyResponder, Gids, calculate_response

OTHER_KEY = bytes(range(24))
FORMS = [AdminForm.EXTERNAL, AdminForm.MUTUAL]
MUTUAL_ONLY = FCI.replace("4001C0", "400180")
MSE = ("0022C1A403830180", "9000")


def is_admin(gids: Gids) -> bool:
    try:
        gids.change_admin_key(ADMIN_KEY)
    except AuthenticationRequired:
        return False
    return True


@pytest.mark.parametrize(("form", "size"), [(AdminForm.AUTO, 8), (AdminForm.EXTERNAL, 8), (AdminForm.MUTUAL, 40)])
def test_challenge_and_response(form: AdminForm, size: int) -> None:
    gids = host(new_card())
    challenge = gids.challenge(form)
    assert len(challenge) == size
    assert not is_admin(host(new_card()))
    gids.respond(calculate_response(challenge, ADMIN_KEY))
    assert is_admin(gids)


def test_the_form_follows_the_fci() -> None:
    """A card that does not offer the short form hands out 40 bytes: R2, R1, Z1, 80."""
    card = Refusing(new_card(), (SELECT, MUTUAL_ONLY))
    numbers = {16: bytes(range(16)), 7: bytes(range(7))}
    gids = host(card, random=numbers.__getitem__)
    challenge = gids.challenge()
    assert challenge[16:] == bytes(range(16)) + bytes(range(7)) + b"\x80"
    gids.respond(calculate_response(challenge, ADMIN_KEY))
    assert is_admin(gids)


@pytest.mark.parametrize("form", FORMS)
def test_a_wrong_response(form: AdminForm) -> None:
    gids = host(new_card())
    challenge = gids.challenge(form)
    with pytest.raises(WrongAdminResponse):
        gids.respond(calculate_response(challenge, OTHER_KEY))
    assert not is_admin(gids)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [0, 1, 7, 9, 39, 41, 200, 201, 1000])
def test_a_response_of_a_wrong_length(form: AdminForm, size: int) -> None:
    gids = host(new_card())
    gids.challenge(form)
    with pytest.raises(WrongAdminResponse):
        gids.respond(bytes(size))
    assert not is_admin(gids)


@pytest.mark.parametrize("form", FORMS)
def test_one_challenge_is_for_one_response(form: AdminForm) -> None:
    gids = host(new_card())
    response = calculate_response(gids.challenge(form), ADMIN_KEY)
    gids.respond(response)
    with pytest.raises(VscError, match="no challenge to respond to"):
        gids.respond(response)


def test_a_response_without_a_challenge() -> None:
    with pytest.raises(VscError, match="no challenge to respond to"):
        host(new_card()).respond(bytes(8))


def test_a_challenge_that_another_command_has_voided() -> None:
    gids = host(new_card())
    response = calculate_response(gids.challenge(), ADMIN_KEY)
    gids.pin_tries()
    with pytest.raises(UnexpectedStatus, match="the response to the challenge: 6985"):
        gids.respond(response)


@pytest.mark.parametrize("form", FORMS)
def test_a_key_with_a_try_counter(form: AdminForm) -> None:
    card = new_card(state(admin_tries=2))
    gids = host(card)
    for _ in range(2):
        with pytest.raises(WrongAdminResponse):
            gids.authenticate(AdminKeyResponder(OTHER_KEY), form=form)
    with pytest.raises(AdminKeyBlocked):
        gids.authenticate(RESPOND, form=form)


def test_a_key_that_is_blocked_by_the_response_itself() -> None:
    gids = host(Refusing(new_card(), ("008700000C", "6983")))
    with pytest.raises(AdminKeyBlocked):
        gids.authenticate(RESPOND)


@pytest.mark.parametrize("sw", ["6A88", "6A82", "6A81"])
def test_a_card_without_an_admin_key(sw: str) -> None:
    with pytest.raises(UnsupportedCard, match="no admin key"):
        host(Script((SELECT, FCI), ("0022C1A403830180", sw))).challenge()


def test_the_responder_hears_the_challenge_alone() -> None:
    heard: list[bytes] = []

    def respond(challenge: bytes) -> bytes:
        heard.append(challenge)
        return calculate_response(challenge, ADMIN_KEY)

    gids = host(new_card())
    for form in FORMS:
        gids.authenticate(respond, form=form)
        assert is_admin(gids)
    assert [len(one) for one in heard] == [8, 40]


def test_nothing_comes_between_challenge_and_response() -> None:
    card = Wrapped(new_card())
    host(card).authenticate(RESPOND)
    assert [one[1] for one in card.sent] == [0xA4, 0x22, 0x87, 0x87]


@pytest.mark.parametrize("challenge", ["7C0681040102030490 00", "7C0090 00", "9000", "FFFF9000", "7C02FFFF9000"])
def test_a_challenge_that_is_none(challenge: str) -> None:
    script = Script((SELECT, FCI), MSE, ("00870000047C02810000", challenge))
    with pytest.raises(UnsupportedCard, match="challenge has"):
        host(script).challenge()


def test_a_card_that_takes_any_response_but_proves_nothing() -> None:
    """Without the key only the form of its answer can be checked: here there is none, or it is ours sent back."""
    r1, z1, r2 = bytes(16), bytes(7), bytes(range(16))
    ask = ("00870000147C128110" + r1.hex() + "00", f"7C128110{r2.hex()}9000")
    response = calculate_response(r2 + r1 + z1 + b"\x80", ADMIN_KEY).hex().upper()
    answer = f"008700002C7C2A8228{response}00"
    for said in ("9000", f"7C2A8228{response}9000", "7C0982070102030405060790 00"):
        script = Script((SELECT, MUTUAL_ONLY), MSE, ask, (answer, said))
        with pytest.raises(VscError, match="none of its own"):
            host(script, random=bytes).authenticate(lambda challenge: calculate_response(challenge, ADMIN_KEY))


def test_a_card_that_proves_another_key_is_not_trusted() -> None:
    gids = host(Refusing(new_card(), ("008700002C", "7C2A8228" + "5A" * 40 + "9000")))
    with pytest.raises(VscError, match="not to be trusted"):
        gids.authenticate(RESPOND, form=AdminForm.MUTUAL)


def test_changing_the_key() -> None:
    card = Wrapped(new_card())
    gids = host(card)
    with pytest.raises(AuthenticationRequired, match="needs the present admin key first"):
        gids.change_admin_key(OTHER_KEY)
    gids.authenticate(RESPOND)
    gids.change_admin_key(OTHER_KEY)
    # The right check value goes with it, unlike OpenSC's (gids.md 5.8).
    assert (
        card.sent[-1].hex().upper()
        == f"00DB3FFF26702484018 0A51F8718{OTHER_KEY.hex()}8803".upper().replace(" ", "")
        + calculate_response(bytes(8), OTHER_KEY)[:3].hex().upper()
    )
    gids.log_out()
    gids.authenticate(AdminKeyResponder(OTHER_KEY))
    with pytest.raises(WrongAdminResponse):
        gids.authenticate(RESPOND)


@pytest.mark.parametrize("size", [0, 16, 23, 25])
def test_a_new_key_of_a_wrong_length_is_not_sent(size: int) -> None:
    card = new_card()
    gids = host(card)
    gids.authenticate(RESPOND)
    before = state_of(card)
    with pytest.raises(ValueError, match="admin key: 24 bytes"):
        gids.change_admin_key(bytes(size))
    assert state_of(card) == before
