"""vsc.testing.served.plan: faults in a reader there."""

import pytest

from vsc.faults import Fault, FaultSyntaxError, Plan, UnfiredFaultError
from vsc.reader import CardRemovedError
from vsc.serving.travel import TravelError
from vsc.testing import SoftCard, inject
from vsc.testing.served import ServedReader
from vsc.testing.served.plan import ServedPlan, ServedTrace
from vsc.trace import Trace

SELECT = bytes.fromhex("00A4040009A00000039742544659")


def is_select(command: bytes, count: int) -> bool:
    return command == SELECT and count == 2


def test_nothing_of_a_plan_is_forgotten() -> None:
    """But for what a reader calls: it has its own there."""
    public = {name for name in vars(Plan) if not name.startswith("_")}
    assert public - {*vars(ServedPlan)} == {"entering", "before", "transmit", "after", "atr"}
    assert {name for name in vars(Trace) if not name.startswith("_")} - {*vars(ServedTrace)} == {"text"}


def test_faults_strike_there_and_are_told_of_here(reader: ServedReader) -> None:
    reader.insert(SoftCard.make())
    assert reader.plan is None
    plan = reader.inject("sw 6F00 on SELECT", "mute on VERIFY", "remove before GET-DATA optional")
    assert isinstance(plan, Plan)
    assert str(plan.faults[0]) == "sw 6F00 on SELECT"
    assert reader.transmit(SELECT) == b"\x6f\x00"
    assert (plan.fired, plan.unfired) == (plan.faults[:1], plan.faults[1:2])
    with pytest.raises(UnfiredFaultError, match="'mute on VERIFY' never struck: what came was SELECT") as error:
        reader.check()
    assert error.value.faults == ("mute on VERIFY",)
    plan.clear()
    reader.check()
    assert (plan.faults, plan.fired, plan.unfired) == ((), (), ())
    assert inject(reader, "garble on SELECT") is plan is reader.line
    assert repr(plan) == "<Plan for 'One': garble on SELECT>"


def test_what_is_no_fault_is_said_here(reader: ServedReader) -> None:
    with pytest.raises(FaultSyntaxError, match="explode"):
        reader.inject("explode on VERIFY")
    with pytest.raises(TravelError, match="delay"):
        inject(reader, "delay 1s on SELECT", wait=lambda seconds: None)


def test_a_condition_and_a_card_travel(reader: ServedReader) -> None:
    one, other = SoftCard.make(), SoftCard.make()
    reader.insert(one)
    reader.inject(Fault.parse("sw 6F00 on SELECT", when=is_select))
    assert [reader.transmit(SELECT)[:1] for _ in "abc"][1] == b"\x6f"
    reader.inject(Fault.parse("swap after SELECT", card=other))
    reader.transmit(SELECT)
    assert reader.card is other
    assert other.transmit(SELECT)[-2:] == b"\x90\x00"


def test_a_fresh_card_that_a_fault_has_brought(reader: ServedReader) -> None:
    reader.insert(SoftCard.make())
    reader.inject("swap before SELECT")
    with pytest.raises(CardRemovedError):
        reader.transmit(SELECT, insertion=1)
    strange = reader.card
    assert strange is not None
    assert strange is reader.card
    assert strange.atr == reader.atr
    assert strange.transmit(SELECT)[-2:] == b"\x90\x00"
    assert reader.eject() is strange
    reader.insert(strange)
