"""Commands of any length over short APDUs, and status words as exceptions.

What both OpenSC and Windows do, because every card can do it: data of more than 255 bytes go out as a chain (class
bit 10), answers of more than 256 come in by GET RESPONSE (`61xx`), a wrong Le (`6Cxx`) is put right and the command
repeated. Extended length is never used. Spec: ISO/IEC 7816-4 sections 5.3.3 and 5.3.4; gids.md 1.4 and 2.2.
"""

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.sw import SW, meaning
from vsc.errors import AuthenticationRequired, CardUnresponsive, UnexpectedStatus, VscError
from vsc.host.connection import Connection

MAX_PART_BYTES = 255
MAX_ANSWER_BYTES = 1 << 20
"""Nothing that a card of this kind says comes near it; a card that goes on and on is broken."""
_CHAINING = 0x10
_GET_RESPONSE = 0xC0
_WHOLE = 256


class Exchange:
    """Sends whole commands over a connection and returns whole answers."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def send(self, ins: int, p1p2: int, data: bytes = b"", *, answers: bool = False) -> ResponseApdu:
        """Sends a command, in parts if it must be; returns all of the answer, whatever the status word.

        data: of any length. answers: asks for an answer (Le 00). A part of a chain that the card refuses ends it, and
        that refusal is the answer. Raises what the connection does, and CardUnresponsive for an answer that is none.
        """
        head = ins, p1p2 >> 8, p1p2 & 0xFF
        with self.connection.transaction():
            while len(data) > MAX_PART_BYTES:
                part, data = data[:MAX_PART_BYTES], data[MAX_PART_BYTES:]
                answer = self._one(CommandApdu(_CHAINING, *head, part))
                if answer.sw != SW.OK:
                    return answer
            last = CommandApdu(0x00, *head, data, _WHOLE if answers else 0)
            return self._rest(self._with_right_le(last))

    def run(self, ins: int, p1p2: int, data: bytes = b"", *, answers: bool = False, command: str) -> bytes:
        """Sends a command that has to succeed; returns its data. command: what it is called if it is refused.

        AuthenticationRequired for 6982, UnexpectedStatus for every other refusal.
        """
        return checked(self.send(ins, p1p2, data, answers=answers), command)

    def _one(self, apdu: CommandApdu) -> ResponseApdu:
        raw = self.connection.transmit(bytes(apdu))
        try:
            return ResponseApdu.parse(raw)
        except ValueError:
            raise CardUnresponsive("the card gave an answer without a status word") from None

    def _with_right_le(self, apdu: CommandApdu) -> ResponseApdu:
        answer = self._one(apdu)
        if answer.sw >> 8 != 0x6C:
            return answer
        ne = answer.sw & 0xFF or _WHOLE
        return self._one(CommandApdu(apdu.cla, apdu.ins, apdu.p1, apdu.p2, apdu.data, ne))

    def _rest(self, answer: ResponseApdu) -> ResponseApdu:
        """Fetches on while the card says that there is more."""
        data = answer.data
        while answer.sw >> 8 == 0x61:
            left = answer.sw & 0xFF or _WHOLE
            answer = self._with_right_le(CommandApdu(0x00, _GET_RESPONSE, 0x00, 0x00, b"", left))
            data += answer.data
            if len(data) > MAX_ANSWER_BYTES or (answer.sw >> 8 == 0x61 and not answer.data):
                raise CardUnresponsive("the card's answer has no end")
        return ResponseApdu(data, answer.sw)


def checked(answer: ResponseApdu, command: str) -> bytes:
    """Returns the data of an answer; AuthenticationRequired for 6982, UnexpectedStatus for every other refusal."""
    if answer.sw == SW.OK:
        return answer.data
    if answer.sw == SW.SECURITY_STATUS_NOT_SATISFIED:
        raise AuthenticationRequired(command)
    raise refused(answer.sw, command)


def refused(sw: int, command: str) -> VscError:
    """Returns the error for a status word that has no meaning of its own."""
    return UnexpectedStatus(sw, meaning(sw), command=command)
