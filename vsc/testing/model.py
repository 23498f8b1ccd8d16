"""A card in a few lines: what `CardMachine` expects of PIN, admin key, objects and key, whatever is done."""

from dataclasses import dataclass, field

from card_os.pin import NO_POLICY, PinPolicy
from vsc.errors import AdminKeyBlocked, PinBlocked, PinPolicyViolation, VscError, WrongAdminResponse, WrongPin

Refusal = type[VscError]


@dataclass
class Model:
    """What the card holds and whom it trusts. Each method says what must come of a command: None, or which error.

    admin_key: the secret that resets the PIN, which is a PUK if `by_puk` says so; admin_tries: its tries, None for no
    limit. judges_first: a reset refuses a new PIN that breaks the rules before it presents that secret. remembers: the
    middleware enters the PIN again by itself; remembered: the one that it does this with.
    """

    pin: str
    admin_key: bytes
    tries: int
    admin_tries: int | None = None
    policy: PinPolicy | None = None
    remembers: bool = False
    by_puk: bool = False
    judges_first: bool = False
    tries_left: int = 0
    admin_tries_left: int | None = None
    is_verified: bool = False
    remembered: str | None = None
    objects: dict[tuple[int, bool], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tries_left, self.admin_tries_left = self.tries, self.admin_tries

    def verify(self, guess: str) -> Refusal | None:
        self.is_verified, self.remembered = False, None
        if self.tries_left == 0:
            return PinBlocked
        self.tries_left -= 1
        if guess != self.pin:
            return WrongPin
        self.tries_left, self.is_verified = self.tries, True
        self.remembered = self.pin if self.remembers else None
        return None

    def takes(self, new: str) -> bool:
        return not (self.policy or NO_POLICY).violations(new.encode())

    def change(self, old: str, new: str) -> Refusal | None:
        refusal = self.verify(old)
        if refusal is not None:
            return refusal
        if not self.takes(new):
            return PinPolicyViolation
        self.pin = new
        self.remembered = new if self.remembers else None
        return None

    def reset_pin(self, new: str, key: bytes) -> Refusal | None:
        if self.judges_first and not self.takes(new):
            return PinPolicyViolation
        self.is_verified, self.remembered = False, None
        if self.admin_tries_left == 0:
            return PinBlocked if self.by_puk else AdminKeyBlocked
        if key != self.admin_key:
            if self.admin_tries_left is not None:
                self.admin_tries_left -= 1
            return WrongPin if self.by_puk else WrongAdminResponse
        self.admin_tries_left = self.admin_tries
        if not self.takes(new):
            return PinPolicyViolation
        self.pin, self.tries_left = new, self.tries
        return None

    def log_out(self) -> None:
        self.is_verified, self.remembered = False, None

    def lose_power(self) -> None:
        self.is_verified = False

    def may_use(self) -> bool:
        """Whether what needs the PIN is done; a middleware that remembers it may enter it for that."""
        if not self.is_verified and self.remembered is not None:
            self.verify(self.remembered)
        return self.is_verified
