"""PIN, admin key and life cycle of a GIDS card, beside a model of them that fits on one screen.

Hypothesis sends commands in any order on two logical channels; after each the card must have answered what the
model expects, hold what the model holds, and trust whom the model trusts. A refused command must leave the permanent
state alone, but for the retry counters, which go down before a comparison.
"""

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from card_os.access import Right
from card_os.admin import AdminKey, encrypt
from card_os.apps.gids.state import DataFile, GidsState, LifeCycle
from tests.unit.card_os.apps.gids.gids_card import ADMIN_KEY, GidsCard, ready_state

TRIES = 3
ADMIN_TRIES = 4
PINS = [b"1234", b"12345678", b"8765", b"123", b"x" * 128]
KEYS = [ADMIN_KEY, bytes(range(24))]
FILE = 0xA020
HOST = bytes(range(16))
OK = "9000"

channels = st.sampled_from([0, 1])
pins = st.sampled_from(PINS)


@dataclass
class ChannelModel:
    user: bool = False
    admin: bool = False
    chosen: bool = False
    """MSE has chosen the admin key."""
    challenge: bytes = b""
    host: bytes = b""
    has_current: bool = False

    def forget(self) -> None:
        self.user = self.admin = self.chosen = False
        self.challenge = b""


@dataclass
class Model:
    """What a GIDS card is, as far as its PIN, its admin key and its life are concerned."""

    operational: bool = False
    pin: bytes = b"12345678"
    tries: int = TRIES
    key: bytes = ADMIN_KEY
    admin_tries: int = ADMIN_TRIES
    file: str = "none"
    """none, new or active."""
    value: bytes = b""
    channels: dict[int, ChannelModel] = field(default_factory=lambda: {0: ChannelModel()})

    def compare(self, at: ChannelModel, guess: bytes) -> str:
        at.user = False
        if self.tries == 0:
            return "6983"
        if guess != self.pin:
            self.tries -= 1
            if self.tries == 0:
                self.withdraw("user", but=at)
            return f"63C{self.tries:X}"
        self.tries, at.user = TRIES, True
        return OK

    def set_pin(self, new: bytes, at: ChannelModel) -> str:
        if not 4 <= len(new) <= 127:
            return "6A80"
        self.pin, self.tries = new, TRIES
        self.withdraw("user", but=at)
        return OK

    def withdraw(self, right: str, *, but: ChannelModel) -> None:
        """On every other channel: the secret that proved it is blocked, or another one now."""
        for other in self.channels.values():
            if other is not but:
                setattr(other, right, False)

    def open_challenge(self, at: ChannelModel) -> str:
        at.challenge = b""
        if not at.chosen:
            return "6985"
        at.admin = False
        return "6983" if self.admin_tries == 0 else OK

    def answer(self, at: ChannelModel, is_right: bool) -> str:
        if not at.challenge:
            return "6985"
        at.challenge, at.admin = b"", False
        if self.admin_tries == 0:
            return "6983"
        self.admin_tries = ADMIN_TRIES if is_right else self.admin_tries - 1
        at.admin = is_right
        if self.admin_tries == 0:
            self.withdraw("admin", but=at)
        return OK if is_right else "6982"

    def may(self, at: ChannelModel, *, user: bool = False, admin: bool = False) -> bool:
        return not self.operational or (user and at.user) or (admin and at.admin)


class GidsMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        state = replace(ready_state(tries=TRIES, admin_try_limit=ADMIN_TRIES), life_cycle=LifeCycle.INITIALISATION)
        self.card = GidsCard(state)
        self.model = Model()

    def send(self, channel: int, command: str) -> str:
        """Sends a command (without CLA) on a channel; a refusal must leave all but the counters as it was."""
        before = self.card.state
        answer = self.card.send(f"{channel:02X}{command}")
        if answer[-4:] != OK:
            assert without_counters(self.card.state) == without_counters(before)
        return answer

    def expect(self, channel: int, command: str, expected: str) -> None:
        assert self.send(channel, command) == expected

    def at(self, channel: int, *, dialogue: bool = False) -> ChannelModel:
        """The model of a channel that is about to get a command; any but the dialogue's ends a challenge."""
        at = self.model.channels[channel]
        if not dialogue:
            at.challenge = b""
        return at

    def pick(self, channel: int) -> int:
        return channel if channel in self.model.channels else 0

    @initialize(pin=pins)
    def personalise(self, pin: bytes) -> None:
        self.expect(0, f"240180{len(pin):02X}{pin.hex()}", self.model.set_pin(pin, self.at(0)))

    # --- life cycle and channels

    @rule()
    def reset(self) -> None:
        self.card.card.reset()
        self.model.channels = {0: ChannelModel()}

    @rule()
    def open_or_close_a_channel(self) -> None:
        self.at(0)
        if self.model.channels.pop(1, None):
            self.expect(0, "708001", OK)
        else:
            self.expect(0, "70000001", "01" + OK)
            self.model.channels[1] = ChannelModel()

    @rule(channel=channels, df=st.booleans())
    def select(self, channel: int, df: bool) -> None:
        channel = self.pick(channel)
        at = self.at(channel)
        found = df or self.model.file != "none"
        if found:
            at.has_current = not df
        self.expect(channel, f"A4000C02{0x3FFF if df else FILE:04X}", OK if found else "6A82")

    @rule(channel=channels)
    def activate(self, channel: int) -> None:
        channel = self.pick(channel)
        at, expected = self.at(channel), OK
        if at.has_current and self.model.file == "none":
            expected = "6A82"
        elif at.has_current:
            self.model.file = "active"
        elif not self.model.operational:
            self.model.operational = True
            at.forget()
        self.expect(channel, "440000", expected)

    @rule(channel=channels)
    def create(self, channel: int) -> None:
        channel = self.pick(channel)
        at, expected = self.at(channel), OK
        if not self.model.may(at, user=True, admin=True):
            expected = "6982"
        elif self.model.file != "none":
            expected = "6A89"
        else:
            self.model.file, self.model.value, at.has_current = "new", b"", True
        self.expect(channel, f"E000000E620C8201398302{FILE:04X}8C03031000", expected)

    @rule(channel=channels)
    def delete(self, channel: int) -> None:
        channel = self.pick(channel)
        at, expected = self.at(channel), OK
        if not self.model.operational:
            expected = "6986"
        elif not self.model.may(at, user=True, admin=True):
            expected = "6982"
        elif not at.has_current:
            expected = "6986"
        elif self.model.file == "none":
            expected = "6A82"
        else:
            self.model.file, at.has_current = "none", False
        self.expect(channel, "E40000", expected)

    @rule(channel=channels, value=st.binary(min_size=1, max_size=3))
    def write(self, channel: int, value: bytes) -> None:
        channel = self.pick(channel)
        at, expected = self.at(channel), OK
        if self.model.file == "none":
            expected = "6A82"
        elif self.model.file == "active" and not self.model.may(at, user=True):
            expected = "6982"
        else:
            self.model.value, at.has_current = value, True
        self.expect(channel, f"DB{FILE:04X}{len(value) + 3:02X}DF30{len(value):02X}{value.hex()}", expected)

    # --- PIN

    @rule(channel=channels, guess=pins)
    def verify(self, channel: int, guess: bytes) -> None:
        channel = self.pick(channel)
        at = self.at(channel)
        expected = self.model.compare(at, guess) if self.model.operational else "6986"
        self.expect(channel, f"200080{len(guess):02X}{guess.hex()}", expected)

    @precondition(lambda self: self.model.operational)
    @rule(channel=channels)
    def verify_rightly(self, channel: int) -> None:
        self.verify(channel, self.model.pin)

    @rule(channel=channels)
    def ask_for_the_state(self, channel: int) -> None:
        channel = self.pick(channel)
        at = self.at(channel)
        expected = "6983" if self.model.tries == 0 else f"63C{self.model.tries:X}"
        self.expect(channel, "200080", OK if at.user or not self.model.operational else expected)

    @rule(channel=channels)
    def logout(self, channel: int) -> None:
        channel = self.pick(channel)
        self.at(channel).forget()
        self.expect(channel, "200082", OK)

    @rule(channel=channels, old=pins, new=pins)
    def change(self, channel: int, old: bytes, new: bytes) -> None:
        channel = self.pick(channel)
        at, data = self.at(channel), old + new
        expected = "6986"
        if self.model.operational:
            size = len(self.model.pin)
            expected = self.model.compare(at, data[:size])
            if expected == OK:
                expected = self.model.set_pin(data[size:], at)
        self.expect(channel, f"24008000{len(data):04X}{data.hex()}", expected)

    @rule(channel=channels, new=pins)
    def set_without_the_old_one(self, channel: int, new: bytes) -> None:
        channel = self.pick(channel)
        at = self.at(channel)
        expected = "6986" if self.model.operational else self.model.set_pin(new, at)
        self.expect(channel, f"240180{len(new):02X}{new.hex()}", expected)

    @rule(channel=channels, new=pins)
    def reset_retry_counter(self, channel: int, new: bytes) -> None:
        channel = self.pick(channel)
        at = self.at(channel)
        if not self.model.operational:
            expected = "6986"
        elif not at.admin:
            expected = "6982"
        else:
            expected = self.model.set_pin(new, at)
            if expected == OK:
                at.forget()
        self.expect(channel, f"2C0280{len(new):02X}{new.hex()}", expected)

    # --- admin key

    @rule(channel=channels)
    def choose_the_admin_key(self, channel: int) -> None:
        channel = self.pick(channel)
        at = self.at(channel)
        at.chosen = at.chosen or self.model.operational
        self.expect(channel, "22C1A403830180", OK if self.model.operational else "6986")

    @rule(channel=channels, mutual=st.booleans())
    def ask_for_a_challenge(self, channel: int, mutual: bool) -> None:
        channel = self.pick(channel)
        at = self.at(channel, dialogue=True)
        host = HOST if mutual else b""
        expected = self.model.open_challenge(at) if self.model.operational else "6986"
        inner = f"81{len(host):02X}{host.hex()}"
        answer = self.send(channel, f"870000{len(host) + 4:02X}7C{len(host) + 2:02X}{inner}00")
        assert answer[-4:] == expected
        if expected == OK:
            at.challenge, at.host = bytes.fromhex(answer[8:-4]), host

    @rule(channel=channels, is_right=st.booleans())
    def answer_the_challenge(self, channel: int, is_right: bool) -> None:
        channel = self.pick(channel)
        at = self.at(channel, dialogue=True)
        challenge, host = at.challenge or bytes(8), at.host
        plain = challenge + host + bytes(7) + b"\x80" if host and at.challenge else challenge
        response = encrypt(self.model.key if is_right else bytes(24), plain)
        expected = self.model.answer(at, is_right) if self.model.operational else "6986"
        size = len(response)
        answer = self.send(channel, f"870000{size + 4:02X}7C{size + 2:02X}82{size:02X}{response.hex()}00")
        assert answer[-4:] == expected
        if expected == OK and host:
            # The card proves itself as well: R1, R2, its half of the secret, padding.
            rest = bytes.fromhex(answer[8:-4])
            assert rest[:32] == encrypt(self.model.key, host + challenge)

    @precondition(lambda self: self.model.operational)
    @rule(channel=channels, mutual=st.booleans())
    def authenticate(self, channel: int, mutual: bool) -> None:
        self.choose_the_admin_key(channel)
        self.ask_for_a_challenge(channel, mutual)
        self.answer_the_challenge(channel, True)

    @rule(channel=channels, key=st.sampled_from(KEYS))
    def change_the_admin_key(self, channel: int, key: bytes) -> None:
        channel = self.pick(channel)
        at, expected = self.at(channel), "6982"
        if self.model.may(at, admin=True):
            self.model.key, self.model.admin_tries, expected = key, ADMIN_TRIES, OK
            self.model.withdraw("admin", but=at)
        self.expect(channel, f"DB3FFF21701F840180A51A8718{key.hex()}", expected)

    # --- what holds after every command

    @invariant()
    def the_card_holds_what_the_model_holds(self) -> None:
        state, model = self.card.state, self.model
        assert state.is_operational == model.operational
        assert state.pin.value is not None
        assert (state.pin.value.reveal(), state.pin.tries_left) == (model.pin, model.tries)
        assert 0 <= state.pin.tries_left <= state.pin.try_limit == TRIES
        admin = state.key_file(0x80)
        assert admin is not None
        assert isinstance(admin.key, AdminKey)
        assert (admin.key.value.reveal(), admin.key.tries_left) == (model.key, model.admin_tries)
        file = state.file(FILE)
        assert (file is None) == (model.file == "none")
        if isinstance(file, DataFile):
            assert file.is_active == (model.file == "active")
            assert b"".join(one.value for one in file.objects) == model.value

    @invariant()
    def the_card_trusts_whom_the_model_trusts(self) -> None:
        # Any question by APDU would end an open challenge, so this looks inside.
        inside = self.card.card._volatile.channels
        assert inside.keys() == self.model.channels.keys()
        for number, at in self.model.channels.items():
            granted = inside[number].volatile.granted
            assert (bool(granted & Right.USER), bool(granted & Right.EXTERNAL)) == (at.user, at.admin)
            assert (inside[number].volatile.challenge is not None) == bool(at.challenge)


def without_counters(state: GidsState) -> GidsState:
    """The state but for the two numbers that a refused command may change."""
    admin = state.key_file(0x80)
    assert admin is not None
    assert isinstance(admin.key, AdminKey)
    full = admin.with_key(replace(admin.key, tries_left=ADMIN_TRIES))
    return replace(state, pin=replace(state.pin, tries_left=TRIES)).with_file(full)


TestGidsMachine = GidsMachine.TestCase
