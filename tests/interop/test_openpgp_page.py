"""The blocks of docs/openpgp.md run as they stand, in order, as an ordinary user."""

import re
from pathlib import Path

from tests.interop.need import require_tool
from tests.interop.vsc_run import Vsc, ordinary_user

PAGE = Path(__file__).parents[2] / "docs" / "openpgp.md"
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page() -> None:
    for tool in ("bash", "gpg", "gpg-agent", "openpgp-tool"):
        require_tool(tool)
    with (
        ordinary_user(Vsc) as user,
        user.start("bash", "-euxo", "pipefail", "-c", "".join(BLOCKS)) as process,
    ):
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert out.count("Manufacturer .....: unmanaged S/N range") == 2
    assert "PIN         3 of 3 tries left" in out
    assert "Serial number ....: " in out
