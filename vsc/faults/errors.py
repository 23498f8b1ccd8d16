"""What can go wrong with faults themselves."""

from vsc.errors import VscError


class FaultError(VscError):
    """A fault cannot strike there: no commits to cut, something else in the reader's line."""


class FaultSyntaxError(FaultError):
    """A text is no fault. column: where it goes wrong, from 1; right: what could stand there."""

    def __init__(self, text: str, column: int, problem: str, right: tuple[str, ...] = ()) -> None:
        choice = f"; right would be: {', '.join(right)}" if right else ""
        super().__init__(f"the fault {text!r} is not understood, column {column}: {problem}{choice}")
        self.text, self.column, self.right = text, column, right


class UnfiredFaultError(FaultError):
    """A fault was to strike, and what it waits for never came. faults: which, as text."""

    def __init__(self, reader: str, faults: tuple[str, ...], commands: tuple[str, ...]) -> None:
        named = ", ".join(repr(fault) for fault in faults)
        came = f"what came was {', '.join(commands)}" if commands else "no command came at all"
        super().__init__(f"in {reader!r} {named} never struck: {came}")
        self.faults, self.commands = faults, commands
