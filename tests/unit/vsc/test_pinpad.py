"""The PIN pad: part 10's structs, PINs put into commands, every answer of the pad, and who types."""

import os
import pty
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.wire import Format, WireError
from tests.unit.each import each
from vsc.pinpad import SOURCES, Ask, PinKind, PinPad, PinRequest, PinSourceError, pin_source
from vsc.pinpad.pad import PadStatus
from vsc.pinpad.source import _key
from vsc.pinpad.structure import MODIFY, VERIFY, PinFormat, PinModify, PinType, PinVerify
from vsc.pinpad.template import PinUnfitError, Template
from vsc.reader import CardRemovedError, Reader
from vsc.reader.part10 import FEATURE_REQUEST, Feature

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 10.0
"""Nothing waits this long unless it is broken."""

# What pkcs11-tool --login and pkcs15-tool --change-pin of OpenSC 0.23 send for a GIDS card.
OPENSC_VERIFY = bytes.fromhex("1e1e8200000f040200000000000000050000000020008000")
OPENSC_MODIFY = bytes.fromhex("1e1e02000000000f040302000000000102000000050000000024008000")

VERIFY_CODE = Feature.VERIFY_PIN_DIRECT.control_code
MODIFY_CODE = Feature.MODIFY_PIN_DIRECT.control_code
ASCII = PinFormat(PinType.ASCII)
VERIFY_GIDS = PinVerify(format=ASCII, min_digits=4, max_digits=8, command=bytes.fromhex("0020008000"))
MODIFY_GIDS = PinModify(format=ASCII, min_digits=4, max_digits=8, command=bytes.fromhex("0024008000"))
REQUEST = PinRequest(PinKind.PIN, "R", 4, 8, PATIENCE_S, PATIENCE_S)


class FakeCard:
    """Writes down its commands, and takes every PIN."""

    def __init__(self) -> None:
        self.atr = b"\x3b\x00"
        self.commands: list[bytes] = []

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        pass

    def reset(self) -> bytes:
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        self.commands.append(command)
        return b"\x90\x00"


class Typist:
    """Types these, one for each question, or raises them."""

    def __init__(self, *answers: bytes | Exception | None) -> None:
        self.answers = list(answers)
        self.requests: list[PinRequest] = []

    def __call__(self, request: PinRequest) -> bytes | None:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def kinds(self) -> list[PinKind]:
        return [request.kind for request in self.requests]


@pytest.fixture
def card() -> FakeCard:
    return FakeCard()


@pytest.fixture
def reader(card: FakeCard) -> Reader:
    reader = Reader("R")
    reader.insert(card)
    return reader


def verify(reader: Reader, ask: Ask, structure: PinVerify = VERIFY_GIDS) -> bytes | None:
    PinPad(reader, ask)
    return reader.control(VERIFY_CODE, bytes(structure))


def modify(reader: Reader, ask: Ask, structure: PinModify = MODIFY_GIDS) -> bytes | None:
    PinPad(reader, ask)
    return reader.control(MODIFY_CODE, bytes(structure))


# --- the structs


def test_what_opensc_sends() -> None:
    verify = PinVerify.parse(OPENSC_VERIFY)
    assert verify == PinVerify(
        format=PinFormat(PinType.ASCII, in_bytes=True),
        min_digits=4,
        max_digits=15,
        command=bytes.fromhex("0020008000"),
        timeout_s=30,
        key_timeout_s=30,
    )
    assert bytes(verify) == OPENSC_VERIFY
    modify = PinModify.parse(OPENSC_MODIFY)
    assert modify == PinModify(
        format=ASCII, min_digits=4, max_digits=15, command=bytes.fromhex("0024008000"), timeout_s=30, key_timeout_s=30
    )
    assert bytes(modify) == OPENSC_MODIFY


