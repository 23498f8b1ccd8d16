"""GET DATA and PUT DATA, and the objects that a host reads: CHUID and certificates (SP 800-73-5 part 1, section 3)."""

import zlib

from card_os.apps.piv.wire import RETIRED_KEYS, Ins, Key, Tag
from card_os.sw import SW
from card_os.tlv import Tlv, join, parse_all
from card_os.wire import WireError
from vsc.errors import AuthenticationRequired, FillingError, VscError
from vsc.host.exchange import Exchange, checked

MANAGEMENT_KEY = "the management key"
CHUID = 0x5FC102
CERTIFICATES: dict[int, int] = {
    Key.AUTHENTICATION: 0x5FC105,
    Key.SIGNATURE: 0x5FC10A,
    Key.MANAGEMENT: 0x5FC10B,
    Key.CARD_AUTHENTICATION: 0x5FC101,
    **{key: 0x5FC10D + at for at, key in enumerate(RETIRED_KEYS)},
}
"""The object with the certificate of a key, by key reference."""

_ALL = 0x3FFF
_GUID, _CERTIFICATE, _INFO, _END = 0x34, 0x70, 0x71, 0xFE
_PLAIN, _COMPRESSED = b"\x00", b"\x01"
_GZIP = 16 + zlib.MAX_WBITS
MAX_CERTIFICATE_BYTES = 1 << 16


class Objects:
    """The data objects of the selected application."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def read(self, tag: int) -> bytes | None:
        """What is in an object, without its 53. None: there is no such object, or nothing in it."""
        answer = self._exchange.send(Ins.GET_DATA, _ALL, _tag_list(tag), answers=True)
        if answer.sw == SW.FILE_NOT_FOUND:
            return None
        data = checked(answer, f"reading object {tag:X}")
        try:
            outer, _ = Tlv.parse_head(data)
        except WireError:
            raise VscError(f"the card's object {tag:X} is not BER-TLV") from None
        return outer.value or None

    def write(self, tag: int, content: bytes) -> None:
        """Replaces what is in an object; nothing deletes it. The management key has been proved."""
        answer = self._exchange.send(Ins.PUT_DATA, _ALL, _tag_list(tag) + bytes(Tlv(Tag.DATA, content)))
        if answer.sw == SW.SECURITY_STATUS_NOT_SATISFIED:
            raise AuthenticationRequired("writing an object", right=MANAGEMENT_KEY)
        if answer.sw == SW.NOT_ENOUGH_MEMORY:
            raise FillingError("the card has no room for that object", undone=True)
        checked(answer, f"writing object {tag:X}")

    def guid(self) -> bytes | None:
        """The GUID in the CHUID, 16 bytes; None: there is none."""
        value = _within(self.read(CHUID) or b"", _GUID)
        return value if value is not None and len(value) == 16 and any(value) else None

    def certificate(self, reference: int) -> bytes | None:
        """The certificate of a key, DER. VscError if the object holds none that can be read."""
        content = self.read_certificate_object(reference)
        return None if content is None else read_certificate(content)

    def read_certificate_object(self, reference: int) -> bytes | None:
        """The same as it is; None: there is none."""
        return self.read(CERTIFICATES[reference])

    def put_certificate(self, reference: int, der: bytes) -> None:
        """Writes it as it is or, where there is no room for that, compressed."""
        tag = CERTIFICATES[reference]
        try:
            self.write(tag, certificate_object(der))
        except FillingError:
            self.write(tag, certificate_object(der, is_compressed=True))

    def delete_certificate(self, reference: int) -> None:
        self.write(CERTIFICATES[reference], b"")


def certificate_object(der: bytes, *, is_compressed: bool = False) -> bytes:
    """What a certificate object holds (part 1, 3.1.2 and table 10 and those after it)."""
    value, info = (zlib.compress(der, 9, _GZIP), _COMPRESSED) if is_compressed else (der, _PLAIN)
    return join([Tlv(_CERTIFICATE, value), Tlv(_INFO, info), Tlv(_END)])


def read_certificate(content: bytes) -> bytes:
    """The reverse. VscError for anything else, also for one that is larger than any certificate when it is whole."""
    der = _within(content, _CERTIFICATE)
    if der is None:
        raise VscError("the card's certificate object has no certificate in it")
    if (_within(content, _INFO) or _PLAIN)[0] & 1 == 0:
        return der
    try:
        return zlib.decompressobj(_GZIP).decompress(der, MAX_CERTIFICATE_BYTES)
    except zlib.error:
        raise VscError("the card's compressed certificate cannot be read") from None


def _within(content: bytes, tag: int) -> bytes | None:
    try:
        return next((one.value for one in parse_all(content) if one.tag == tag), None)
    except WireError:
        return None


def _tag_list(tag: int) -> bytes:
    # By hand: Yubico's own objects have tags that are none in BER.
    return bytes(Tlv(Tag.TAG_LIST, tag.to_bytes(3 if tag > 0xFFFF else 1 if tag < 0x100 else 2, "big")))
