"""Command APDUs for a profile, from the command tables of its applications: right, nearly right, anything.

A near miss has exactly one thing wrong, which a card finds before it looks at anything else; so each comes with the
status words that it must be answered with, whatever state the card is in.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import chain, islice

from hypothesis import strategies as st

from card_os.apdu import CommandApdu
from card_os.class_byte import MAX_CHANNELS, Classes
from card_os.command import Command
from card_os.kernel import KERNEL, MIN_AID_BYTES, KernelIns
from card_os.sw import SW
from vsc.profiles import profile_named
from vsc.testing.fields import Bytes, data_of, likely_p1p2, pool

_CHAINING = 0x10
_PROPRIETARY = 0x80
_ALL = range(0x10000)
_SHORT = range(256)
_ENOUGH = 512


class ApduKind(StrEnum):
    """How right an APDU is."""

    WELL_FORMED = "well-formed"
    """Class, instruction, P1-P2 and lengths are those of a row of the command table."""
    NEAR_MISS = "near-miss"
    """The same with one thing wrong."""
    ARBITRARY = "arbitrary"
    """Any bytes."""


class Miss(StrEnum):
    """What is wrong with a near miss."""

    INS = "INS"
    P1P2 = "P1-P2"
    LC = "Lc"
    LE = "Le"
    TLV = "TLV"
    CHAIN = "chain"
    CLASS = "class"


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An APDU with one thing wrong. answers: the status words that a card may give; empty: any refusal."""

    apdu: bytes
    miss: Miss
    answers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Row:
    """A command that a card knows. likely: values of P1-P2 to draw; accepted: those that no card refuses at once."""

    cla: int
    ins: int
    accepted: Container[int]
    likely: Sequence[int]
    nc: Container[int]
    data: Bytes
    chaining: bool = False
    is_tlv: bool = False


@cache
def rows(profile: str) -> tuple[Row, ...]:
    """Every command of every application of a profile, and the kernel's. VscError if there is no such profile."""
    found = profile_named(profile)
    drawn: list[Row] = []
    for application in found.applications:
        values = pool(row for _, row in application.table)
        drawn += (_row(ins, row, data_of(row, values)) for ins, row in application.table)
    names = st.sampled_from([name for one in found.applications for name in one.names]).flatmap(
        lambda aid: st.integers(MIN_AID_BYTES, len(aid)).map(lambda size: aid[:size])
    )
    of_kernel = ((ins, row, names if ins == KernelIns.SELECT else st.just(b"")) for ins, row in KERNEL.items())
    return (*drawn, *(_row(*one) for one in of_kernel))


def _row(ins: int, row: Command, data: Bytes) -> Row:
    accepted = row.p1p2 if isinstance(row.p1p2, Iterable) else _ALL
    likely = likely_p1p2(row) or list(islice((p1p2 for p1p2 in accepted if p1p2 in row.p1p2), _ENOUGH))
    cla = 0x00 if row.classes & Classes.INTERINDUSTRY else _PROPRIETARY
    return Row(cla, ins, row.p1p2, likely, row.nc, data, row.chaining, row.is_tlv)


# --- well-formed -----------------------------------------------------------------------------------------------------


@st.composite
def _drawn(draw: st.DrawFn, row: Row) -> CommandApdu:
    p1p2, data = draw(st.sampled_from(row.likely)), draw(row.data)
    ne = draw(st.sampled_from([0, 256, 1, 16]))
    extended = len(data) > 255 or (bool(data or ne) and draw(st.booleans()))
    return CommandApdu(row.cla, row.ins, p1p2 >> 8, p1p2 & 0xFF, data, ne, extended)


def well_formed(profile: str) -> Bytes:
    """What the first checks of a card let pass, on channel 0; the application may refuse it all the same."""
    return st.sampled_from(rows(profile)).flatmap(_drawn).map(bytes)


# --- one thing wrong -------------------------------------------------------------------------------------------------

_SECURE_MESSAGING = (0x04, 0x08, 0x0C)
_RESERVED = (*range(0x20, 0x40), 0xFF)
_OTHER_CHANNELS = (1, 2, 3, *(0x40 | number for number in range(MAX_CHANNELS - 4)))


@cache
def _wrong_classes(profile: str) -> list[int]:
    """Classes in which no application of a profile knows a command, and channels that are not open."""
    applications = profile_named(profile).applications
    messaging = () if any(one.has_secure_messaging for one in applications) else _SECURE_MESSAGING
    proprietary = () if any(one.table.has_proprietary for one in applications) else range(_PROPRIETARY, 0xFF)
    return [*messaging, *_OTHER_CHANNELS, *_RESERVED, *proprietary]


@cache
def _unknown_ins(profile: str) -> list[int]:
    known = {row.ins for row in rows(profile)}
    return [ins for ins in _SHORT if ins not in known]


