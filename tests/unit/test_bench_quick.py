"""bench.quick and bench.plot: every row runs and looks at its answer, and the picture is one. No time is a test."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from bench import quick
from bench.plot import plot


@pytest.mark.parametrize("table", [quick.commands, quick.rsa_signatures, quick.curve_signatures, quick.transmits])
def test_every_row_is_answered(table: quick.Tables) -> None:
    for run in table().rows.values():
        run()


def test_every_stored_card_takes_its_pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(quick, "OBJECTS", (0, 2))
    with quick.changes() as table:
        assert list(table.rows) == ["0 certificates", "2 certificates", "1.5 MiB"]
        for run in table.rows.values():
            run()


def test_a_wrong_answer_ends_it() -> None:
    with pytest.raises(SystemExit, match="does not answer 9000 to 00"):
        quick.asked(lambda raw: b"\x6d\x00", "00")()


def test_figures_and_picture_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    figures, picture = tmp_path / "figures.json", tmp_path / "picture.svg"
    monkeypatch.setattr(quick, "measured", lambda table, rounds: {name: [1.0, 2.0, 3.0] for name in table.rows})
    monkeypatch.setattr(quick, "of_children", lambda run: 1.0)
    quick.main(["--json", str(figures), "--plot", str(picture), "--rounds", "1"])
    found = json.loads(figures.read_text())
    assert {"python", "load", "cryptography"} <= found["about"].keys()
    assert found["microseconds"]["A signature, P-256"]["Card.transmit"] == [1.0, 2.0, 3.0]
    assert len(ElementTree.parse(picture).findall("{http://www.w3.org/2000/svg}circle")) == len(quick.OBJECTS)


def test_points_are_where_they_belong() -> None:
    root = ElementTree.fromstring(plot("a < b", [(0, 0), (10, 5)]))
    first, last = root.findall("{http://www.w3.org/2000/svg}circle")
    assert (float(first.get("cx", 0)), float(first.get("cy", 0))) == (60, 200)
    assert float(last.get("cx", 0)) == 620
    assert "a < b" in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
