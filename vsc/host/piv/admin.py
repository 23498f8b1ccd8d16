"""The administrator: proves the management key 9B, of 3DES or AES, by the card's challenge (part 2, A.1), and replaces
it on cards with Yubico's commands.

A challenge is good for one response and dies with any other command.
"""

from dataclasses import dataclass

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from card_os.apdu import ResponseApdu
from card_os.apps.piv.wire import Ins, Key, Tag
from card_os.sw import SW
from card_os.tlv import Tlv, parse_all
from card_os.wire import WireError
from vsc.errors import AdminKeyBlocked, AuthenticationRequired, UnsupportedCard, VscError, WrongAdminResponse
from vsc.host.challenge import Responder
from vsc.host.exchange import Exchange, checked
from vsc.host.piv.application import Application

TDES, AES_128, AES_192, AES_256 = 0x03, 0x08, 0x0A, 0x0C
KEY_BYTES = {TDES: 24, AES_128: 16, AES_192: 24, AES_256: 32}
LENGTHS = (24, 16, 32)
"""How long a management key can be."""
_ALGORITHM = 0x01
_BLOCKS = (8, 16)
_MAX_RESPONSE_BYTES = 64
_NO_TOUCH = 0xFFFF
_OTHERS = frozenset({SW.INCORRECT_P1P2, SW.WRONG_DATA, SW.FUNCTION_NOT_SUPPORTED, SW.REFERENCE_NOT_FOUND})
_WRONG = frozenset({SW.SECURITY_STATUS_NOT_SATISFIED, SW.WRONG_DATA, SW.WRONG_LENGTH, SW.VERIFICATION_FAILED})


@dataclass(frozen=True, slots=True, repr=False)
class ManagementKeyResponder:
    """Answers challenges with a key that is at hand. Which cipher it is for, the length of the challenge says."""

    key: bytes

    def __post_init__(self) -> None:
        if len(self.key) not in LENGTHS:
            raise ValueError(f"management key: 16, 24 or 32 bytes are expected, not {len(self.key)}")

    def __call__(self, challenge: bytes) -> bytes:
        """WrongAdminResponse: the card's key is one of another cipher."""
        cipher: type[TripleDES] | type[AES] = TripleDES if len(challenge) == 8 else AES
        if cipher is TripleDES and len(self.key) != KEY_BYTES[TDES]:
            raise WrongAdminResponse
        encryptor = Cipher(cipher(self.key), modes.ECB()).encryptor()
        return encryptor.update(challenge) + encryptor.finalize()

    def __repr__(self) -> str:
        return "ManagementKeyResponder(…)"


class Admin:
    """The management key of the selected application."""

    def __init__(self, exchange: Exchange, application: Application) -> None:
        self._exchange = exchange
        self._application = application
        self._algorithm: int | None = None
        self._is_open = False
        self.is_proved = False

    def challenge(self) -> bytes:
        """Returns a block of the card's cipher, 8 or 16 bytes. UnsupportedCard if there is no management key."""
        self._is_open = self.is_proved = False
        with self._exchange.connection.transaction():
            if self._algorithm is None and self._application.has_metadata:
                self._algorithm = self._from_metadata()
            algorithms = KEY_BYTES if self._algorithm is None else (self._algorithm,)
            for algorithm in algorithms:
                answer = self._ask(algorithm, Tlv(Tag.CHALLENGE), answers=True)
                if answer.sw not in _OTHERS:
                    break
            else:
                raise UnsupportedCard(f"this card has no management key that is known here ({answer.sw:04X})")
            if answer.sw == SW.AUTHENTICATION_METHOD_BLOCKED:
                raise AdminKeyBlocked
            found = _answered(checked(answer, "asking for a challenge"))
            if len(found) not in _BLOCKS:
                raise UnsupportedCard(f"the card's challenge has {len(found)} bytes")
            self._algorithm, self._is_open = algorithm, True
            return found

    def _from_metadata(self) -> int:
        answer = self._exchange.send(Ins.GET_METADATA, Key.ADMINISTRATION, answers=True)
        try:
            fields = {one.tag: one.value for one in parse_all(answer.data)}
        except WireError:
            fields = {}
        found = fields.get(_ALGORITHM, b"")
        return found[0] if found and found[0] in KEY_BYTES else TDES

    def respond(self, response: bytes) -> None:
        is_open, self._is_open = self._is_open, False
        if not is_open or self._algorithm is None:
            raise VscError("there is no challenge to respond to: ask for one first")
        if not 1 <= len(response) <= _MAX_RESPONSE_BYTES:
            raise WrongAdminResponse
        answer = self._ask(self._algorithm, Tlv(Tag.RESPONSE, response))
        if answer.sw == SW.AUTHENTICATION_METHOD_BLOCKED:
            raise AdminKeyBlocked
        if answer.sw in _WRONG or answer.sw >> 8 == 0x63:
            raise WrongAdminResponse
        checked(answer, "the response to the challenge")
        self.is_proved = True

    def authenticate(self, respond: Responder) -> None:
        with self._exchange.connection.transaction():
            self.respond(respond(self.challenge()))

    def change_key(self, new: bytes) -> None:
        """SET MANAGEMENT KEY: of the cipher that the present key is for, or the AES that the length says."""
        if not self._application.has_yubico:
            raise UnsupportedCard("PIV has no command to change the management key; YubiKeys have one")
        present = TDES if self._algorithm is None else self._algorithm
        algorithm = next((one for one in (present, AES_128, TDES, AES_256) if KEY_BYTES[one] == len(new)), None)
        if algorithm is None:
            raise ValueError(f"management key: 16, 24 or 32 bytes are expected, not {len(new)}")
        data = bytes([algorithm, Key.ADMINISTRATION, len(new)]) + new
        answer = self._exchange.send(Ins.SET_MANAGEMENT_KEY, _NO_TOUCH, data)
        if answer.sw == SW.SECURITY_STATUS_NOT_SATISFIED:
            raise AuthenticationRequired("changing the management key", right="the present management key")
        checked(answer, "changing the management key")
        self._algorithm = algorithm

    def log_out(self) -> None:
        """Asks for another challenge and leaves it: that ends the proof on the cards that keep to NIST."""
        if self.is_proved:
            self.challenge()
            self._is_open = False

    def _ask(self, algorithm: int, one: Tlv, *, answers: bool = False) -> ResponseApdu:
        data = bytes(Tlv(Tag.DYNAMIC_AUTHENTICATION, bytes(one)))
        return self._exchange.send(Ins.GENERAL_AUTHENTICATE, algorithm << 8 | Key.ADMINISTRATION, data, answers=answers)


def _answered(raw: bytes) -> bytes:
    """The value of 81 in 7C; empty if it is not there."""
    try:
        outer = {one.tag: one.value for one in parse_all(raw)}
        inner = {one.tag: one.value for one in parse_all(outer.get(Tag.DYNAMIC_AUTHENTICATION, b""))}
    except WireError:
        return b""
    return inner.get(Tag.CHALLENGE, b"")
