"""What a reader with a PIN pad answers to SCardControl: its features, its properties, and PINs asked for.

A PIN is asked for by a callback and goes into the command that the card gets, nowhere else: not into an answer, the
log, a repr or an exception. The pad answers with two bytes, the card's status word or one of its own.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum, auto

from card_os.wire import WireError
from vsc.pinpad.structure import PinModify, PinVerify
from vsc.pinpad.template import PinUnfitError, Template
from vsc.reader import Reader
from vsc.reader.part10 import (
    FEATURE_REQUEST,
    MAX_APDU_DATA,
    NO_DISPLAY,
    NO_PSEUDO_APDUS,
    Feature,
    Property,
    features,
    properties,
)

DEFAULT_TIMEOUT_S = 30
MIN_PIN_DIGITS = 1
MAX_PIN_DIGITS = 127
"""Two of them fit in one short command."""


class PadStatus(IntEnum):
    """What the pad itself answers, as a status word (part 10, and OpenSC's reading of it)."""

    TIMED_OUT = 0x6400
    CANCELLED = 0x6401
    MISMATCH = 0x6402
    BAD_LENGTH = 0x6403
    BAD_STRUCTURE = 0x6B80

    def __bytes__(self) -> bytes:
        return self.to_bytes(2, "big")


class PinKind(Enum):
    """What the person is to type."""

    PIN = auto()
    """To be verified."""
    CURRENT = auto()
    """To be changed."""
    NEW = auto()
    REPEATED = auto()
    """The new one once more."""


@dataclass(frozen=True, slots=True)
class PinRequest:
    """One question to the person. The limits are for showing: the pad checks them."""

    kind: PinKind
    reader: str
    min_digits: int
    max_digits: int
    timeout_s: float
    """Until the first key."""
    key_timeout_s: float
    """From the first key to the last."""


Ask = Callable[[PinRequest], bytes | None]
"""Returns the PIN, or None when the person cancels; raises TimeoutError when none comes in time."""


class _Refusal(Exception):
    def __init__(self, status: PadStatus) -> None:
        super().__init__(status.name)
        self.status = status


_PROPERTIES = (
    NO_DISPLAY,
    Property(0x02, 1, 2),  # bEntryValidationCondition: the key that confirms
    Property(0x03, 1, 1),  # bTimeOut2: is minded
    Property(0x06, 1, MIN_PIN_DIGITS),
    Property(0x07, 1, MAX_PIN_DIGITS),
    NO_PSEUDO_APDUS,
    MAX_APDU_DATA,
)


class PinPad:
    """A PIN pad, built into `reader` from now on.

    ask: called with each question, by the thread that serves the program, one at a time, and no lock of the reader
        held. What else it raises is the program's SCARD_E_NOT_TRANSACTED.
    """

    def __init__(self, reader: Reader, ask: Ask) -> None:
        self._reader = reader
        self._ask = ask
        self._keys = threading.Lock()
        reader.controller = self.control

    def __repr__(self) -> str:
        return f"<PinPad of {self._reader.name!r}>"

    def control(self, code: int, data: bytes) -> bytes | None:
        """What the pad answers to a control code; None: not one of its own. CardRemovedError."""
        if code == FEATURE_REQUEST:
            return features(Feature)
        if code == Feature.GET_TLV_PROPERTIES.control_code:
            return properties(_PROPERTIES)
        if code == Feature.VERIFY_PIN_DIRECT.control_code:
            return self._run(PinVerify.parse, data)
        if code == Feature.MODIFY_PIN_DIRECT.control_code:
            return self._run(PinModify.parse, data)
        return None

    def _run(self, parse: Callable[[bytes], PinVerify], raw: bytes) -> bytes:
        """Asks for what the structure wants and sends the command to the card that was in before the first question."""
        insertion = self._reader.insertions
        self._reader.atr_of(insertion)
        try:
            structure = parse(raw)
            template = Template.of(structure)
            command = template.filled(self._typed(structure))
        except WireError:
            return bytes(PadStatus.BAD_STRUCTURE)
        except PinUnfitError:
            return bytes(PadStatus.BAD_LENGTH)
        except _Refusal as refusal:
            return bytes(refusal.status)
        return self._reader.transmit(command, insertion=insertion)

    def _typed(self, structure: PinVerify) -> list[bytes]:
        """The PINs for the command, in the order in which they are asked for."""
        with self._keys:
            if not isinstance(structure, PinModify):
                return [self._one(PinKind.PIN, structure)]
            pins = [self._one(PinKind.CURRENT, structure)] if structure.asks_current else []
            new = self._one(PinKind.NEW, structure)
            if structure.asks_twice and self._one(PinKind.REPEATED, structure) != new:
                raise _Refusal(PadStatus.MISMATCH)
            return [*pins, new]

    def _one(self, kind: PinKind, structure: PinVerify) -> bytes:
        # An empty PIN would turn VERIFY into a question for the number of tries.
        least = max(structure.min_digits, MIN_PIN_DIGITS)
        most = min(structure.max_digits, MAX_PIN_DIGITS)
        request = PinRequest(
            kind,
            self._reader.name,
            least,
            most,
            structure.timeout_s or DEFAULT_TIMEOUT_S,
            structure.key_timeout_s or DEFAULT_TIMEOUT_S,
        )
        try:
            pin = self._ask(request)
        except TimeoutError:
            raise _Refusal(PadStatus.TIMED_OUT) from None
        if pin is None:
            raise _Refusal(PadStatus.CANCELLED)
        # A repeated PIN of another length is a mismatch.
        if kind is not PinKind.REPEATED and not least <= len(pin) <= most:
            raise _Refusal(PadStatus.BAD_LENGTH)
        return pin
