"""vsc.cli.transmit."""

import io
import json
import sys
from pathlib import Path

import pytest

from tests.unit.vsc import processes, samples
from tests.unit.vsc.cli.shell import Shell
from tests.unit.vsc.samples import gids_state
from vsc.cli.__main__ import run
from vsc.cli.transmit import MAX_APDU_BYTES
from vsc.machine import InProcessMachine
from vsc.store.sqlite import SqliteStore

NOT_HEX = "an APDU is 1 to 65 544 bytes in hexadecimal"


def tries_left(store: SqliteStore) -> int:
    return gids_state(store.read("work")).pin.tries_left


def test_apdus_and_answers_in_words(shell: Shell, work: SqliteStore) -> None:
    out = shell.ok("transmit", "work", samples.SELECT, samples.PIN_STATUS, "00FF0000", "80")
    assert out.splitlines() == [
        f"> {samples.SELECT}  SELECT",
        "< 61124F0BA00000039742544659020173034001C0 9000  done",
        "> 00200080  VERIFY",
        "< 63C3  not verified, 3 tries left: PIN: not verified",
        "> 00FF0000  INS FF",
        "< 6D00  instruction not supported: instruction FF is unknown here",
        "> 80  ?",
        "< 6700  wrong length: a command has at least 4 bytes, this one has 1",
    ]


@pytest.mark.parametrize("text", ["00200080", "00 20 00 80", "00:20:00:80", " 00200080 ", "0020 0080"])
def test_hexadecimal_in_the_usual_forms(shell: Shell, work: SqliteStore, text: str) -> None:
    assert shell.ok("transmit", "work", text).startswith("> 00200080  VERIFY\n< 63C3")


def test_as_json(shell: Shell, work: SqliteStore) -> None:
    out = shell.ok("transmit", "work", "--json", samples.SELECT, samples.PIN_STATUS)
    assert json.loads(out) == [
        {"data": "61124F0BA00000039742544659020173034001C0", "sw": "9000"},
        {"data": "", "sw": "63C3"},
    ]
    assert json.loads(shell.ok("transmit", "work", "-", "--json")) == []


def test_one_power_on_for_all_of_them(shell: Shell, work: SqliteStore) -> None:
    answers = json.loads(shell.ok("transmit", "work", "-", "--json", stdin=f"{samples.VERIFY}\n00200080\n"))
    assert [one["sw"] for one in answers] == ["9000", "9000"]
    assert json.loads(shell.ok("transmit", "work", "--json", "00200080"))[0]["sw"] == "63C3"


def test_an_answer_in_parts(shell: Shell, work: SqliteStore) -> None:
    """What does not fit is fetched by GET RESPONSE, as on any card."""
    commands = ("00CBA010045C02DF2400", "00C0000000")
    answers = json.loads(shell.ok("transmit", "work", "--json", *commands))
    assert answers[0]["sw"].startswith("61")
    assert answers[-1]["sw"] == "9000"
    whole = bytes.fromhex("".join(one["data"] for one in answers))
    assert samples.certificate_file(samples.certificate()) in whole


class TestStdin:
    def test_lines_comments_and_blanks(self, shell: Shell, work: SqliteStore) -> None:
        stdin = f"# choose it\n{samples.SELECT}  # by name\n\n   \n\t00 20 00 80\r\n00200080"
        assert shell.ok("transmit", "work", "-", stdin=stdin).count("\n> ") == 2

    def test_a_pin_goes_in_and_does_not_come_out(self, shell: Shell, work: SqliteStore) -> None:
        lines = [samples.VERIFY, samples.WRONG_VERIFY, f"10{samples.VERIFY[2:]}", f"0020008000{samples.VERIFY[8:]}"]
        lines += [f"00240080 10 {samples.PIN_HEX}{b'87654321'.hex()}", f"51{samples.VERIFY[2:]}"]
        lines += ["00DB3FFF26 7024 840180 A51F 8718" + samples.ADMIN_KEY.hex() + "8803000000"]
        result = shell("transmit", "work", "-", stdin="\n".join(lines))
        assert result.code == 0
        text = (result.out + result.err).upper()
        for secret in (samples.PIN_HEX, b"87654321".hex(), samples.ADMIN_KEY.hex(), samples.PIN.decode()):
            assert secret.upper() not in text
        assert "> 0020008008…  VERIFY\n< 9000  done\n" in result.out
        assert "> 00DB3FFF26…  PUT DATA\n" in result.out
        masked = shell("transmit", "work", "-", "--json", stdin="\n".join(lines))
        assert samples.PIN_HEX not in masked.out.upper()

    def test_a_bad_line_is_a_usage_error_that_does_not_repeat_it(self, shell: Shell, work: SqliteStore) -> None:
        error = shell.fails(2, "transmit", "work", "-", stdin=f"{samples.VERIFY}x\n")
        assert NOT_HEX in error
        assert samples.PIN_HEX not in error

    def test_what_was_sent_before_a_bad_line_has_happened(self, shell: Shell, work: SqliteStore) -> None:
        result = shell("transmit", "work", "-", stdin=f"{samples.WRONG_VERIFY}\nrubbish\n")
        assert result.code == 2
        assert result.out.endswith("< 63C2  not verified, 2 tries left: PIN: wrong value\n")
        assert tries_left(work) == 2

    def test_what_is_no_text(self, work: SqliteStore, home: Path) -> None:
        code, out, err = processes.vsc(
            home, "transmit", "work", "-", stdin=b"\xff\xfe\n", more={"PYTHONIOENCODING": "utf-8:strict"}
        )
        assert (code, out) == (2, "")
        assert err.endswith("Error: stdin is not text\n")

    def test_it_stands_alone(self, shell: Shell, work: SqliteStore) -> None:
        assert "'-' stands alone" in shell.fails(2, "transmit", "work", "-", "00A40000")
        assert "'-' stands alone" in shell.fails(2, "transmit", "work", "-", "-")


