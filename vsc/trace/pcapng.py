"""Traces for Wireshark: a pcapng file in which each packet is a command and its answer.

The link type is WIRESHARK_UPPER_PDU (252): a packet says which dissector it is for, here `gsm_sim`, the one that reads
command and answer from one packet. Each reader is an interface. A comment on each packet has it in our words, with the
reason of a refusal, and what happened to the card before. Hidden bytes are `*` (2A), so that lengths are right.

Format: draft-ietf-opsawg-pcapng (blocks and options, little-endian here); tags of exported PDUs: Wireshark's
`epan/exported_pdu.h` (big-endian).
"""

from collections.abc import Iterable

from construct import Bytes, Const, GreedyBytes, Int16ub, Int16ul, Int32ul, Int64sl, Struct, this

from card_os.wire import Format
from vsc.masking.command import MaskedCommand
from vsc.trace.decoder import Decoder
from vsc.trace.entry import Entry, EntryKind

LINK_TYPE = 252
DISSECTOR = b"gsm_sim"
_HIDDEN = b"*"
_HEADER_BYTES = 4
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_COMMENT, _IF_NAME, _APPLICATION = 1, 2, 4
_DISSECTOR_NAME = 12
_MAX_TEXT_BYTES = 1000
_BLOCK_OVERHEAD = 12

_BLOCK = Format(Struct("type" / Int32ul, "length" / Int32ul, "body" / GreedyBytes))
_VALUE = ("value" / Bytes(this.length), "padding" / Bytes(-this.length % 4))
_OPTION = Format(Struct("code" / Int16ul, "length" / Int16ul, *_VALUE))
_TAG = Format(Struct("code" / Int16ub, "length" / Int16ub, *_VALUE))
_SECTION_BODY = Format(
    Struct(
        Const(0x1A2B3C4D, Int32ul), Const(1, Int16ul), Const(0, Int16ul), Const(-1, Int64sl), "options" / GreedyBytes
    )
)
_INTERFACE_BODY = Format(Struct("link_type" / Int16ul, Const(0, Int16ul), Const(0, Int32ul), "options" / GreedyBytes))
_PACKET_BODY = Format(
    Struct(
        "interface" / Int32ul,
        "high" / Int32ul,
        "low" / Int32ul,
        "captured" / Int32ul,
        "length" / Int32ul,
        "rest" / GreedyBytes,
    )
)


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + _BLOCK_OVERHEAD
    return _BLOCK.build({"type": kind, "length": length, "body": body}) + length.to_bytes(4, "little")


def _coded(form: Format, code: int, value: bytes) -> bytes:
    return form.build({"code": code, "length": len(value), "value": value, "padding": bytes(-len(value) % 4)})


# Unlike an option's, the length of a tag counts its padding.
_PDU_HEAD = _coded(_TAG, _DISSECTOR_NAME, DISSECTOR.ljust(8, b"\0")) + bytes(4)


def _options(*options: tuple[int, str]) -> bytes:
    """Options with a text, those without one left out, and the end of them."""
    raw = b"".join(_coded(_OPTION, code, _text(words)) for code, words in options if words)
    return raw + bytes(4) if raw else b""


def _text(words: str) -> bytes:
    """As UTF-8, and cut between two characters if it is too long."""
    raw = words.encode(errors="replace")[:_MAX_TEXT_BYTES]
    return raw.decode(errors="ignore").encode()


def _written(command: MaskedCommand, answer_bytes: int) -> bytes:
    """A command as the dissector reads it, which knows cards with T=0: each has five bytes, and gets what it asks for.

    So a bare header ends in 00, and an Le that asks for more than came says how much came.
    """
    raw = command.visible + _HIDDEN * command.hidden_bytes
    if len(raw) == _HEADER_BYTES:
        return raw + b"\0"
    if len(raw) == _HEADER_BYTES + 1 and not command.hidden_bytes and raw[-1] > answer_bytes:
        return raw[:-1] + bytes([answer_bytes])
    return raw


class Writer:
    """Makes the blocks of a file, in order: `head` once, then `packet` for each entry.

    started: when the trace began, in seconds since 1970.
    """

    def __init__(self, started: float) -> None:
        self._started = started
        self._decoders: dict[str, Decoder] = {}
        self._happened: dict[str, list[str]] = {}

    def head(self) -> bytes:
        return _block(_SECTION, _SECTION_BODY.build({"options": _options((_APPLICATION, "vsc"))}))

    def packet(self, entry: Entry) -> bytes:
        """The blocks of an entry: none for an event, which is told with the next packet."""
        raw = b""
        if entry.reader not in self._decoders:
            self._decoders[entry.reader] = Decoder()
            options = _options((_IF_NAME, entry.reader))
            raw = _block(_INTERFACE, _INTERFACE_BODY.build({"link_type": LINK_TYPE, "options": options}))
        line = self._decoders[entry.reader].decode(entry)
        happened = self._happened.setdefault(entry.reader, [])
        if entry.kind is not EntryKind.APDU:
            happened.append(line.name)
            return raw
        comment = "; ".join((*happened, line.sentence)) + (f"; why: {line.why}" if line.why else "")
        happened.clear()
        return raw + self._apdu(entry, comment)

    def _apdu(self, entry: Entry, comment: str) -> bytes:
        microseconds = max(0, round((self._started + entry.seconds) * 1_000_000))
        data = _PDU_HEAD + _written(entry.command, max(0, len(entry.response) - 2)) + entry.response
        body = {
            "interface": list(self._decoders).index(entry.reader),
            "high": microseconds >> 32,
            "low": microseconds & 0xFFFF_FFFF,
            "captured": len(data),
            "length": len(data),
            "rest": data + bytes(-len(data) % 4) + _options((_COMMENT, comment)),
        }
        return _block(_PACKET, _PACKET_BODY.build(body))


def dump(entries: Iterable[Entry], started: float = 0.0) -> bytes:
    """A whole file. started: when the trace began, in seconds since 1970."""
    writer = Writer(started)
    return writer.head() + b"".join(map(writer.packet, entries))
