"""Command APDUs made a little wrong: bits, lengths, data objects, chains, channels, and one command's half in another.

Everything is drawn from the generator that is given, so that a seed repeats a run.
"""

from collections.abc import Callable, Sequence
from random import Random

from card_os.apdu import CommandApdu
from card_os.sw import CardError
from card_os.tlv import Tlv, join, parse_all
from card_os.wire import WireError

_EDGES = (0x00, 0x01, 0x7F, 0x80, 0x81, 0x82, 0xFE, 0xFF)
_CLASSES = (0x00, 0x00, 0x00, 0x01, 0x02, 0x03, 0x10, 0x11, 0x40, 0x50, 0x0C, 0x20, 0x80, 0xFF)
_CHAINING = 0x10
_MAX_BYTES = 70_000

Commands = list[bytes]


def mutated(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    """Returns what to send instead of a command: one or, for chains and channels, several."""
    commands = [command]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(commands))
        commands[at : at + 1] = rng.choice(_WAYS)(rng, commands[at], corpus)
    return [one[:_MAX_BYTES] for one in commands]


# --- bytes -----------------------------------------------------------------------------------------------------------


def _flip(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    if not command:
        return [bytes(4)]
    at = rng.randrange(len(command))
    return [command[:at] + bytes([command[at] ^ 1 << rng.randrange(8)]) + command[at + 1 :]]


def _edge(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    if not command:
        return [bytes(4)]
    at = rng.randrange(len(command))
    return [command[:at] + bytes([rng.choice(_EDGES)]) + command[at + 1 :]]


def _cut(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    return [command[: rng.randint(0, len(command))]]


def _lengthened(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    return [command + rng.randbytes(rng.randint(1, 8))]


def _spliced(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    """The head of one command, the tail of another."""
    other = rng.choice(corpus)
    return [command[: rng.randint(0, len(command))] + other[rng.randint(0, len(other)) :]]


# --- whole commands, lengths put right -------------------------------------------------------------------------------


def _parsed(command: bytes) -> CommandApdu | None:
    try:
        return CommandApdu.parse(command)
    except CardError:
        return None


def _written(apdu: CommandApdu, data: bytes, ne: int | None = None) -> bytes:
    data, ne = data[:65_535], apdu.ne if ne is None else ne
    extended = len(data) > 255 or ne > 256 or (apdu.extended and bool(data or ne))
    return bytes(CommandApdu(apdu.cla, apdu.ins, apdu.p1, apdu.p2, data, ne, extended))


def _other_data(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    """The header of one command, the data of another."""
    apdu, other = _parsed(command), _parsed(rng.choice(corpus))
    return [command] if apdu is None or other is None else [_written(apdu, other.data)]


def _other_header(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    """P1-P2 of another command."""
    other = rng.choice(corpus)
    return [command[:2] + other[2:4] + command[4:]]


def _other_data_bytes(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    """The data changed somewhere, lengths put right."""
    apdu = _parsed(command)
    if apdu is None or not apdu.data:
        return _flip(rng, command, corpus)
    at = rng.randrange(len(apdu.data))
    new = rng.choice((b"", bytes([rng.choice(_EDGES)]), rng.randbytes(1), apdu.data[at : at + 1] * 2))
    return [_written(apdu, apdu.data[:at] + new + apdu.data[at + 1 :])]


def _other_le(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    apdu = _parsed(command)
    return [command] if apdu is None else [_written(apdu, apdu.data, rng.choice((0, 1, 2, 16, 255, 256, 257, 65_536)))]


def _other_lc(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    """A length field that says something else."""
    if len(command) < 5:
        return [command + bytes([rng.choice(_EDGES)])]
    return [command[:4] + bytes([(command[4] + rng.choice((-2, -1, 1, 2, 128))) & 0xFF]) + command[5:]]


def _filled(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    """A lot of data."""
    apdu = _parsed(command)
    if apdu is None:
        return [command]
    return [_written(apdu, apdu.data.ljust(rng.choice((127, 128, 255, 256, 1000, 17_000)), b"\x5a"))]


# --- data objects ----------------------------------------------------------------------------------------------------


def _other_objects(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    """One data object at any depth left out, doubled, swapped, given another tag, value or length."""
    apdu = _parsed(command)
    if apdu is None or not apdu.data:
        return _flip(rng, command, corpus)
    return [_written(apdu, _changed(rng, apdu.data, depth=4))]


def _changed(rng: Random, raw: bytes, depth: int) -> bytes:
    try:
        objects = list(parse_all(raw))
    except WireError:
        objects = []
    if not objects:
        return raw + rng.choice((b"", b"\x80\x00", b"\x5c\x00", b"\x83\x01\x81"))
    at = rng.randrange(len(objects))
    one = objects[at]
    if depth and one.value and rng.random() < 0.5:
        objects[at] = Tlv(one.tag, _changed(rng, one.value, depth - 1))
        return join(objects)
    match rng.randrange(6):
        case 0:
            del objects[at]
        case 1:
            objects.insert(at, one)
        case 2:
            objects[at] = Tlv(rng.choice((0x80, 0x81, 0x82, 0x83, 0x84, 0x87, 0x95, 0x5C, 0x7C, 0xA4, 0xB6)), one.value)
        case 3:
            objects[at] = Tlv(one.tag, one.value[: rng.randint(0, len(one.value))])
        case 4:
            objects[at] = Tlv(one.tag, one.value + rng.randbytes(rng.randint(1, 4)))
        case _:
            # The length in a long form, or one that is not true.
            head, value = bytes(Tlv(one.tag))[:-1], one.value
            length = rng.choice(
                (bytes([0x81, len(value) & 0xFF]), bytes([0x84]) + len(value).to_bytes(4, "big"), b"\x80")
            )
            return join(objects[:at]) + head + length + value + join(objects[at + 1 :])
    return join(objects)


# --- chains and channels ---------------------------------------------------------------------------------------------


def _chained(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    """The data in parts; sometimes one is lost, or another command comes in between."""
    apdu = _parsed(command)
    if apdu is None or len(apdu.data) < 2:
        return [bytes([command[0] | _CHAINING]) + command[1:]] if command else [command]
    at = rng.randrange(1, len(apdu.data))
    first = CommandApdu(apdu.cla | _CHAINING, apdu.ins, apdu.p1, apdu.p2, apdu.data[:at][:255])
    parts = [bytes(first), _written(apdu, apdu.data[at:])]
    match rng.randrange(4):
        case 0:
            parts.insert(1, rng.choice(corpus))
        case 1:
            del parts[rng.randrange(2)]
    return parts


def _on_channel(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    """The command on another channel, which is opened before; or in any class."""
    if not command:
        return [command]
    if rng.random() < 0.5:
        return [bytes([rng.choice(_CLASSES)]) + command[1:]]
    number = rng.randint(1, 3)
    return [bytes([0x00, 0x70, 0x00, number]), bytes([command[0] & 0xFC | number]) + command[1:]]


def _fetched(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    """Less asked for than comes, and the rest by GET RESPONSE."""
    apdu = _parsed(command)
    if apdu is None:
        return [command]
    rest = bytes([apdu.cla & 0x03, 0xC0, 0x00, 0x00, rng.choice((0, 1, 255))])
    return [_written(apdu, apdu.data, rng.choice((1, 2, 16))), rest]


def _twice(rng: Random, command: bytes, corpus: Sequence[bytes]) -> Commands:
    return [command, command]


_WAYS: Sequence[Callable[[Random, bytes, Sequence[bytes]], Commands]] = (
    *(_flip, _edge, _cut, _lengthened, _spliced, _twice),
    *(_other_data, _other_header, _other_data_bytes, _other_le, _other_lc, _filled),
    *(_other_objects, _other_objects, _other_objects, _other_objects),
    *(_chained, _on_channel, _fetched),
)
