"""`--fault`: what shall go wrong, and in which reader."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from vsc.cli.tell import tell
from vsc.errors import VscError
from vsc.reader import Reader

if TYPE_CHECKING:
    from vsc.faults import Fault, Plan


@dataclass(frozen=True, slots=True)
class WantedFault:
    """place: the reader, or the card, that it was said for; empty for the first."""

    place: str
    fault: "Fault"


class FaultType(click.ParamType[WantedFault]):
    """A line of the grammar of `vsc.faults`, or PLACE: and one."""

    name = "fault"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> WantedFault:
        # Imported only now: most runs have no faults, and start-up is part of the product.
        from vsc.faults import Fault, FaultSyntaxError

        place, colon, text = str(value).rpartition(": ")
        try:
            return WantedFault(place if colon else "", Fault.parse(text))
        except FaultSyntaxError as error:
            self.fail(str(error), param, ctx)


def fault_option(place: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option; place: what PLACE names."""
    words = f"Have this go wrong, as in 'sw 6F00 on VERIFY'. Repeatable; '{place}: …' for another one than the first."
    return click.option("--fault", "faults", type=FaultType(), multiple=True, metavar="FAULT", help=words)


class ArmedFaults:
    """The faults of one run, in its readers. readers: by what PLACE names, the first first."""

    def __init__(self, faults: Iterable[WantedFault], readers: Mapping[str, Reader]) -> None:
        self._plans: list[Plan] = []
        for wanted in faults:
            if wanted.place and wanted.place not in readers:
                known = ", ".join(map(repr, readers))
                raise click.BadParameter(
                    f"nothing here is called {wanted.place!r}; there is: {known}", param_hint="--fault"
                )
            from vsc.faults import inject

            plan = inject(readers[wanted.place] if wanted.place else next(iter(readers.values())), wanted.fault)
            if plan not in self._plans:
                self._plans.append(plan)

    def judged(self, status: int) -> int:
        """Ends them; the exit status of what has ended so: a fault that never struck is told of, and no success."""
        unfired = self.end()
        for error in unfired:
            tell(error)
        return 1 if unfired and status == 0 else status

    def end(self) -> list[VscError]:
        """Ends delays under way; returns what is to be said of faults that never struck."""
        from vsc.faults import UnfiredFaultError

        unfired: list[VscError] = []
        for plan in self._plans:
            try:
                plan.check()
            except UnfiredFaultError as error:
                unfired.append(error)
            plan.clear()
        return unfired
