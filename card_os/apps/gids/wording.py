"""What GIDS commands are about, in words, for traces: `A010 DF22 (cardcf)`, `key 81, sign, RSA-2048, PKCS#1`.

Pure functions of the command: any bytes are answered, and nothing here raises. What is not said here, whoever asks
says from ISO/IEC 7816-4 alone.
"""

from collections.abc import Callable, Mapping

from card_os.apdu import CommandApdu
from card_os.apps.gids import minidriver
from card_os.apps.gids.security import COMPUTE_DIGITAL_SIGNATURE, DECIPHER
from card_os.apps.gids.select import FCP, FMD, NEXT_OCCURRENCE, NO_DATA
from card_os.apps.gids.wire import (
    EC_KINDS,
    KEY_FILES,
    RSA_BITS,
    THREE_KEY_3DES,
    Crt,
    EfId,
    FileDescriptor,
    Ins,
    Padding,
    Reference,
    Tag,
)
from card_os.tlv import Tlv, parse_all, parse_tags
from card_os.wire import WireError

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
_STATUS_TAGS = frozenset({Tag.GLOBAL_PIN_STATUS, Tag.PIN_STATUS, Tag.PUK_STATUS})
_REFERENCES = {Reference.GLOBAL_PIN: "global PIN", Reference.PIN: "PIN", Reference.PUK: "PUK"}
_USES = {Crt.AUTHENTICATION: "authenticate", Crt.SIGNATURE: "sign", Crt.CONFIDENTIALITY: "decipher"}
_PADDINGS: Mapping[Crt, Mapping[int, str]] = {
    Crt.SIGNATURE: {Padding.SIGN_AS_IS: "as it is", Padding.SIGN_PKCS1: "PKCS#1"},
    Crt.CONFIDENTIALITY: {
        Padding.DECIPHER_RAW: "raw",
        Padding.DECIPHER_PKCS1: "PKCS#1",
        Padding.DECIPHER_OAEP: "OAEP",
    },
}
_FILES: Mapping[int, str] = {EfId.NONE: "current EF", EfId.EF_DIR: "EF.DIR", EfId.EF_ATR: "EF.ATR"}
_FORMS = {FCP: "FCP", FMD: "FMD", NO_DATA: "no data"}


def words(apdu: CommandApdu, hidden_bytes: int = 0) -> str:
    """What a command is about; empty if there is nothing to say. hidden_bytes: how long its secret data are."""
    say = _WORDS.get(apdu.ins)
    return "" if say is None else say(apdu, hidden_bytes)


def answer_words(apdu: CommandApdu, data: bytes) -> str:
    """What the data of an answer are; empty if there is nothing to say."""
    objects = _objects(data)
    if apdu.ins == Ins.GET_DATA and objects and all(one.tag in _STATUS_TAGS for one in objects):
        return "; ".join(map(_status, objects))
    if apdu.ins == Ins.GENERAL_AUTHENTICATE and len(objects) == 1:
        inner = _objects(objects[0].value)
        return "challenge" if [one.tag for one in inner] == [0x81] else ""
    if apdu.ins == Ins.PERFORM_SECURITY_OPERATION and data:
        return f"{'signature' if apdu.p1p2 == COMPUTE_DIGITAL_SIGNATURE else 'plaintext'}, {_bytes(len(data))}"
    return ""


def _objects(raw: bytes) -> tuple[Tlv, ...]:
    try:
        return parse_all(raw)
    except WireError:
        return ()


def _only(raw: bytes) -> Tlv | None:
    objects = _objects(raw)
    return objects[0] if len(objects) == 1 else None


def _value(objects: tuple[Tlv, ...], tag: int) -> bytes | None:
    return next((one.value for one in objects if one.tag == tag), None)


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _reference(p2: int) -> str:
    return f"{_REFERENCES[Reference(p2)]} {p2:02X}" if p2 in list(_REFERENCES) else f"reference {p2:02X}"


def _bytes(count: int) -> str:
    return f"{count} byte{'s' * (count != 1)}"


def _verify(apdu: CommandApdu, hidden_bytes: int) -> str:
    if apdu.p2 == Reference.LOGOUT:
        return "log out"
    asks = "tries left?" if not hidden_bytes else _bytes(hidden_bytes)
    return f"{_reference(apdu.p2)}, {asks}"


def _change(apdu: CommandApdu, hidden_bytes: int) -> str:
    what = {0: "old and new", 1: "new"}.get(apdu.p1, "")
    return _joined(_reference(apdu.p2), f"{what} {_bytes(hidden_bytes)}".strip())


def _reset(apdu: CommandApdu, hidden_bytes: int) -> str:
    by = {0: "by the PUK", 2: "by the admin key"}.get(apdu.p1, "")
    return _joined(f"{_reference(apdu.p2)} {by}".strip(), _bytes(hidden_bytes))


def _key(raw: bytes | None) -> str:
    return "" if raw is None else f"key {raw.hex().upper()}"


def _algorithm(raw: bytes | None) -> str:
    """The low half of an algorithm reference: type and size of the key."""
    if raw is None or len(raw) != 1:
        return "" if raw is None else f"algorithm {raw.hex().upper()}"
    number = raw[0] & 0x0F
    if number in RSA_BITS:
        return f"RSA-{RSA_BITS[number]}"
    if number in EC_KINDS:
        return str(EC_KINDS[number])
    return "3DES" if raw[0] == THREE_KEY_3DES else f"algorithm {raw[0]:02X}"


