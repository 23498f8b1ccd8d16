"""Phrases that rows say in traces and facts: sizes, and looks into data that may be anything. Nothing here raises."""

from card_os.tlv import Tlv, parse_all
from card_os.wire import WireError


def byte_count(count: int) -> str:
    """`1 byte`, `16 bytes`."""
    return f"{count} byte{'s' * (count != 1)}"


def joined(*parts: str) -> str:
    """What is not empty of it, with commas between."""
    return ", ".join(filter(None, parts))


def either(*parts: str) -> str:
    """Several cases of one status word in one sentence."""
    return "; or ".join(filter(None, parts))


def objects(raw: bytes) -> tuple[Tlv, ...]:
    """The data objects; none if these are not data objects."""
    try:
        return parse_all(raw)
    except WireError:
        return ()


def only(raw: bytes) -> Tlv | None:
    """The one data object; None if there are others, or none."""
    found = objects(raw)
    return found[0] if len(found) == 1 else None


def inside(raw: bytes, tag: int) -> tuple[Tlv, ...]:
    """The data objects in the one template with this tag; none if it is something else."""
    one = only(raw)
    return objects(one.value) if one is not None and one.tag == tag else ()


def value(found: tuple[Tlv, ...], tag: int) -> bytes | None:
    """The value of the first object with this tag."""
    return next((one.value for one in found if one.tag == tag), None)
