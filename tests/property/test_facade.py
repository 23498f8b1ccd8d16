"""The facade beside a model of a card: whatever is done in whatever order, both say the same."""

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import vsc
from card_os.pin import CharacterRule, PinPolicy
from vsc.host import Tries
from vsc.store.memory import MemoryStore

PINS = st.sampled_from(["24681357", "2468135", "24681357x", "correct horse", "horse-1", "1234", "É1"])
KEYS = st.sampled_from([bytes(range(24)), bytes(range(24, 48)), bytes(range(48, 72))])
POLICIES = st.sampled_from([None, PinPolicy(6, 9), PinPolicy(4, 127, digits=CharacterRule.REQUIRE_AT_LEAST_ONE)])


def is_allowed(policy: PinPolicy | None, pin: str) -> bool:
    """What the three policies above say of the seven PINs above."""
    if policy is None:
        return len(pin.encode()) >= 4
    if not pin.isascii() or " " in pin or not policy.min_length <= len(pin) <= policy.max_length:
        return False
    return policy.digits == CharacterRule.ALLOW or any(char in "0123456789" for char in pin)


class FacadeBesideModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.card: vsc.VirtualCard | None = None

    @initialize(pin=PINS, key=KEYS, policy=POLICIES, tries=st.integers(1, 4), admin_tries=st.none() | st.integers(1, 3))
    def create(self, pin: str, key: bytes, policy: PinPolicy | None, tries: int, admin_tries: int | None) -> None:
        self.pin = pin if is_allowed(policy, pin) else "246813"
        self.key, self.policy = key, policy
        self.left = self.tries = tries
        self.admin_left = self.admin_tries = admin_tries
        self.keys_made = 0
        self.store = MemoryStore()
        self.card = vsc.create(
            "c", pin=self.pin, admin_key=key, policy=policy, tries=tries, admin_tries=admin_tries, store=self.store
        )
        self.id = self.card.id

    # --- what the model says

    def pin_error(self, guess: str) -> type[Exception] | None:
        if self.left == 0:
            return vsc.PinBlocked
        self.left = self.tries if guess == self.pin else self.left - 1
        return None if guess == self.pin else vsc.WrongPin

    def admin_error(self, guess: bytes) -> type[Exception] | None:
        if self.admin_left == 0:
            return vsc.AdminKeyBlocked
        if self.admin_left is not None:
            self.admin_left = self.admin_tries if guess == self.key else self.admin_left - 1
        return None if guess == self.key else vsc.WrongAdminResponse

    def expect(self, error: type[Exception] | None, work: Callable[[vsc.VirtualCard], object]) -> bool:
        assert self.card is not None
        if error is None:
            work(self.card)
            return True
        with pytest.raises(error) as caught:
            work(self.card)
        if isinstance(caught.value, vsc.WrongPin):
            assert caught.value.tries_left == self.left
        return False

    # --- what is done

    @rule(guess=PINS)
    def verify(self, guess: str) -> None:
        self.expect(self.pin_error(guess), lambda card: card.verify_pin(guess))

    @rule(old=PINS, new=PINS)
    def change(self, old: str, new: str) -> None:
        error = self.pin_error(old) if is_allowed(self.policy, new) else vsc.PinPolicyViolation
        if self.expect(error, lambda card: card.change_pin(old=old, new=new)):
            self.pin = new

    @rule(new=PINS)
    def change_from_the_right_one(self, new: str) -> None:
        self.change(self.pin, new)

    @rule(answers=st.lists(PINS | st.none(), max_size=6))
    def change_asking(self, answers: list[str | None]) -> None:
        """The model of a dialogue: old, then new until it will do, then old again until it is right."""
        rest = iter(answers)
        error: type[Exception] | None = vsc.PinBlocked if self.left == 0 else None
        new: str | None = None
        while error is None:
            if (old := next(rest, "")) is None:
                error = vsc.Cancelled
                break
            while old != "" and (new is None or not is_allowed(self.policy, new)):
                if (new := next(rest, "")) in (None, ""):
                    error = vsc.Cancelled if new is None else vsc.ScriptExhausted
                    break
            if old == "" or error is not None:
                error = error or vsc.ScriptExhausted
                break
            if self.pin_error(old) is None:
                break
            error = vsc.PinBlocked if self.left == 0 else None
        with vsc.user_interaction(vsc.PinScript(answers)):
            if self.expect(error, lambda card: card.change_pin()):
                assert new
                self.pin = new

    @rule(guess=KEYS, new=PINS)
    def reset(self, guess: bytes, new: str) -> None:
        error = self.admin_error(guess) if is_allowed(self.policy, new) else vsc.PinPolicyViolation
        if self.expect(error, lambda card: card.reset_pin(new=new, admin_key=guess)):
            self.pin, self.left = new, self.tries

    @rule(guess=KEYS)
    def verify_admin_key(self, guess: bytes) -> None:
        assert self.card is not None
        error = self.admin_error(guess)
        if error is vsc.AdminKeyBlocked:
            self.expect(error, lambda card: card.verify_admin_key(guess))
        else:
            assert self.card.verify_admin_key(guess) is (error is None)

    @rule(guess=KEYS, new=KEYS, through_challenge=st.booleans())
    def change_admin_key(self, guess: bytes, new: bytes, through_challenge: bool) -> None:
        def change(card: vsc.VirtualCard) -> None:
            if not through_challenge:
                card.change_admin_key(new=new, admin_key=guess)
                return
            with card.challenge() as challenge:
                challenge.change_admin_key(vsc.calculate_response(challenge.challenge, guess), new)

        if self.expect(self.admin_error(guess), change):
            self.key, self.admin_left = new, self.admin_tries

    @rule(guess=KEYS, wipe=st.booleans(), card_id=st.none() | st.uuids())
    def provision(self, guess: bytes, wipe: bool, card_id: object) -> None:
        assert self.card is not None
        before = self.card.id
        work: Callable[[vsc.VirtualCard], object] = lambda card: card.provision(  # noqa: E731
            format=wipe,
            card_id=card_id,  # type: ignore[arg-type]
            admin_key=guess,
        )
        if self.expect(self.admin_error(guess), work):
            self.id = self.card.id
            assert card_id in (None, self.id)
            assert (self.id == before) is (card_id == before or (card_id is None and not wipe))

    @rule()
    def a_challenge_without_a_response(self) -> None:
        self.expect(vsc.AdminKeyBlocked if self.admin_left == 0 else None, lambda card: card.challenge().close())

    @precondition(lambda self: self.card is not None and self.card.reader is None)
    @rule()
    def begin_a_block(self) -> None:
        assert self.card is not None
        self.card.__enter__()

    @rule()
    def end_a_block(self) -> None:
        assert self.card is not None
        self.card.close()

    @precondition(lambda self: self.card is not None and self.card.reader is None)
    @rule()
    def another_handle(self) -> None:
        self.card = vsc.open("c", store=self.store)

    # --- what holds at all times

    @invariant()
    def both_say_the_same(self) -> None:
        if self.card is None:
            return
        assert self.card.pin_tries == Tries(self.left, self.tries)
        assert self.card.admin_key == self.key
        assert self.card.id == self.id
        assert self.card.pin_policy == self.policy

    def teardown(self) -> None:
        if self.card is not None:
            self.card.close()


TestFacadeBesideModel = FacadeBesideModel.TestCase
TestFacadeBesideModel.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
