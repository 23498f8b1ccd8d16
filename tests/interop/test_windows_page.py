"""What docs/windows.md says to type is typed, by an ordinary user, and says what the page says."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.need import require_tool
from tests.interop.vsc_run import Vsc, ordinary_user
from vsc.cli.__main__ import cli

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "windows.md").read_text(encoding="utf-8")
STEPS = re.split(
    r"^\$ ",
    "".join(re.findall(r"^```console\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)),
    flags=re.MULTILINE,
)[1:]


@pytest.fixture
def reader() -> Iterator[Vsc]:
    with ordinary_user(Vsc) as reader:
        yield reader


def test_what_is_typed(reader: Vsc) -> None:
    require_tool("openssl")
    for step in STEPS:
        line, _, expected = step.partition("\n")
        with reader.start("sh", "-euc", line) as process:
            out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, expected), (line, err)


def test_the_table_has_commands_that_there_are() -> None:
    import click

    context = click.Context(cli)
    rows = re.findall(r"^\| .* \| (.*) \|$", TEXT[: TEXT.index("## Scripts")], re.MULTILINE)[1:]
    typed = [words.split() for row in rows for words in re.findall(r"`(vsc [^`]*)`", row)]
    assert len(typed) > 12
    for words in typed:
        command: click.Command | None = cli
        for word in words[1:3]:
            if isinstance(command, click.Group):
                command = command.get_command(context, word)
        assert command is not None, words


SCRIPT = """
import runpy, sys
import vsc, vsc.winrt
with vsc.winrt.user_interaction(vsc.PinScript(["12345678"])):
    runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.mark.parametrize("pyscard", [True, False])
def test_a_script_in_a_run(reader: Vsc, pyscard: bool) -> None:
    """With pyscard, which is an extra, and without: then libpcsclite is called itself."""
    more: dict[str, str] = {}
    if not pyscard:
        (reader.folder / "hidden" / "smartcard").mkdir(parents=True)
        (reader.folder / "hidden" / "smartcard" / "__init__.py").write_text("raise ImportError('hidden')\n")
        more = {"PYTHONPATH": str(reader.folder / "hidden")}
    create = ROOT / "examples" / "windows" / "create.py"
    (reader.folder / "create.py").write_text(create.read_text(encoding="utf-8"), encoding="utf-8")
    words = f"\"{sys.executable}\" -c '{SCRIPT}' create.py && vsc readers && vsc run -- true"
    out, _ = reader("run", "--", "sh", "-euc", words, code=0, **more)
    assert re.search(r"^reader: Virtual Smart Card 0", out, re.MULTILINE), out
    assert re.search(r"^ADMIN_KEY=[0-9a-f]{48}$", out, re.MULTILINE)
    assert "Card friendly name" in reader("list")[0]
