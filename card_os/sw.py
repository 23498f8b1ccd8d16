"""Status words, and the error that carries one.

A refused command *is* a status word (ISO/IEC 7816-4 section 5.6). Beside the two bytes that go on the wire
every error carries a `Reason` for people: which rule refused, on which object, and which right is missing.
The reason stays on this side of the wire.
"""

from dataclasses import dataclass
from enum import IntEnum


class SW(IntEnum):
    """Status words that this card sends (ISO/IEC 7816-4 section 5.6)."""

    OK = 0x9000
    WARNING_TERMINATED = 0x6285
    VERIFICATION_FAILED = 0x6300
    MEMORY_FAILURE = 0x6581
    SECURITY_ISSUE = 0x6600
    WRONG_LENGTH = 0x6700
    CHANNEL_NOT_SUPPORTED = 0x6881
    SECURE_MESSAGING_NOT_SUPPORTED = 0x6882
    LAST_COMMAND_OF_CHAIN_EXPECTED = 0x6883
    CHAINING_NOT_SUPPORTED = 0x6884
    INCOMPATIBLE_WITH_FILE = 0x6981
    SECURITY_STATUS_NOT_SATISFIED = 0x6982
    AUTHENTICATION_METHOD_BLOCKED = 0x6983
    REFERENCE_DATA_NOT_USABLE = 0x6984
    CONDITIONS_NOT_SATISFIED = 0x6985
    COMMAND_NOT_ALLOWED = 0x6986
    SM_OBJECT_MISSING = 0x6987
    SM_OBJECT_WRONG = 0x6988
    WRONG_DATA = 0x6A80
    FUNCTION_NOT_SUPPORTED = 0x6A81
    FILE_NOT_FOUND = 0x6A82
    NOT_ENOUGH_MEMORY = 0x6A84
    NC_INCONSISTENT_WITH_TLV = 0x6A85
    INCORRECT_P1P2 = 0x6A86
    NC_INCONSISTENT_WITH_P1P2 = 0x6A87
    REFERENCE_NOT_FOUND = 0x6A88
    FILE_EXISTS = 0x6A89
    INS_NOT_SUPPORTED = 0x6D00
    CLA_NOT_SUPPORTED = 0x6E00


_MEANINGS = {
    0x9000: "done",
    0x6282: "end of file before Ne bytes",
    0x6283: "selected file is deactivated",
    0x6285: "selected file is terminated",
    0x6300: "verification failed",
    0x6581: "memory failure",
    0x6600: "security-related issue",
    0x6700: "wrong length",
    0x6881: "logical channel not supported or not open",
    0x6882: "secure messaging not supported",
    0x6883: "last command of the chain expected",
    0x6884: "command chaining not supported",
    0x6981: "command does not fit this kind of file",
    0x6982: "security status not satisfied",
    0x6983: "authentication method blocked",
    0x6984: "reference data not usable",
    0x6985: "conditions of use not satisfied",
    0x6986: "command not allowed in this state",
    0x6987: "secure messaging object missing",
    0x6988: "secure messaging object wrong",
    0x6A80: "wrong data field",
    0x6A81: "function not supported",
    0x6A82: "file or application not found",
    0x6A83: "record not found",
    0x6A84: "not enough memory",
    0x6A85: "length does not fit the TLV structure",
    0x6A86: "wrong P1-P2",
    0x6A87: "length does not fit P1-P2",
    0x6A88: "data object, key or PIN not found",
    0x6A89: "file exists already",
    0x6B00: "offset outside the file",
    0x6D00: "instruction not supported",
    0x6E00: "class not supported",
    0x6F00: "no precise diagnosis",
}


def meaning(sw: int) -> str:
    """Returns the words for a status word, also for the computed ones 61xx, 63Cx and 6Cxx (ISO/IEC 7816-4, 5.6)."""
    if sw in _MEANINGS:
        return _MEANINGS[sw]
    if sw >> 8 == 0x61:
        return f"done, {sw & 0xFF or '256 or more'} bytes still to fetch"
    if sw >> 4 == 0x63C:
        return f"not verified, {sw & 0xF} tries left"
    if sw >> 8 == 0x6C:
        return f"wrong Le, {sw & 0xFF or 256} is right"
    return "unknown status word"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a command was refused, for traces and people; never on the wire."""

    rule: str
    subject: str = ""
    missing: str = ""
    proved: str = ""

    def __str__(self) -> str:
        text = f"{self.subject}: {self.rule}" if self.subject else self.rule
        proved = f"; verified: {self.proved}" if self.proved else ""
        return f"{text} (missing: {self.missing}{proved})" if self.missing else text


class CardError(Exception):
    """A command refused: the status word for the wire and the reason for people.

    rule: what was broken; subject: the object it was broken on; missing: the right that would have allowed it;
    proved: what is verified now instead.
    """

    def __init__(self, sw: int, rule: str, *, subject: str = "", missing: str = "", proved: str = "") -> None:
        self.sw = int(sw)
        self.reason = Reason(rule or meaning(self.sw), subject, missing, proved)
        super().__init__(f"{self.sw:04X} {self.reason}")


class WrongReference(CardError):
    """63Cx: a PIN or PUK did not match, or was not given; `tries_left` (0 to 15) tries remain."""

    def __init__(self, tries_left: int, *, subject: str, rule: str = "wrong value") -> None:
        self.tries_left = tries_left
        super().__init__(0x63C0 | min(tries_left, 15), rule, subject=subject)
