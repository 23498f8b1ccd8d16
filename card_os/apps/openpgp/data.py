"""GET DATA, GET NEXT DATA, PUT DATA and SELECT DATA (OpenPGP card 3.4, 7.2.5 to 7.2.8)."""

from dataclasses import replace

from card_os.apdu import MAX_NC, CommandApdu
from card_os.apps.openpgp.objects import OBJECTS, DataObject, certificate, exists
from card_os.apps.openpgp.session import OPERATIONAL, OpenPgpSession, require, rules_of
from card_os.apps.openpgp.wire import OCCURRENCES, Tag, object_words
from card_os.command import ANY_P1P2, Command
from card_os.sw import SW, CardError
from card_os.tlv import Tlv

_SECRETS = (Tag.RESETTING_CODE, Tag.AES_KEY, Tag.KDF)


def _row(session: OpenPgpSession, tag: int) -> DataObject:
    if not exists(tag, rules_of(session)):
        raise CardError(SW.REFERENCE_NOT_FOUND, "there is no such object", subject=object_words(tag))
    return OBJECTS[tag]


def _get(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """GET DATA: P1-P2 is the tag. Who may read is asked before what is there; of a template the tag comes, too."""
    tag, subject = apdu.p1p2, object_words(apdu.p1p2)
    row = _row(session, tag)
    if tag == Tag.CERTIFICATE:
        session.volatile.has_read = True
        return certificate(session.state, OCCURRENCES[session.volatile.occurrence])
    if row.get is None:
        raise CardError(SW.REFERENCE_NOT_FOUND, "it is never read", subject=subject)
    require(session, row.read, subject=subject)
    value = row.get(session.state, rules_of(session))
    return bytes(Tlv(tag, value)) if row.is_template else value


def _get_next(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """GET NEXT DATA: the next occurrence of the object that was read last."""
    volatile, subject = session.volatile, object_words(apdu.p1p2)
    if not volatile.has_read:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "it has not been read", subject=subject, missing="GET DATA")
    if volatile.occurrence + 1 >= len(OCCURRENCES):
        raise CardError(SW.REFERENCE_NOT_FOUND, "there are no more", subject=subject)
    volatile.occurrence += 1
    return certificate(session.state, OCCURRENCES[volatile.occurrence])


def _put(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """PUT DATA: P1-P2 is the tag; no data empties an object."""
    tag, subject = apdu.p1p2, object_words(apdu.p1p2)
    row = _row(session, tag)
    require(session, row.write, subject=subject)
    assert row.put is not None
    session.commit(row.put(session, apdu.data))
    if row.after is not None:
        row.after(session)
    return b""


_OCCURRENCE_OF_CERTIFICATE = bytes.fromhex("60045C027F21")
_OF_OLD_YUBIKEYS = b"\x06" + _OCCURRENCE_OF_CERTIFICATE
"""YubiKeys before 5.4.4 want one byte more, and Yubico's tools send it (openpgp.md section 9)."""


def _select(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """SELECT DATA: P1 is the occurrence of 7F21 that GET DATA and PUT DATA are about from now on."""
    if apdu.data not in (_OCCURRENCE_OF_CERTIFICATE, _OF_OLD_YUBIKEYS):
        raise CardError(SW.WRONG_DATA, "60 04 5C 02 7F21 is expected", subject="SELECT DATA")
    if apdu.p1 >= len(OCCURRENCES):
        raise CardError(SW.REFERENCE_NOT_FOUND, f"there are {len(OCCURRENCES)}", subject=object_words(Tag.CERTIFICATE))
    session.volatile.occurrence, session.volatile.has_read = apdu.p1, False
    return b""


# --- rows


def _words(apdu: CommandApdu, _: int) -> str:
    return object_words(apdu.p1p2)


def _select_words(apdu: CommandApdu, _: int) -> str:
    return f"occurrence {apdu.p1} of {object_words(Tag.CERTIFICATE)}"


_SPEC = "OpenPGP card 3.4, 7.2."
_NO_OBJECT = "there is no such object, or it is never read"
_SAMPLES = (
    (Tag.NAME, b"Lovelace<<Ada"),
    (Tag.LANGUAGE, b"en"),
    (Tag.SEX, b"2"),
    (Tag.LOGIN, b"ada"),
    (Tag.URL, b"https://example.org/ada.asc"),
    (Tag.PRIVATE_1, b"1"),
    (Tag.PRIVATE_3, b""),
    (0xC1, bytes.fromhex("132A8648CE3D030107")),
    (0xC2, bytes.fromhex("122B060104019755010501")),
    (Tag.PASSWORD_STATUS, b"\x01"),
    (0xC7, bytes(range(20))),
    (0xCE, bytes(4)),
    (0xD6, bytes.fromhex("0120")),
    (Tag.RESETTING_CODE, b"87654321"),
    (Tag.AES_KEY, bytes(range(16))),
    (Tag.CERTIFICATE, b"\x30\x00"),
)

GET_DATA = Command(
    "GET DATA",
    ANY_P1P2,
    range(1),
    OPERATIONAL,
    _get,
    _SPEC + "6",
    refusals={
        SW.SECURITY_STATUS_NOT_SATISFIED: "the object wants a password",
        SW.REFERENCE_NOT_FOUND: _NO_OBJECT,
    },
    words=_words,
    samples=tuple((int(tag), b"") for tag in OBJECTS),
)

GET_NEXT_DATA = Command(
    "GET NEXT DATA",
    range(Tag.CERTIFICATE, Tag.CERTIFICATE + 1),
    range(1),
    OPERATIONAL,
    _get_next,
    _SPEC + "7",
    refusals={
        SW.CONDITIONS_NOT_SATISFIED: "the object has not been read before",
        SW.REFERENCE_NOT_FOUND: "there are no more occurrences",
    },
    words=_words,
    samples=((0x7F21, b""),),
)

SELECT_DATA = Command(
    "SELECT DATA",
    frozenset(p1 << 8 | 0x04 for p1 in range(0x100)),
    range(1, MAX_NC + 1),
    OPERATIONAL,
    _select,
    _SPEC + "5",
    refusals={
        SW.WRONG_DATA: "the data are not 60 04 5C 02 7F21",
        SW.REFERENCE_NOT_FOUND: "there is no such occurrence",
    },
    words=_select_words,
    samples=tuple((p1 << 8 | 0x04, _OCCURRENCE_OF_CERTIFICATE) for p1 in range(4)),
)

_PUT = Command(
    "PUT DATA",
    ANY_P1P2,
    range(MAX_NC + 1),
    OPERATIONAL,
    _put,
    _SPEC + "8",
    chaining=True,
    changes=True,
    refusals={
        SW.WRONG_LENGTH: "the value is too short or too long",
        SW.SECURITY_STATUS_NOT_SATISFIED: "the object wants a password, or nobody may write it",
        SW.CONDITIONS_NOT_SATISFIED: "a user interaction flag was set for ever",
        SW.WRONG_DATA: "the value makes no sense here",
        SW.REFERENCE_NOT_FOUND: "there is no such object",
    },
    words=_words,
    hides=frozenset(map(int, _SECRETS)),
    samples=tuple((int(tag), value) for tag, value in _SAMPLES),
)
_RENEWING = frozenset({int(Tag.RESETTING_CODE), int(Tag.KDF)})
PUT_DATA = (
    replace(_PUT, p1p2=_RENEWING, samples=tuple(one for one in _PUT.samples if one[0] in _RENEWING), renews=True),
    replace(_PUT, samples=tuple(one for one in _PUT.samples if one[0] not in _RENEWING)),
)
"""A new resetting code, and new passwords, have all their tries."""
