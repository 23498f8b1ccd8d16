"""Data fields and P1-P2 for the commands of each application: what gets past the first checks, and some of it further.

They are made of the samples in the rows: as they stand; with the values of their data objects exchanged for those that
other samples have under the same tag; with objects left out, doubled, or of any bytes.
"""

from collections.abc import Iterable, Mapping

from hypothesis import strategies as st

from card_os.command import Command
from card_os.tlv import Tlv, join
from card_os.words import objects

Bytes = st.SearchStrategy[bytes]
Pool = Mapping[int, list[bytes]]
"""Values by tag, innermost ones."""

_CONSTRUCTED = 0x20
_SHORT = range(256)
_SMALL = st.binary(max_size=20)
_ANY_OBJECTS = st.lists(
    st.builds(Tlv, st.sampled_from([0x5C, 0x80, 0x81, 0x7C]), st.binary(max_size=16)), max_size=3
).map(join)


def pool(rows: Iterable[Command]) -> Pool:
    """What the samples of some rows have inside."""
    found: dict[int, list[bytes]] = {}
    for row in rows:
        for _, data in row.samples if row.is_tlv else ():
            _collect(objects(data), found)
    return {tag: list(dict.fromkeys(values)) for tag, values in found.items()}


def _collect(some: Iterable[Tlv], found: dict[int, list[bytes]]) -> None:
    for one in some:
        if _is_constructed(one):
            _collect(objects(one.value), found)
        else:
            found.setdefault(one.tag, []).append(one.value)


def _is_constructed(one: Tlv) -> bool:
    first = one.tag >> 8 * ((one.tag.bit_length() - 1) // 8) if one.tag else 0
    return bool(first & _CONSTRUCTED and objects(one.value))


def likely_p1p2(row: Command) -> list[int]:
    """Values of the samples, few enough that they meet."""
    return list(dict.fromkeys(p1p2 for p1p2, _ in row.samples))


def data_of(row: Command, values: Pool) -> Bytes:
    """Data fields of lengths that the row accepts."""
    samples = list(dict.fromkeys(data for _, data in row.samples))
    if not samples:
        sizes = [size for size in _SHORT if size in row.nc]
        drawn = _ANY_OBJECTS | st.sampled_from(sizes).flatmap(lambda size: st.binary(min_size=size, max_size=size))
    elif row.is_tlv:
        drawn = st.sampled_from(samples).flatmap(lambda data: _mixed(objects(data), values).map(join))
    else:
        drawn = st.sampled_from(samples) | _SMALL
    return drawn.filter(lambda data: len(data) in row.nc)


def _mixed(some: tuple[Tlv, ...], values: Pool) -> st.SearchStrategy[tuple[Tlv, ...]]:
    """The same objects with other values, mostly; else some of them in any order."""
    each = [_varied(one, values) for one in some]
    if not each:
        return st.just(())
    return st.one_of(st.tuples(*each), st.tuples(*each), st.lists(st.one_of(*each), max_size=4).map(tuple))


def _varied(one: Tlv, values: Pool) -> st.SearchStrategy[Tlv]:
    if _is_constructed(one):
        return _mixed(objects(one.value), values).map(lambda inner: Tlv(one.tag, join(inner)))
    others = values.get(one.tag, [])
    found = st.just(one.value) | _SMALL
    return (found | st.sampled_from(others) if others else found).map(lambda raw: Tlv(one.tag, raw))
