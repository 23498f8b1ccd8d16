"""Codes that programs show in a status word's place: those of PC/SC (SCARD_…) and of PKCS#11 (CKR_…), in words.

Numbers: pcsc-lite's pcsclite.h and Windows' winerror.h; PKCS#11 v3.1 (pkcs11t.h). What a code means for whoever looks
for the cause is ours.
"""

from dataclasses import dataclass

_PCSC = 0x8010_0000


@dataclass(frozen=True, slots=True)
class Code:
    """A return code. words: what it means, and what to look at."""

    name: str
    number: int
    words: str


def _pcsc(number: int, name: str, words: str) -> Code:
    return Code(f"SCARD_{name}", _PCSC | number, words)


PCSC = (
    Code("SCARD_S_SUCCESS", 0, "done"),
    _pcsc(0x01, "F_INTERNAL_ERROR", "the PC/SC service has failed"),
    _pcsc(0x02, "E_CANCELLED", "somebody cancelled the wait (SCardCancel)"),
    _pcsc(0x03, "E_INVALID_HANDLE", "the handle is not one, or not any more: its reader, card or service is gone"),
    _pcsc(0x04, "E_INVALID_PARAMETER", "an argument of the call is wrong"),
    _pcsc(0x06, "E_NO_MEMORY", "no memory, or no more contexts and handles to be had"),
    _pcsc(0x08, "E_INSUFFICIENT_BUFFER", "the program's buffer is too small for the answer"),
    _pcsc(0x09, "E_UNKNOWN_READER", "there is no reader of that name: see 'vsc readers'"),
    _pcsc(0x0A, "E_TIMEOUT", "nothing happened within the time that the program wanted to wait"),
    _pcsc(0x0B, "E_SHARING_VIOLATION", "another program has the card for itself, or holds a transaction"),
    _pcsc(0x0C, "E_NO_SMARTCARD", "there is no card in the reader"),
    _pcsc(0x0D, "E_UNKNOWN_CARD", "Windows knows no driver for the card: its ATR is in no entry of the registry"),
    _pcsc(0x0F, "E_PROTO_MISMATCH", "the card has none of the protocols that the program asked for (T=0, T=1)"),
    _pcsc(0x10, "E_NOT_READY", "the reader or the card is not ready"),
    _pcsc(0x11, "E_INVALID_VALUE", "an argument is wrong; of a connected card: its reader is gone"),
    _pcsc(0x12, "E_SYSTEM_CANCELLED", "the system ended it, as at log-off"),
    _pcsc(0x13, "F_COMM_ERROR", "the connection to the PC/SC service broke"),
    _pcsc(0x14, "F_UNKNOWN_ERROR", "an error that has no name"),
    _pcsc(0x16, "E_NOT_TRANSACTED", "the card gave no answer, or the reader lost it; it may have done the command"),
    _pcsc(0x17, "E_READER_UNAVAILABLE", "the reader is out of order, or was unplugged"),
    _pcsc(0x19, "E_PCI_TOO_SMALL", "the program's structure for the protocol is too small"),
    _pcsc(0x1A, "E_READER_UNSUPPORTED", "the driver does not support the reader"),
    _pcsc(0x1B, "E_DUPLICATE_READER", "there is a reader of that name already"),
    _pcsc(0x1C, "E_CARD_UNSUPPORTED", "the card is not supported"),
    _pcsc(0x1D, "E_NO_SERVICE", "no PC/SC service answers: is pcscd running, or the program started by 'vsc run'?"),
    _pcsc(0x1E, "E_SERVICE_STOPPED", "the PC/SC service ended"),
    _pcsc(0x1F, "E_UNSUPPORTED_FEATURE", "the reader or pcsc-lite has not this; on Windows: E_UNEXPECTED"),
    _pcsc(0x22, "E_UNSUPPORTED_FEATURE", "the card or its minidriver cannot do this (Windows)"),
    _pcsc(0x23, "E_DIR_NOT_FOUND", "there is no such directory on the card (Windows)"),
    _pcsc(0x24, "E_FILE_NOT_FOUND", "there is no such file on the card (Windows)"),
    _pcsc(0x27, "E_NO_ACCESS", "the card does not allow access to the file"),
    _pcsc(0x28, "E_WRITE_TOO_MANY", "there is no room on the card for that much"),
    _pcsc(0x2A, "E_INVALID_CHV", "the PIN is not one that can be: too short, too long, wrong characters"),
    _pcsc(0x2C, "E_NO_SUCH_CERTIFICATE", "there is no such certificate on the card"),
    _pcsc(0x2D, "E_CERTIFICATE_UNAVAILABLE", "the certificate cannot be read"),
    _pcsc(0x2E, "E_NO_READERS_AVAILABLE", "there is no reader at all"),
    _pcsc(0x2F, "E_COMM_DATA_LOST", "data were lost between reader and card"),
    _pcsc(0x30, "E_NO_KEY_CONTAINER", "there is no such key container on the card"),
    _pcsc(0x31, "E_SERVER_TOO_BUSY", "the service has too much to do"),
    _pcsc(0x32, "E_PIN_CACHE_EXPIRED", "the PIN that Windows kept is no longer valid"),
    _pcsc(0x33, "E_NO_PIN_CACHE", "the card does not let the PIN be kept"),
    _pcsc(0x34, "E_READ_ONLY_CARD", "the card can only be read"),
    _pcsc(0x65, "W_UNSUPPORTED_CARD", "reader and card cannot talk to each other: their protocols or voltages differ"),
    _pcsc(0x66, "W_UNRESPONSIVE_CARD", "the card does not answer to reset"),
    _pcsc(0x67, "W_UNPOWERED_CARD", "the card has no power"),
    _pcsc(0x68, "W_RESET_CARD", "another program has reset the card: what was verified is forgotten; reconnect"),
    _pcsc(0x69, "W_REMOVED_CARD", "the card was taken out, if only for a moment: reconnect"),
    _pcsc(0x6A, "W_SECURITY_VIOLATION", "the card refused: a PIN or key is missing (status word 6982)"),
    _pcsc(0x6B, "W_WRONG_CHV", "the PIN was wrong (status word 63Cx)"),
    _pcsc(0x6C, "W_CHV_BLOCKED", "the PIN is blocked (status word 6983): it needs the PUK or the admin key"),
    _pcsc(0x6D, "W_EOF", "the end of the file on the card"),
    _pcsc(0x6E, "W_CANCELLED_BY_USER", "the user cancelled the question for the PIN"),
    _pcsc(0x6F, "W_CARD_NOT_AUTHENTICATED", "no PIN was shown to the card (Windows)"),
)  # fmt: skip
"""Names are pcsc-lite's where Windows gives a number another one."""

