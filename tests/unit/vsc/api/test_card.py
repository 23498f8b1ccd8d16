"""vsc.api.card: handles on cards, outside and inside of a `with` block, in a store and in a reader."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

import vsc
from card_os.pin import CharacterRule, PinPolicy
from tests.unit.vsc import processes, samples
from vsc import (
    AdminKeyBlocked,
    Cancelled,
    CardExistsError,
    CardInUseError,
    CardNotFoundError,
    CardRemoved,
    ChallengeUsed,
    PinBlocked,
    PinPolicyViolation,
    PinScript,
    Question,
    QuestionKind,
    UnsupportedCard,
    VirtualCard,
    VscError,
    WrongAdminResponse,
    WrongPin,
    calculate_response,
)
from vsc.api.card import Card
from vsc.api.place import InStore, Spot
from vsc.host import Tries
from vsc.machine import InProcessMachine, MachineReader, use
from vsc.machine.own import OwnReader
from vsc.profiles import GIDS
from vsc.reader import Reader
from vsc.store.memory import MemoryStore
from vsc.store.sqlite import SqliteStore

PIN, OTHER, WRONG = "24681357", "75318642", "00000000"
KEY, NEW_KEY = samples.ADMIN_KEY, bytes(range(24))
POLICY = PinPolicy(6, 12, digits=CharacterRule.REQUIRE_AT_LEAST_ONE)
STATUS = bytes.fromhex(samples.PIN_STATUS)

Open = Callable[[], VirtualCard]


@pytest.fixture
def machine() -> Iterator[InProcessMachine]:
    machine = InProcessMachine(MemoryStore(), pcsc=False)
    with use(machine):
        yield machine
    machine.close()


@pytest.fixture
def card(machine: InProcessMachine) -> VirtualCard:
    return vsc.create("work", pin=PIN, admin_key=KEY, tries=3, label="Work ☂")


@pytest.fixture
def plugged(card: VirtualCard, machine: InProcessMachine) -> MachineReader:
    return machine.plug("work")


def works(card: Card, pin: str) -> bool:
    try:
        card.verify_pin(pin)
    except WrongPin:
        return False
    return True


def left(card: Card) -> int:
    tries = card.pin_tries
    assert tries is not None
    return tries.left


class TestHandle:
    def test_it_says_what_the_card_is(self, card: VirtualCard) -> None:
        assert (card.name, card.label, card.admin_key) == ("work", "Work ☂", KEY)
        assert card.atr == bytes(GIDS.atr)
        assert isinstance(card.id, uuid.UUID)
        assert (card.pin_tries, card.puk_tries, card.pin_policy) == (Tries(3, 3), None, None)
        assert card.containers() == ()

    def test_it_shows_no_secret(self, card: VirtualCard) -> None:
        assert repr(card) == "<VirtualCard 'work'>"

    def test_outside_a_block_it_holds_nothing(self, card: VirtualCard, machine: InProcessMachine) -> None:
        card.verify_pin(PIN)
        with machine.store.open("work"):
            pass
        assert card.transmit(STATUS).hex() == "63c3"  # Not verified any more.
        assert card.reader is None

    def test_inside_a_block_it_holds_the_card_and_what_is_verified(
        self, card: VirtualCard, machine: InProcessMachine
    ) -> None:
        with card as same:
            assert same is card
            with pytest.raises(CardInUseError), machine.store.open("work"):
                pass
            card.verify_pin(PIN)
            assert card.transmit(STATUS).hex() == "9000"
        assert card.transmit(STATUS).hex() == "63c3"

    def test_the_block_has_the_card_in_a_reader_and_leaving_ejects_but_does_not_delete(self, card: VirtualCard) -> None:
        with card:
            reader = card.reader
            assert isinstance(reader, Reader)
            assert reader.transmit(STATUS).hex() == "63c3"
        assert reader.card is None
        assert works(card, PIN)

    def test_two_cards_in_blocks_are_in_readers_of_two_names(self, card: VirtualCard) -> None:
        other = vsc.create("other", pin=PIN)
        with card, other:
            assert isinstance(card.reader, Reader)
            assert isinstance(other.reader, Reader)
            assert card.reader.name != other.reader.name

    def test_a_block_in_the_block_of_the_same_handle(self, card: VirtualCard) -> None:
        with card:
            with pytest.raises(CardInUseError, match="by this very handle"), card:
                pass
            assert works(card, PIN)

    def test_an_error_in_the_block_gives_the_card_back(self, card: VirtualCard) -> None:
        with pytest.raises(RuntimeError), card:
            raise RuntimeError
        assert card.reader is None
        with card:
            pass

    def test_somebody_else_resets_the_card(self, card: VirtualCard) -> None:
        with card:
            assert isinstance(card.reader, Reader)
            card.verify_pin(PIN)
            card.reader.reset()
            with pytest.raises(vsc.CardWasReset):
                card.containers()
            assert card.transmit(STATUS).hex() == "63c3"

    def test_somebody_takes_the_card_out_and_puts_it_back(self, card: VirtualCard) -> None:
        with card:
            reader = card.reader
            assert isinstance(reader, Reader)
            inside = reader.eject()
            with pytest.raises(CardRemoved):
                card.verify_pin(PIN)
            reader.insert(inside)
            card.verify_pin(PIN)
            reader.eject()
        assert works(card, PIN)

    def test_after_what_a_person_sends_gids_is_selected_again(
        self, card: VirtualCard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[str] = []
        transmit = Reader.transmit

        def note(reader: Reader, command: bytes, **more: Any) -> bytes:
            sent.append(command.hex().upper())
            return transmit(reader, command, **more)

        with card:
            card.verify_pin(PIN)
            monkeypatch.setattr(Reader, "transmit", note)
            assert card.id is not None
            assert not any(one.startswith("00A404") for one in sent)
            card.transmit(bytes.fromhex("00A4040007A0000000000000"))
            sent.clear()
            assert card.id is not None
            assert sent[0].startswith(samples.SELECT)

    def test_another_process_has_the_card(self, store: SqliteStore, home: Path) -> None:
        card = vsc.create("work", pin=PIN)
        with processes.holding(home, "work"):
            with pytest.raises(CardInUseError):
                card.verify_pin(PIN)
            with pytest.raises(CardInUseError):
                card.delete()
            assert card.admin_key
        card.verify_pin(PIN)

    def test_two_handles_see_one_card(self, card: VirtualCard) -> None:
        other = vsc.open("work")
        assert not works(card, WRONG)
        assert left(other) == 2
        with card, pytest.raises(CardInUseError):
            other.verify_pin(PIN)

    def test_threads_take_turns(self, card: VirtualCard) -> None:
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(works, [card] * 40, [PIN] * 40))
            assert set(pool.map(left, [card] * 40)) == {3}
            with card:
                assert all(pool.map(works, [card] * 40, [PIN] * 40))

    def test_a_deleted_card_stays_deleted(self, card: VirtualCard) -> None:
        other = vsc.open("work")
        card.delete()
        for use_it in (card.verify_pin, card.containers, card.delete, card.__enter__, lambda: card.label):
            with pytest.raises(CardNotFoundError):
                use_it()
        with pytest.raises(CardNotFoundError):
            other.verify_pin(PIN)
        vsc.create("work", pin=PIN)
        with pytest.raises(CardNotFoundError, match="was deleted"):
            card.verify_pin(PIN)


class TestInAReaderOfTheMachine:
    def test_operations_go_through_that_reader(self, card: VirtualCard, plugged: MachineReader) -> None:
        assert card.reader == plugged
        assert not works(card, WRONG)
        assert left(vsc.open(reader=plugged)) == 2
        with card:
            assert card.reader == plugged
            card.verify_pin(PIN)
        assert plugged.insertion is not None

    def test_what_it_proved_is_forgotten_and_what_others_proved_is_not(
        self, card: VirtualCard, plugged: MachineReader
    ) -> None:
        with plugged.connect() as other:
            other.transmit(bytes.fromhex(samples.SELECT))
            card.verify_pin(PIN)
            assert other.transmit(STATUS).hex() == "63c3"
            assert other.transmit(bytes.fromhex(samples.VERIFY)).hex() == "9000"
            _ = card.pin_tries, card.id, card.containers()
            assert other.transmit(STATUS).hex() == "9000"
            with card:
                card.verify_admin_key(KEY)
            assert other.transmit(STATUS).hex() == "63c3"

    def test_a_card_of_the_same_name_in_another_store_is_another_card(
        self, card: VirtualCard, plugged: MachineReader
    ) -> None:
        elsewhere = MemoryStore()
        other = vsc.create("work", pin=OTHER, store=elsewhere)
        assert other.reader is None
        with elsewhere.open("work"), pytest.raises(CardInUseError):
            other.verify_pin(OTHER)
        other.delete()
        assert works(card, PIN)

    def test_any_card_in_any_reader(self, card: VirtualCard, plugged: MachineReader) -> None:
        found = vsc.open(reader=plugged.name)
        assert (type(found), found.name, found.reader) == (Card, plugged.name, plugged)
        assert repr(found) == f"<Card {plugged.name!r}>"
        found.change_pin(old=PIN, new=OTHER)
        found.reset_pin(new=PIN, admin_key=KEY)
        with found:
            assert found.id == card.id

    def test_it_is_that_card_and_no_other_that_comes_after_it(
        self, card: VirtualCard, machine: InProcessMachine, plugged: MachineReader
    ) -> None:
        found = vsc.open(reader=plugged)
        assert isinstance(plugged, OwnReader)
        inside = plugged.slot.eject()
        with pytest.raises(CardRemoved):
            vsc.open(reader=plugged)
        plugged.slot.insert(inside)
        with pytest.raises(CardRemoved):
            found.verify_pin(PIN)
        assert works(vsc.open(reader=plugged), PIN)

    def test_deleting_takes_it_out_of_the_machine(self, card: VirtualCard, machine: InProcessMachine) -> None:
        reader = machine.plug("work")
        card.delete()
        assert machine.readers() == ()
        assert reader.insertion is None
        assert not machine.store.exists("work")

    def test_a_card_without_gids(self) -> None:
        class Mute:
            atr = bytes.fromhex("3B00")

            def power_on(self) -> bytes:
                return self.atr

            reset = power_on

            def power_off(self) -> None: ...

            def transmit(self, command: bytes) -> bytes:
                return b"\x6d\x00"

        slot = Reader("Other")
        slot.insert(Mute())
        found = Card.in_reader(OwnReader(slot))
        assert (found.atr, found.transmit(STATUS)) == (Mute.atr, b"\x6d\x00")
        for use_it in (lambda: found.id, lambda: found.verify_pin(PIN), found.challenge):
            with pytest.raises(UnsupportedCard, match="known here: GIDS, PIV"):
                use_it()
        assert found.atr == Mute.atr


class TestVerify:
    def test_text_and_bytes(self, machine: InProcessMachine) -> None:
        card = vsc.create("work", pin="Füße☂")
        card.verify_pin("Füße☂")
        card.verify_pin("Füße☂".encode())

    def test_a_wrong_one_costs_a_try_and_a_right_one_gives_all_back(self, card: VirtualCard) -> None:
        with pytest.raises(WrongPin, match="wrong PIN, 2 tries left") as caught:
            card.verify_pin(WRONG)
        assert caught.value.tries_left == 2
        card.verify_pin(PIN)
        assert left(card) == 3

    def test_blocked(self, card: VirtualCard) -> None:
        assert not any(works(card, WRONG) for _ in range(3))
        with pytest.raises(PinBlocked):
            card.verify_pin(PIN)
        with pytest.raises(PinBlocked):
            card.verify_pin()  # Nobody is asked.

    @pytest.mark.parametrize("wrong", [12345678, ["1"], object()])
    def test_what_is_no_pin(self, card: VirtualCard, wrong: object) -> None:
        with pytest.raises(TypeError, match="a PIN is str or bytes, not"):
            card.verify_pin(wrong)  # type: ignore[arg-type]

    def test_text_that_cannot_be_sent_is_not_in_the_error(self, card: VirtualCard) -> None:
        with pytest.raises(ValueError, match="UTF-8") as caught:
            card.verify_pin("s3cr3t\ud800")
        assert "s3cr3t" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert left(card) == 3

    def test_an_empty_one_costs_nothing(self, card: VirtualCard) -> None:
        with pytest.raises(vsc.RefusedError, match="1 to 255 bytes"):
            card.verify_pin("")
        assert left(card) == 3

    def test_asked_again_until_it_is_right(self, card: VirtualCard) -> None:
        script = PinScript([WRONG, PIN])
        with vsc.user_interaction(script):
            card.verify_pin()
        assert script.questions == [
            Question(QuestionKind.CURRENT_PIN, "Work ☂", tries_left=3),
            Question(QuestionKind.CURRENT_PIN, "Work ☂", tries_left=2, problem="wrong PIN, 2 tries left"),
        ]


class TestChange:
    def test_the_new_one_works_and_the_old_one_does_not(self, card: VirtualCard) -> None:
        card.change_pin(old=PIN, new=OTHER)
        assert works(card, OTHER)
        assert not works(card, PIN)

    def test_a_wrong_one_is_told_at_once(self, card: VirtualCard) -> None:
        with vsc.user_interaction(PinScript()), pytest.raises(WrongPin) as caught:
            card.change_pin(old=WRONG, new=OTHER)
        assert caught.value.tries_left == left(card) == 2
        assert works(card, PIN)

    def test_rules_come_before_tries(self, machine: InProcessMachine) -> None:
        card = vsc.create("work", pin=PIN, policy=POLICY, tries=3)
        for old in (PIN, WRONG, None):
            with vsc.user_interaction(PinScript()), pytest.raises(PinPolicyViolation) as caught:
                card.change_pin(old=old, new="short")
            assert caught.value.rules == ("a PIN has 6 to 12 characters", "digits are required, one at least")
            assert "short" not in str(caught.value)
        assert left(card) == 3

    @pytest.mark.parametrize("new", ["", "123", "1" * 128])
    def test_without_a_policy_there_are_4_to_127_bytes(self, card: VirtualCard, new: str) -> None:
        with pytest.raises(PinPolicyViolation, match="4 to 127"):
            card.change_pin(old=PIN, new=new)
        assert works(card, PIN)

    def test_asked_for_both_in_order(self, machine: InProcessMachine) -> None:
        card = vsc.create("work", pin=PIN, policy=POLICY, tries=3)
        script = PinScript([WRONG, "abcdef", OTHER, PIN])
        with vsc.user_interaction(script):
            card.change_pin()
        assert script.questions == [
            Question(QuestionKind.CURRENT_PIN, "work", tries_left=3),
            Question(QuestionKind.NEW_PIN, "work", POLICY),
            Question(
                QuestionKind.NEW_PIN,
                "work",
                POLICY,
                problem="the new PIN is refused: digits are required, one at least",
            ),
            Question(QuestionKind.CURRENT_PIN, "work", tries_left=2, problem="wrong PIN, 2 tries left"),
        ]
        assert works(card, OTHER)

    @pytest.mark.parametrize("answers", [[None], [PIN, None], [""], [WRONG, OTHER, None]])
    def test_cancelled(self, card: VirtualCard, answers: list[str | None]) -> None:
        with vsc.user_interaction(PinScript(answers)) as script, pytest.raises(Cancelled):
            card.change_pin()
        assert isinstance(script, PinScript)
        assert script.answers_left == 0
        assert works(card, PIN)
        assert not works(card, OTHER)

    def test_asked_until_it_is_blocked(self, card: VirtualCard) -> None:
        script = PinScript([WRONG, OTHER, WRONG, WRONG])
        with vsc.user_interaction(script), pytest.raises(PinBlocked):
            card.change_pin()
        assert script.answers_left == 0

    def test_the_handles_own_interaction_comes_first(self, machine: InProcessMachine) -> None:
        own, everybodys = PinScript([PIN, PIN, OTHER]), PinScript()
        card = vsc.create("work", pin=None, interaction=own)
        with vsc.user_interaction(everybodys):
            card.change_pin()
        assert (len(own.questions), everybodys.questions) == (3, [])

    def test_nobody_has_the_card_while_a_person_thinks(self, card: VirtualCard, machine: InProcessMachine) -> None:
        class Slow(PinScript):
            def new_pin(self, question: Question) -> str | None:
                with machine.store.open("work"):
                    return super().new_pin(question)

        with vsc.user_interaction(Slow([PIN, OTHER])):
            card.change_pin()
        assert works(card, OTHER)


class TestReset:
    def test_by_the_admin_key(self, card: VirtualCard) -> None:
        assert not any(works(card, WRONG) for _ in range(3))
        card.reset_pin(new=OTHER, admin_key=KEY)
        assert works(card, OTHER)
        assert left(card) == 3

    def test_by_whoever_has_it(self, card: VirtualCard) -> None:
        seen: list[bytes] = []

        def respond(challenge: bytes) -> bytes:
            seen.append(challenge)
            return calculate_response(challenge, KEY)

        card.reset_pin(new=OTHER, respond=respond)
        assert works(card, OTHER)
        assert [len(one) for one in seen] == [8]

    def test_a_wrong_response_changes_nothing(self, card: VirtualCard) -> None:
        with pytest.raises(WrongAdminResponse):
            card.reset_pin(new=OTHER, admin_key=NEW_KEY)
        for response in (bytes(8), b"", bytes(255)):
            with pytest.raises(WrongAdminResponse):
                card.reset_pin(new=OTHER, respond=lambda _, response=response: response)  # type: ignore[misc]
        assert works(card, PIN)

    def test_what_the_callable_raises_comes_through(self, card: VirtualCard) -> None:
        def respond(challenge: bytes) -> bytes:
            raise ConnectionError("the server is down")

        with pytest.raises(ConnectionError, match="the server is down"):
            card.reset_pin(new=OTHER, respond=respond)
        assert works(card, PIN)

    @pytest.mark.parametrize("answer", [None, "text", 8])
    def test_a_callable_that_returns_no_bytes(self, card: VirtualCard, answer: object) -> None:
        with pytest.raises(TypeError, match="response: bytes are expected"):
            card.reset_pin(new=OTHER, respond=lambda _: answer)  # type: ignore[arg-type, return-value]
        assert works(card, PIN)

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"admin_key": KEY, "puk": PIN},
            {"admin_key": KEY, "respond": len},
            {"admin_key": "text"},
            {"respond": b"no callable"},
        ],
    )
    def test_one_way_exactly(self, card: VirtualCard, wrong: dict[str, object]) -> None:
        with pytest.raises(TypeError):
            card.reset_pin(new=OTHER, **wrong)  # type: ignore[arg-type]

    def test_a_key_of_another_length(self, card: VirtualCard) -> None:
        with pytest.raises(ValueError, match="admin_key: 24 bytes are expected, not 23"):
            card.reset_pin(new=OTHER, admin_key=bytes(23))

    def test_the_new_pin_is_asked_before_the_challenge(self, machine: InProcessMachine) -> None:
        card = vsc.create("work", pin=PIN, admin_key=KEY, policy=POLICY)
        steps: list[str] = []

        class Noted(PinScript):
            def new_pin(self, question: Question) -> str | None:
                steps.append("asked")
                return super().new_pin(question)

        def respond(challenge: bytes) -> bytes:
            steps.append("challenged")
            return calculate_response(challenge, KEY)

        with vsc.user_interaction(Noted(["abcdef", OTHER])):
            card.reset_pin(respond=respond)
        assert steps == ["asked", "asked", "challenged"]
        assert works(card, OTHER)

    def test_cancelled_nobody_is_challenged(self, card: VirtualCard) -> None:
        with vsc.user_interaction(PinScript([None])), pytest.raises(Cancelled):
            card.reset_pin(respond=lambda _: pytest.fail("challenged"))
        assert works(card, PIN)

    def test_a_new_pin_against_the_rules_is_refused_before_the_challenge(self, card: VirtualCard) -> None:
        with pytest.raises(PinPolicyViolation):
            card.reset_pin(new="1", respond=lambda _: pytest.fail("challenged"))

    def test_a_card_with_a_puk(self, machine: InProcessMachine) -> None:
        card = vsc.create("work", pin=PIN, admin_key=KEY, puk="87654321", tries=3)
        assert card.puk_tries == Tries(3, 3)
        with pytest.raises(UnsupportedCard, match="with its PUK, not with the admin key"):
            card.reset_pin(new=OTHER, admin_key=KEY)
        with pytest.raises(WrongPin, match="wrong PUK, 2 tries left"):
            card.reset_pin(new=OTHER, puk=WRONG)
        assert works(card, PIN)
        card.reset_pin(new=OTHER, puk=b"87654321")
        assert works(card, OTHER)
        assert card.puk_tries == Tries(3, 3)

    def test_a_card_without_a_puk(self, card: VirtualCard) -> None:
        with pytest.raises(UnsupportedCard, match="no PUK"):
            card.reset_pin(new=OTHER, puk="87654321")


class TestChallenge:
    def test_right_and_wrong(self, card: VirtualCard) -> None:
        for key, is_right in ((KEY, True), (NEW_KEY, False)):
            with card.challenge() as challenge:
                assert len(challenge.challenge) == 8
                assert challenge.verify(calculate_response(challenge.challenge, key)) is is_right
            assert card.verify_admin_key(key) is is_right

    def test_one_response_each(self, card: VirtualCard) -> None:
        with card.challenge() as challenge:
            right = calculate_response(challenge.challenge, KEY)
            assert not challenge.verify(bytes(8))
            for again in (
                lambda: challenge.verify(right),
                lambda: challenge.change_admin_key(right, NEW_KEY),
                lambda: challenge.provision(right, format=True),
            ):
                with pytest.raises(ChallengeUsed):
                    again()
        with card.challenge() as other:
            assert other.challenge != challenge.challenge
            assert not other.verify(right)

    def test_closed_without_a_response(self, card: VirtualCard) -> None:
        with card.challenge() as challenge:
            right = calculate_response(challenge.challenge, KEY)
        with pytest.raises(ChallengeUsed):
            challenge.verify(right)
        challenge.close()
        assert works(card, PIN)

    def test_one_that_is_left_open_in_a_block_ends_with_it(self, card: VirtualCard) -> None:
        with card:
            challenge = card.challenge()
        with pytest.raises(ChallengeUsed):
            challenge.verify(bytes(8))
        assert works(card, PIN)

    def test_one_that_is_forgotten_gives_the_card_back(self, card: VirtualCard) -> None:
        card.challenge()
        assert works(card, PIN)

    def test_in_a_block_nothing_stays_proved(self, card: VirtualCard) -> None:
        put_key = bytes.fromhex("00DB3FFF26702484018 0A51F8718".replace(" ", "")) + NEW_KEY + b"\x88\x03" + bytes(3)
        with card:
            with card.challenge() as challenge:
                assert challenge.verify(calculate_response(challenge.challenge, KEY))
            assert card.transmit(put_key).hex() == "6982"
            assert card.verify_admin_key(KEY)
            assert card.transmit(put_key).hex() == "6982"
            with card.challenge():
                pass
            assert card.pin_tries == Tries(3, 3)

    def test_the_card_is_its_own_until_the_response(self, card: VirtualCard) -> None:
        challenge = card.challenge()
        with pytest.raises(VscError, match="busy with another operation of this thread: an open challenge"):
            card.verify_pin(PIN)
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(works, card, PIN)
            assert challenge.verify(calculate_response(challenge.challenge, KEY))
            assert other.result()

    def test_another_thread_may_answer_it(self, card: VirtualCard) -> None:
        for place in (card, None):
            with ThreadPoolExecutor(1) as pool:
                if place is not None:
                    place.__enter__()
                challenge = pool.submit(card.challenge).result()
                assert challenge.verify(calculate_response(challenge.challenge, KEY))
                card.close()

    def test_its_text_has_no_secret(self, card: VirtualCard) -> None:
        with card.challenge() as challenge:
            assert repr(challenge) == f"<AdminChallenge {challenge.challenge.hex().upper()}, open>"
        assert repr(challenge).endswith("used>")

    def test_a_card_that_is_blocked_gives_none(self, machine: InProcessMachine) -> None:
        card = vsc.create("work", pin=PIN, admin_key=KEY, admin_tries=1)
        assert not card.verify_admin_key(NEW_KEY)
        with pytest.raises(AdminKeyBlocked):
            card.challenge()
        with pytest.raises(AdminKeyBlocked):
            card.verify_admin_key(KEY)
        assert works(card, PIN)

    @pytest.mark.parametrize(("new", "error"), [(bytes(23), ValueError), ("text", TypeError), (None, TypeError)])
    def test_a_key_that_is_none_is_refused_before_the_response_is_spent(
        self, card: VirtualCard, new: bytes, error: type[Exception]
    ) -> None:
        with card.challenge() as challenge:
            response = calculate_response(challenge.challenge, KEY)
            with pytest.raises(error):
                challenge.change_admin_key(response, new)
            with pytest.raises(TypeError):
                challenge.provision(response, card_id="no id")  # type: ignore[arg-type]
            with pytest.raises(TypeError):
                challenge.verify(None)  # type: ignore[arg-type]
            challenge.change_admin_key(response, NEW_KEY)
        assert card.admin_key == NEW_KEY


class TestAdministration:
    @pytest.mark.parametrize("way", ["key", "respond", "challenge"])
    def test_another_admin_key(self, card: VirtualCard, way: str) -> None:
        if way == "key":
            card.change_admin_key(new=NEW_KEY, admin_key=KEY)
        elif way == "respond":
            card.change_admin_key(new=NEW_KEY, respond=lambda challenge: calculate_response(challenge, KEY))
        else:
            with card.challenge() as challenge:
                challenge.change_admin_key(calculate_response(challenge.challenge, KEY), NEW_KEY)
        assert card.admin_key == NEW_KEY
        assert card.verify_admin_key(NEW_KEY)
        assert not card.verify_admin_key(KEY)
        assert works(card, PIN)

    def test_with_the_wrong_one(self, card: VirtualCard) -> None:
        with pytest.raises(WrongAdminResponse):
            card.change_admin_key(new=NEW_KEY, admin_key=NEW_KEY)
        with pytest.raises(WrongAdminResponse):
            card.provision(format=True, admin_key=NEW_KEY)
        with card.challenge() as challenge, pytest.raises(WrongAdminResponse):
            challenge.change_admin_key(bytes(8), NEW_KEY)
        assert card.admin_key == KEY

    def test_formatting(self, card: VirtualCard) -> None:
        before = card.id
        card.generate_key(1024, pin=PIN)
        card.provision(admin_key=KEY)
        assert card.id == before
        assert len(card.containers()) == 1
        card.provision(format=True, admin_key=KEY)
        assert card.containers() == ()
        assert card.id not in (before, None)
        assert works(card, PIN)
        assert card.verify_admin_key(KEY)

    @pytest.mark.parametrize("wipe", [False, True])
    def test_another_id(self, card: VirtualCard, wipe: bool) -> None:
        wanted = uuid.uuid4()
        card.provision(format=wipe, card_id=wanted, admin_key=KEY)
        assert card.id == wanted
        with card.challenge() as challenge:
            challenge.provision(calculate_response(challenge.challenge, KEY), format=wipe, card_id=uuid.UUID(int=0))
        assert card.id == uuid.UUID(int=0)

    def test_hosts_are_told_to_forget_what_they_know(self, card: VirtualCard) -> None:
        cache = bytes.fromhex("00CBA010045C02DF2200")
        seen = {card.transmit(cache)}
        for wipe, card_id in ((False, None), (False, uuid.uuid4()), (True, None)):
            card.provision(format=wipe, card_id=card_id, admin_key=KEY)
            seen.add(card.transmit(cache))
        assert len(seen) == 4

    @pytest.mark.parametrize("wrong", [{}, {"admin_key": KEY, "respond": len}])
    def test_one_way_exactly(self, card: VirtualCard, wrong: dict[str, object]) -> None:
        with pytest.raises(TypeError, match="exactly one of admin_key and respond"):
            card.provision(**wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="exactly one of admin_key and respond"):
            card.change_admin_key(new=NEW_KEY, **wrong)  # type: ignore[arg-type]


class TestKeys:
    def test_made_on_the_card_and_used(self, card: VirtualCard) -> None:
        made = card.generate_key(1024, pin=PIN, label="Ada")
        (container,) = card.containers()
        assert (container.number, container.name, made.label) == (0, "Ada", "Ada")
        key = container.public_key()
        assert isinstance(key, RSAPublicKey)
        key.verify(card.sign(0, b"hello", pin=PIN), b"hello", PKCS1v15(), SHA256())

    def test_made_with_a_certificate(self, card: VirtualCard) -> None:
        made = card.generate_key(1024, pin=PIN, self_signed="CN=Ada Lovelace,O=Example")
        assert made.subject == "CN=Ada Lovelace,O=Example"
        assert x509.load_der_x509_certificate(card.certificate(0) or b"").subject.rfc4514_string() == made.subject
        with pytest.raises(VscError, match="is not a name like"):
            card.generate_key(1024, pin=PIN, self_signed="Ada")
        assert len(card.containers()) == 1

    def test_brought_in_a_pfx(self, card: VirtualCard, tmp_path: Path) -> None:
        certificate = x509.load_der_x509_certificate(samples.certificate())
        pfx = serialize_key_and_certificates(
            b"Ada", samples.rsa_key().library_key(), certificate, None, BestAvailableEncryption("Füße".encode())
        )
        (tmp_path / "ada.pfx").write_bytes(pfx)
        with pytest.raises(vsc.WrongPassword):
            card.load_key(pfx=pfx, password="Fuesse", pin=PIN)
        assert card.load_key(pfx=tmp_path / "ada.pfx", password="Füße", pin=PIN).label == "Ada"
        with pytest.raises(TypeError):
            card.load_key(pin=PIN)

    def test_brought_with_its_certificate(self, card: VirtualCard) -> None:
        key = samples.rsa_key().library_key()
        loaded = card.load_key(key=key, certificate=samples.certificate(), pin=PIN)
        assert (loaded.container, loaded.subject) == (0, "CN=Ada Lovelace")
        assert card.certificate(0) == samples.certificate()
        assert card.put_certificate(0, samples.certificate("Ada King"), pin=PIN).subject == "CN=Ada King"
        assert card.certificate(0) == samples.certificate("Ada King")
        card.generate_key(1024, pin=PIN)
        assert card.certificate(1) is None
        with pytest.raises(VscError, match="no key container 2"):
            card.certificate(2)

    def test_what_needs_the_pin_asks_for_it_unless_it_is_verified(self, card: VirtualCard) -> None:
        script = PinScript([WRONG, PIN])
        with vsc.user_interaction(script):
            card.generate_key(1024)
            with card:
                card.verify_pin(PIN)
                card.sign(0, b"hello")
        assert len(script.questions) == 2

    def test_after_the_administrator_it_is_not_verified_any_more(self, card: VirtualCard) -> None:
        with card:
            card.verify_pin(PIN)
            card.verify_admin_key(KEY)
            with vsc.user_interaction(PinScript([PIN])) as script:
                card.generate_key(1024)
        assert isinstance(script, PinScript)
        assert script.answers_left == 0

    def test_a_wrong_pin_leaves_the_card_as_it_was(self, card: VirtualCard) -> None:
        with pytest.raises(WrongPin):
            card.generate_key(1024, pin=WRONG)
        with vsc.user_interaction(PinScript([None])), pytest.raises(Cancelled):
            card.load_key(key=samples.rsa_key().library_key())
        assert card.containers() == ()


class TestDelete:
    def test_nobody_is_asked_unless_somebody_is_given(self, card: VirtualCard, machine: InProcessMachine) -> None:
        no = PinScript(consent=False)
        with pytest.raises(Cancelled):
            card.delete(interaction=no)
        assert no.questions == [Question(QuestionKind.DELETION, "Work ☂")]
        assert works(card, PIN)
        with vsc.user_interaction(no):
            card.delete()
        assert len(no.questions) == 1
        assert not machine.store.exists("work")

    def test_in_its_own_block(self, card: VirtualCard, machine: InProcessMachine) -> None:
        with card:
            reader = card.reader
            assert isinstance(reader, Reader)
            card.delete()
            assert reader.card is None
        assert not machine.store.exists("work")

    def test_the_name_is_free_again(self, card: VirtualCard) -> None:
        with pytest.raises(CardExistsError):
            vsc.create("work", pin=PIN)
        card.delete()
        vsc.create("work", pin=PIN)


class TestOneOperation:
    """Opens the card once, however much it looks at before."""

    def test_of_a_closed_handle(self, card: VirtualCard, monkeypatch: pytest.MonkeyPatch) -> None:
        opened: list[object] = []
        enter = InStore.enter

        def counted(place: InStore) -> AbstractContextManager[Spot]:
            opened.append(place)
            return enter(place)

        monkeypatch.setattr(InStore, "enter", counted)
        for operation in (
            lambda: card.change_pin(old=PIN, new=OTHER),
            lambda: card.reset_pin(new=PIN, admin_key=KEY),
            lambda: card.change_admin_key(new=NEW_KEY, admin_key=KEY),
            lambda: card.provision(format=True, admin_key=NEW_KEY),
            lambda: card.generate_key(1024, pin=PIN),
            lambda: card.sign(0, b"data", pin=PIN),
        ):
            opened.clear()
            operation()
            assert len(opened) == 1
