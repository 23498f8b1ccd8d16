"""Long work of a library where Ctrl-C reaches it.

Python hears a signal between two steps of its main thread only, and a library that makes a key takes one step of
seconds. So it makes it in a thread, and the main thread waits, which can be interrupted. The thread is left behind
then; it ends with its work, or with the process.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_TURN_S = 0.2
"""A signal that comes just before a wait begins does not end it: then it is heard at the end of this turn."""


def interruptible(work: Callable[[], T]) -> T:
    """Does the work and returns or raises what it does. Of use where the library lets go of the interpreter's lock."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    done = threading.Event()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    try:
        threading.Thread(target=run, name="vsc-library", daemon=True).start()
    except RuntimeError:  # There is no thread to be had.
        return work()
    while not done.wait(_TURN_S):
        continue
    if errors:
        raise errors[0]
    return results[0]
