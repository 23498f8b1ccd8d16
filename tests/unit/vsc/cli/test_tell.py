"""vsc.cli.tell, and that commands say with it what stands in files of others."""

import json
from pathlib import Path

import pytest

from tests.unit.vsc.cli.shell import Shell
from vsc.cli.tell import tell

TITLE = "\x1b]0;owned\x07\x9b2J"
"""Sets a terminal's title, and clears it."""
LONG = "x" * 100_000


def test_what_is_told_is_one_printable_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell(f"{TITLE}\n{LONG}")
    said = capsys.readouterr().err
    assert said.startswith("vsc: ")
    assert said.removesuffix("\n").isprintable()
    assert len(said) < 3000


def is_harmless(text: str) -> bool:
    return all(line.isprintable() and len(line) < 3000 for line in text.split("\n"))


@pytest.mark.parametrize("name", [TITLE, LONG], ids=["title", "long"])
def test_the_fields_of_an_archive_are_not_obeyed(shell: Shell, home: Path, tmp_path: Path, name: str) -> None:
    shell.ok("create", "work", "--pin", "default")
    shell("export", "work", str(tmp_path / "work.json"))
    archive = json.loads((tmp_path / "work.json").read_text())
    for spoilt in (archive | {name: 1}, archive | {"name": name}, archive | {"profile": name}, {name: name}, [name]):
        (tmp_path / "spoilt.json").write_text(json.dumps(spoilt))
        said = shell.fails(1, "import", str(tmp_path / "spoilt.json"))
        assert is_harmless(said), said


def log_of(reader: str) -> str:
    """A trace of ours, in which a reader is called that."""
    head = {"format": "vsc trace", "version": 2}
    apdu = {"kind": "apdu", "seconds": 0.1, "command": "00A40400", "response": "6A82"}
    them = ({"reader": reader, "name": reader, "reason": reader}, {"reader": "other"})
    return "".join(json.dumps(line) + "\n" for line in (head, *(apdu | more for more in them)))


@pytest.mark.parametrize(
    "words", [("trace", "show"), ("trace", "show", "--json"), ("explain",), ("replay", "--reader", "gone")]
)
def test_a_log_is_not_obeyed(shell: Shell, tmp_path: Path, words: tuple[str, ...]) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(log_of(TITLE))
    result = shell(*words, str(log), *(("--", "true") if words[0] == "replay" else ()))
    assert (result.code == 0) == (words[0] != "replay"), result.err
    assert "owned" in result.out + result.err
    assert is_harmless(result.out), result.out
    assert is_harmless(result.err), result.err


def test_what_is_wrong_with_an_option_is_not_obeyed(shell: Shell, home: Path) -> None:
    for words in (("create", "x", "--pin", f"env:{TITLE}"), ("show", TITLE), (TITLE,), ("run", f"--{TITLE}", "true")):
        result = shell(*words)
        assert result.code
        assert is_harmless(result.err), result.err
