"""PIN and PUK: tries, VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER (SP 800-73-5 part 2, 3.2.1 to 3.2.3).

On the wire each has 8 bytes; a PIN of 6 or 7 is filled up with FF.
"""

from card_os.apdu import ResponseApdu
from card_os.apps.piv.wire import Ins, Reference
from card_os.pin import CharacterRule, PinPolicy
from card_os.sw import SW
from card_os.tlv import parse_all
from card_os.wire import WireError
from vsc.errors import (
    AuthenticationRequired,
    PinBlocked,
    PinPolicyViolation,
    RefusedError,
    UnsupportedCard,
    WrongPin,
)
from vsc.host.exchange import Exchange, checked
from vsc.host.piv.application import Application
from vsc.host.port import Tries

SIZE = 8
MIN_BYTES = 6
_FILLER = b"\xff"
_LOG_OUT = 0xFF00
_RETRIES = 0x06
_NO = CharacterRule.DISALLOW
DIGITS = PinPolicy(MIN_BYTES, SIZE, uppercase=_NO, lowercase=_NO, special=_NO)
"""SP 800-73-5 part 2, 2.4.3."""
ANY = PinPolicy(MIN_BYTES, SIZE, other=CharacterRule.ALLOW)
"""What YubiKeys take."""
_BAD_VALUE = frozenset({SW.WRONG_DATA, SW.WRONG_LENGTH})
_NO_REFERENCE = frozenset({SW.REFERENCE_NOT_FOUND, SW.INCORRECT_P1P2, SW.FUNCTION_NOT_SUPPORTED})
NAMES = {Reference.PIN: "PIN", Reference.PUK: "PUK"}


def unpadded(value: bytes) -> bytes:
    return value.rstrip(_FILLER)


class Pins:
    """PIN and PUK of the selected application."""

    def __init__(self, exchange: Exchange, application: Application) -> None:
        self._exchange = exchange
        self._application = application

    @property
    def rules(self) -> PinPolicy:
        return ANY if self._application.has_yubico else DIGITS

    def tries(self, reference: Reference) -> Tries | None:
        """By metadata or, of the PIN, by an empty VERIFY. None: the card does not say, maybe because it is verified."""
        if self._application.has_metadata and (found := self._metadata(reference)):
            return found
        if reference != Reference.PIN:
            return None
        sw = self._exchange.send(Ins.VERIFY, reference).sw
        if sw == SW.AUTHENTICATION_METHOD_BLOCKED:
            return Tries(0, None)
        return Tries(sw & 0x0F, None) if sw >> 4 == 0x63C else None

    def _metadata(self, reference: Reference) -> Tries | None:
        answer = self._exchange.send(Ins.GET_METADATA, reference, answers=True)
        try:
            fields = {one.tag: one.value for one in parse_all(answer.data)}
        except WireError:
            return None
        counts = fields.get(_RETRIES, b"")
        return Tries(counts[1], counts[0]) if len(counts) == 2 else None

    def verify(self, pin: bytes) -> None:
        answer = self._exchange.send(Ins.VERIFY, Reference.PIN, _padded(pin, Reference.PIN))
        if answer.sw in _BAD_VALUE:
            raise RefusedError(f"that is no PIN of a PIV card: {'; '.join(self.rules.violations(pin)) or 'no digits'}")
        _check(answer, Reference.PIN, "verifying the PIN")

    def change(self, reference: Reference, *, old: bytes, new: bytes) -> None:
        """The old PIN is verified by itself first, so that what is refused afterwards is the new one."""
        with self._exchange.connection.transaction():
            before = _padded(old, reference)
            if reference == Reference.PIN:
                self.verify(old)
                self.check_new(new)
            answer = self._exchange.send(Ins.CHANGE_REFERENCE_DATA, reference, before + self._new(new, reference))
            if answer.sw in _BAD_VALUE:
                raise PinPolicyViolation(self.rules.violations(new))
            _check(answer, reference, f"changing the {NAMES[reference]}")

    def unblock(self, *, puk: bytes, new: bytes) -> None:
        """A new PIN that cannot be one is refused before the PUK costs a try; nothing is verified afterwards."""
        self.check_new(new)
        with self._exchange.connection.transaction():
            data = _padded(puk, Reference.PUK) + self._new(new, Reference.PIN)
            answer = self._exchange.send(Ins.RESET_RETRY_COUNTER, Reference.PIN, data)
            if answer.sw in _BAD_VALUE:
                raise PinPolicyViolation(self.rules.violations(new))
            _check(answer, Reference.PUK, "resetting the PIN")
            self.log_out()

    def check_new(self, new: bytes) -> None:
        if broken := self.rules.violations(new):
            raise PinPolicyViolation(broken)

    def _new(self, value: bytes, reference: Reference) -> bytes:
        if not 1 <= len(value) <= SIZE:
            raise PinPolicyViolation((f"a {NAMES[reference]} has at most {SIZE} bytes",))
        return value.ljust(SIZE, _FILLER)

    def log_out(self) -> None:
        """VERIFY with P1 FF (SP 800-73-4 and later)."""
        self._exchange.run(Ins.VERIFY, _LOG_OUT | Reference.PIN, command="logging out")


def _padded(value: bytes, reference: Reference) -> bytes:
    """RefusedError for what cannot be sent: nothing, or more than there is room for."""
    if not 1 <= len(value) <= SIZE:
        raise RefusedError(f"a {NAMES[reference]} has 1 to {SIZE} bytes")
    return value.ljust(SIZE, _FILLER)


def _check(answer: ResponseApdu, reference: Reference, command: str) -> None:
    name = NAMES[reference]
    if answer.sw >> 4 == 0x63C:
        raise WrongPin(answer.sw & 0x0F, what=name)
    if answer.sw == SW.AUTHENTICATION_METHOD_BLOCKED:
        raise PinBlocked(what=name)
    if answer.sw in _NO_REFERENCE:
        raise UnsupportedCard(f"this card has no {name} that is used so ({answer.sw:04X})")
    if answer.sw == SW.SECURITY_STATUS_NOT_SATISFIED:
        raise AuthenticationRequired(command, right="contact, or a secure channel,")
    checked(answer, command)
