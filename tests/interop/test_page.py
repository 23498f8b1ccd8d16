"""The page of a trace in a real browser: traces of real clients, driven as a person does."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.interop.browser import browser, console, opened
from tests.interop.need import require_module, require_tool
from tests.interop.vsc_run import Vsc, ordinary_user
from tests.unit.vsc.trace.sample import INSERTED, apdu
from vsc.page import write

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

WRONG = "86427531"
pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def chrome() -> Iterator["Chrome"]:
    with browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def user() -> Iterator[Vsc]:
    for tool in ("bash", "pkcs11-tool", "pkcs15-tool"):
        require_tool(tool)
    with ordinary_user(Vsc) as user:
        yield user


@pytest.fixture(scope="module")
def login(user: Vsc) -> Path:
    """OpenSC: a PIN that is wrong once and then right, a card that is reset."""
    script = f"""
        pkcs15-tool --list-pins
        pkcs11-tool --login --pin {WRONG} --list-objects || true
        pkcs11-tool --login --pin 12345678 --list-objects
        vsc reset new-1"""
    user("run", "--trace", "login.jsonl", "--", "bash", "-euc", script)
    user("trace", "export", "login.jsonl", "login.html")
    return user.folder / "login.html"


def texts(chrome: "Chrome", selector: str) -> list[str]:
    found: list[str] = chrome.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText)", selector
    )
    return found


def press(chrome: "Chrome", *keys: str) -> None:
    for key in keys:
        chrome.switch_to.active_element.send_keys(key)


def search(chrome: "Chrome", words: str) -> str:
    """Types it; returns what the page says it has found."""
    box: Any = chrome.find_element("id", "query")
    box.clear()
    box.send_keys(words)
    return chrome.find_element("id", "count").text


def test_a_trace_of_opensc_is_stepped_through_folded_and_searched(chrome: "Chrome", user: Vsc, login: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    opened(chrome, login)
    out, _ = user("trace", "show", "login.jsonl")
    assert texts(chrome, "#summary li") == out.splitlines()[:2]
    runs = texts(chrome, ".run .words")
    assert runs
    assert all(run in out for run in runs)

    # The refusal that matters is one key away, and says what it was, why, and what it has changed.
    press(chrome, "n")
    assert texts(chrome, "#detail h2") == ["VERIFY PIN 80, 8 bytes"]
    assert texts(chrome, "#detail .status") == ["63C4 not verified, 4 tries left"]
    assert texts(chrome, "#detail .why") == ["why: PIN: wrong value"]
    assert texts(chrome, "#detail .diff li") == ["PIN tries 5 -> 4"]
    assert texts(chrome, "#detail .diff del, #detail .diff ins") == ["5", "4"]
    assert "GIDS 2.0, 12.17" in texts(chrome, "#detail dd")

    # What was read is a tree.
    assert search(chrome, "DF23 (cmapfile)").split()[1] == "of"
    press(chrome, Keys.ESCAPE, Keys.HOME, Keys.ARROW_DOWN, Keys.ENTER)
    assert len(texts(chrome, '.row[aria-selected="true"].run')) == 1
    assert texts(chrome, ".row.run + .row.probe .command")[0].startswith("SELECT")
    press(chrome, Keys.ENTER)
    search(chrome, "00A4040009A00000039742544659")
    press(chrome, Keys.TAB)
    assert "61 application template, 18 bytes" in texts(chrome, "#detail .tlv")[0]
    # The verify that was right gave the try back.
    assert search(chrome, 'VERIFY "tries 4 -> 5"').startswith("1 of ")
    assert texts(chrome, "#detail .diff li") == ["PIN tries 4 -> 5"]
    assert console(chrome) == []


def test_a_pin_is_nowhere_in_the_file(login: Path) -> None:
    raw = login.read_bytes().lower()
    for pin in (WRONG, "12345678"):
        for form in (pin.encode(), pin.encode().hex().encode(), bytes.fromhex(pin)):
            assert form not in raw


def test_outcomes_are_filtered(chrome: "Chrome", login: Path) -> None:
    opened(chrome, login)
    for name in ("done", "probe", "event"):
        chrome.find_element("id", f"show-{name}").click()
    assert texts(chrome, ".row .answer") == ["63C4 not verified, 4 tries left"]
    chrome.find_element("css selector", '#command option[value="SELECT"]').click()
    assert texts(chrome, ".row") == []
    assert texts(chrome, "#detail") == ["Nothing is selected."]


def test_a_fault_is_told_with_what_it_left(chrome: "Chrome", user: Vsc) -> None:
    login = ("pkcs11-tool", "--login", "--pin", "12345678", "--list-objects")
    user("run", "--trace", "f.jsonl", "--fault", "tear after commit 1 on VERIFY", "--", *login, code=1)
    user("trace", "export", "f.jsonl", "f.html")
    opened(chrome, user.folder / "f.html")
    press(chrome, "n")
    assert texts(chrome, "#detail .status") == ["no answer"]
    (why,) = texts(chrome, "#detail .why")
    assert why.startswith("why: fault: ")
    assert texts(chrome, "#detail .diff li") == ["PIN tries 5 -> 4"]


def test_what_is_copied_runs(chrome: "Chrome", user: Vsc, login: Path) -> None:
    """The test of a page passes under pytest, and its command line is answered as in the trace."""
    opened(chrome, login)
    search(chrome, "GET DATA cmapfile")
    transmit, test = texts(chrome, "#detail .recipes pre")
    (user.folder / "test_copied.py").write_text(test)
    pytest_words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_copied.py")
    with user.start(sys.executable, *pytest_words) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    user("create", "work", "--pin", "default")
    out, _ = user(*transmit.replace("NAME", "work").split()[1:])
    assert out.splitlines()[-1].endswith("9000  done"), out


def test_a_long_trace_is_a_list_of_what_is_in_sight(chrome: "Chrome", tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    page = tmp_path / "long.html"
    read = [apdu(f"00CBA010045C02{number:04X}00", "9000", seconds=number / 1000) for number in range(1000)]
    write(page, [INSERTED, *read * 20, apdu("0020008004 31323334", "63C1")], title="long")
    opened(chrome, page)
    assert chrome.find_element("id", "count").text == "20002 entries"
    chrome.find_element("id", "list").click()
    press(chrome, Keys.END)
    assert texts(chrome, "#detail .status") == ["63C1 not verified, 1 tries left"]
    assert 10 < len(texts(chrome, ".row")) < 100
    assert search(chrome, "A010 00FF").startswith("20 of ")


def test_the_page_of_a_stranger_runs_nothing(chrome: "Chrome", tmp_path: Path) -> None:
    page = tmp_path / "hostile.html"
    hostile = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    write(page, [apdu("00", "6A82", reason=hostile)], title=hostile, notes=[(hostile, hostile)])
    opened(chrome, page)
    assert chrome.title == hostile
    assert texts(chrome, "#detail .why") == [f"why: {hostile}"]
    assert chrome.find_elements("css selector", "img, #notes script") == []


def test_nothing_serious_for_who_hears_the_page(login: Path) -> None:
    """axe, light and dark; and the page is HTML."""
    require_module("axe_selenium_python")
    from axe_selenium_python import Axe

    for dark in (False, True):
        with browser(dark=dark) as chrome:
            opened(chrome, login)
            press(chrome, "n")
            axe = Axe(chrome)
            axe.inject()
            found = [one for one in axe.run()["violations"] if one["impact"] in ("serious", "critical")]
            assert found == [], axe.report(found)
    tidy = subprocess.run([require_tool("tidy"), "-e", "-q", login], check=False, capture_output=True, text=True)
    assert (tidy.returncode, tidy.stderr) == (0, "")


def test_the_scripts_are_typed() -> None:
    """tsc reads the JSDoc types, strictly."""
    folder = Path(__file__).parents[2] / "vsc" / "page"
    tsc = require_tool("tsc")
    words = ("--allowJs", "--checkJs", "--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable")
    scripts = map(str, sorted(folder.glob("*.js")))
    run = subprocess.run([tsc, *words, *scripts], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_the_data_of_a_page_is_json(login: Path) -> None:
    _, _, rest = login.read_text().partition('<script type="application/json" id="data">')
    made = json.loads(rest.partition("</script>")[0])
    assert made["title"] == "Trace login.jsonl"