def _environment(apdu: CommandApdu, _: int) -> str:
    objects = _objects(apdu.data)
    reference, algorithm = _value(objects, 0x84) or _value(objects, 0x83), _value(objects, 0x80)
    use = padding = ""
    if apdu.p2 in list(Crt):
        crt = Crt(apdu.p2)
        use = _USES[crt]
        if algorithm is not None and len(algorithm) == 1 and algorithm[0] & 0x0F in RSA_BITS:
            padding = _PADDINGS.get(crt, {}).get(algorithm[0] >> 4, "")
    return _joined(_key(reference), use, _algorithm(algorithm), padding)


def _operation(apdu: CommandApdu, _: int) -> str:
    operation = {COMPUTE_DIGITAL_SIGNATURE: "sign", DECIPHER: "decipher"}.get(apdu.p1p2)
    return "" if operation is None else f"{operation} {_bytes(len(apdu.data))}"


def _generate(apdu: CommandApdu, _: int) -> str:
    one = _only(apdu.data)
    objects = _objects(one.value) if one else ()
    return _joined(_key(_value(objects, 0x83)), _algorithm(_value(objects, 0x80)))


def _authenticate(apdu: CommandApdu, _: int) -> str:
    one = _only(apdu.data)
    inner = _only(one.value) if one else None
    if inner is None:
        return ""
    if inner.tag == 0x81:
        return "ask for a challenge" + (", mutual" if inner.value else "")
    return f"answer the challenge, {_bytes(len(inner.value))}" if inner.tag == 0x82 else ""


def _sign_challenge(apdu: CommandApdu, _: int) -> str:
    one = _only(apdu.data)
    return _joined(*(f"sign {_bytes(len(inner.value))}" for inner in _objects(one.value) if one)) if one else ""


def _select(apdu: CommandApdu, _: int) -> str:
    form = _FORMS.get(apdu.p2 & 0x0C, "")
    if apdu.p2 & NEXT_OCCURRENCE:
        return _joined("next EF", form)
    if len(apdu.data) != 2:
        return ""
    efid = int.from_bytes(apdu.data, "big")
    file = {EfId.ADF: "application DF", EfId.NONE: "current EF", 0x3F00: "MF"}.get(efid, f"EF {efid:04X}")
    return _joined(file, form)


def _file(efid: int) -> str:
    return _FILES.get(efid, f"{efid:04X}")


def _get(apdu: CommandApdu, _: int) -> str:
    one = _only(apdu.data)
    if one is None:
        return ""
    if one.tag == Tag.EXTENDED_HEADER and apdu.p1p2 == EfId.ADF:
        return _joined("public key", _key(_value(_objects(one.value), 0x84)))
    if one.tag != Tag.TAG_LIST:
        return ""
    try:
        tags = parse_tags(one.value)
    except WireError:
        return ""
    return f"{_file(apdu.p1p2)} {' '.join(_object(apdu.p1p2, tag) for tag in tags) or 'all objects'}"


def _object(efid: int, tag: int) -> str:
    if tag == Tag.TAG_LIST:
        return "list of tags"
    name = _PLACES.get((efid, tag))
    return f"{tag:X} ({name})" if name else f"{tag:X}"


def _put(apdu: CommandApdu, hidden_bytes: int) -> str:
    if hidden_bytes:
        return f"key import, {_bytes(hidden_bytes)}"
    one = _only(apdu.data)
    if one is None:
        return ""
    size = _bytes(len(one.value)) if one.value else "delete"
    return f"{_file(apdu.p1p2)} {_object(apdu.p1p2, one.tag)}, {size}"


def _create(apdu: CommandApdu, _: int) -> str:
    one = _only(apdu.data)
    objects = _objects(one.value) if one and one.tag == Tag.FCP else ()
    raw = _value(objects, Tag.FILE_ID)
    if raw is None:
        return ""
    is_key = _value(objects, Tag.FILE_DESCRIPTOR) == bytes([FileDescriptor.KEY_FILE])
    efid = int.from_bytes(raw, "big")
    key = f" for key {efid & 0xFF:02X}" if is_key and efid in KEY_FILES else ""
    return f"{'key file' if is_key else 'file'} {raw.hex().upper()}{key}"


def _status(one: Tlv) -> str:
    objects = _objects(one.value)
    left, limit = _value(objects, 0x97), _value(objects, 0x93)
    name = "PUK" if one.tag == Tag.PUK_STATUS else "PIN"
    if not left or not limit:
        return f"{one.tag:X}"
    return f"{name}: {int.from_bytes(left, 'big')} of {int.from_bytes(limit, 'big')} tries left"


_WORDS: Mapping[int, Callable[[CommandApdu, int], str]] = {
    Ins.VERIFY: _verify,
    Ins.MANAGE_SECURITY_ENVIRONMENT: _environment,
    Ins.CHANGE_REFERENCE_DATA: _change,
    Ins.PERFORM_SECURITY_OPERATION: _operation,
    Ins.RESET_RETRY_COUNTER: _reset,
    Ins.GENERATE_ASYMMETRIC_KEY_PAIR: _generate,
    Ins.GENERAL_AUTHENTICATE: _authenticate,
    Ins.INTERNAL_AUTHENTICATE: _sign_challenge,
    Ins.SELECT: _select,
    Ins.GET_DATA: _get,
    Ins.PUT_DATA: _put,
    Ins.CREATE_FILE: _create,
}
