"""The switches that simulate Windows' failures."""

import threading

import pytest

from vsc.winrt import hresult, set_simulation, simulate
from vsc.winrt.errors import WinRTError
from vsc.winrt.operations import operation
from vsc.winrt.simulation import Simulation, current_simulation


def code_of(simulation: Simulation, *, cards: int = 0) -> int:
    with pytest.raises(WinRTError) as raised:
        simulation.check_creation(cards=cards)
    return raised.value.winerror


def test_by_default_nothing_fails() -> None:
    current_simulation().check_capability()
    current_simulation().check_creation(cards=1000)


def test_each_failure_has_its_code() -> None:
    assert code_of(Simulation(administrator=False)) == hresult.E_ACCESSDENIED
    assert code_of(Simulation(tpm="absent")) == hresult.NTE_DEVICE_NOT_FOUND
    assert code_of(Simulation(tpm="not-ready")) == hresult.NTE_DEVICE_NOT_READY
    assert code_of(Simulation(card_limit=10), cards=10) == hresult.E_UNEXPECTED
    Simulation(card_limit=10).check_creation(cards=9)
    with pytest.raises(WinRTError) as raised:
        Simulation(capability=False).check_capability()
    assert raised.value.winerror == hresult.E_ACCESSDENIED


def test_a_block_holds_for_its_context_and_the_operations_in_it() -> None:
    seen: list[Simulation] = []
    with simulate(tpm="absent") as simulation:
        assert current_simulation() is simulation
        assert operation(current_simulation).get() is simulation
        other = threading.Thread(target=lambda: seen.append(current_simulation()))
        other.start()
        other.join()
    assert current_simulation() == seen[0] == Simulation()


def test_the_whole_process() -> None:
    seen: list[Simulation] = []
    set_simulation(administrator=False)
    try:
        other = threading.Thread(target=lambda: seen.append(current_simulation()))
        other.start()
        other.join()
    finally:
        set_simulation()
    assert seen == [Simulation(administrator=False)]
    assert current_simulation() == Simulation()


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="tpm"), simulate(tpm="broken"):  # type: ignore[arg-type]
        pass
    with pytest.raises(ValueError, match="card_limit"), simulate(card_limit=-1):
        pass