BYTE = st.integers(0, 255)
NIBBLE = st.integers(0, 15)
FORMATS = st.builds(
    PinFormat,
    type=st.sampled_from(PinType),
    position=NIBBLE,
    in_bytes=st.booleans(),
    is_right=st.booleans(),
    block_bytes=NIBBLE,
    length_bits=NIBBLE,
    length_position=NIBBLE,
    length_in_bytes=st.booleans(),
)
COMMON: dict[str, Any] = {
    "format": FORMATS,
    "min_digits": st.integers(0, 8),
    "max_digits": st.integers(8, 255).filter(bool),
    "command": st.binary(max_size=20),
    "timeout_s": BYTE,
    "key_timeout_s": BYTE,
    "validation": st.integers(1, 7),
    "messages": st.sampled_from([0, 1, 255]),
    "language": st.integers(0, 0xFFFF),
    "prologue": st.binary(min_size=3, max_size=3),
}
VERIFIES = st.builds(PinVerify, **COMMON, indexes=st.binary(min_size=1, max_size=1))
MODIFIES = st.builds(
    PinModify,
    **COMMON,
    indexes=st.binary(min_size=3, max_size=3),
    offset_current=BYTE,
    offset_new=BYTE,
    asks_current=st.booleans(),
    asks_twice=st.booleans(),
)


@given(st.one_of(VERIFIES, MODIFIES))
def test_a_structure_comes_back_from_its_bytes(structure: PinVerify) -> None:
    assert type(structure).parse(bytes(structure)) == structure


@st.composite
def nearly(draw: st.DrawFn) -> tuple[type[PinVerify], bytes]:
    """A structure with a few bytes changed, taken away or added."""
    structure = draw(st.one_of(VERIFIES, MODIFIES))
    raw = bytearray(bytes(structure))
    for _ in range(draw(st.integers(0, 2))):
        raw[draw(st.integers(0, len(raw) - 1))] = draw(BYTE)
    return type(structure), bytes(raw[: draw(st.integers(0, len(raw)))] if draw(st.booleans()) else raw) + draw(
        st.binary(max_size=1)
    )


@given(nearly())
def test_the_bytes_of_whatever_is_accepted_come_back(case: tuple[type[PinVerify], bytes]) -> None:
    kind, raw = case
    try:
        structure = kind.parse(raw)
    except WireError:
        return
    assert bytes(structure) == raw


@given(nearly())
def test_compiled_structs_accept_the_same(case: tuple[type[PinVerify], bytes]) -> None:
    kind, raw = case
    form = MODIFY if kind is PinModify else VERIFY
    assert outcome(form, raw, compiled=True) == outcome(form, raw, compiled=False)


def outcome(form: Format, raw: bytes, *, compiled: bool) -> object:
    try:
        return form.parse(raw, compiled=compiled)
    except WireError:
        return None


def test_truncated() -> None:
    for length in each(range(len(OPENSC_VERIFY))):
        with pytest.raises(WireError):
            PinVerify.parse(OPENSC_VERIFY[:length])


@pytest.mark.parametrize(
    ("at", "value", "what"),
    [
        (2, 0x83, "a fourth type"),
        (4, 0x20, "bits of bmPINLengthFormat that mean nothing"),
        (5, 3, "fewest digits above the most"),
        (7, 0, "an entry that never ends"),
        (7, 8, "an unknown condition"),
        (8, 2, "two messages for one PIN"),
        (15, 4, "a command shorter than there is"),
        (15, 6, "a command longer than there is"),
        (18, 0xFF, "a command of 4 GB"),
    ],
)
def test_malformed(at: int, value: int, what: str) -> None:
    raw = bytearray(OPENSC_VERIFY)
    raw[at] = value
    with pytest.raises(WireError):
        PinVerify.parse(bytes(raw))


def test_no_digits_at_all() -> None:
    with pytest.raises(WireError):
        PinVerify.parse(OPENSC_VERIFY[:5] + b"\0\0" + OPENSC_VERIFY[7:])


def test_unknown_bits_of_b_confirm_pin() -> None:
    with pytest.raises(WireError):
        PinModify.parse(OPENSC_MODIFY[:9] + b"\x07" + OPENSC_MODIFY[10:])


def test_a_limit_that_does_not_fit_is_not_written() -> None:
    with pytest.raises(WireError):
        bytes(replace(VERIFY_GIDS, max_digits=256))


# --- PINs in commands

