"""docs/cli.md: every command and option is there as the code has it, and its examples do what they say."""

import re
import shlex
from pathlib import Path

import pytest

from scripts.tables import CLI_PAGE, PAGES, commands, references
from tests.unit.each import each
from tests.unit.vsc.cli.shell import Shell
from vsc.cli.__main__ import GROUPS

TEXT = CLI_PAGE.read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (vsc [a-z -]+)\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))
EXAMPLES = "".join(re.findall(r"^```console\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))


def test_what_is_read_from_the_code_is_up_to_date() -> None:
    assert PAGES[CLI_PAGE]() == TEXT, "run: PYTHONPATH=. .venv/bin/python scripts/tables.py"


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert set(SECTIONS) == {f"vsc {' '.join(path)}" for path, _, _ in commands()}


def test_each_has_words_an_example_and_its_exit_codes() -> None:
    for name in each(references()):
        by_hand = SECTIONS[name].partition(f"<!-- end of {name} -->")[2]
        assert "\nExit codes: " in by_hand
        assert re.search(r"^```(console|text)\n.*?^\$ .*?^```$", by_hand, re.MULTILINE | re.DOTALL)
        assert name.removeprefix("vsc ") in by_hand


def test_every_option_is_named() -> None:
    for path, options in each([(path, one.params) for path, one, _ in commands()]):
        section = SECTIONS[f"vsc {' '.join(path)}"]
        for option in options:
            for name in getattr(option, "opts", []):
                assert not name.startswith("-") or re.search(rf"{name}\b", section), name


def test_every_group_is_a_chapter() -> None:
    chapters = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    assert chapters == ["What holds for all of them", *GROUPS]


def test_the_examples(shell: Shell, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, in one home; … stands for what differs from run to run."""
    monkeypatch.chdir(tmp_path)
    for step in re.split(r"^\$ ", EXAMPLES, flags=re.MULTILINE)[1:]:
        line, _, expected = step.partition("\n")
        words = shlex.split(line)
        with monkeypatch.context() as variables:
            keeps = words[0] == "export"
            words = words[1:] if keeps else words
            while words and re.fullmatch(r"[A-Z]+=.*", words[0]):
                (monkeypatch if keeps else variables).setenv(*words.pop(0).split("=", 1))
            if not words:
                continue
            assert words[0] == "vsc"
            result = shell(*words[1:])
        pattern = ".*".join(map(re.escape, expected.split("…")))
        assert re.fullmatch(pattern, result.out + result.err, re.DOTALL), f"{line}\n{result.out}{result.err}"
