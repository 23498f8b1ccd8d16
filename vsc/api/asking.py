"""PINs that are given or asked for: `None` means that a person is to be asked, again and again until it will do."""

from collections.abc import Callable

from card_os.pin import PinPolicy
from vsc.errors import Cancelled, PinBlocked, PinPolicyViolation, WrongPin
from vsc.interaction import current_interaction
from vsc.interaction.port import Question, QuestionKind, UserInteraction

PinText = str | bytes
"""A PIN as people give it: text, sent as its UTF-8, or the bytes themselves."""


def pin_bytes(pin: PinText) -> bytes:
    """Returns the bytes of a PIN as they are sent; TypeError or ValueError, without the PIN in it, for what is none."""
    if isinstance(pin, str):
        try:
            # Bytes of a terminal or a variable that are no UTF-8 come escaped: they are the PIN.
            return pin.encode(errors="surrogateescape")
        except UnicodeEncodeError:
            raise ValueError("a PIN is text that can be written as UTF-8, or bytes") from None
    if isinstance(pin, bytes | bytearray | memoryview):
        return bytes(pin)
    raise TypeError(f"a PIN is str or bytes, not {type(pin).__name__}")


class Asker:
    """Asks about one card. interaction: who answers; None: `current_interaction`."""

    def __init__(self, card: str, interaction: UserInteraction | None) -> None:
        self._card = card
        self._interaction = interaction

    def new_pin(self, policy: PinPolicy | None, problem: str | None = None) -> bytes:
        """Returns a new PIN that keeps to the policy. Cancelled."""
        while True:  # Until whoever is asked has a PIN that will do, or cancels.
            question = Question(QuestionKind.NEW_PIN, self._card, policy, problem=problem)
            pin = _answered(self._who().new_pin(question))
            broken = policy.violations(pin) if policy is not None else ()
            if not broken:
                return pin
            problem = str(PinPolicyViolation(broken))

    def current_pin(self, tries_left: int | None, problem: str | None = None) -> bytes:
        """Returns what a person says is the PIN. Cancelled."""
        question = Question(QuestionKind.CURRENT_PIN, self._card, tries_left=tries_left, problem=problem)
        return _answered(self._who().current_pin(question))

    def consent_to_deletion(self) -> None:
        """Cancelled, unless a person consents."""
        if not self._who().consent_to_deletion(Question(QuestionKind.DELETION, self._card)):
            raise Cancelled

    def _who(self) -> UserInteraction:
        return self._interaction if self._interaction is not None else current_interaction()


def _answered(pin: str | None) -> bytes:
    if not pin:
        raise Cancelled
    return pin_bytes(pin)


class PinSource:
    """One PIN of an operation: given, then a refusal is final; or asked for, then it is asked again."""

    def __init__(self, given: PinText | None, ask: Callable[[str | None], bytes]) -> None:
        self._is_given = given is not None
        self._value = None if given is None else pin_bytes(given)
        self._ask = ask
        self._problem: str | None = None

    @property
    def given(self) -> bytes | None:
        return self._value if self._is_given else None

    def value(self) -> bytes:
        """Returns the PIN: given, asked for before, or asked for now. Cancelled."""
        if self._value is None:
            self._value = self._ask(self._problem)
        return self._value

    def refuse(self, error: WrongPin | PinPolicyViolation) -> None:
        """The card did not take it: raises `error` if it was given, PinBlocked if there is no try left."""
        if self._is_given:
            raise error
        if isinstance(error, WrongPin) and error.tries_left == 0:
            raise PinBlocked from error
        self._problem = str(error)
        self._value = None