# ACR83 reference manual 1.05, sections 11.3 to 11.5 and 12.9: bytes 2 to 4 of the structure, template, PIN, result.
ACS_VERIFY = [
    ("394902", "00200001095730303030303030 30", b"123456780", "0020000109 662468ACF010303030"),
    ("3D4902", "00200001095730303030303030 30", b"123456780", "0020000109 673030303123456780"),
    ("594806", "002000010857A5303030303030", b"12345", "0020000108 5562468A30303030"),
    ("5D4806", "002000010857A5303030303030", b"12345", "0020000108 5565303030312345"),
    ("894804", "00200001095730303030303030 30", b"123456780", "0020000109 591234567800303030"),
]
OTHERS = [
    # A GlobalPlatform PIN as OpenSC asks for it: two, its length in four bits, BCD, padded with F.
    ("414804", "0020000108 20FFFFFFFFFFFFFF", b"12345", "0020000108 2512345FFFFFFFFF"),
    # Padded ASCII, with and without the block's length (OpenSC says none above 15).
    ("820800", "0020008008 FFFFFFFFFFFFFFFF", b"1234", "0020008008 31323334FFFFFFFF"),
    ("820000", "0020008008 FFFFFFFFFFFFFFFF", b"1234", "0020008008 31323334FFFFFFFF"),
    ("860800", "0020008008 FFFFFFFFFFFFFFFF", b"1234", "0020008008 FFFFFFFF31323334"),
    ("8A0000", "0020008006 01FFFFFFFFFF", b"1234", "0020008006 0131323334FF"),
    # Nothing to write over: the reader makes the data.
    ("820000", "0020008000", b"1234", "0020008004 31323334"),
    ("020000", "00200080", b"1234", "0020008004 31323334"),
    ("010000", "0020008000", b"1234", "0020008002 1234"),
    ("010000", "0020008000", b"12345", "0020008003 12345F"),
    ("000000", "0020008000", b"1234", "0020008004 01020304"),
    # A command with Le.
    ("820000", "0020008004 FFFFFFFF 00", b"1234", "0020008004 31323334 00"),
]


def structured(head: str, command: str, *, most: int = 9) -> PinVerify:
    raw = bytes.fromhex(command)
    tail = bytes([most, 1]) + OPENSC_VERIFY[7:15] + len(raw).to_bytes(4, "little") + raw
    return PinVerify.parse(b"\0\0" + bytes.fromhex(head) + tail)


@pytest.mark.parametrize(("head", "template", "pin", "command"), ACS_VERIFY + OTHERS)
def test_a_pin_in_a_command(head: str, template: str, pin: bytes, command: str) -> None:
    assert Template.of(structured(head, template)).filled([pin]) == bytes.fromhex(command)


@pytest.mark.parametrize(
    ("head", "template"),
    [
        ("820000", "002000"),  # no command
        ("820000", "0020008008"),  # data is announced and missing
        ("820000", "0020008002FFFFFF00"),  # data is left over
        ("8A0000", "0020008000"),  # a position in no data
        ("820800", "0020008000"),  # a block in no data
        ("824000", "0020008000"),  # a length in no data
        ("820800", "0020008004FFFFFFFF"),  # a block longer than the data
        ("8A0400", "0020008004FFFFFFFF"),  # a block that ends behind the data
        ("A20000", "0020008004FFFFFFFF"),  # a PIN behind the data
        ("824014", "0020008004FFFFFFFF"),  # a length behind the data
        ("823000", "0020008008FFFFFFFFFFFFFFFF"),  # nine digits, and three bits to say so
    ],
)
def test_a_pin_that_has_no_place(head: str, template: str) -> None:
    with pytest.raises(WireError):
        Template.of(structured(head, template))


@pytest.mark.parametrize(
    ("head", "template", "pin"),
    [
        ("820000", "0020008004FFFFFFFF", b"12345"),  # longer than the data
        ("820200", "0020008004FFFFFFFF", b"123"),  # longer than its block
        ("810000", "0020008004FFFFFFFF", b"12A4"),  # no digit
        ("800000", "0020008000", b"12A4"),
        ("820000", "0020008000", b"1" * 256),
    ],
)
def test_a_pin_that_does_not_fit(head: str, template: str, pin: bytes) -> None:
    with pytest.raises(PinUnfitError):
        Template.of(structured(head, template)).filled([pin])


@pytest.mark.parametrize(
    ("template", "current", "new", "command"),
    [
        ("0024008000", 0, 0, "002400800A 31323334 393837363534"),
        ("0024008010 FFFFFFFFFFFFFFFF FFFFFFFFFFFFFFFF", 0, 8, "0024008010 31323334FFFFFFFF 393837363534FFFF"),
        ("0024008010 FFFFFFFFFFFFFFFF FFFFFFFFFFFFFFFF", 8, 0, "0024008010 393837363534FFFF 31323334FFFFFFFF"),
    ],
)
def test_two_pins_in_a_command(template: str, current: int, new: int, command: str) -> None:
    structure = replace(MODIFY_GIDS, command=bytes.fromhex(template), offset_current=current, offset_new=new)
    assert Template.of(structure).filled([b"1234", b"987654"]) == bytes.fromhex(command)


