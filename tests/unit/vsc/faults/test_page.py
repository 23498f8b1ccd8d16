"""docs/faults.md: its tables are the code's and the measured ones. (Its blocks run in tests/interop/test_faults.py.)"""

import re
from pathlib import Path

import pytest

from tests.interop.test_faults import PRIVATE, VPCD
from tests.unit.vsc.faults.test_hosts import ROWS
from vsc.faults import TABLE, Effect, Fault
from vsc.pyscard import Failure

TEXT = (Path(__file__).parents[4] / "docs" / "faults.md").read_text(encoding="utf-8")
TABLES = [
    [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()[2:]]
    for block in re.findall(r"(?:^\|.*\|\n)+", TEXT, re.MULTILINE)
]
EFFECTS, SELECTORS, HOSTS = TABLES
SEEN = {row[0].strip("`"): row[1:] for row in HOSTS}


def test_each_effect_has_a_row_and_its_words() -> None:
    documented = {Fault.parse(re.findall("`(.*?)`", row[0])[0]).effect: row for row in EFFECTS}
    assert list(documented) == list(Effect)
    for effect, (_, places, words) in documented.items():
        assert places == ", ".join(place.value for place in TABLE[effect].places)
        assert words == TABLE[effect].words


@pytest.mark.parametrize("row", SELECTORS, ids=lambda row: row[0])
def test_each_selector_is_one(row: list[str]) -> None:
    selector = re.findall("`(.*?)`", row[0])[0].replace("COMMAND", "VERIFY")
    heads = ("sw 6F00", "remove", "mute", "gone")

    def is_known(head: str) -> bool:
        try:
            return bool(Fault.parse(f"{head} {selector}"))
        except Exception:
            return False

    assert any(map(is_known, heads))


def test_what_hosts_in_this_process_see() -> None:
    for text, error, code in ROWS:
        facade, shape = SEEN[text][:2]
        assert facade == (error.__name__ if error else "as without")
        assert shape == (code.name if isinstance(code, Failure) else code)


def test_what_pcsc_clients_see() -> None:
    for text, codes in PRIVATE.items():
        if text in SEEN:
            assert SEEN[text][2] == ", ".join(codes), text
    for text, answer in VPCD.items():
        if text in SEEN:
            assert SEEN[text][3].split(", ")[0] == (answer or "NOTHING"), text
    assert len(PRIVATE.keys() & SEEN.keys()) >= 14
    assert len(VPCD.keys() & SEEN.keys()) >= 4
