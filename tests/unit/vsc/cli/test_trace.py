"""`vsc trace` and `vsc explain`."""

import json
import os
import pty
import re
import sys
from pathlib import Path

import pytest

from tests.unit.vsc.cli.shell import Shell
from vsc.cli.colour import printer
from vsc.cli.terminal import width
from vsc.reader import Reader
from vsc.testing import SoftCard
from vsc.trace.recorder import Recorder
from vsc.trace.text import Tone


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A trace with a success and two refusals."""
    path, reader = tmp_path / "log.jsonl", Reader("Desk")
    with Recorder(path) as recorder:
        recorder.follow(reader)
        reader.insert(SoftCard.make())
        for command in ("00A4040009A00000039742544659", "002000800431323334", "00CBA014045C02DF2000"):
            reader.transmit(bytes.fromhex(command))
    return path


def test_show(shell: Shell, log: Path) -> None:
    counts, deeds, refused, empty, *lines = shell("trace", "show", str(log)).out.splitlines()
    assert (counts, deeds, empty) == (
        "3 commands to GIDS: 1 done, 2 refused",
        "PIN wrong once, 4 tries left",
        "",
    )
    assert refused.startswith(
        "refused: GIDS: GET DATA A014 DF20 -> 6982 security status not satisfied (EF A014: GET is"
    )
    assert [re.sub(r"^ *[0-9.]+( +[0-9.]+ ms)?", "", line)[:50].strip() for line in lines] == [
        "-- card inserted: GIDS 2.0 smart card, ATR 3B8D01",
        "GIDS SELECT GIDS                      -> 9000 don",
        "GIDS VERIFY PIN 80, 4 bytes           -> 63C4 not",
        "why: PIN: wrong value",
        "GIDS GET DATA A014 DF20               -> 6982 sec",
        "why: EF A014: GET is not al",
    ]
    assert lines[-1].endswith("(missing: admin key; verified: nothing)")


def test_probing_is_one_line_unless_all_is_asked_for(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(
        "".join(f"> 00A4040006A000000001{number:02X}\n< 6A82\n" for number in range(40)) + "> 00840000\n< 9000\n"
    )
    lines = shell.ok("trace", "show", str(path)).splitlines()
    assert lines == [
        "41 commands: 1 done, none refused, 40 asked for what is not there",
        "",
        "-- 40 asked for what is not there: 40 AIDs",
        "GET CHALLENGE                    -> 9000 done",
    ]
    assert len(shell.ok("trace", "show", "--all", str(path)).splitlines()) == 2 + 41
    lines = shell.ok("explain", str(path)).splitlines()
    assert lines == [
        "41 commands: 1 done, none refused, 40 asked for what is not there",
        "The 40 that asked for what is not there are left out; --all shows them.",
    ]
    assert len(shell.ok("explain", "--all", str(path)).splitlines()) == 2 + 2 * 40
    as_json = [json.loads(line) for line in shell.ok("trace", "show", "--json", str(path)).splitlines()]
    assert [one["probe"] for one in as_json] == [True] * 40 + [False]


def test_a_trace_in_which_cards_only_come_and_go(shell: Shell, tmp_path: Path) -> None:
    path, reader = tmp_path / "log.jsonl", Reader("Desk")
    with Recorder(path) as recorder:
        recorder.follow(reader)
        reader.insert(SoftCard.make())
        reader.eject()
    lines = shell("trace", "show", str(path)).out.splitlines()
    assert [line[9:].partition(":")[0].strip() for line in lines] == ["-- card inserted", "-- card ejected"]


def test_show_as_json(shell: Shell, log: Path) -> None:
    inserted, _, verify, _ = map(json.loads, shell("trace", "show", str(log), "--json").out.splitlines())
    assert (inserted["kind"], inserted["atr"][:4]) == ("inserted", "3B8D")
    assert verify.pop("seconds") >= 0
    assert verify.pop("took") > 0
    assert verify == {
        "kind": "apdu",
        "reader": "Desk",
        "application": "GIDS",
        "channel": 0,
        "name": "VERIFY",
        "details": "PIN 80, 4 bytes",
        "sw": "63C4",
        "status": "63C4 not verified, 4 tries left",
        "answer": None,
        "reason": "PIN: wrong value",
        "probe": False,
    }


def test_colours_are_for_terminals(shell: Shell, log: Path) -> None:
    assert "\x1b" not in shell("trace", "show", str(log)).out
    assert "\x1b[31m" in shell("trace", "show", str(log), "--color", "always").out
    assert "\x1b[33m" in shell("explain", str(log), "--color", "always").out


@pytest.mark.parametrize("suffix", ["txt", "pcapng", "jsonl"])
def test_export(shell: Shell, log: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out.{suffix}"
    assert shell("trace", "export", str(log), str(out)).out == f"Wrote 3 APDUs to {out}.\n"
    raw = out.read_bytes()
    assert b"VERIFY" in raw
    assert out.stat().st_mode & 0o777 == 0o600
    if suffix == "jsonl":
        assert raw == log.read_bytes()
    if suffix == "txt":
        shown = shell("trace", "show", str(log)).out
        assert raw.decode() == shown[shown.index("\n\n") + 2 :]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("trace", "export", "{log}", "{log}"), "OUT is the log itself"),
        (("trace", "export", "{log}", "x.xml"), "OUT ends in one of .html, .pcapng, .txt, .log, .jsonl"),
        (("trace", "show", "/missing"), "does not exist"),
        (("explain", "0020008004 31323334"), "an APDU with a PIN or key is not taken as an argument"),
        (("explain", "002000"), "a status word has 2 bytes, an APDU at least 4"),
        (
            ("explain", "hello"),
            "'hello' is no status word, no APDU in hexadecimal, no code of PC/SC or PKCS#11, and no file",
        ),
        (("explain", ""), "'' is no status word, no APDU"),
        (("run", "--trace-format", "text", "true"), "--trace-format needs --trace"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(shell: Shell, log: Path, words: tuple[str, ...], message: str) -> None:
    result = shell(*(word.format(log=log) for word in words))
    assert result.code == 2
    assert message in result.err
    assert "3132333" not in result.err


def test_a_file_that_is_no_log_is_a_sentence(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("hello\n")
    for words in (("trace", "show"), ("explain",)):
        result = shell(*words, str(tmp_path / "log"))
        assert (result.code, len(result.err.splitlines())) == (1, 1), result.err


def test_explain_a_status_word(shell: Shell) -> None:
    out = shell("explain", "6982").out
    assert out.startswith("6982  security status not satisfied\n\nGIDS answers it to\n")
    assert "  RESET RETRY COUNTER: the admin key is not authenticated now\n" in out
    assert "    allowed by: admin key or PUK, once operational\n" in out
    assert shell("explain", "0x9000").out == "9000  done\n"
    assert shell("explain", "6aff").out == "6AFF  unknown status word\n\nNone of our cards answers it.\n"
    assert "Any card of ours answers it to\n  any command: CLA is" in shell("explain", "6E00").out


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("0x8010001D", "0x8010001d  SCARD_E_NO_SERVICE: no PC/SC service answers: is pcscd running"),
        ("80100069", "0x80100069  SCARD_W_REMOVED_CARD: the card was taken out"),
        ("SCARD_E_SHARING_VIOLATION", "0x8010000b  SCARD_E_SHARING_VIOLATION: another program"),
        ("w_reset_card", "0x80100068  SCARD_W_RESET_CARD: "),
        ("CKR_PIN_INCORRECT", "0x000000a0  CKR_PIN_INCORRECT: the PIN was wrong (status word 63Cx)"),
        ("0xA0", "0x000000a0  CKR_PIN_INCORRECT"),
        ("0x101", "0x00000101  CKR_USER_NOT_LOGGED_IN"),
        ("0x000000E1", "0x000000e1  CKR_TOKEN_NOT_RECOGNIZED"),
        ("0x6982", "6982  security status not satisfied"),
    ],
)
def test_explain_codes_of_pcsc_and_pkcs11(shell: Shell, what: str, words: str) -> None:
    assert shell.ok("explain", what).startswith(words)


def test_explain_an_apdu(shell: Shell) -> None:
    out = shell("explain", "00 CB A0 10 04 5C 02 DF 22 00").out
    assert out.startswith(
        "GET DATA A010 DF22\nCLA 00, INS CB, P1-P2 A010, Lc 4, Le 256\n\nGIDS: GET DATA A010 DF22 (cardcf)\n"
    )
    assert "  6A82  there is no such file\n" in out
    assert shell("explain", "00B0000000").out == "READ BINARY\nCLA 00, INS B0, P1-P2 0000, Le 256\n"


def test_explain_the_refusals_in_a_log(shell: Shell, log: Path) -> None:
    lines = shell("explain", str(log)).out.splitlines()
    assert lines[0] == "3 commands to GIDS: 1 done, 2 refused"
    assert [line.strip() for line in lines][5::2] == [
        "why: PIN: wrong value",
        "why: EF A014: GET is not allowed (missing: admin key; verified: nothing)",
    ]


def test_explain_a_log_without_reasons(shell: Shell, log: Path) -> None:
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    log.write_text("".join(json.dumps({k: v for k, v in one.items() if k != "reason"}) + "\n" for one in entries))
    lines = shell("explain", str(log)).out.splitlines()
    assert lines[5].strip().startswith("the log has no reason; the tables say: the value was wrong and has cost a try")


def test_a_terminal_gets_colours_and_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "66")
    leader, follower = pty.openpty()
    with open(follower, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        show = printer()
        show(Tone.REFUSED, "x")
        show(Tone.DONE, "[bold]plain[/bold]")
        assert width() == 66
        monkeypatch.setenv("NO_COLOR", "1")
        printer()(Tone.REFUSED, "y")
        printer("always")(Tone.REFUSED, "z")
        printer("never")(Tone.REFUSED, "-")
        terminal.flush()
        said = ""
        while said.count("\n") < 5:  # A terminal gives a line at a time.
            said += os.read(leader, 10_000).decode()
    os.close(leader)
    assert said == "\x1b[31mx\x1b[0m\r\n[bold]plain[/bold]\x1b[0m\r\ny\r\n\x1b[31mz\x1b[0m\r\n-\r\n"