def test_the_current_pin_ends_where_the_new_one_begins() -> None:
    structure = replace(MODIFY_GIDS, command=bytes.fromhex("0024008008FFFFFFFFFFFFFFFF"), offset_new=4)
    with pytest.raises(PinUnfitError):
        Template.of(structure).filled([b"12345", b"1234"])


@pytest.mark.parametrize(("current", "new"), [(0, 0), (0, 3), (0, 5), (8, 0)])
def test_two_pins_that_would_overlap_or_leave_the_data(current: int, new: int) -> None:
    structure = replace(
        MODIFY_GIDS,
        format=PinFormat(PinType.ASCII, block_bytes=4),
        command=bytes.fromhex("0024008008FFFFFFFFFFFFFFFF"),
        offset_current=current,
        offset_new=new,
    )
    with pytest.raises(WireError):
        Template.of(structure)


def test_both_pins_to_one_place() -> None:
    structure = replace(MODIFY_GIDS, command=bytes.fromhex("0024008008FFFFFFFFFFFFFFFF"))
    with pytest.raises(WireError):
        Template.of(structure)


def test_a_new_pin_alone_as_acs_places_it() -> None:
    structure = PinModify(
        format=PinFormat(PinType.BCD, position=7, block_bytes=9, length_bits=4, length_position=2),
        min_digits=1,
        max_digits=10,
        command=bytes.fromhex("002400010A 20 573030303030303030"),
        offset_new=1,
        offset_current=99,  # Without a current PIN it must not be looked at.
        asks_current=False,
    )
    assert Template.of(structure).filled([b"123456780"]) == bytes.fromhex("002400010A 20 662468ACF010303030")


# --- the pad


def test_features(reader: Reader) -> None:
    assert reader.control(FEATURE_REQUEST, b"") == bytes.fromhex("120442330012")
    PinPad(reader, Typist())
    assert reader.control(FEATURE_REQUEST, b"") == bytes.fromhex("060442330006 070442330007 120442330012")
    assert reader.control(0x4200_0001, b"") is None


def test_properties(reader: Reader) -> None:
    PinPad(reader, Typist())
    raw = reader.control(Feature.GET_TLV_PROPERTIES.control_code, b"")
    assert raw is not None
    found = {}
    while raw:
        tag, size = raw[:2]
        found[tag] = int.from_bytes(raw[2 : 2 + size], "little")
        raw = raw[2 + size :]
    assert found == {1: 0, 2: 2, 3: 1, 6: 1, 7: 127, 9: 0, 10: 65536}


def test_verify(reader: Reader, card: FakeCard) -> None:
    typist = Typist(b"12345678")
    assert verify(reader, typist, PinVerify.parse(OPENSC_VERIFY)) == b"\x90\x00"
    assert card.commands == [bytes.fromhex("0020008008 3132333435363738")]
    assert typist.requests == [PinRequest(PinKind.PIN, "R", 4, 15, 30, 30)]


def test_modify(reader: Reader, card: FakeCard) -> None:
    typist = Typist(b"1234", b"98765", b"98765")
    assert modify(reader, typist, PinModify.parse(OPENSC_MODIFY)) == b"\x90\x00"
    assert card.commands == [bytes.fromhex("0024008009 31323334 3938373635")]
    assert typist.kinds == [PinKind.CURRENT, PinKind.NEW, PinKind.REPEATED]


