"""vsc.page.document: one file, which brings nothing but its own scripts to run."""

import base64
import hashlib
import json
import re
import stat
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.vsc.trace.sample import ENTRIES, apdu
from vsc.errors import VscError
from vsc.page import document, write

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> {{data}} &amp; \udc80"


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside == "script" and data.strip():
            self.texts.append(data)


def elements(page: bytes) -> _Elements:
    parser = _Elements()
    parser.feed(page.decode())
    return parser


def embedded(page: bytes) -> dict[str, object]:
    (found,) = re.findall(rb'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    value: dict[str, object] = json.loads(found)
    return value


def test_nothing_of_a_trace_is_markup() -> None:
    plain = document(ENTRIES, title="t", notes=[("n", "n")])
    hostile = document((*ENTRIES, apdu("00", "6A82", reason=HOSTILE)), title=HOSTILE, notes=[(HOSTILE, HOSTILE)])
    assert [tag for tag, _ in elements(hostile).found] == [tag for tag, _ in elements(plain).found]
    assert embedded(hostile)["title"] == HOSTILE


@settings(max_examples=30)
@given(st.text())
def test_any_text_comes_through(text: str) -> None:
    assert embedded(document(ENTRIES, title=text, notes=[("n", text)]))["notes"] == [["n", text]]


def test_only_these_scripts_may_run_and_nothing_is_loaded() -> None:
    page = document(ENTRIES, title="t")
    found = elements(page)
    (policy,) = (attrs["content"] for _, attrs in found.found if "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    _, *scripts = found.texts  # The first is the data.
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in scripts]
    assert re.findall("script-src (.*?);", policy) == [" ".join(hashes)]
    assert not [attrs for _, attrs in found.found if {"src", "href", "onclick", "style"} & set(attrs)]
    assert b"http://" not in page
    assert b"https://" not in page


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("older, and longer than nothing")
    write(path, ENTRIES, title="t")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == document(ENTRIES, title="t")
    with pytest.raises(VscError, match="cannot be written: No such file or directory"):
        write(tmp_path / "none" / "page.html", ENTRIES, title="t")
