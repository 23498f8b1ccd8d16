"""What can go wrong on the wire, split by what the caller can do about it.

`VpcdError` is the root: catching it catches everything this package raises on purpose. Faults of the *card*
are not here: a card that raises is answered for with 6F00 and reported as an event (session.py, event.py); unless it
raises `NoAnswer`, which it does on purpose.
"""


class VpcdError(Exception):
    """Something between the card and vpcd failed."""


class ProtocolError(VpcdError):
    """The peer sent bytes that vpcd never sends: it is no vpcd, or a vpcd of a kind not known here."""


class VpcdUnavailable(VpcdError):
    """Nobody answers at the address, or (in listening mode) the address cannot be listened on."""


class NoAnswer(Exception):
    """What a card raises that has no answer to a command: the connection ends, and with it the card's stay.

    cut_answer: an answer that breaks off: half of its frame goes out first.
    """

    cut_answer: bytes = b""