@pytest.mark.parametrize(
    ("current", "twice", "kinds"),
    [
        (False, False, [PinKind.NEW]),
        (False, True, [PinKind.NEW, PinKind.REPEATED]),
        (True, False, [PinKind.CURRENT, PinKind.NEW]),
    ],
)
def test_what_modify_asks_for(reader: Reader, card: FakeCard, current: bool, twice: bool, kinds: list[PinKind]) -> None:
    typist = Typist(b"1234", b"1234")
    assert modify(reader, typist, replace(MODIFY_GIDS, asks_current=current, asks_twice=twice)) == b"\x90\x00"
    assert typist.kinds == kinds
    assert card.commands == [bytes.fromhex("00240080") + bytes([4 + 4 * current]) + b"1234" * (1 + current)]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (None, PadStatus.CANCELLED),
        (TimeoutError(), PadStatus.TIMED_OUT),
        (b"", PadStatus.BAD_LENGTH),
        (b"123", PadStatus.BAD_LENGTH),
        (b"123456789", PadStatus.BAD_LENGTH),
    ],
)
def test_what_the_card_never_hears_of(
    reader: Reader, card: FakeCard, answer: bytes | Exception | None, status: PadStatus
) -> None:
    assert verify(reader, Typist(answer)) == bytes(status)
    for before in ([], [b"1234"]):
        assert modify(reader, Typist(*before, answer)) == bytes(status)
    assert card.commands == []


def test_the_status_words() -> None:
    assert [bytes(status).hex() for status in PadStatus] == ["6400", "6401", "6402", "6403", "6b80"]


@pytest.mark.parametrize("again", [b"4322", b"", b"432"])
def test_new_pins_that_differ(reader: Reader, card: FakeCard, again: bytes) -> None:
    assert modify(reader, Typist(b"1234", b"4321", again)) == b"\x64\x02"
    assert card.commands == []


def test_an_empty_pin_never_becomes_a_question_for_tries(reader: Reader, card: FakeCard) -> None:
    assert verify(reader, Typist(b""), replace(VERIFY_GIDS, min_digits=0)) == b"\x64\x03"
    assert card.commands == []


def test_more_digits_than_a_bcd_pin_has(reader: Reader, card: FakeCard) -> None:
    assert verify(reader, Typist(b"12a4"), replace(VERIFY_GIDS, format=PinFormat(PinType.BCD))) == b"\x64\x03"
    assert card.commands == []


@pytest.mark.parametrize("code", [VERIFY_CODE, MODIFY_CODE])
def test_a_malformed_structure_asks_nobody(reader: Reader, card: FakeCard, code: int) -> None:
    typist = Typist()
    PinPad(reader, typist)
    for raw in (b"", b"\0", bytes(23), OPENSC_MODIFY[:-1], OPENSC_VERIFY + b"\0"):
        assert reader.control(code, raw) == b"\x6b\x80"
    assert (typist.requests, card.commands) == ([], [])


@given(st.one_of(nearly().map(lambda case: case[1]), st.binary(max_size=60)))
def test_any_bytes_get_two_bytes(raw: bytes) -> None:
    reader = Reader("R")
    reader.insert(FakeCard())
    PinPad(reader, lambda request: b"1" * request.min_digits)
    for code in (VERIFY_CODE, MODIFY_CODE):
        answer = reader.control(code, raw)
        assert answer is not None
        assert len(answer) == 2


def test_no_card() -> None:
    typist = Typist()
    with pytest.raises(CardRemovedError):
        verify(Reader("R"), typist)
    assert typist.requests == []


def test_the_pin_is_for_the_card_that_was_in_when_it_was_asked_for(reader: Reader, card: FakeCard) -> None:
    other = FakeCard()

    def swap(request: PinRequest) -> bytes:
        reader.swap(other)
        return b"1234"

    with pytest.raises(CardRemovedError):
        verify(reader, swap)
    assert (card.commands, other.commands) == ([], [])


def test_a_source_that_fails_is_no_answer(reader: Reader, card: FakeCard) -> None:
    with pytest.raises(PinSourceError):
        verify(reader, Typist(PinSourceError("gone")))
    assert verify(reader, Typist(b"1234")) == b"\x90\x00"  # and blocks no keys


def test_no_pin_is_shown(reader: Reader) -> None:
    typist = Typist(b"12345678")
    pad = PinPad(reader, typist)
    assert reader.control(VERIFY_CODE, OPENSC_VERIFY) == b"\x90\x00"
    assert repr(pad) == "<PinPad of 'R'>"
    seen = f"{pad!r} {reader!r} {reader.events} {typist.requests}"
    assert "12345678" not in seen
    assert b"12345678".hex() not in seen


# --- who types


@pytest.mark.parametrize("text", ["", "12345678", "env:", "file:", "env", "default", "Prompt", "cancel:1", "prompt:x"])
def test_no_source(text: str) -> None:
    with pytest.raises(PinSourceError) as refused:
        pin_source(text)
    assert str(refused.value) == f"say {SOURCES}, never the PIN itself"


