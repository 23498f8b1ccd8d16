"""The shell blocks of docs/piv.md run as they stand, in order, in one folder, as an ordinary user."""

import re
from pathlib import Path

from tests.interop.filling import module_path
from tests.interop.need import require_tool
from tests.interop.vsc_run import Vsc, ordinary_user

PAGE = Path(__file__).parents[2] / "docs" / "piv.md"
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page() -> None:
    for tool in ("bash", "openssl", "pkcs15-tool", "ssh-keygen"):
        require_tool(tool)
    module_path()
    assert len(BLOCKS) == 4
    with ordinary_user(Vsc) as reader, reader.start("bash", "-euxo", "pipefail", "-c", "".join(BLOCKS)) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    for words in (
        "9A (authentication)",
        "X.509 Certificate [Certificate for PIV Authentication]",
        "ecdsa-sha2-nistp256 ",
        "PIV version:              5.7.1",
        "Made 'Ada': an EC P-256 key in slot 9A",
        "Deleted '9A' from slot 9A.",
        "The PIN is reset.",
        "The PIN is right.",
    ):
        assert words in out, words
    assert "the PIN is blocked" in err or "0 tries left" in err
