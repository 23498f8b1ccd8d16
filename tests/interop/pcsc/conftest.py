"""Services with a card, as programs meet them."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.interop.need import require_tool
from vsc.pcsc import Service
from vsc.reader import Reader


class Tool(Protocol):
    def __call__(self, *command: str, check: bool = ...) -> str: ...


class Start(Protocol):
    def __call__(self, *readers: Reader) -> Mapping[str, str]: ...


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def service(reader: Reader) -> Iterator[Service]:
    """Running, with the one reader."""
    service = Service([reader])
    with service:
        yield service
    assert service.faults == ()


@pytest.fixture
def env(service: Service, tmp_path: Path) -> dict[str, str]:
    """What programs need to find the service, and no caches or settings of the user's."""
    return client_env(service, tmp_path)


@pytest.fixture
def tool(env: Mapping[str, str]) -> Tool:
    """Runs a PC/SC program against the service; its standard output."""

    def run(*command: str, check: bool = True) -> str:
        require_tool(command[0])
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0 or not check, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as undo:
        yield lambda *readers: undo.enter_context(Service(readers))


def client_env(service: Service, home: Path) -> dict[str, str]:
    foreign = ("OPENSC_", "XDG_", "PKCS11", "PCSCLITE_NO")
    kept = {name: value for name, value in service.environment.items() if not name.startswith(foreign)}
    return kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "LC_ALL": "C.UTF-8"}
