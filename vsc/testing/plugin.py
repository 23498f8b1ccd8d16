"""pytest's side of `vsc.testing`: fixtures, a marker, and traces in the reports of tests that fail.

It is loaded in every pytest run of an environment, so it imports nothing but pytest until one of its fixtures is
used. All it does is done by classes that need no pytest: `Lab` and `Bench`, `CardFactory`, `CardUser`.
"""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from vsc.testing import Bench, CardFactory, CardUser, Lab, SoftCard, VirtualReader
    from vsc.testing.identity import Stock
    from vsc.trace import Trace

T = TypeVar("T")
MARKER = "virtual_card"
OPTIONS = (
    "profile, pin, admin_key, policy, tries, admin_tries, admin_pin, puk, puk_tries, card_id, seed, key, certificate, "
    "name, password, fresh_key, fault"
)
_BENCH, _HAS_FAULTS = pytest.StashKey["Bench | None"](), pytest.StashKey["bool | None"]()
_TOLD = pytest.StashKey[list[tuple[str, str]]]()
"""What the reports of a test say, for its page."""
_STDERR = pytest.StashKey[int]()
"""Standard error as it is outside tests, where pytest captures it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("virtual smart cards")
    group.addoption(
        "--vsc-trace",
        metavar="DIR",
        help="Keep a page in DIR for each failed test with virtual cards: every APDU, what it changed, the output.",
    )
    group.addoption(
        "--vsc-trace-of",
        choices=("failed", "all"),
        default="failed",
        help="Of which tests --vsc-trace keeps a page; failed, if it is not said.",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}({OPTIONS}): what the card and the reader of virtual_card are like.")
    with suppress(OSError):  # It is closed.
        config.stash[_STDERR] = os.dup(2)


def pytest_unconfigure(config: pytest.Config) -> None:
    if (stderr := config.stash.get(_STDERR, None)) is not None:
        os.close(stderr)
        del config.stash[_STDERR]


def pytest_sessionstart(session: pytest.Session) -> None:
    """DIR is made at once: that it cannot be is told before the tests, not after."""
    if (folder := _folder(session.config)) is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise pytest.UsageError(f"--vsc-trace: {folder} cannot be made: {error.strerror}") from None


def _folder(config: pytest.Config) -> "Path | None":
    """Where pages are kept; None: nowhere."""
    folder = config.getoption("vsc_trace")
    return None if folder is None else config.invocation_params.dir / folder


@pytest.fixture(scope="session")
def pcsc_lab(request: pytest.FixtureRequest) -> Iterator["Lab"]:
    """The private PC/SC service, one for the whole run (with xdist: for each worker), which this process uses, too."""
    from vsc.testing import Lab

    with ExitStack() as undo:
        yield _tried(lambda: undo.enter_context(Lab(stderr=request.config.stash.get(_STDERR, None))))


@pytest.fixture
def pcsc(pcsc_lab: "Lab", request: pytest.FixtureRequest) -> Iterator["Bench"]:
    """PC/SC without readers, for one test: `pcsc.reader()` plugs one in. This process sees them, with pyscard say."""
    from vsc.testing import Bench

    bench = request.node.stash[_BENCH] = Bench(pcsc_lab)
    yield bench
    bench.close()
    bench.check_cards()


@pytest.fixture
def pcsc_env(pcsc: "Bench") -> dict[str, str]:
    """The environment in which subprocesses see the readers of the test."""
    return pcsc.environment


@pytest.fixture
def virtual_card_options() -> dict[str, Any]:
    """What `virtual_card` is made with unless its marker says otherwise: override it to change it for many tests."""
    return {}


@pytest.fixture
def _wanted(virtual_card_options: dict[str, Any], request: pytest.FixtureRequest) -> dict[str, Any]:
    """By the function's marker before the class's, before the module's, before the fixture."""
    options = dict(virtual_card_options)
    for mark in reversed(list(request.node.iter_markers(MARKER))):
        if mark.args:
            pytest.fail(f"the marker {MARKER} takes options by name, as in pin=...", pytrace=False)
        options |= mark.kwargs
    if "card_user" not in request.fixturenames:
        return options
    from vsc.testing.card_factory import user_options

    return _tried(lambda: user_options(options))


