"""Windows' failures on request, for programs that must handle them (winrt-smartcards.md 5.2).

    with vsc.winrt.simulate(tpm="absent"):
        ...                              # creation fails with NTE_DEVICE_NOT_FOUND, as on a machine without a TPM

Nothing of this is needed here: without a simulation there is no administrator, no capability, no TPM to miss.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, get_args

from vsc.winrt import hresult
from vsc.winrt.errors import WinRTError

Tpm = Literal["ready", "not-ready", "absent"]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the simulated machine has.

    administrator: whether the user is one; else creation and deletion fail with E_ACCESSDENIED.
    capability: whether the app has `sharedUserCertificates`; else every call fails with E_ACCESSDENIED.
    tpm: "absent" and "not-ready" make creation fail with NTE_DEVICE_NOT_FOUND and NTE_DEVICE_NOT_READY.
    card_limit: how many smart cards, physical ones too, there may be; Windows allows 10. None: any number. Its error
    is not documented; here it is E_UNEXPECTED.
    """

    administrator: bool = True
    capability: bool = True
    tpm: Tpm = "ready"
    card_limit: int | None = None

    def __post_init__(self) -> None:
        if self.tpm not in get_args(Tpm):
            raise ValueError(f"tpm is one of {', '.join(map(repr, get_args(Tpm)))}, not {self.tpm!r}")
        if self.card_limit is not None and self.card_limit < 0:
            raise ValueError("card_limit is a number of cards, or None")

    def check_capability(self) -> None:
        if not self.capability:
            raise WinRTError(hresult.E_ACCESSDENIED, "simulated: the app has no 'Shared User Certificates' capability")

    def check_administrator(self) -> None:
        if not self.administrator:
            raise WinRTError(hresult.E_ACCESSDENIED, "simulated: the user is no administrator")

    def check_creation(self, *, cards: int) -> None:
        """Whether one more card can be made where there are `cards`."""
        self.check_administrator()
        if self.tpm == "absent":
            raise WinRTError(hresult.NTE_DEVICE_NOT_FOUND, "simulated: there is no TPM")
        if self.tpm == "not-ready":
            raise WinRTError(hresult.NTE_DEVICE_NOT_READY, "simulated: the TPM is not ready")
        if self.card_limit is not None and cards >= self.card_limit:
            raise WinRTError(hresult.E_UNEXPECTED, f"simulated: there are {cards} smart cards, no more are allowed")


_NONE = Simulation()
_of_this_context: ContextVar[Simulation | None] = ContextVar("vsc_winrt_simulation", default=None)
_of_this_process: Simulation = _NONE


@contextmanager
def simulate(
    *, administrator: bool = True, capability: bool = True, tpm: Tpm = "ready", card_limit: int | None = None
) -> Iterator[Simulation]:
    """Simulates inside the block: in this thread or task, and in the operations that it starts. See `Simulation`."""
    simulation = Simulation(administrator, capability, tpm, card_limit)
    token = _of_this_context.set(simulation)
    try:
        yield simulation
    finally:
        _of_this_context.reset(token)


def set_simulation(
    *, administrator: bool = True, capability: bool = True, tpm: Tpm = "ready", card_limit: int | None = None
) -> None:
    """Simulates in the whole process; without arguments it ends that."""
    global _of_this_process  # noqa: PLW0603
    _of_this_process = Simulation(administrator, capability, tpm, card_limit)


def current_simulation() -> Simulation:
    return _of_this_context.get() or _of_this_process
