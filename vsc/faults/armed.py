"""A fault that waits: what it has counted, and whether it is due."""

from collections.abc import Iterable

from vsc.faults.effect import Place
from vsc.faults.fault import Fault


class Armed:
    """One fault of a plan. The plan's lock guards it."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.fired = 0
        self.is_claimed = False
        """Whether a command has it strike just now: no other one shall."""
        self._matched = 0
        self._counted = 0
        self._is_between = False
        """Whether the first of two commands has been answered, and the second not come since."""

    def sees(self, command: bytes, application: str) -> bool:
        """Whether it is a command that the fault waits for; to be asked once for each."""
        fault = self.fault
        if not fault.command.matches(command) or fault.application not in (None, application):
            return False
        self._matched += 1
        return fault.when is None or fault.when(command, self._matched)

    def is_due(self, command: bytes, application: str) -> bool:
        """Counts the command; whether the fault strikes at it."""
        if self.fault.place is Place.BETWEEN and not self._is_between:
            return False
        if not self.sees(command, application):
            return False
        self._is_between = False
        return self.counts()

    def counts(self) -> bool:
        """Counts one more command, reset or commit; whether the fault strikes there."""
        fault = self.fault
        self._counted += 1
        due = fault.value if fault.effect.is_tear else fault.nth
        assert isinstance(due, int)
        return self._counted >= due and (fault.every or not (self.fired or self.is_claimed))

    def is_answered(self, command: bytes) -> None:
        """Of a fault between two commands: the card has answered."""
        if self.fault.since is not None and self.fault.since.matches(command):
            self._is_between = True


def claim(*due: Iterable[Armed]) -> None:
    """With the plan's lock: these are about to strike."""
    for one in (one for some in due for one in some):
        one.is_claimed = True


def release(*claimed: Iterable[Armed]) -> None:
    """With the plan's lock: they have struck, or they have not been able to and may strike later."""
    for one in (one for some in claimed for one in some):
        one.is_claimed = False
