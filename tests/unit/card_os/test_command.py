"""card_os.command: a row is checked in one order, and a session sees its own application's state only."""

from dataclasses import replace

import pytest

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.command import Access, Command, Session, dispatch
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
COMMANDS = {0x10: ROW}
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
    assert dispatch({0x10: row}, make_session(), GOOD) is whole


def test_a_refusal_names_the_command() -> None:
    with pytest.raises(CardError) as refused:
        dispatch(COMMANDS, make_session(), replace(GOOD, p1=9))
    assert refused.value.reason.subject == "ECHO"


def test_a_session_reads_and_commits_its_own_application_only() -> None:
    stored: list[Persistent] = []
    session = make_session(stored)
    assert session.state == "a"
    session.commit("a2")
    assert session.state == "a2"
    assert stored == [Persistent(((A, "a2"), (B, "b")))]
