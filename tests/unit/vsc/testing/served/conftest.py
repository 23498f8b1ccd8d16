from collections.abc import Iterator

import pytest

from vsc.serving.owner import ServiceProcess
from vsc.testing.served import ServedReader, ServedService


@pytest.fixture(scope="session")
def service() -> Iterator[ServedService]:
    """In a process of its own; PC/SC of this process does not use it."""
    with ServiceProcess() as process:
        yield ServedService(process)


@pytest.fixture
def reader(service: ServedService) -> Iterator[ServedReader]:
    reader = service.new_reader("One")
    yield reader
    if reader in service.readers:
        service.close([reader])
