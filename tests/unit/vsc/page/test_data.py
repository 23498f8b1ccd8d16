"""vsc.page.data: the words of the page are those of `vsc trace show`, and no secret is among them."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.vsc.trace.sample import ENTRIES, INSERTED, apdu
from vsc.page.data import COLUMNS, data
from vsc.trace.entry import Entry
from vsc.trace.text import Tone, report

SELECT = apdu("00A4040009A00000039742544659", "9000")
PROBE = apdu("00A4040009A000000308000010 00", "6A82")
LOGIN = (
    INSERTED,
    SELECT,
    apdu("0020008004 31323334", "63C4", reason="PIN: wrong value", seconds=0.5),
    PROBE,
    PROBE,
    apdu("00CBA014045C02DF2000", "6982"),
)


def said(entries: tuple[Entry, ...], name: str) -> list[str]:
    made = data(entries, title="t")
    return [made["words"][number] for number in made["columns"][name]]


def test_every_column_has_a_number_for_each_entry() -> None:
    made = data((*ENTRIES, *LOGIN), title="t")
    assert tuple(made["columns"]) == COLUMNS
    assert {len(column) for column in made["columns"].values()} == {len(ENTRIES) + len(LOGIN)}
    assert json.loads(json.dumps(made))["words"] == made["words"]


def test_the_page_says_what_the_text_says() -> None:
    """One source: each word of the page stands in the report, and the summary and the probing are the same lines."""
    made = data(LOGIN, title="t")
    told = list(report(LOGIN))
    text = "\n".join(line for _, line in report(LOGIN, fold=False))
    assert made["summary"] == [line for tone, line in told if tone is Tone.SUMMARY and line]
    for name in ("application", "command", "details", "status", "answer", "why"):
        for word in said(LOGIN, name):
            assert word in text
    assert [run[:2] for run in made["runs"]] == [(3, 2)]
    assert made["runs"][0][2] in "\n".join(line for _, line in told)


def test_an_entry_has_its_outcome_its_row_and_the_profile_of_its_card() -> None:
    made = data(LOGIN, title="t")
    outcomes = [made["outcomes"][number] for number in made["columns"]["outcome"]]
    assert outcomes == ["event", "done", "refused", "probe", "probe", "refused"]
    assert made["rows"][made["columns"]["row"][2]] == ["VERIFY", "always, until terminated", "GIDS 2.0, 12.17"]
    assert set(said(LOGIN, "profile")) == {"gids"}


def test_a_refusal_without_a_reason_has_what_the_tables_say() -> None:
    assert "needs" in said(LOGIN, "perhaps")[-1]
    assert said(LOGIN, "perhaps")[2] == ""


@settings(max_examples=30)
@given(st.binary(min_size=1, max_size=16), st.sampled_from(["20", "24", "2C"]), st.data())
def test_two_secrets_of_one_length_make_one_page(secret: bytes, ins: str, draw: st.DataObject) -> None:
    other = draw.draw(st.binary(min_size=len(secret), max_size=len(secret)))
    pages = [
        data((SELECT, apdu(f"00{ins}0080{len(one):02X}{one.hex()}", "63C2")), title="t") for one in (secret, other)
    ]
    assert pages[0] == pages[1]
