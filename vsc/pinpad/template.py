"""A command without its PIN, and the PIN put in.

Two kinds of template come: one with data, into which the PIN is written over what is there (the padding); and one
without, for which the reader makes the data and sets Lc. OpenSC sends the second kind for cards that want no padding.

Blocks. A PIN's block begins at an offset (VERIFY: 0); in it, at `position_bits`, the PIN, and at
`length_position_bits` its length, if wanted. The length is written first: what part 10 leaves open is done as ACS
describes it for its readers (ACR83 reference manual 1.05, sections 11 and 12), with whose examples the tests agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from card_os.wire import WireError
from vsc.pinpad.structure import PinFormat, PinModify, PinType, PinVerify

_MAX_NC = 255
_HEADER_BYTES = 4


class PinUnfitError(Exception):
    """The typed PIN is too long for its place, or has a character that its format cannot express."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Where one PIN goes, in bits of the data."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Template:
    """The command of a structure, checked: PINs that obey its limits can be put in.

    header: CLA INS P1 P2. data: what the PINs are written over; none: they are the data. le: one byte or none.
    """

    format: PinFormat
    header: bytes
    data: bytes
    le: bytes
    blocks: tuple[_Block, ...]
    """In the order in which PINs are asked for; none without data."""

    @classmethod
    def of(cls, structure: PinVerify) -> "Template":
        """WireError when no PIN can be put in as the structure says."""
        header, data, le = _split(structure.command)
        offsets = _offsets(structure)
        form = structure.format
        if form.length_bits and structure.max_digits >= 1 << form.length_bits:
            raise WireError(f"{structure.max_digits} digits cannot be said in {form.length_bits} bits")
        if not data:
            if any((form.position, form.block_bytes, form.length_bits, *offsets)):
                raise WireError("there is no data for the PIN to be placed in")
            return cls(form, header, data, le, ())
        return cls(form, header, data, le, _blocks(form, 8 * len(data), offsets))

    def filled(self, pins: Sequence[bytes]) -> bytes:
        """The command with the PINs in it, in the order of `blocks`. PinUnfitError."""
        data = self._written_over(pins) if self.data else b"".join(_packed(self.format, pin) for pin in pins)
        if len(data) > _MAX_NC:
            raise PinUnfitError
        return self.header + bytes([len(data)]) + data + self.le

    def _written_over(self, pins: Sequence[bytes]) -> bytes:
        bits = f"{int.from_bytes(self.data, 'big'):0{8 * len(self.data)}b}"
        form = self.format
        for block, pin in zip(self.blocks, pins, strict=True):
            if form.length_bits:
                bits = _overlaid(bits, block.start + form.length_position_bits, f"{len(pin):0{form.length_bits}b}")
            digits = _bits(form, pin)
            first = block.start + form.position_bits
            if first + len(digits) > block.end:
                raise PinUnfitError
            bits = _overlaid(bits, block.end - len(digits) if form.is_right else first, digits)
        return int(bits, 2).to_bytes(len(self.data), "big")


def _split(command: bytes) -> tuple[bytes, bytes, bytes]:
    """Header, data and Le of a short APDU. The fifth byte, if it is the last, is an Lc of 0 that waits for the PIN."""
    header, body = command[:_HEADER_BYTES], command[_HEADER_BYTES:]
    if len(header) < _HEADER_BYTES:
        raise WireError("a command has four bytes at least")
    nc = body[0] if body else 0
    data, le = body[1 : 1 + nc], body[1 + nc :]
    if len(data) < nc or len(le) > 1:
        raise WireError("the command is not as long as its Lc says")
    return header, data, le


def _offsets(structure: PinVerify) -> tuple[int, ...]:
    """In bytes, in the order in which PINs are asked for."""
    if not isinstance(structure, PinModify):
        return (0,)
    if not structure.asks_current:
        return (structure.offset_new,)
    return (structure.offset_current, structure.offset_new)


def _blocks(form: PinFormat, data_bits: int, offsets: Sequence[int]) -> tuple[_Block, ...]:
    blocks = []
    for offset in offsets:
        start = 8 * offset
        limits = [data_bits] + [8 * other for other in offsets if other > offset]
        if form.block_bytes:
            # The position is inside the block when it is in bits, before it when it is in bytes (ACR83, 11.3, 11.5).
            end = start + 8 * form.block_bytes + (form.position_bits if form.in_bytes else 0)
            if end > min(limits):
                raise WireError("the PIN's block is longer than its place")
            limits.append(end)
        if max(form.position_bits + 1, _length_end(form)) > min(limits) - start:
            raise WireError("the PIN's place is outside of the data")
        blocks.append(_Block(start, min(limits)))
    if len(set(offsets)) != len(offsets):
        raise WireError("both PINs would go to the same place")
    return tuple(blocks)


def _length_end(form: PinFormat) -> int:
    return form.length_position_bits + form.length_bits if form.length_bits else 0


def _bits(form: PinFormat, pin: bytes) -> str:
    if form.type is PinType.ASCII:
        return "".join(f"{byte:08b}" for byte in pin)
    if not pin.isdigit():
        raise PinUnfitError
    width = 4 if form.type is PinType.BCD else 8
    return "".join(f"{byte - ord('0'):0{width}b}" for byte in pin)


def _packed(form: PinFormat, pin: bytes) -> bytes:
    """The PIN alone, as whole bytes; an odd number of BCD digits ends in F."""
    bits = _bits(form, pin)
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _overlaid(bits: str, at: int, new: str) -> str:
    return bits[:at] + new + bits[at + len(new) :]
