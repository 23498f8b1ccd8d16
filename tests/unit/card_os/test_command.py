"""card_os.command: a row is checked in one order, and a session sees its own application's state only."""

from collections.abc import Container
from dataclasses import replace

import pytest

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.class_byte import Classes
from card_os.command import ANYBODY, TRIES_LEFT, Access, Command, Session, Table, dispatch
from card_os.memory import Memory, Persistent
from card_os.sw import SW, CardError
from vsc.world import SeededEnv

Words = Session[str, list[str]]
A, B = b"AAAAA", b"BBBBB"


def make_session(stored: list[Persistent] | None = None) -> Words:
    store = stored.append if stored is not None else (lambda new: None)
    memory = Memory(Persistent(((A, "a"), (B, "b"))), store)
    return Session(SeededEnv(0), [], 0, lambda: b"", memory, A)


def check(session: Words) -> None:
    session.volatile.append("access")
    if "open" not in session.volatile:
        raise CardError(SW.SECURITY_STATUS_NOT_SATISFIED, "closed", missing="open")


def run(session: Words, apdu: CommandApdu) -> bytes:
    session.volatile.append("run")
    return apdu.data[::-1]


ROW = Command("ECHO", range(2), range(1, 4), Access("whoever opened it", check), run, "this test")
COMMANDS = Table({0x10: ROW})
GOOD = CommandApdu(0, 0x10, 0, 1, b"\x01\x02")


@pytest.mark.parametrize(
    ("changes", "sw"),
    [
        ({"ins": 0x11, "p1": 9, "data": b""}, SW.INS_NOT_SUPPORTED),
        ({"p1": 9, "data": b""}, SW.INCORRECT_P1P2),
        ({"p2": 2, "data": b""}, SW.INCORRECT_P1P2),
        ({"data": b""}, SW.WRONG_LENGTH),
        ({"data": b"\x01\x02\x03\x04"}, SW.WRONG_LENGTH),
        ({}, SW.SECURITY_STATUS_NOT_SATISFIED),
    ],
)
def test_the_first_check_that_fails_answers(changes: dict[str, object], sw: SW) -> None:
    session = make_session()
    with pytest.raises(CardError) as refused:
        dispatch(COMMANDS, session, replace(GOOD, **changes))  # type: ignore[arg-type]
    assert refused.value.sw == sw
    assert "run" not in session.volatile
    assert ("access" in session.volatile) is (sw == SW.SECURITY_STATUS_NOT_SATISFIED)


@pytest.mark.parametrize("data", [b"\x01", b"\x01\x02\x03"])
@pytest.mark.parametrize("p2", [0, 1])
def test_a_command_that_the_row_accepts_runs_after_the_access_check(data: bytes, p2: int) -> None:
    session = make_session()
    session.volatile.append("open")
    assert dispatch(COMMANDS, session, replace(GOOD, p2=p2, data=data)) == ResponseApdu(data[::-1])
    assert session.volatile == ["open", "access", "run"]


def test_a_handler_may_give_a_whole_response() -> None:
    whole = ResponseApdu(b"\x01", SW.WARNING_TERMINATED)
    row = replace(ROW, access=Access("anybody", lambda session: None), run=lambda session, apdu: whole)
    assert dispatch(Table({0x10: row}), make_session(), GOOD) is whole


def test_a_refusal_names_the_command() -> None:
    with pytest.raises(CardError) as refused:
        dispatch(COMMANDS, make_session(), replace(GOOD, p1=9))
    assert refused.value.reason.subject == "ECHO"


# --- several rows of one instruction


def named(name: str, p1p2: Container[int], nc: Container[int], classes: Classes = Classes.INTERINDUSTRY) -> Command:
    return Command(name, p1p2, nc, ANYBODY, lambda session, apdu: name.encode(), "this test", classes=classes)


SIGN, DECIPHER = named("SIGN", {0x9E9A}, range(1, 9)), named("DECIPHER", {0x8086}, range(1, 17))
LONG, OWN = named("LONG SIGN", {0x9E9A}, range(9, 17)), named("OWN", {0}, {0}, Classes.PROPRIETARY)
SEVERAL = Table({0x2A: (SIGN, DECIPHER, LONG, OWN), 0x10: ROW})


@pytest.mark.parametrize(
    ("cla", "p1p2", "size", "answer"),
    [
        (0x00, 0x9E9A, 1, "SIGN"),
        (0x00, 0x9E9A, 9, "LONG SIGN"),
        (0x00, 0x8086, 16, "DECIPHER"),
        (0x80, 0x0000, 0, "OWN"),
        (0x00, 0x0000, 0, "6A86 SIGN"),
        (0x00, 0x9E9A, 0, "6700 SIGN"),
        (0x00, 0x8086, 17, "6700 DECIPHER"),
        (0x80, 0x9E9A, 1, "6A86 OWN"),
    ],
)
def test_the_row_that_accepts_a_command_answers(cla: int, p1p2: int, size: int, answer: str) -> None:
    apdu = CommandApdu(cla, 0x2A, p1p2 >> 8, p1p2 & 0xFF, bytes(size))
    try:
        said = dispatch(SEVERAL, make_session(), apdu).data.decode()
    except CardError as error:
        said = f"{error.sw:04X} {error.reason.subject}"
    assert said == answer


def test_a_table_finds_a_row_to_speak_of() -> None:
    assert SEVERAL.find(0x2A, 0x8086) is DECIPHER
    assert SEVERAL.find(0x2A, 0x1234) is SIGN
    assert SEVERAL.find(0x99, 0) is None
    assert [(ins, row.name) for ins, row in SEVERAL] == [
        (0x2A, "SIGN"),
        (0x2A, "DECIPHER"),
        (0x2A, "LONG SIGN"),
        (0x2A, "OWN"),
        (0x10, "ECHO"),
    ]
    assert (SEVERAL.has_proprietary, COMMANDS.has_proprietary) == (True, False)


def test_a_row_answers_what_its_access_and_its_commits_do_too() -> None:
    access = Access("some", lambda session: None, {0x6985: "ended", 0x6986: "too early"})
    row = replace(ROW, access=access, refusals={0x6985: "no key", TRIES_LEFT: "wrong"}, changes=True)
    assert row.answers() == {
        0x6985: "no key; or ended",
        0x6986: "too early",
        TRIES_LEFT: "wrong",
        0x6581: "the change could not be stored",
    }
    assert ROW.answers() == {}


def test_a_row_that_says_no_more_than_it_must_says_nothing() -> None:
    assert (ROW.words(GOOD, 3), ROW.answer_words(GOOD, b"x"), ROW.presents(make_session(), GOOD)) == ("", "", ())


# --- the session


def test_a_session_reads_and_commits_its_own_application_only() -> None:
    stored: list[Persistent] = []
    session = make_session(stored)
    assert session.state == "a"
    session.commit("a2")
    assert session.state == "a2"
    assert stored == [Persistent(((A, "a2"), (B, "b")))]
