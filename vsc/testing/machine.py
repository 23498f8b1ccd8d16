"""A state machine for hypothesis that drives your middleware beside our model of a card.

    class LoginMachine(CardMachine):
        def start(self) -> None:
            self.login = Login(self.connection)

        def do_verify(self, pin: str) -> None:
            self.login.log_in(pin)

    TestLogin = LoginMachine.TestCase

Hypothesis calls the rules in any order. Each does its thing by a `do_` method, which you may override, and compares
what came of it with the model; after each the card is compared with the model, too.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from card_os.memory import Persistent
from card_os.pin import PinPolicy
from vsc.errors import AuthenticationRequired, VscError, WrongPin
from vsc.host import Connection, FixedSecrets, HasChallenge, HasKeys, HasObjects, HostCard, ReferenceKind
from vsc.host.port import PublicKey, offered, reference_of
from vsc.profiles import profile_named
from vsc.testing.card import DEFAULT_PIN, SoftCard
from vsc.testing.counters import without_counters
from vsc.testing.diff import diff
from vsc.testing.model import Model, Refusal
from vsc.testing.operation import wrong
from vsc.testing.player import Player, half_of, is_signed, player
from vsc.testing.snapshot import Snapshot
from vsc.testing.strategies import bad_pins, readable_pins

T = TypeVar("T")

_NEW = st.runner().flatmap(lambda machine: readable_pins(machine.pin_rules))
_BAD = st.runner().flatmap(lambda machine: bad_pins(machine.pin_rules))
_MOSTLY_GOOD = st.one_of(_NEW, _NEW, _NEW, _BAD)
_MOSTLY = st.sampled_from([True, True, True, False])
_NUMBER = st.integers(0, 1)
_IS_PRIVATE = st.runner().flatmap(lambda machine: st.booleans() if machine.has_public_objects else st.just(True))
_VALUE = st.binary(min_size=1, max_size=8)


class CardMachine(RuleBasedStateMachine):
    """Subclass it, override what your middleware does, and give `TestCase` to pytest.

    The class attributes are options. profile, policy, pin, tries, admin_tries: of the card, as for `SoftCard.make`;
    those that cards of the profile have not are left out. max_rsa_bits: size of the key on the card, 0 for none.
    has_public_objects: False if all that your middleware writes takes the PIN to be read. remembers_pin: your
    middleware enters the PIN again by itself when the card has forgotten it, until a wrong PIN, a reset PIN or a
    logout. errors: what it raises instead of the exceptions of `vsc.errors`, by class.
    """

    profile: ClassVar[str] = "gids"
    policy: ClassVar[PinPolicy | None] = None
    pin: ClassVar[str] = DEFAULT_PIN
    tries: ClassVar[int] = 3
    admin_tries: ClassVar[int | None] = 3
    max_rsa_bits: ClassVar[int] = 1024
    has_public_objects: ClassVar[bool] = True
    remembers_pin: ClassVar[bool] = False
    errors: ClassVar[Mapping[type[Exception], Refusal]] = {}

    card: SoftCard
    model: Model

    def start(self) -> None:
        """Called when the card is there, before the first rule: make your middleware here."""

    @property
    def connection(self) -> Connection:
        """The connection that the defaults of `do_` use, too. One of your own would be a reset for these.

        `do_remove_and_insert` ends it; after that here is another one.
        """
        return self.player.connection

    # --- what may be overridden: each does it, or raises; the defaults go through vsc.host

    def do_verify(self, pin: str) -> None:
        """WrongPin, PinBlocked."""
        self.player.verify(pin.encode())

    def do_log_out(self) -> None:
        self.player.log_out()

    def do_change(self, old: str, new: str) -> None:
        """The old PIN is compared before the new one is judged. WrongPin, PinBlocked, PinPolicyViolation."""
        self.player.change(old=old.encode(), new=new.encode())

    def do_reset_pin(self, new: str, admin_key: bytes) -> None:
        """Nothing is verified after it. WrongAdminResponse, AdminKeyBlocked, PinPolicyViolation."""
        self.player.reset_pin(new=new.encode(), key=admin_key)

    def do_write(self, number: int, value: bytes, *, private: bool) -> None:
        """AuthenticationRequired without the PIN."""
        self.player.write(number, value, private=private)

    def do_read(self, number: int, *, private: bool) -> bytes | None:
        """None: there is no such object. AuthenticationRequired for a private one without the PIN."""
        return self.player.read(number, private=private)

    def do_sign(self, data: bytes) -> bytes:
        """With SHA-256, by key 0: RSA (PKCS#1 v1.5) or ECDSA in DER. AuthenticationRequired without the PIN."""
        return self.player.sign(0, data)

    def do_reset(self) -> None:
        """Somebody else resets the card: a connection that is open finds nothing verified any more."""
        self.card.reset()

    def do_remove_and_insert(self) -> None:
        """The card leaves the reader and comes back."""
        self.player.power_cycle()

    # --- rules

    @initialize()
    def insert(self) -> None:
        kind = self._key_kind
        made, self._key = _made(self.profile, self.pin, self.policy, self.tries, self.admin_tries, kind or "")
        self.card = made.fork()
        self.player: Player = player(self.card)
        by = self.player.unblocker
        self.model = Model(
            self.card.pin or "",
            self.player.secret(by) or b"",
            (self.player.tries(self.player.reference(ReferenceKind.USER)) or (0, 0))[1],
            (self.player.tries(by) or (None, None))[1],
            self.pin_rules,
            self.remembers_pin,
            by_puk=by is not None and by.kind is ReferenceKind.UNBLOCK,
            judges_first=self.player.offers(FixedSecrets),
        )
        self._checked: Persistent | None = None
        self.start()

    @property
    def pin_rules(self) -> PinPolicy:
        """What new PINs are held to."""
        return self.policy or profile_named(self.profile).pin_rules

    # What cards of the kind have: a rule that needs more is left out.

    @property
    def _half(self) -> type[HostCard]:
        return half_of(profile_named(self.profile))

    @property
    def _has_pin(self) -> bool:
        return reference_of(self._half, ReferenceKind.USER) is not None

    @property
    def _key_kind(self) -> str | None:
        """Of the key on the card; None: there is none."""
        half, wanted = offered(self._half, HasKeys), f"rsa:{self.max_rsa_bits}"
        if not self.max_rsa_bits or half is None:
            return None
        return wanted if wanted in half.kinds else half.kinds[0]

    @property
    def _has_objects(self) -> bool:
        half = offered(self._half, HasObjects)
        return half is not None and all(half.places(private=private) for private in (False, True))

    @precondition(lambda self: self._has_pin)
    @rule(knows_pin=_MOSTLY)
    def verify(self, knows_pin: bool = True) -> None:
        guess = self.model.pin if knows_pin else _wrong(self.model.pin)
        what = "verify the PIN" if knows_pin else "verify a wrong PIN"
        self._compare(what, self.model.verify(guess), self.do_verify, guess)

    @precondition(lambda self: self._has_pin and self.model.tries_left and self.player.unblocker)
    @rule()
    def block(self) -> None:
        """Blocks the PIN and has it reset: an example that stuck at a blocked PIN would see little more."""
        for _ in range(self.model.tries_left):
            self.verify(knows_pin=False)
        self.verify()
        self.reset_pin(self.model.pin)

    @precondition(lambda self: self._has_pin)
    @rule()
    def log_out(self) -> None:
        self.model.log_out()
        self._compare("log out", None, self.do_log_out)

    @precondition(lambda self: self._has_pin)
    @rule(new=_MOSTLY_GOOD, knows_old=_MOSTLY)
    def change(self, new: str, knows_old: bool = True) -> None:
        old = self.model.pin if knows_old else _wrong(self.model.pin)
        what = "change the PIN" if knows_old else "change the PIN with a wrong old one"
        self._compare(what, self.model.change(old, new), self.do_change, old, new)

    @precondition(lambda self: self._has_pin and self.player.unblocker)
    @rule(new=_MOSTLY_GOOD, knows_key=_MOSTLY)
    def reset_pin(self, new: str, knows_key: bool = True) -> None:
        key = self.model.admin_key if knows_key else wrong(self.model.admin_key)
        what = "reset the PIN" if knows_key else "reset the PIN with a wrong key"
        self._compare(what, self.model.reset_pin(new, key), self.do_reset_pin, new, key)

    def get_verified(self) -> None:
        """Verifies the PIN, after a reset if it is blocked."""
        if self.model.tries_left == 0 and self.model.admin_tries_left != 0 and self.player.unblocker:
            self.reset_pin(self.model.pin)
        self.verify()

    @precondition(lambda self: self._has_objects)
    @rule(number=_NUMBER, value=_VALUE, private=_IS_PRIVATE, logs_in=st.booleans())
    def write(self, number: int, value: bytes, private: bool, logs_in: bool = False) -> None:
        if logs_in:
            self.get_verified()
        refusal = None if self.model.may_use() else AuthenticationRequired
        self._compare("write an object", refusal, lambda: self.do_write(number, value, private=private))
        if refusal is None:
            self.model.objects[number, private] = value

    @precondition(lambda self: self._has_objects)
    @rule(number=_NUMBER, private=_IS_PRIVATE, logs_in=st.booleans())
    def read(self, number: int, private: bool, logs_in: bool = False) -> None:
        if logs_in:
            self.get_verified()
        refusal = None if not private or self.model.may_use() else AuthenticationRequired
        found = self._compare("read an object", refusal, lambda: self.do_read(number, private=private))
        expected = self.model.objects.get((number, private))
        if refusal is None and found != expected:
            raise AssertionError(f"read an object: {found!r} came, {expected!r} was written")

    @precondition(lambda self: self._key_kind)
    @rule(data=st.binary(max_size=4), logs_in=st.booleans())
    def sign(self, data: bytes, logs_in: bool = False) -> None:
        if logs_in:
            self.get_verified()
        refusal = None if self.model.may_use() else AuthenticationRequired
        signature = self._compare("sign", refusal, self.do_sign, data)
        if signature is not None and not (self._key and is_signed(self._key, data, signature)):
            raise AssertionError(f"sign: that is no signature of {data!r} by the key")

    @rule()
    def reset(self) -> None:
        self.model.lose_power()
        self._compare("reset the card", None, self.do_reset)

    @rule()
    def remove_and_insert(self) -> None:
        self.model.lose_power()
        self._compare("remove and insert the card", None, self.do_remove_and_insert)

    # --- comparisons

    def _compare(self, what: str, expected: Refusal | None, work: Callable[..., T], *args: object) -> T | None:
        """Does it; what came of it must be what the model says, and after a refusal the card must be as before."""
        before = self.card.snapshot()
        refusal: Exception | None = None
        result: T | None = None
        try:
            result = work(*args)
        except Exception as error:
            if not isinstance(error, (VscError, *self.errors)):
                raise
            refusal = error
        if not self._is_expected(refusal, expected):
            found = "was done" if refusal is None else f"was refused: {type(refusal).__name__}, {refusal}"
            wanted = "to be done" if expected is None else f"to be refused: {expected.__name__}"
            raise AssertionError(f"{what}: the model expects it {wanted}; it {found}") from refusal
        if refusal is not None:
            self._check_unchanged(what, before)
            left = getattr(refusal, "tries_left", None)
            by = self.player.unblocker
            is_of_unblocker = by is not None and getattr(refusal, "what", None) == by.name
            really = self.model.admin_tries_left if is_of_unblocker else self.model.tries_left
            if issubclass(expected or VscError, WrongPin) and left not in (None, really):
                raise AssertionError(f"{what}: {left} tries left were told, {really} are")
        return result

    def _is_expected(self, refusal: Exception | None, expected: Refusal | None) -> bool:
        if refusal is None or expected is None:
            return refusal is None and expected is None
        translated = next((ours for theirs, ours in self.errors.items() if isinstance(refusal, theirs)), type(refusal))
        return issubclass(translated, expected)

    def _check_unchanged(self, what: str, before: Snapshot) -> None:
        if without_counters(self.card.persistent) != without_counters(before.persistent):
            changes = "; ".join(diff(before, self.card))
            raise AssertionError(f"{what} was refused, and changed the card: {changes}")

    # --- what holds at all times

    @invariant()
    def tries_are_those_of_the_model(self) -> None:
        if not self._has_pin:
            return
        left, limit = self.player.pin_tries
        if not 0 <= left <= limit:
            raise AssertionError(f"PIN tries: {left} of {limit}")
        if left != self.model.tries_left:
            raise AssertionError(
                f"PIN tries: the card has {left} of {limit}, the model {self.model.tries_left}: "
                "PINs were sent that nobody entered, or not sent"
            )
        by = self.player.unblocker
        tries = self.player.tries(by)
        if tries is not None and tries[0] != self.model.admin_tries_left:
            raise AssertionError(f"{by} tries: the card has {tries[0]}, the model {self.model.admin_tries_left}")

    @invariant()
    def secrets_are_those_of_the_model(self) -> None:
        if not self._has_pin:
            return
        if self.player.pin != self.model.pin.encode():
            raise AssertionError("the PIN of the card is not the one that was set last")
        by = self.player.unblocker
        if (self.player.secret(by) or b"") != self.model.admin_key:
            raise AssertionError(f"the {by} of the card is not the one that was set last")

    @invariant()
    def nothing_is_readable_without_its_right(self) -> None:
        """Asks a copy of the card, on which nobody has proved anything."""
        if self._checked is self.card.persistent:
            return
        stranger = player(self.card.fork())
        for (number, private), value in self.model.objects.items():
            try:
                found = stranger.read(number, private=private)
            except AuthenticationRequired:
                if not private:
                    raise AssertionError(f"public object {number} cannot be read") from None
                continue
            if private:
                raise AssertionError(f"private object {number} can be read without the PIN")
            if found != value:
                raise AssertionError(f"public object {number} has {found!r} in it, {value!r} was written")
        self._checked = self.card.persistent


def _wrong(pin: str) -> str:
    """Another PIN, as long as this one in UTF-8."""
    return pin[:-1] + (("1" if pin[-1] == "0" else "0") * len(pin[-1].encode()))


@cache
def _made(
    profile: str, pin: str, policy: PinPolicy | None, tries: int, admin_tries: int | None, key_kind: str
) -> tuple[SoftCard, PublicKey | None]:
    """The card that every example begins with a copy of, and the key on it."""
    kind = profile_named(profile)
    wanted = {"pin": pin, "policy": policy, "tries": tries, "admin_tries": admin_tries}
    if pin == DEFAULT_PIN:
        del wanted["pin"]  # Nobody has said one: cards of the profile have their own.
    options = {name: value for name, value in wanted.items() if value is not None and kind.takes(name)}
    card, key = SoftCard.make(profile, seed=0, **options), None  # type: ignore[arg-type]
    if key_kind:
        host = player(card)
        if host.offers(HasChallenge) and host.admin_key is not None:
            host.authenticate(host.admin_key)
        host.verify((card.pin or "").encode())
        key = host.some_key(key_kind)
        host.power_cycle()
    return card, key
