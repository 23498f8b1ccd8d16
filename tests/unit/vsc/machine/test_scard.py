"""vsc.machine.scard beside pyscard, whose place it takes; tests/interop/test_without_pyscard.py uses it."""

import inspect
import re

import pytest

from tests.interop.need import unavailable
from tests.unit.each import each
from vsc.errors import NoPcscError
from vsc.machine import libpcsclite, pcsc, winscard
from vsc.machine.scard import Scard
from vsc.replay import relay

scard = pytest.importorskip("smartcard.scard")
CONSTANTS = [name for name in vars(Scard) if name.startswith("SCARD_") and "PCI" not in name]


@pytest.fixture
def ours() -> Scard:
    library = libpcsclite.library()
    if library is None:
        unavailable("libpcsclite is not installed")
    return Scard(library)


def test_numbers_are_pyscards() -> None:
    for name in each(CONSTANTS):
        assert getattr(Scard, name) & 0xFFFF_FFFF == getattr(scard, name) & 0xFFFF_FFFF


def test_everything_that_is_called_is_there() -> None:
    sources = "".join(map(inspect.getsource, (winscard, pcsc, relay)))
    called = set(re.findall(r"\b(?:_scard|scard\(\)|s)\.(SC[A-Za-z_0-9]+)", sources))
    called |= {f"SCARD_{name}" for name in winscard._MEANINGS}
    called |= {f"SCARD_STATE_{name}" for name in re.findall(r"\.has\(\"([A-Z]+)\"\)", sources)}
    assert len(called) > 40
    assert {name for name in called if not hasattr(Scard, name)} == set()


@pytest.mark.parametrize("rv", [0, 0x8010001D, 0x80100069, 0x8010FFFF])
def test_what_a_return_code_means(ours: Scard, rv: int) -> None:
    assert ours.SCardGetErrorMessage(rv) == ours.SCardGetErrorMessage(rv - (1 << 32)) == scard.SCardGetErrorMessage(rv)


def test_what_leads_nowhere_is_a_return_code(ours: Scard) -> None:
    assert ours.SCardReleaseContext(7) == ours.SCARD_E_INVALID_HANDLE
    assert ours.SCardConnect(7, "Reader", 2, 3)[0] == ours.SCARD_E_INVALID_HANDLE
    assert ours.SCardTransmit(7, 1, [0, 0, 0, 0]) == (ours.SCARD_E_INVALID_HANDLE, [])
    assert ours.SCardListReaders(7, []) == (ours.SCARD_E_INVALID_HANDLE, [])


def test_neither_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    winscard.scard.cache_clear()

    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(winscard, "import_module", missing)
    monkeypatch.setattr(libpcsclite, "library", lambda: None)
    with pytest.raises(NoPcscError, match=r"neither libpcsclite \(Debian: libpcsclite1\) nor pyscard"):
        winscard.scard()
    winscard.scard.cache_clear()