@cache
def _wrong_p1p2(profile: str, ins: int) -> list[int]:
    """Values that no row of an instruction accepts, of every kind some."""
    accepted = [row.accepted for row in rows(profile) if row.ins == ins]
    # SELECT with another P1 is no command at all where only the kernel has one.
    is_kernels = ins == KernelIns.SELECT and len(accepted) == 1
    some = range(0x400, 0x500) if is_kernels else chain(range(0x400), range(0x400, 0x10000, 0xFF), [0xFFFF])
    return [p1p2 for p1p2 in some if not any(p1p2 in them for them in accepted)]


@cache
def _rows_for(profile: str, miss: Miss) -> tuple[Row, ...]:
    """Those that can be missed in this way."""
    if miss is Miss.P1P2:
        return tuple(row for row in rows(profile) if _wrong_p1p2(profile, row.ins))
    if miss is Miss.TLV:
        return tuple(row for row in rows(profile) if row.is_tlv)
    if miss is Miss.CHAIN:
        chained = {row.ins for row in rows(profile) if row.chaining}
        return tuple(row for row in rows(profile) if row.ins not in chained)
    return rows(profile)


def near_misses(profile: str = "gids") -> st.SearchStrategy[NearMiss]:
    """APDUs with exactly one thing wrong, in the short form, for channel 0 of a card that waits for no chain to end.

    VscError if there is no such profile.
    """
    ways = {miss: _rows_for(profile, miss) for miss in Miss}
    return _near_misses(profile, {miss: found for miss, found in ways.items() if found})


@st.composite
def _near_misses(draw: st.DrawFn, profile: str, ways: Mapping[Miss, Sequence[Row]]) -> NearMiss:
    miss = draw(st.sampled_from(list(ways)))
    row = draw(st.sampled_from(ways[miss]))
    p1p2 = draw(st.sampled_from(row.likely))
    data = draw(row.data.filter(lambda raw: len(raw) <= 255 and (miss is not Miss.TLV or len(raw) > 1)))
    right = CommandApdu(row.cla, row.ins, p1p2 >> 8, p1p2 & 0xFF, data, draw(st.sampled_from([0, 256])))
    return NearMiss(draw(_missed(profile, right, miss)), miss, _ANSWERS[miss])


_ANSWERS = {
    Miss.INS: frozenset({SW.INS_NOT_SUPPORTED}),
    Miss.P1P2: frozenset({SW.INCORRECT_P1P2}),
    Miss.LC: frozenset({SW.WRONG_LENGTH}),
    Miss.LE: frozenset({SW.WRONG_LENGTH}),
    Miss.TLV: frozenset[int](),
    Miss.CHAIN: frozenset({SW.CHAINING_NOT_SUPPORTED}),
    Miss.CLASS: frozenset({SW.CLA_NOT_SUPPORTED, SW.SECURE_MESSAGING_NOT_SUPPORTED, SW.CHANNEL_NOT_SUPPORTED}),
}


def _missed(profile: str, right: CommandApdu, miss: Miss) -> Bytes:
    raw = bytes(right)
    match miss:
        case Miss.INS:
            return st.sampled_from(_unknown_ins(profile)).map(lambda ins: raw[:1] + bytes([ins]) + raw[2:])
        case Miss.P1P2:
            wrong = st.sampled_from(_wrong_p1p2(profile, right.ins))
            return wrong.map(lambda p1p2: raw[:2] + p1p2.to_bytes(2, "big") + raw[4:])
        case Miss.LC:
            return _wrong_lc(raw[:4], raw[5:] if right.data else bytes(2))
        case Miss.LE if right.data:
            return st.binary(min_size=2, max_size=3).map(lambda tail: raw[: 5 + len(right.data)] + tail)
        case Miss.LE:
            # 01 and one byte more would be a data field of one byte.
            return st.tuples(st.sampled_from([0, *range(2, 256)]), st.integers(0, 255)).map(
                lambda two: raw[:4] + bytes(two)
            )
        case Miss.TLV:
            cut = right.data[:-1]
            return st.just(raw[:4] + bytes([len(cut)]) + cut)
        case Miss.CHAIN:
            return st.just(bytes([raw[0] | _CHAINING]) + raw[1:])
        case Miss.CLASS:
            wrong = st.sampled_from(_wrong_classes(profile))
            return wrong.map(lambda cla: bytes([cla]) + raw[1:])


def _wrong_lc(head: bytes, body: bytes) -> Bytes:
    """An Lc that says neither all of the body nor all but an Le."""
    wrong = st.sampled_from([lc for lc in range(1, 256) if lc not in (len(body), len(body) - 1)])
    return wrong.map(lambda lc: head + bytes([lc]) + body)


# --- all of it -------------------------------------------------------------------------------------------------------


def apdus(profile: str = "gids", kind: ApduKind | str | None = None) -> Bytes:
    """Command APDUs: well-formed, near misses, or any bytes; without a kind, of all of them.

    VscError if there is no such profile; ValueError for an unknown kind.
    """
    match None if kind is None else ApduKind(kind):
        case ApduKind.WELL_FORMED:
            return well_formed(profile)
        case ApduKind.NEAR_MISS:
            return near_misses(profile).map(lambda miss: miss.apdu)
        case ApduKind.ARBITRARY:
            return st.binary(max_size=300)
        case None:
            return st.one_of(*(apdus(profile, one) for one in ApduKind))
