"""File control parameters as CREATE FILE sends them (GIDS sections 2.4 and 12.2)."""

from card_os.access import AccessRule
from card_os.apps.gids.state import DataFile, File, KeyFile, KeyUse
from card_os.apps.gids.wire import (
    EC_KINDS,
    KEY_FILES,
    RSA_BITS,
    THREE_KEY_3DES,
    UNSUPPORTED_ALGORITHMS,
    Crt,
    EfId,
    FileDescriptor,
    Padding,
    Tag,
)
from card_os.sw import SW, CardError
from card_os.tlv import Template, single
from card_os.wire import WireError

_SUBJECT = "file control parameters"
_RESERVED = frozenset(EfId) - {EfId.ADMIN_WRITE}
_KNOWN = frozenset({Tag.FILE_DESCRIPTOR, Tag.FILE_ID, Tag.ACCESS_RULE, Tag.KEY_TEMPLATE})

_PADDINGS = {
    Crt.SIGNATURE: {Padding.SIGN_AS_IS, Padding.SIGN_PKCS1},
    Crt.CONFIDENTIALITY: {Padding.DECIPHER_RAW, Padding.DECIPHER_PKCS1, Padding.DECIPHER_OAEP},
}
_EC_PADDING = {Crt.SIGNATURE: Padding.SIGN_AS_IS, Crt.CONFIDENTIALITY: Padding.DECIPHER_RAW, Crt.AUTHENTICATION: 0}


def parse_rule(raw: bytes) -> AccessRule:
    """Reads tag 8C; 6A80 if it is malformed."""
    try:
        return AccessRule.parse(raw)
    except WireError as error:
        raise CardError(SW.WRONG_DATA, str(error), subject="access rule") from None


def parse_file(raw: bytes, *, born_operational: bool) -> File:
    """Reads the template 62 of a new file, not yet active; 6A80 if it is wrong, 6A81 for an unknown algorithm."""
    fcp = Template.parse(single(raw, Tag.FCP, subject=_SUBJECT), subject=_SUBJECT)
    for one in fcp:
        if one.tag not in _KNOWN:
            raise CardError(SW.WRONG_DATA, f"tag {one.tag:X} does not belong here", subject=_SUBJECT)
    descriptor = fcp.need(Tag.FILE_DESCRIPTOR, subject=_SUBJECT)
    efid = _file_id(fcp.need(Tag.FILE_ID, subject=_SUBJECT))
    rule = parse_rule(fcp.need(Tag.ACCESS_RULE, subject=_SUBJECT))
    if descriptor == bytes([FileDescriptor.DATA_FILE]):
        return DataFile(efid, rule, born_operational=born_operational)
    if descriptor != bytes([FileDescriptor.KEY_FILE]):
        raise CardError(SW.WRONG_DATA, "only data files (39) and key files (18) exist", subject=_SUBJECT)
    if efid not in KEY_FILES:
        raise CardError(SW.WRONG_DATA, "the identifier of a key file is B080 to B0FF", subject=_SUBJECT)
    uses = parse_uses(fcp.need(Tag.KEY_TEMPLATE, subject=_SUBJECT))
    return KeyFile(efid, rule, uses, born_operational=born_operational)


def _file_id(value: bytes) -> int:
    efid = int.from_bytes(value, "big")
    if len(value) != 2 or efid in _RESERVED:
        raise CardError(SW.WRONG_DATA, "not a file identifier that can be created", subject=_SUBJECT)
    return efid


def parse_uses(raw: bytes) -> tuple[KeyUse, ...]:
    """Reads the CRTs of a key file (the value of A5); all must name the same kind of key."""
    uses = tuple(_use(one.tag, Template.parse(one.value, subject="CRT")) for one in Template.parse(raw, subject="CRT"))
    if not uses or len({use.key_type for use in uses}) != 1:
        raise CardError(SW.WRONG_DATA, "a key file has CRTs, all for one kind of key", subject=_SUBJECT)
    return uses


def _use(tag: int, crt: Template) -> KeyUse:
    if tag not in list(Crt):
        raise CardError(SW.WRONG_DATA, f"tag {tag:X} is no CRT of a key file", subject="CRT")
    algorithm = crt.need(0x80, subject="CRT")
    usage = crt.need(0x95, subject="CRT")
    # Tags 83 and 84 are ignored: OpenSC writes 83 there whatever the key is (gids.md 6.2); the EFID says which.
    if len(algorithm) != 1 or len(usage) != 1:
        raise CardError(SW.WRONG_DATA, "algorithm and usage are one byte each", subject="CRT")
    use = KeyUse(Crt(tag), algorithm[0], usage[0], _max_uses(crt.get(0xA3)))
    _check_algorithm(use)
    return use


def _max_uses(template: bytes | None) -> int:
    if template is None:
        return 0
    counter = Template.parse(template, subject="key usage counter").need(0x90, subject="key usage counter")
    if len(counter) != 2:
        raise CardError(SW.WRONG_DATA, "the key usage counter has two bytes", subject="CRT")
    return int.from_bytes(counter, "big")


def _check_algorithm(use: KeyUse) -> None:
    number, padding = use.key_type, use.algorithm >> 4
    if use.crt == Crt.AUTHENTICATION and use.algorithm == THREE_KEY_3DES:
        return
    if number in RSA_BITS and padding in _PADDINGS.get(use.crt, ()):
        return
    if number in EC_KINDS and padding == _EC_PADDING[use.crt]:
        return
    known = number in UNSUPPORTED_ALGORITHMS
    raise CardError(
        SW.FUNCTION_NOT_SUPPORTED if known else SW.WRONG_DATA,
        f"algorithm {use.algorithm:02X} is not supported under {use.crt:02X}",
        subject="CRT",
    )
