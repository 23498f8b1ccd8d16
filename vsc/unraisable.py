"""Errors that nobody can be given: what a handler raises, when its caller is a thread of ours.

Python's own hook takes only what Python itself has made, so for that one the traceback is printed here.
"""

import sys
import traceback
from dataclasses import dataclass
from types import TracebackType


@dataclass(slots=True)
class Unraisable:
    """What sys.unraisablehook wants to know."""

    exc_type: type[BaseException]
    exc_value: BaseException | None
    exc_traceback: TracebackType | None
    err_msg: str | None
    object: object


def report(error: BaseException, where: object) -> None:
    """Gives `error`, which `where` has raised, to sys.unraisablehook. Raises nothing itself."""
    hook = sys.unraisablehook
    if hook is not sys.__unraisablehook__:
        try:
            hook(Unraisable(type(error), error, error.__traceback__, None, where))
        except Exception as fault:
            error = fault
        else:
            return
    if sys.stderr is not None:
        print(f"Exception ignored in: {where!r}", file=sys.stderr)  # noqa: T201
        traceback.print_exception(error, file=sys.stderr)
