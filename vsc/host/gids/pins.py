"""The PIN and the PUK: tries, policy, VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER (gids.md 5.2 to 5.4)."""

from card_os.apdu import ResponseApdu
from card_os.apps.gids.wire import EfId, Ins, Reference, Tag
from card_os.pin import PinPolicy
from card_os.sw import SW
from card_os.tlv import Tlv, parse_all, tag_bytes
from card_os.wire import WireError
from vsc.errors import AuthenticationRequired, PinBlocked, PinPolicyViolation, RefusedError, UnsupportedCard, WrongPin
from vsc.host.exchange import MAX_PART_BYTES, Exchange, checked
from vsc.host.gids.objects import Objects
from vsc.host.port import Tries

POLICY = (EfId.ADMIN_WRITE, Tag.PIN_POLICY)
_TRIES_LEFT, _OLD_TRIES_LEFT, _TRY_LIMIT = 0x97, 0x9F17, 0x93
_RESET_WITH_PUK, _RESET_BY_ADMIN = 0x0000, 0x0200

# A new PIN that a card does not take: GIDS has 6A80, the reference applet 6700 (gids.md 7.3).
_BAD_PIN = frozenset({SW.WRONG_DATA, SW.WRONG_LENGTH})
_NO_SUCH_SECRET = frozenset({SW.REFERENCE_NOT_FOUND, SW.INCORRECT_P1P2, SW.REFERENCE_DATA_NOT_USABLE})


