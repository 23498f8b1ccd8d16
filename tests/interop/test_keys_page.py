"""The blocks of docs/keys.md run as they stand, in order, in one folder, as an ordinary user."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.filling import module_path
from tests.interop.need import require_tool, unavailable
from tests.interop.vsc_run import Vsc, ordinary_user

PAGE = Path(__file__).parents[2] / "docs" / "keys.md"
BLOCKS = re.findall(r"^```(bash|python)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def reader() -> Iterator[Vsc]:
    for tool in ("bash", "openssl", "pkcs11-tool", "pkcs15-tool", "p11tool", "ssh-keygen"):
        require_tool(tool)
    module_path()
    if not list(Path("/usr/lib").glob("**/engines-3/pkcs11.so")):
        unavailable("the pkcs11 engine of openssl (libengine-pkcs11-openssl) is not installed")
    with ordinary_user(Vsc) as reader:
        yield reader


def test_the_page(reader: Vsc) -> None:
    shell = "".join(block for language, block in BLOCKS if language == "bash")
    with reader.start("bash", "-euxo", "pipefail", "-c", shell) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    for words in (
        "Private RSA Key [Ada's key]",
        "X.509 Certificate [Ada's key]",
        "email:ada@example.org",
        "Put the certificate for CN=Ada Lovelace into container 3.",
        "Type: X.509 Certificate (RSA-2048)",
        "Verified OK",
        "ssh-rsa ",
    ):
        assert words in out, words
    labels = re.findall(r"^  label: *(.*?) *$", out, re.MULTILINE)
    assert labels == ["Ada's key", "The same once more", "Ada Lovelace", "Work"]


def test_the_python_of_the_page(reader: Vsc) -> None:
    shell = "".join(block for language, block in BLOCKS[:1] if language == "bash")
    (code,) = (block for language, block in BLOCKS if language == "python")
    with reader.start("bash", "-euc", f'{shell}\n"$0" -c "$1"', sys.executable, code) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    assert out.endswith("""2 ["Ada's key", 'Once more', 'Made on the card']\n""")
