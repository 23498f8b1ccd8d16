"""A real browser for the tests of pages: Debian's chromium, headless, with a profile of its own and no network."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tests.interop.need import require_module, require_tool

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

_QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars"),
)
"""`--no-sandbox`: tests may run as root, where chromium refuses its sandbox. It only opens pages of ours."""


@contextmanager
def browser(*, dark: bool = False, width: int = 1280, height: int = 800) -> Iterator["Chrome"]:
    """Ends with its processes. `console` has what the page complains of."""
    require_module("selenium")
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = require_tool("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with TemporaryDirectory() as folder:
        for word in (*_QUIET, f"--user-data-dir={folder}", f"--window-size={width},{height}"):
            options.add_argument(word)
        driver = Chrome(options, ChromeService(require_tool("chromedriver"), env=dict(os.environ, HOME=folder)))
        try:
            feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            yield driver
        finally:
            driver.quit()


def opened(driver: "Chrome", page: Path) -> None:
    """Opens a page from disk; when it returns, its scripts have run."""
    driver.get(page.as_uri())
    assert driver.execute_script("return document.documentElement.dataset.ready") == "yes", console(driver)


def console(driver: "Chrome") -> list[str]:
    """What the page has complained of since the last call."""
    log: Any = driver.get_log  # It is not typed.
    return [one["message"] for one in log("browser") if one["level"] == "SEVERE"]
