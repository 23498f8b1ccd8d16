"""Fixtures for tests against real pcscd, vpcd and OpenSC: a thin skin over pcscd_harness.py.

Each test has a pcscd of its own (it starts in a fraction of a second), so tests run in any order and any number at
once. When a test fails, its report ends with what pcscd and the programs inside its namespace have said.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from subprocess import CompletedProcess
from typing import Protocol

import pytest

from tests.interop.need import require_tool, unavailable
from tests.interop.pcscd_harness import PcscdUnavailable, PrivatePcscd
from tests.interop.vsc_cards import Attach, PluggedIn, Vsc, initialise

STARTED = pytest.StashKey[list[PrivatePcscd]]()


class StartPcscd(Protocol):
    def __call__(self, readers: Sequence[str] = ..., *, vpcd_calls: bool = ...) -> PrivatePcscd: ...


class RunTool(Protocol):
    def __call__(
        self, *command: str | Path, check: bool = ..., stdin: str = ..., timeout_s: float = ...
    ) -> CompletedProcess[str]: ...


class PlugIn(Protocol):
    def __call__(self, *options: str) -> PluggedIn: ...


@pytest.fixture
def start_pcscd(request: pytest.FixtureRequest) -> Iterator[StartPcscd]:
    """For tests that need more than one pcscd, other reader names or more than two slots."""
    started = request.node.stash.setdefault(STARTED, [])
    with ExitStack() as undo:

        def start(readers: Sequence[str] = ("Virtual PCD",), *, vpcd_calls: bool = False) -> PrivatePcscd:
            try:
                pcscd = PrivatePcscd(readers, vpcd_calls=vpcd_calls)
            except PcscdUnavailable as reason:
                unavailable(str(reason))
            started.append(undo.enter_context(pcscd))
            return pcscd

        yield start


@pytest.fixture
def pcscd(start_pcscd: StartPcscd) -> PrivatePcscd:
    """A pcscd with one vpcd reader, that is two slots: `Virtual PCD 00 00` and `Virtual PCD 00 01`."""
    return start_pcscd()


@pytest.fixture
def opensc(pcscd: PrivatePcscd) -> RunTool:
    """Runs a PC/SC program against `pcscd`: opensc("pkcs11-tool", "--list-slots").stdout. See PrivatePcscd.run."""

    def run_tool(
        *command: str | Path, check: bool = True, stdin: str = "", timeout_s: float = 60
    ) -> CompletedProcess[str]:
        require_tool(str(command[0]))
        return pcscd.run(*command, check=check, stdin=stdin, timeout_s=timeout_s)

    return run_tool


@pytest.fixture
def vsc(tmp_path: Path) -> Vsc:
    """The `vsc` command with an empty folder of cards."""
    return Vsc(tmp_path / "cards")


@pytest.fixture
def attach(vsc: Vsc) -> Attach:
    """Plugs cards of `vsc` into a pcscd; whatever still runs ends with that pcscd."""
    return Attach(vsc)


@pytest.fixture
def plug_in(pcscd: PrivatePcscd, vsc: Vsc, attach: Attach, tmp_path: Path) -> PlugIn:
    """Makes one card with these options of `vsc create`, called "card", and plugs it into the first slot."""
    for name in ("opensc-tool", "gids-tool", "pkcs11-tool", "pkcs15-tool", "pkcs15-init", "openssl"):
        require_tool(name)

    def make_and_plug_in(*options: str) -> PluggedIn:
        vsc.create("card", *options)
        return PluggedIn(pcscd, vsc, attach, "card", tmp_path)

    return make_and_plug_in


@pytest.fixture(params=["vsc create", "gids-tool"])
def card(request: pytest.FixtureRequest, plug_in: PlugIn) -> PluggedIn:
    """A card in the first slot, ready for keys: once as `vsc create` makes it, once as gids-tool makes a blank one."""
    if request.param == "vsc create":
        return plug_in()
    card = plug_in("--blank")
    initialise(card)
    return card


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        started = item.stash.get(STARTED, None) or []
        for number, pcscd in enumerate(started):
            if pcscd.folder.exists():
                report.sections.append((f"inside namespace {number}", pcscd.log()))
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever adds a test to this folder cannot forget the marker."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.interop)
