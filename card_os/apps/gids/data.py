"""GET DATA and PUT DATA: the data objects of files, and the few that belong to the application itself.

P1-P2 name the file: an EF, 0000 for the current one, 3FFF for the application, 2F00 and 2F01 for EF.DIR and EF.ATR.
The data field of GET DATA is a tag list (5C); an empty list asks for everything, 5C in the list for the list of tags.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from card_os.apdu import CommandApdu
from card_os.apps.gids import gate, minidriver
from card_os.apps.gids.fcp import parse_rule
from card_os.apps.gids.keys import key_words, public_key, put_key
from card_os.apps.gids.session import GidsSession, current_file, file_name, find_file, require, require_admin
from card_os.apps.gids.state import DataFile, GidsState, KeyFile, LifeCycle
from card_os.apps.gids.wire import (
    AID,
    KEY_FILES,
    MAX_OBJECT_BYTES,
    MAX_OBJECTS,
    EfId,
    FileDescriptor,
    FileOperation,
    Tag,
)
from card_os.command import Command
from card_os.ef_atr import EF_ATR
from card_os.pin import Pin, PinPolicy
from card_os.sw import SW, CardError
from card_os.tlv import HEADER, Template, Tlv, join, parse_all, parse_tags, tag_bytes
from card_os.wire import WireError
from card_os.words import byte_count, joined, objects, only, value


def get_data(session: GidsSession, apdu: CommandApdu) -> bytes:
    """Returns data objects, whole, in the order asked for (GIDS section 3.3)."""
    request = _single(apdu.data)
    if request.tag == Tag.EXTENDED_HEADER and apdu.p1p2 == EfId.ADF:
        return public_key(session, request.value)
    if request.tag != Tag.TAG_LIST:
        raise CardError(SW.WRONG_DATA, "a tag list (5C) is expected", subject="GET DATA")
    try:
        wanted = parse_tags(request.value)
    except WireError as error:
        raise CardError(SW.WRONG_DATA, f"not a tag list: {error}", subject="GET DATA") from None
    if apdu.p1p2 == EfId.EF_ATR:
        return _choose(EF_ATR, wanted, subject="EF.ATR")
    if apdu.p1p2 == EfId.EF_DIR:
        return _choose(parse_all(session.directory()), wanted, subject="EF.DIR")
    if apdu.p1p2 == EfId.ADF:
        return _choose(_application_objects(session, wanted), wanted, subject="application DF")
    file = _data_file(session, apdu.p1p2)
    require(session, file, FileOperation.GET)
    answer = _choose(_objects(session.state, file), wanted, subject=file_name(file.efid))
    # Only a successful GET DATA selects the file (GIDS section 12.7).
    session.volatile.current_ef = file.efid
    return answer


def _single(raw: bytes) -> Tlv:
    try:
        (one,) = parse_all(raw)
    except ValueError:
        raise CardError(SW.WRONG_DATA, "one data object is expected", subject="GET DATA") from None
    return one


def _choose(objects: Iterable[Tlv], wanted: tuple[int, ...], *, subject: str) -> bytes:
    objects = tuple(objects)
    if not wanted:
        return join(objects)
    if Tag.TAG_LIST in wanted:
        objects = (*objects, Tlv(Tag.TAG_LIST, b"".join(tag_bytes(one.tag) for one in objects)))
    # A tag can be there more than once, in several files or applications: all of them (GIDS section 3.3.1.1).
    found = [one for tag in wanted for one in objects if one.tag == tag]
    if not found:
        tags = " ".join(f"{tag:X}" for tag in wanted)
        raise CardError(SW.REFERENCE_NOT_FOUND, f"no such data object: {tags}", subject=subject)
    return join(found)


def _data_file(session: GidsSession, efid: int) -> DataFile:
    file = current_file(session) if efid == EfId.NONE else find_file(session, efid)
    if isinstance(file, KeyFile):
        raise CardError(SW.INCOMPATIBLE_WITH_FILE, "a key file holds no data objects", subject=file_name(file.efid))
    return file


def _objects(state: GidsState, file: DataFile) -> tuple[Tlv, ...]:
    if file.efid == EfId.ADMIN_WRITE and state.pin_policy is not None:
        return (*file.objects, Tlv(Tag.PIN_POLICY, bytes(state.pin_policy)))
    return file.objects


def _application_objects(session: GidsSession, wanted: tuple[int, ...]) -> list[Tlv]:
    """The status of PIN and PUK by name; everything that may be read, file by file, if nothing is named."""
    state = session.state
    # S calls 7F71 the global PIN; OpenSC reads it as the status of PIN 80. Both tell the same (gids.md 2.2).
    status = [
        _reference_status(tag, pin)
        for tag, pin in (
            (Tag.GLOBAL_PIN_STATUS, state.pin),
            (Tag.PIN_STATUS, state.pin),
            (Tag.PUK_STATUS, state.puk),
        )
        if pin.value is not None and tag in wanted
    ]
    readable: list[Tlv] = []
    for file in state.files:
        if isinstance(file, DataFile) and _is_readable(session, file):
            readable += _objects(state, file)
    return status + readable


def _is_readable(session: GidsSession, file: DataFile) -> bool:
    try:
        require(session, file, FileOperation.GET)
    except CardError:
        return False
    return True


def _reference_status(tag: int, pin: Pin) -> Tlv:
    return Tlv(tag, join([Tlv(0x97, bytes([pin.tries_left])), Tlv(0x93, bytes([pin.try_limit]))]))


def put_data(session: GidsSession, apdu: CommandApdu) -> bytes:
    """Creates, replaces or (empty value on an existing object) deletes one data object; on 3FFF stores a key."""
    if session.state.life_cycle == LifeCycle.CREATION:
        return _load_template(session, apdu)
    if apdu.p1p2 == EfId.ADF:
        return put_key(session, apdu.data)
    file = _data_file(session, apdu.p1p2)
    require(session, file, FileOperation.PUT)
    new = _one_object(apdu.data)
    if file.efid == EfId.ADMIN_WRITE and new.tag == Tag.PIN_POLICY:
        _put_policy(session, new.value)
    elif not new.value and file.get(new.tag) is not None:
        session.commit(session.state.with_file(file.without_object(new.tag)))
    else:
        _check_room(file, new)
        session.commit(session.state.with_file(file.with_object(new)))
    session.volatile.current_ef = file.efid
    return b""


def _one_object(raw: bytes) -> Tlv:
    try:
        head, used = HEADER.parse_head(raw)
    except WireError as error:
        raise CardError(SW.WRONG_DATA, f"not a data object: {error}", subject="PUT DATA") from None
    if used + head.length != len(raw):
        raise CardError(SW.NC_INCONSISTENT_WITH_TLV, f"the object says {head.length} bytes", subject="PUT DATA")
    return Tlv.parse_head(raw)[0]


def _check_room(file: DataFile, new: Tlv) -> None:
    if len(new.value) > MAX_OBJECT_BYTES:
        raise CardError(SW.NOT_ENOUGH_MEMORY, f"an object holds {MAX_OBJECT_BYTES} bytes", subject=file_name(file.efid))
    if file.get(new.tag) is None and len(file.objects) >= MAX_OBJECTS:
        raise CardError(SW.NOT_ENOUGH_MEMORY, f"a file holds {MAX_OBJECTS} objects", subject=file_name(file.efid))


def _put_policy(session: GidsSession, value: bytes) -> None:
    """The PIN policy, 32 bytes ([MS-TPMVSC] 2.2.2.1); empty takes it away.

    Needs the admin key whatever the rule of the file: the user may delete EF A012 and make it anew with another rule.
    """
    state = session.state
    if state.is_operational:
        require_admin(session, "changing the PIN policy")
    if not value and state.pin_policy is not None:
        session.commit(replace(state, pin_policy=None))
        return
    try:
        policy = PinPolicy.parse(value)
    except WireError as error:
        raise CardError(SW.WRONG_DATA, str(error), subject="PIN policy") from None
    session.commit(replace(state, pin_policy=policy))


def _load_template(session: GidsSession, apdu: CommandApdu) -> bytes:
    """The creation state: 61, 64 and 62 of the application in that order; 62 ends it (GIDS section 6.1)."""
    if apdu.p1p2 != EfId.NONE:
        raise CardError(SW.INCORRECT_P1P2, "P1-P2 is 0000 in the creation state", subject="PUT DATA")
    state, new = session.state, _one_object(apdu.data)
    expected = Tag.APPLICATION_TEMPLATE if not state.template else Tag.FMD if not state.fmd else Tag.FCP
    if new.tag != expected:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"template {expected:X} comes next", subject="PUT DATA")
    template = Template.parse(new.value, subject="application template")
    if expected == Tag.APPLICATION_TEMPLATE:
        if template.need(Tag.AID, subject="application template") != AID:
            raise CardError(SW.WRONG_DATA, "not the AID of this application", subject="application template")
        session.commit(replace(state, template=new.value))
    elif expected == Tag.FMD:
        template.need(Tag.PIN_USAGE_POLICY, subject="file management data")
        # The memory template is not loaded; the card adds it (GIDS section 6.1.1).
        memory = b"" if template.get(Tag.MEMORY) is not None else bytes(Tlv(Tag.MEMORY, bytes(Tlv(0x80))))
        session.commit(replace(state, fmd=new.value + memory))
    else:
        if template.need(Tag.FILE_DESCRIPTOR, subject="FCP") != bytes([FileDescriptor.DF]):
            raise CardError(SW.WRONG_DATA, "the application is a DF (38)", subject="FCP")
        rule = parse_rule(template.need(Tag.ACCESS_RULE, subject="FCP"))
        session.commit(replace(state, rule=rule, life_cycle=LifeCycle.INITIALISATION))
    return b""


# --- the rows

# Files of the host, by the names that minidrivers give them.
_PLACES = {
    minidriver.CARD_ID: "cardid",
    minidriver.DIRECTORY: "directory",
    minidriver.CARD_APPS: "cardapps",
    minidriver.CARD_CACHE: "cardcf",
    minidriver.CONTAINER_MAP: "cmapfile",
    minidriver.KEY_MAP: "key map",
    (EfId.ADMIN_WRITE, Tag.PIN_POLICY): "PIN policy",
    (EfId.ADF, Tag.GLOBAL_PIN_STATUS): "PIN status",
    (EfId.ADF, Tag.PIN_STATUS): "PIN status",
    (EfId.ADF, Tag.PUK_STATUS): "PUK status",
}
_FILES: Mapping[int, str] = {EfId.NONE: "current EF", EfId.EF_DIR: "EF.DIR", EfId.EF_ATR: "EF.ATR"}
_STATUS: Mapping[int, str] = {Tag.GLOBAL_PIN_STATUS: "PIN", Tag.PIN_STATUS: "PIN", Tag.PUK_STATUS: "PUK"}


def _file_words(efid: int) -> str:
    return _FILES.get(efid, f"{efid:04X}")


def _object_words(efid: int, tag: int) -> str:
    if tag == Tag.TAG_LIST:
        return "list of tags"
    name = _PLACES.get((efid, tag))
    return f"{tag:X} ({name})" if name else f"{tag:X}"


def _get_words(apdu: CommandApdu, _: int) -> str:
    one = only(apdu.data)
    if one is not None and one.tag == Tag.EXTENDED_HEADER and apdu.p1p2 == EfId.ADF:
        return joined("public key", key_words(value(objects(one.value), 0x84)))
    if one is None or one.tag != Tag.TAG_LIST:
        return ""
    try:
        tags = parse_tags(one.value)
    except WireError:
        return ""
    names = " ".join(_object_words(apdu.p1p2, tag) for tag in tags)
    return f"{_file_words(apdu.p1p2)} {names or 'all objects'}"


def _status_words(apdu: CommandApdu, data: bytes) -> str:
    found = objects(data)
    if not found or any(one.tag not in _STATUS for one in found):
        return ""
    return "; ".join(map(_one_status, found))


def _one_status(one: Tlv) -> str:
    left, limit = (value(objects(one.value), tag) for tag in (0x97, 0x93))
    if not left or not limit:
        return f"{one.tag:X}"
    return f"{_STATUS[one.tag]}: {int.from_bytes(left, 'big')} of {int.from_bytes(limit, 'big')} tries left"


def _put_words(apdu: CommandApdu, hidden_bytes: int) -> str:
    if hidden_bytes:
        return f"key import, {byte_count(hidden_bytes)}"
    one = only(apdu.data)
    if one is None:
        return ""
    size = byte_count(len(one.value)) if one.value else "delete"
    return f"{_file_words(apdu.p1p2)} {_object_words(apdu.p1p2, one.tag)}, {size}"


# They name any file but FFFF.
_P1P2 = range(0xFFFF)
_KEY_SAMPLES = ("700A 840181 A505 830101 8700", "7005 840181 A500", "7008 840180 A503 7F4980")

# Rows are read across: what is accepted and who answers, then what people are told.
# fmt: off
GET_DATA = Command(
    "GET DATA", _P1P2, gate.SOME_BYTES, gate.READ_RULE, get_data, "GIDS 2.0, 12.7 and 12.8", words=_get_words,
    answer_words=_status_words, is_tlv=True,
    refusals={
        SW.FILE_NOT_FOUND: gate.NO_FILE,
        SW.REFERENCE_NOT_FOUND: "there is none of the data objects, or no such key",
        SW.INCOMPATIBLE_WITH_FILE: "a key file holds no data objects",
        SW.WRONG_DATA: "the data are not a tag list (5C), nor on 3FFF the question for a public key (70)",
        SW.COMMAND_NOT_ALLOWED: gate.NO_CURRENT,
    },
    samples=tuple(
        (efid, bytes.fromhex(data))
        for efid in (0xA000, 0xA010, 0xA011, 0xA012, 0, 0x3FFF, 0x2F00, 0x2F01, 0xB080, 0xB081)
        for data in ("5C02 DF20", "5C04 DF1F DF22", "5C06 7F71 7F72 7F73", "5C03 5C 61 47", "5C00", _KEY_SAMPLES[2])
    ),
)
PUT_DATA = Command(
    # A key file, too, where a host puts a key by mistake.
    "PUT DATA", _P1P2, gate.SOME_BYTES, gate.WRITE_RULE, put_data, "GIDS 2.0, 12.12 and 12.13", chaining=True,
    changes=True, words=_put_words, hides=frozenset({EfId.ADF, *KEY_FILES}), is_tlv=True,
    refusals={
        SW.FILE_NOT_FOUND: gate.NO_FILE,
        SW.REFERENCE_NOT_FOUND: gate.NO_KEY_FILE,
        SW.INCOMPATIBLE_WITH_FILE: "a key file holds no data objects: keys are stored on 3FFF",
        SW.WRONG_DATA: "the data are not one data object; or the value is no such key, or no possible PIN policy",
        SW.FUNCTION_NOT_SUPPORTED: "this card has no transport keys, or no keys of this kind",
        SW.NC_INCONSISTENT_WITH_TLV: "the length that the object says is not its length",
        SW.NOT_ENOUGH_MEMORY: "the object is too large, or the file has too many",
        SW.INCORRECT_P1P2: "in the creation state P1-P2 is 0000",
        SW.CONDITIONS_NOT_SATISFIED: "in the creation state another template comes next",
        SW.COMMAND_NOT_ALLOWED: gate.NO_CURRENT,
    },
    samples=tuple(
        (efid, data)
        for efid in (0xA000, 0xA010, 0xA012, 0xA013, 0x3FFF, 0, 0xB080)
        for data in (
            *(bytes(Tlv(tag, bytes(range(size)))) for tag, size in ((0xDF20, 0), (0xDF22, 6), (0xDF23, 20), (0x81, 3))),
            bytes(Tlv(Tag.PIN_POLICY, bytes(PinPolicy()))),
            *map(bytes.fromhex, _KEY_SAMPLES),
        )
    ),
)
# fmt: on