def answers(ask: Ask) -> list[bytes | None]:
    """PIN, CURRENT, NEW, REPEATED."""
    return [ask(replace(REQUEST, kind=kind)) for kind in PinKind]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"1234", [b"1234", b"1234", None, None]),
        (b"1234\n", [b"1234", b"1234", None, None]),
        (b"1234\r\n4321\r\n", [b"1234", b"1234", b"4321", b"4321"]),
        (b"1234\n4321\n4322", [b"1234", b"1234", b"4321", b"4322"]),
        (b"\xe4\xf6 x\n\n", [b"\xe4\xf6 x", b"\xe4\xf6 x", b"", b""]),
        (b"", [b"", b"", None, None]),
    ],
)
def test_variable_and_file(
    text: bytes, expected: list[bytes | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environb, b"VSC_TEST_PIN", text)
    assert answers(pin_source("env:VSC_TEST_PIN")) == expected
    (tmp_path / "pin").write_bytes(text)
    assert answers(pin_source(f"file:{tmp_path}/pin")) == expected


def test_it_types_like_a_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who does not wait answers before Firefox has its window up."""
    monkeypatch.setitem(os.environb, b"VSC_TEST_PIN", b"1234")
    (tmp_path / "pin").write_bytes(b"1234")
    for text, answer in (("env:VSC_TEST_PIN", b"1234"), (f"file:{tmp_path}/pin", b"1234"), ("cancel", None)):
        slept: list[float] = []
        ask = pin_source(text, delay_s=0.3, sleep=slept.append)
        assert slept == []
        assert (ask(REQUEST), ask(REQUEST), slept) == (answer, answer, [0.3, 0.3])
        assert pin_source(text, sleep=slept.append)(REQUEST) == answer
        assert len(slept) == 2
    slept = []
    with pytest.raises(TimeoutError):
        pin_source("timeout", delay_s=0.3, sleep=slept.append)(REQUEST)
    assert slept == [0.3]


def test_a_byte_order_mark_is_no_part_of_the_pin(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "pin").write_bytes("1234\r\n5678\r\n".encode(encoding))
        assert answers(pin_source(f"file:{tmp_path}/pin")) == [b"1234", b"1234", b"5678", b"5678"]


def test_a_file_is_read_when_the_pad_asks(tmp_path: Path) -> None:
    path = tmp_path / "pin"
    path.write_text("1234")
    ask = pin_source(f"file:{path}")
    path.write_text("4321")
    assert ask(REQUEST) == b"4321"
    path.unlink()
    with pytest.raises(PinSourceError, match="cannot be read"):
        ask(REQUEST)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(PinSourceError, match="VSC_NO_SUCH_PIN is not set"):
        pin_source("env:VSC_NO_SUCH_PIN")
    with pytest.raises(PinSourceError, match="cannot be read: No such file"):
        pin_source(f"file:{tmp_path}/none")
    with pytest.raises(PinSourceError, match="no terminal to ask on"):
        pin_source("prompt", terminal=tmp_path / "none")
    (tmp_path / "plain").touch()
    with pytest.raises(PinSourceError, match="no terminal to ask on"):
        pin_source("prompt", terminal=tmp_path / "plain")


def test_cancel_and_timeout() -> None:
    assert answers(pin_source("cancel")) == [None] * 4
    with pytest.raises(TimeoutError):
        pin_source("timeout")(REQUEST)


class Terminal:
    """Both ends of one."""

    def __init__(self) -> None:
        self.person, self.program = pty.openpty()
        self.path = Path(os.ttyname(self.program))
        self.seen = b""

    def read_to(self, end: bytes) -> None:
        while not self.seen.endswith(end):
            assert select.select([self.person], [], [], PATIENCE_S)[0], self.seen
            self.seen += os.read(self.person, 100)

    def close(self) -> None:
        for end in (self.person, self.program):
            if end >= 0:
                os.close(end)

    def hang_up(self) -> None:
        os.close(self.person)
        self.person = -1


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


def typed(terminal: Terminal, do: Callable[[], object], request: PinRequest = REQUEST) -> bytes | None:
    ask = pin_source("prompt", terminal=terminal.path)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(ask, request)
        terminal.read_to(b": ")  # Keys that come before the question are thrown away.
        do()
        return answer.result(PATIENCE_S)


@pytest.mark.parametrize(
    ("keys", "pin"),
    [
        (b"1234\r", b"1234"),
        (b"1234\n", b"1234"),
        (b"\r", b""),
        (b"125\x7f34\r", b"1234"),
        (b"\x7f\x081234\r", b"1234"),
        (b"999\x151234\r", b"1234"),
        (b"12\x03", None),
        (b"12\x04", None),
        (b"\x1b", None),
    ],
)
def test_prompt(terminal: Terminal, keys: bytes, pin: bytes | None) -> None:
    assert typed(terminal, lambda: os.write(terminal.person, keys)) == pin
    terminal.read_to(b"\r\n")
    assert terminal.seen.strip() == b"PIN (4 to 8) for R:"  # No key was echoed.


def test_prompt_for_a_new_pin(terminal: Terminal) -> None:
    request = replace(REQUEST, kind=PinKind.REPEATED)
    assert typed(terminal, lambda: os.write(terminal.person, b"1\r"), request) == b"1"
    assert terminal.seen.startswith(b"New PIN again (4 to 8) for R: ")


def test_prompt_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    import termios

    before = termios.tcgetattr(terminal.program)
    typed(terminal, lambda: os.write(terminal.person, b"1\r"))
    assert termios.tcgetattr(terminal.program) == before


def test_nobody_types(terminal: Terminal) -> None:
    with pytest.raises(TimeoutError):
        typed(terminal, lambda: None, replace(REQUEST, timeout_s=0.01))


def test_nobody_goes_on_typing(terminal: Terminal) -> None:
    with pytest.raises(TimeoutError):
        typed(terminal, lambda: os.write(terminal.person, b"1"), replace(REQUEST, key_timeout_s=0.01))


def test_the_terminal_goes_away(terminal: Terminal) -> None:
    assert typed(terminal, terminal.hang_up) is None


def test_two_pads_share_a_keyboard(terminal: Terminal) -> None:
    ask = pin_source("prompt", terminal=terminal.path)
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(ask, replace(REQUEST, reader=name)) for name in ("A", "B")]
        for pin in (b"1111", b"2222"):
            terminal.seen = b""
            terminal.read_to(b": ")
            os.write(terminal.person, pin + b"\r")
        assert {one.result(PATIENCE_S) for one in both} == {b"1111", b"2222"}


def test_keys_that_cannot_be_read(tmp_path: Path) -> None:
    unreadable = os.open(tmp_path, os.O_RDONLY)
    try:
        assert _key(unreadable, monotonic()) == b""
    finally:
        os.close(unreadable)


def test_a_program_that_ends_at_the_prompt_leaves_a_usable_terminal(terminal: Terminal) -> None:
    import termios

    before = termios.tcgetattr(terminal.program)
    script = """if True:
        import sys, threading
        from pathlib import Path
        from vsc.pinpad import PinKind, PinRequest, pin_source
        ask = pin_source("prompt", terminal=Path(sys.argv[1]))
        request = PinRequest(PinKind.PIN, "R", 4, 8, 60, 60)
        threading.Thread(target=ask, args=(request,), daemon=True).start()
        sys.stdin.read()
    """
    child = subprocess.Popen([sys.executable, "-c", script, terminal.path], stdin=subprocess.PIPE, cwd=ROOT)
    terminal.read_to(b": ")
    assert termios.tcgetattr(terminal.program) != before
    child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 0
    assert termios.tcgetattr(terminal.program) == before


def test_one_question_at_a_time(reader: Reader) -> None:
    asked, may_answer = threading.Event(), threading.Event()
    open_questions = 0

    def ask(request: PinRequest) -> bytes:
        nonlocal open_questions
        open_questions += 1
        assert open_questions == 1
        asked.set()
        assert may_answer.wait(PATIENCE_S)
        open_questions -= 1
        return b"1234"

    PinPad(reader, ask)
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(reader.control, VERIFY_CODE, bytes(VERIFY_GIDS)) for _ in range(2)]
        assert asked.wait(PATIENCE_S)
        assert reader.transmit(bytes.fromhex("00CA0000")) == b"\x90\x00"  # The card is free meanwhile.
        may_answer.set()
        assert [one.result(PATIENCE_S) for one in both] == [b"\x90\x00"] * 2
