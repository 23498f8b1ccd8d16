"""Makes the pictures of the docs, in a real browser, of one trace of real programs: `make docs` calls it.

    PYTHONPATH=. .venv/bin/python scripts/pictures.py

docs/pictures/login.jsonl is what OpenSC said to a card: a list of its PINs, a wrong PIN, a right one. docs/pictures has
the two pictures that pages show; the others are in build/pictures, for the site.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile, which
from typing import Any

from tests.interop.browser import browser, opened
from vsc.page import write
from vsc.trace.jsonl import parse, started

ROOT = Path(__file__).parent.parent
SHOWN = ROOT / "docs" / "pictures"
MADE = ROOT / "build" / "pictures"
TRACE = SHOWN / "login.jsonl"


def _keys(*keys: str) -> Callable[[Any], None]:
    return lambda chrome: [chrome.switch_to.active_element.send_keys(key) for key in keys] and None


def _search(words: str, *keys: str) -> Callable[[Any], None]:
    def search(chrome: Any) -> None:
        chrome.find_element("id", "query").send_keys(words)
        _keys("\ue004", *keys)(chrome)  # Tab: out of the search.

    return search


DOWN, ENTER, END = "\ue015", "\ue007", "\ue010"
STATES: dict[str, tuple[str, int, Callable[[Any], None]]] = {
    "start": ("As it opens: what came of it, the time line, probing folded", 1280, _keys()),
    "trace": ("The refusal that mattered, and what it changed of the card", 1280, _keys("n")),
    "search": ("A search", 1280, _search('"PIN status"')),
    "unfolded": ("Probing, unfolded", 1280, _keys(DOWN, ENTER, DOWN)),
    "tree": ("What was read, as a tree", 1280, _search("SELECT GIDS 9000")),
    "narrow": ("320 pixels wide", 320, _keys("n")),
}


def main() -> int:
    if which("chromium") is None or which("chromedriver") is None:
        sys.stderr.write("pictures: no chromium and chromedriver here; those that are there stay\n")
        return 0
    os.environ["TZ"] = "UTC"
    MADE.mkdir(parents=True, exist_ok=True)
    lines = TRACE.read_text(encoding="utf-8").splitlines()
    page = MADE / "login.html"
    write(page, list(parse(lines)), title="Two logins, one with a wrong PIN", started=started(lines[0]))
    for dark in (False, True):
        for name, (_, width, act) in STATES.items():
            with browser(dark=dark, width=1280, height=860) as chrome:
                size = {"width": width, "height": 720, "deviceScaleFactor": 1, "mobile": False}
                chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
                opened(chrome, page)
                act(chrome)
                chrome.save_screenshot(str(MADE / f"{name}-{'dark' if dark else 'light'}.png"))
    for tone in ("light", "dark"):
        copyfile(MADE / f"trace-{tone}.png", SHOWN / f"trace-{tone}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
