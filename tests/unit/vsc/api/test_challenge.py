"""vsc.api.challenge: one challenge, one response, one thing done with it."""

import uuid
from collections.abc import Iterator

import pytest

import vsc
from tests.unit.vsc import samples
from vsc import AdminChallenge, ChallengeUsed, VirtualCard, WrongAdminResponse, calculate_response
from vsc.api.challenge import authority, check_card_id
from vsc.api.session import GivenKey
from vsc.store.memory import MemoryStore

KEY, NEW = samples.ADMIN_KEY, bytes(range(24))


@pytest.fixture
def card() -> Iterator[VirtualCard]:
    with vsc.temporary_card(admin_key=KEY, admin_tries=3, store=MemoryStore()) as card:
        yield card


def response(challenge: AdminChallenge, key: bytes = KEY) -> bytes:
    return calculate_response(challenge.challenge, key)


def test_a_right_response_is_told_from_a_wrong_one_and_each_is_the_only_one(card: VirtualCard) -> None:
    for key, is_right in ((KEY, True), (NEW, False)):
        with card.challenge() as challenge:
            assert repr(challenge).endswith("open>")
            assert challenge.verify(response(challenge, key)) is is_right
            assert repr(challenge).endswith("used>")
            with pytest.raises(ChallengeUsed):
                challenge.verify(response(challenge, key))


def test_it_may_change_the_key_or_the_card_id(card: VirtualCard) -> None:
    wanted = uuid.uuid4()
    with card.challenge() as challenge:
        challenge.provision(response(challenge), card_id=wanted)
    assert card.id == wanted
    with card.challenge() as challenge:
        challenge.change_admin_key(response(challenge), NEW)
    assert card.verify_admin_key(NEW)
    with card.challenge() as challenge, pytest.raises(WrongAdminResponse):
        challenge.change_admin_key(response(challenge, KEY), KEY)
    assert card.verify_admin_key(NEW)


def test_what_makes_no_sense_does_not_spend_it(card: VirtualCard) -> None:
    with card.challenge() as challenge:
        with pytest.raises(TypeError, match="response: bytes"):
            challenge.verify("12345678")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="new: 24 bytes are expected, not 3"):
            challenge.change_admin_key(response(challenge), b"new")
        with pytest.raises(TypeError, match=r"card_id: a uuid\.UUID is expected, not str"):
            challenge.provision(response(challenge), card_id="x")  # type: ignore[arg-type]
        assert challenge.verify(response(challenge))


def test_a_block_that_is_left_gives_the_card_back_and_voids_it(card: VirtualCard) -> None:
    with card.challenge() as challenge:
        answer = response(challenge)
    card.verify_pin("12345678")
    with pytest.raises(ChallengeUsed):
        challenge.verify(answer)
    challenge.close()


def test_who_answers_is_given_once() -> None:
    given = authority(KEY, None)
    assert isinstance(given, GivenKey)
    assert given.value == KEY
    answers = authority(None, bytes.fromhex("AA").__add__)
    assert callable(answers)
    assert answers(b"12345678") == b"\xaa12345678"
    for wrong in ((None, None), (KEY, bytes)):
        with pytest.raises(TypeError, match="exactly one of admin_key and respond"):
            authority(*wrong)
    with pytest.raises(TypeError, match="respond: something that can be called"):
        authority(None, b"x")  # type: ignore[arg-type]
    check_card_id(None)
    check_card_id(uuid.uuid4())