class TestRefused:
    @pytest.mark.parametrize(
        "apdu",
        [
            samples.VERIFY,
            f"10{samples.VERIFY[2:]}",
            f"01{samples.VERIFY[2:]}",
            f"5F{samples.VERIFY[2:]}",
            f"00200080000008{samples.PIN_HEX}",
            f"0024008010{samples.PIN_HEX}{samples.PIN_HEX}",
            f"002C008008{samples.PIN_HEX}",
            f"00DB3FFF08{samples.PIN_HEX}",
        ],
    )
    def test_a_secret_among_the_arguments_is_not_sent_and_not_repeated(
        self, shell: Shell, work: SqliteStore, apdu: str
    ) -> None:
        for arguments in ((apdu,), (samples.WRONG_VERIFY, apdu), ("--json", "00A40000", apdu)):
            error = shell.fails(2, "transmit", "work", *arguments)
            assert "taken from stdin only ('-')" in error
            assert samples.PIN_HEX not in error.upper()
        assert tries_left(work) == 3

    @pytest.mark.parametrize("text", ["", "0", "xyz", "00A4040", "00" * 65_545, "☂", "0x00A40000", "00-A4"])
    def test_what_is_no_hexadecimal(self, shell: Shell, work: SqliteStore, text: str) -> None:
        assert NOT_HEX in shell.fails(2, "transmit", "work", samples.SELECT, text)

    def test_no_apdu(self, shell: Shell, work: SqliteStore) -> None:
        assert "Missing argument 'APDU...'" in shell.fails(2, "transmit", "work")

    def test_the_longest_apdu(self, shell: Shell, work: SqliteStore) -> None:
        longest = "00DBA010 00FFFF" + "00" * 65_535 + "0000"
        assert len(bytes.fromhex(longest)) == MAX_APDU_BYTES
        (answer,) = json.loads(shell.ok("transmit", "work", "--json", longest))
        assert answer["sw"] not in ("6700", "6F00")


def test_a_change_is_on_disk(shell: Shell, work: SqliteStore) -> None:
    shell.ok("transmit", "work", "-", stdin=samples.WRONG_VERIFY)
    assert tries_left(work) == 2


class TestReader:
    """Any card in a reader of the machine; by PC/SC: tests/interop/test_cli_pcsc.py."""

    def test_by_the_name_of_the_reader_or_a_part_of_it(
        self, shell: Shell, work: SqliteStore, machine: InProcessMachine
    ) -> None:
        reader = machine.plug("work").name
        for name in (reader, "Card 00"):
            out = shell.ok("transmit", "--reader", name, samples.SELECT, samples.PIN_STATUS)
            assert out.splitlines()[-2:] == ["> 00200080  VERIFY", "< 63C3  not verified, 3 tries left"]
        answers = json.loads(shell.ok("transmit", "-", "--json", "--reader", reader, stdin=f"{samples.VERIFY}\n"))
        assert answers == [{"data": "", "sw": "9000"}]

    def test_what_is_missing(self, shell: Shell, work: SqliteStore, machine: InProcessMachine) -> None:
        reader = machine.plug("work")
        assert "Missing argument" in shell.fails(2, "transmit", "--reader", reader.name)
        assert NOT_HEX in shell.fails(2, "transmit", "--reader", reader.name, "work", "00200080")
        reader.slot.eject()  # type: ignore[attr-defined]
        error = shell.fails(1, "transmit", "--reader", reader.name, "00200080")
        assert error == f"vsc: there is no card in {reader.name!r}\n"


class Endless(io.StringIO):
    """What is at the other end of stdin never ends, and never ends a line; it counts what is taken."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.taken = 0

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]  # As StringIO has it.
        assert size is not None
        assert size > 0
        piece = self.text if self.text.endswith("\n") else self.text * size
        self.taken += len(piece)
        return piece[:size]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_line_that_never_ends_is_refused(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: tuple[str]
) -> None:
    shell.ok("create", "work", "--pin", "default")
    endless = Endless("\0")
    monkeypatch.setattr(sys, "stdin", endless)
    assert run(["transmit", "work", "-", *options]) == 2
    assert "a line of stdin has more than" in capsys.readouterr().err
    assert endless.taken < 1_000_000


def test_lines_without_end_are_not_all_read_before_the_first_is_sent(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.ok("create", "work", "--pin", "default")
    monkeypatch.setattr("vsc.cli.transmit._MAX_AT_ONCE", 100)
    monkeypatch.setattr(sys, "stdin", Endless("00200080\n"))
    assert run(["transmit", "work", "-", "--json"]) == 2
    assert "at most 100 APDUs" in capsys.readouterr().err
