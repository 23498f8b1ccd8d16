"""vsc.interaction.assuan: lines to pinentry and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsc.interaction.assuan import (
    CANCELLED_CODES,
    MAX_LINE_BYTES,
    AssuanError,
    Line,
    command,
    escape,
    parse,
    unescape,
)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_comes_back_from_its_escaped_form(text: str) -> None:
    raw = escape(text)
    assert unescape(raw).decode() == text
    assert not set(raw) & set(b"\r\n")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=1200))
def test_a_command_fits_in_a_line_and_is_cut_between_characters(text: str) -> None:
    line = command("SETDESC", text)
    assert len(line) <= MAX_LINE_BYTES + 1
    assert line.count(b"\n") == 1
    sent = unescape(line.removesuffix(b"\n").partition(b" ")[2]).decode()
    assert sent == text or (sent.endswith("...") and text.startswith(sent[:-3]))


def test_what_fits_exactly_is_not_cut() -> None:
    room = MAX_LINE_BYTES - len("SETDESC ")
    assert command("SETDESC", "x" * room) == b"SETDESC " + b"x" * room + b"\n"
    assert command("SETDESC", "x" * (room + 1)) == b"SETDESC " + b"x" * (room - 3) + b"...\n"
    assert command("SETDESC", "%" * 400) == b"SETDESC " + b"%25" * 329 + b"...\n"


def test_what_must_be_escaped_is_and_nothing_else() -> None:
    assert command("SETDESC", "a b\r\n100% é") == "SETDESC a b%0D%0A100%25 é\n".encode()
    assert command("GETPIN") == b"GETPIN\n"


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"OK\n", Line("OK", b"")),
        (b"OK Pleased to meet you\r\n", Line("OK", b"Pleased to meet you")),
        (b"D 12%25%0a\xc3\xa9\n", Line("D", b"12%\n\xc3\xa9")),
        (b"D\n", Line("D", b"")),
        (b"S PIN_REPEATED\n", Line("S", b"PIN_REPEATED")),
        (b"# 100% sure\n", Line("#", b"100% sure")),
    ],
)
def test_lines_that_come(raw: bytes, line: Line) -> None:
    assert parse(raw) == line


@pytest.mark.parametrize(
    "raw", [b"", b"OK", b"\n", b" x\n", b"D %2\n", b"D %GG\n", b"\xff\n", b"D " + b"x" * 1002 + b"\n"]
)
def test_lines_that_are_none(raw: bytes) -> None:
    with pytest.raises(AssuanError):
        parse(raw)


@given(st.binary(max_size=1100))
def test_any_bytes_are_a_line_or_refused(raw: bytes) -> None:
    try:
        line = parse(raw)
    except AssuanError:
        return
    assert line.word


def test_the_number_of_an_error_says_who_and_what() -> None:
    cancelled_by_pinentry = parse(b"ERR 83886179 Operation cancelled <Pinentry>\n")
    assert cancelled_by_pinentry.error_code == 99
    assert cancelled_by_pinentry.error_code in CANCELLED_CODES
    assert parse(b"ERR what\n").error_code is None


def test_a_line_does_not_show_the_pin() -> None:
    assert "s3cr3t" not in repr(parse(b"D s3cr3t\n"))