@pytest.fixture
def virtual_reader(pcsc: "Bench", _wanted: dict[str, Any], request: pytest.FixtureRequest) -> "VirtualReader":
    """A fresh empty reader, which PC/SC clients see, with the faults of the marker."""
    reader, faults = pcsc.reader(), _wanted.get("fault")
    if faults is not None:
        _tried(lambda: reader.inject(*faults if isinstance(faults, list | tuple) else (faults,)))
        request.node.stash[_HAS_FAULTS] = True
    return reader


@pytest.fixture(scope="session")
def _vsc_stock() -> "Stock":
    """The keys that tests share, and the authority."""
    from vsc.testing.identity import Stock

    return Stock()


@pytest.fixture
def card_factory(_vsc_stock: "Stock") -> "CardFactory":
    """Makes more cards: `card_factory(pin="24681357", key="rsa:2048", certificate="ca")`; they are in no reader."""
    from vsc.testing import CardFactory

    return CardFactory(_vsc_stock)


@pytest.fixture
def virtual_card(virtual_reader: "VirtualReader", card_factory: "CardFactory", _wanted: dict[str, Any]) -> "SoftCard":
    """A fresh card in `virtual_reader`, made as the marker `virtual_card` says."""
    card = _tried(lambda: card_factory(**{name: value for name, value in _wanted.items() if name != "fault"}))
    _tried(lambda: virtual_reader.insert(card))
    return card


@pytest.fixture
def card_user(
    virtual_card: "SoftCard", virtual_reader: "VirtualReader", card_factory: "CardFactory", tmp_path_factory: Any
) -> "CardUser":
    """Somebody whose `virtual_card` has a key and a certificate, and the bundle of the authority that signed it."""
    from vsc.testing import CardUser

    folder = tmp_path_factory.mktemp("card_user")
    return _tried(lambda: CardUser.of(virtual_card, virtual_reader, made_by=card_factory, folder=folder))


@pytest.fixture
def apdu_trace(virtual_reader: "VirtualReader") -> "Trace":
    """What has passed through `virtual_reader` so far: `.entries`, `.text()`, `.clear()`."""
    return virtual_reader.trace


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test that would pass fails if a fault has not fired, or a card has raised an exception."""
    yield
    if (bench := item.stash.get(_BENCH, None)) is not None:
        bench.check_cards()
        _tried(bench.check)
    is_marked = any(mark.kwargs.get("fault") for mark in item.own_markers if mark.name == MARKER)
    if is_marked and not item.stash.get(_HAS_FAULTS, None):
        pytest.fail("the fault of the marker cannot strike: the test does not use virtual_reader", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the traces, and what cards have raised, to the report of a failure; keeps the page of the test."""
    report = yield
    bench = item.stash.get(_BENCH, None)
    if bench is not None and _folder(item.config) is not None:
        _note(item, report, bench)
    if report.failed and bench is not None:
        if sentence := bench.why_it_ended:
            item.session.shouldstop = sentence  # No other test could be any better.
        bench.tell(report)
    if report.when == "teardown":  # Not before: a subtest that fails is told of, and the test goes on.
        item.stash[_BENCH] = item.stash[_HAS_FAULTS] = None
    return report


def _note(item: pytest.Item, report: pytest.TestReport, bench: "Bench") -> None:
    """Collects what a report says; after the last one the page is written."""
    from vsc.errors import VscError
    from vsc.testing.page import keep, page_path

    folder, told = cast("Path", _folder(item.config)), item.stash.setdefault(_TOLD, [])
    if report.failed:
        told.append((f"{report.when} failed", report.longreprtext))
        report.sections.append(("page of the trace", str(page_path(folder, item.nodeid))))
    if report.when != "teardown":
        return
    output = [(title, text) for title, text in report.sections if title.startswith("Captured")]
    if any(title.endswith(" failed") for title, _ in told) or item.config.getoption("vsc_trace_of") == "all":
        try:
            keep(folder, item.nodeid, bench, (*told, *output))
        except VscError as error:
            report.sections.append(("page of the trace", str(error)))
    item.stash[_TOLD] = []


def _tried(work: Callable[[], T]) -> T:
    """Does it; what vsc refuses fails the test with its reason, and no traceback through vsc."""
    from vsc.errors import VscError

    try:
        return work()
    except (VscError, ValueError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