CKR = tuple(
    Code(f"CKR_{name}", number, words)
    for number, name, words in (
        (0x00, "OK", "done"),
        (0x01, "CANCEL", "the application's callback cancelled it"),
        (0x02, "HOST_MEMORY", "no memory"),
        (0x03, "SLOT_ID_INVALID", "there is no such slot"),
        (0x05, "GENERAL_ERROR", "the module failed and does not say why: its debug log does (OPENSC_DEBUG=9)"),
        (0x06, "FUNCTION_FAILED", "the module failed at this: its debug log says why (OPENSC_DEBUG=9)"),
        (0x07, "ARGUMENTS_BAD", "an argument of the call is wrong"),
        (0x08, "NO_EVENT", "no slot has changed"),
        (0x09, "NEED_TO_CREATE_THREADS", "the module would need threads of its own"),
        (0x0A, "CANT_LOCK", "the module cannot lock as it was asked to"),
        (0x10, "ATTRIBUTE_READ_ONLY", "the attribute cannot be changed"),
        (0x11, "ATTRIBUTE_SENSITIVE", "the attribute is secret: private keys cannot be read"),
        (0x12, "ATTRIBUTE_TYPE_INVALID", "the object has no such attribute"),
        (0x13, "ATTRIBUTE_VALUE_INVALID", "the attribute cannot have that value"),
        (0x1B, "ACTION_PROHIBITED", "the object may not be copied or destroyed"),
        (0x20, "DATA_INVALID", "the data are not what the mechanism takes"),
        (0x21, "DATA_LEN_RANGE", "the data are too long or too short for the mechanism: a hash too much, or none?"),
        (0x30, "DEVICE_ERROR", "the token or its reader failed: a card that answers what the module did not expect"),
        (0x31, "DEVICE_MEMORY", "the token has no room left"),
        (0x32, "DEVICE_REMOVED", "the token was taken out"),
        (0x40, "ENCRYPTED_DATA_INVALID", "what should be deciphered is no ciphertext of this key"),
        (0x41, "ENCRYPTED_DATA_LEN_RANGE", "the ciphertext has the wrong length for this key"),
        (0x50, "FUNCTION_CANCELED", "it was cancelled: on the PIN pad, in most cases"),
        (0x54, "FUNCTION_NOT_SUPPORTED", "the module, or its driver for this card, cannot do this"),
        (0x60, "KEY_HANDLE_INVALID", "there is no such key"),
        (0x62, "KEY_SIZE_RANGE", "the key has a length that is not allowed here"),
        (0x63, "KEY_TYPE_INCONSISTENT", "the mechanism is for keys of another type"),
        (0x68, "KEY_FUNCTION_NOT_PERMITTED", "the key is not for this use: CKA_SIGN, CKA_DECRYPT … is false"),
        (0x6A, "KEY_UNEXTRACTABLE", "the key cannot leave the token"),
        (0x70, "MECHANISM_INVALID", "the token has no such mechanism: 'pkcs11-tool --list-mechanisms' says which"),
        (0x71, "MECHANISM_PARAM_INVALID", "the mechanism's parameters are wrong"),
        (0x82, "OBJECT_HANDLE_INVALID", "there is no such object"),
        (0x90, "OPERATION_ACTIVE", "another operation of this session has not ended"),
        (0x91, "OPERATION_NOT_INITIALIZED", "the operation was not begun (C_SignInit …)"),
        (0xA0, "PIN_INCORRECT", "the PIN was wrong (status word 63Cx): it has cost a try"),
        (0xA1, "PIN_INVALID", "the new PIN has characters that are not allowed"),
        (0xA2, "PIN_LEN_RANGE", "the PIN is too short or too long: the module said so, or the card's policy"),
        (0xA3, "PIN_EXPIRED", "the PIN must be changed first"),
        (0xA4, "PIN_LOCKED", "the PIN is blocked (status word 6983): it needs the PUK or the admin key"),
        (0xB0, "SESSION_CLOSED", "the session was closed while it ran"),
        (0xB1, "SESSION_COUNT", "there are too many sessions"),
        (0xB3, "SESSION_HANDLE_INVALID", "there is no such session: the token was taken out, or the session closed"),
        (0xB4, "SESSION_PARALLEL_NOT_SUPPORTED", "sessions need CKF_SERIAL_SESSION"),
        (0xB5, "SESSION_READ_ONLY", "the session can only read"),
        (0xB6, "SESSION_EXISTS", "there is a session open"),
        (0xB7, "SESSION_READ_ONLY_EXISTS", "a session that can only read is open: the security officer cannot log in"),
        (0xB8, "SESSION_READ_WRITE_SO_EXISTS", "the security officer is logged in"),
        (0xC0, "SIGNATURE_INVALID", "the signature is wrong"),
        (0xC1, "SIGNATURE_LEN_RANGE", "the signature has the wrong length"),
        (0xD0, "TEMPLATE_INCOMPLETE", "attributes are missing"),
        (0xD1, "TEMPLATE_INCONSISTENT", "attributes do not fit each other"),
        (0xE0, "TOKEN_NOT_PRESENT", "there is no card in the slot"),
        (0xE1, "TOKEN_NOT_RECOGNIZED", "the module has no driver for the card in the slot"),
        (0xE2, "TOKEN_WRITE_PROTECTED", "the token can only be read, or its driver can only read it"),
        (0x100, "USER_ALREADY_LOGGED_IN", "the user is logged in already"),
        (0x101, "USER_NOT_LOGGED_IN", "it needs C_Login first (status word 6982, in most cases)"),
        (0x102, "USER_PIN_NOT_INITIALIZED", "the token has no user PIN yet, or the driver found none"),
        (0x103, "USER_TYPE_INVALID", "there is no such user: a token without a security officer, or no context PIN"),
        (0x104, "USER_ANOTHER_ALREADY_LOGGED_IN", "another user is logged in"),
        (0x105, "USER_TOO_MANY_TYPES", "too many users are logged in"),
        (0x112, "WRAPPED_KEY_LEN_RANGE", "the wrapped key has the wrong length"),
        (0x120, "RANDOM_SEED_NOT_SUPPORTED", "the token's random numbers take no seed"),
        (0x121, "RANDOM_NO_RNG", "the token makes no random numbers"),
        (0x130, "DOMAIN_PARAMS_INVALID", "the token has not this curve, or these parameters"),
        (0x150, "BUFFER_TOO_SMALL", "the program's buffer is too small for the answer"),
        (0x180, "STATE_UNSAVEABLE", "the operation's state cannot be kept"),
        (0x190, "CRYPTOKI_NOT_INITIALIZED", "C_Initialize was not called, or not in this process after fork"),
        (0x191, "CRYPTOKI_ALREADY_INITIALIZED", "C_Initialize was called twice"),
        (0x1A0, "MUTEX_BAD", "a mutex is not one"),
        (0x1A1, "MUTEX_NOT_LOCKED", "a mutex was not locked"),
        (0x200, "FUNCTION_REJECTED", "the user refused: on the token or its PIN pad"),
    )
)  # fmt: skip


def by_name(name: str) -> Code | None:
    """The code of that name, with or without SCARD_; upper or lower case does not matter."""
    wanted = name.upper()
    return next((one for one in (*PCSC, *CKR) if wanted in (one.name, one.name.removeprefix("SCARD_"))), None)


def by_number(number: int) -> tuple[Code, ...]:
    """The codes of that number; 0 is two."""
    return tuple(one for one in (*PCSC, *CKR) if one.number == number)