class Pins:
    """PIN and PUK of the selected application."""

    def __init__(self, exchange: Exchange, objects: Objects) -> None:
        self._exchange = exchange
        self._objects = objects

    def tries(self) -> Tries | None:
        """Returns the tries of the PIN: from its status object or, on a card without one, by an empty VERIFY.

        None: neither says, because there is no PIN, or because it is verified just now. Nothing is counted.
        """
        for tag in (Tag.GLOBAL_PIN_STATUS, Tag.PIN_STATUS):
            if tries := self._status(tag):
                return tries
        sw = self._exchange.send(Ins.VERIFY, Reference.PIN).sw
        if sw == SW.AUTHENTICATION_METHOD_BLOCKED:
            return Tries(0, None)
        return Tries(sw & 0x0F, None) if sw >> 4 == 0x63C else None

    def puk_tries(self) -> Tries | None:
        """Returns the tries of the PUK, or None: then the admin key resets the PIN (GIDS section 7.5.3)."""
        return self._status(Tag.PUK_STATUS)

    def _status(self, tag: int) -> Tries | None:
        answer = self._objects.ask(EfId.ADF, bytes(Tlv(Tag.TAG_LIST, tag_bytes(tag))))
        if answer.sw != SW.OK:
            return None
        try:
            status = {one.tag: one.value for one in parse_all(answer.data)}.get(tag, b"")
            fields = {one.tag: int.from_bytes(one.value, "big") for one in parse_all(status)}
        except WireError:
            return None
        left = fields.get(_TRIES_LEFT, fields.get(_OLD_TRIES_LEFT))
        return None if left is None else Tries(left, fields.get(_TRY_LIMIT))

    def policy(self) -> PinPolicy | None:
        """Returns the policy of the PIN, or None: the card has none, or keeps it to itself (gids.md 7.3)."""
        answer = self._objects.ask(POLICY[0], bytes(Tlv(Tag.TAG_LIST, tag_bytes(POLICY[1]))))
        if answer.sw != SW.OK:
            return None
        try:
            value = {one.tag: one.value for one in parse_all(answer.data)}.get(POLICY[1], b"")
            return PinPolicy.parse(value)
        except WireError:
            return None

    def verify(self, pin: bytes) -> None:
        """VERIFY. WrongPin, PinBlocked; RefusedError for a PIN without bytes, which would only ask for the state."""
        self._compare(Reference.PIN, pin, "PIN")

    def verify_puk(self, puk: bytes) -> None:
        """The same of the PUK. UnsupportedCard: the card cannot compare it by itself."""
        _check_size(puk, "PUK")
        answer = self._exchange.send(Ins.VERIFY, Reference.PUK, puk)
        if answer.sw in _NO_SUCH_SECRET:
            raise UnsupportedCard("this card has no PUK, or none that is verified by itself")
        _check_secret(answer, "PUK")
        checked(answer, "verifying the PUK")

    def _compare(self, reference: Reference, secret: bytes, what: str) -> None:
        _check_size(secret, what)
        answer = self._exchange.send(Ins.VERIFY, reference, secret)
        _check_secret(answer, what)
        checked(answer, f"verifying the {what}")

    def change(self, *, old: bytes, new: bytes) -> None:
        """Changes the PIN; it is verified afterwards. WrongPin, PinBlocked, PinPolicyViolation.

        The card splits old and new where its own PIN ends (GIDS section 12.3.4): a wrong old PIN that only begins
        like the right one would pass, and its end become a part of the new one. So the old one is verified by itself
        first; what is refused after that is the new one, whatever the status word.
        """
        with self._exchange.connection.transaction():
            self._compare(Reference.PIN, old, "PIN")
            self._check_new(new, old)
            answer = self._exchange.send(Ins.CHANGE_REFERENCE_DATA, Reference.PIN, old + new)
            if answer.sw >> 4 == 0x63C:
                raise self._violation(new)
            self._check_taken(answer, new, "changing the PIN")

    def reset_by_admin(self, new: bytes) -> None:
        """RESET RETRY COUNTER by the admin key, which has been proved; the card then forgets that it was.

        UnsupportedCard: a PUK resets the PIN of this card, not the admin key. PinPolicyViolation.
        """
        self._check_new(new, b"")
        answer = self._exchange.send(Ins.RESET_RETRY_COUNTER, _RESET_BY_ADMIN | Reference.PIN, new)
        if answer.sw == SW.CONDITIONS_NOT_SATISFIED or answer.sw in _NO_SUCH_SECRET:
            raise UnsupportedCard("the PIN of this card is reset with its PUK, not with the admin key")
        if answer.sw == SW.SECURITY_STATUS_NOT_SATISFIED:
            raise AuthenticationRequired("resetting the PIN", right="the admin key")
        self._check_taken(answer, new, "resetting the PIN")

    def reset_with_puk(self, *, puk: bytes, new: bytes) -> None:
        """RESET RETRY COUNTER with the PUK. WrongPin and PinBlocked speak of the PUK; PinPolicyViolation.

        The PUK is verified by itself first, as the old PIN is in `change`, where the card can do that.
        UnsupportedCard: there is no PUK.
        """
        _check_size(puk, "PUK")
        with self._exchange.connection.transaction():
            first = self._exchange.send(Ins.VERIFY, Reference.PUK, puk)
            _check_secret(first, "PUK")
            self._check_new(new, puk)
            answer = self._exchange.send(Ins.RESET_RETRY_COUNTER, _RESET_WITH_PUK | Reference.PIN, puk + new)
            if answer.sw in _NO_SUCH_SECRET:
                raise UnsupportedCard("this card has no PUK: the admin key resets its PIN")
            if first.sw == SW.OK and answer.sw >> 4 == 0x63C:
                raise self._violation(new)
            _check_secret(answer, "PUK")
            self._check_taken(answer, new, "resetting the PIN")

    def log_out(self) -> None:
        """VERIFY 82: the card forgets that PIN and admin key were proved (GIDS section 12.17.4)."""
        self._exchange.run(Ins.VERIFY, Reference.LOGOUT, command="logging out")

    def _check_new(self, new: bytes, old: bytes) -> None:
        """Refuses a new PIN that cannot be sent: none at all, or more than fits into one command."""
        if not new or len(old) + len(new) > MAX_PART_BYTES:
            raise self._violation(new)

    def _check_taken(self, answer: ResponseApdu, new: bytes, command: str) -> None:
        if answer.sw in _BAD_PIN:
            raise self._violation(new)
        checked(answer, command)

    def _violation(self, new: bytes) -> PinPolicyViolation:
        policy = self.policy()
        return PinPolicyViolation(policy.violations(new) if policy else ())


def _check_size(secret: bytes, what: str) -> None:
    if not 1 <= len(secret) <= MAX_PART_BYTES:
        raise RefusedError(f"a {what} has 1 to {MAX_PART_BYTES} bytes")


def _check_secret(answer: ResponseApdu, what: str) -> None:
    """WrongPin for 63Cx (63C0: that was the last try), PinBlocked for 6983."""
    if answer.sw >> 4 == 0x63C:
        raise WrongPin(answer.sw & 0x0F, what=what)
    if answer.sw == SW.AUTHENTICATION_METHOD_BLOCKED:
        raise PinBlocked(what=what)
