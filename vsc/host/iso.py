"""The host's half of an application that compares its secrets as ISO/IEC 7816-4 has it, and asks for no more words.

    class SafeHost(IsoHost):
        aid, application = b"\\xf0SAFE0", "safe"
        qualifiers = {Reference("PIN", ReferenceKind.USER): 0x80}

SELECT by the AID; VERIFY (20), also for the tries (without data) and to log out (P1 FF); CHANGE REFERENCE DATA (24).
Spec: ISO/IEC 7816-4 sections 11.2.2, 11.6.6 and 11.6.7.
"""

import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

from card_os.apdu import ResponseApdu
from card_os.pin import PinPolicy
from card_os.sw import SW
from vsc.errors import NoApplication, PinBlocked, PinPolicyViolation, RefusedError, UnsupportedCard, WrongPin
from vsc.host.connection import Connection
from vsc.host.exchange import MAX_PART_BYTES, Exchange, checked
from vsc.host.port import Reference, Tries

_SELECT, _VERIFY, _CHANGE = 0xA4, 0x20, 0x24
_BY_NAME, _LOG_OUT = 0x0400, 0xFF00
_NOT_THERE = frozenset({SW.REFERENCE_NOT_FOUND, SW.INCORRECT_P1P2, SW.INS_NOT_SUPPORTED})
_BAD_VALUE = frozenset({SW.WRONG_DATA, SW.WRONG_LENGTH})


class IsoHost:
    """The application of a card, selected. Make a subclass for each application.

    aid: what is selected; application: its name for people; qualifiers: the P2 of each secret.
    """

    aid: ClassVar[bytes]
    application: ClassVar[str]
    qualifiers: ClassVar[Mapping[Reference, int]] = {}
    references: ClassVar[Sequence[Reference]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.references = tuple(cls.qualifiers)

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.exchange = Exchange(connection)

    @classmethod
    def connect(cls, connection: Connection, *, random: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """Selects the application; NoApplication if there is none."""
        host = cls(connection)
        answer = host.exchange.send(_SELECT, _BY_NAME, cls.aid, answers=True)
        if answer.sw != SW.OK:
            raise NoApplication(cls.application, answer.sw)
        return host

    def card_id(self) -> uuid.UUID | None:
        return None

    def tries(self, reference: Reference) -> Tries | None:
        """By an empty VERIFY; None, too, while the secret is verified."""
        sw = self.exchange.send(_VERIFY, self._qualifier(reference)).sw
        if sw == SW.AUTHENTICATION_METHOD_BLOCKED:
            return Tries(0, None)
        return Tries(sw & 0x0F, None) if sw >> 4 == 0x63C else None

    def policy(self, reference: Reference) -> PinPolicy | None:
        return None

    def verify(self, reference: Reference, value: bytes) -> None:
        if not 1 <= len(value) <= MAX_PART_BYTES:
            raise RefusedError(f"a {reference} has 1 to {MAX_PART_BYTES} bytes")
        _check(self.exchange.send(_VERIFY, self._qualifier(reference), value), reference, "verifying")

    def change(self, reference: Reference, *, old: bytes, new: bytes) -> None:
        """The old value is verified by itself first: cards tell the two apart by their lengths."""
        with self.connection.transaction():
            self.verify(reference, old)
            if not new or len(old) + len(new) > MAX_PART_BYTES:
                raise PinPolicyViolation
            answer = self.exchange.send(_CHANGE, self._qualifier(reference), old + new)
            if answer.sw in _BAD_VALUE:
                raise PinPolicyViolation
            _check(answer, reference, "changing")

    def log_out(self) -> None:
        for qualifier in self.qualifiers.values():
            self.exchange.run(_VERIFY, _LOG_OUT | qualifier, command="logging out")

    def _qualifier(self, reference: Reference) -> int:
        if reference not in self.qualifiers:
            raise UnsupportedCard(f"cards of this kind have no {reference}")
        return self.qualifiers[reference]


def _check(answer: ResponseApdu, reference: Reference, doing: str) -> None:
    if answer.sw >> 4 == 0x63C:
        raise WrongPin(answer.sw & 0x0F, what=reference.name)
    if answer.sw == SW.AUTHENTICATION_METHOD_BLOCKED:
        raise PinBlocked(what=reference.name)
    if answer.sw in _NOT_THERE:
        raise UnsupportedCard(f"this card has no {reference} that is compared so ({answer.sw:04X})")
    checked(answer, f"{doing} the {reference}")
