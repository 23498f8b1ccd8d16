"""Long work of a library where Ctrl-C reaches it.

Python hears a signal between two steps of its main thread only, and a library that makes a key takes one step of
seconds. So it makes it in a thread, and the main thread waits, which can be interrupted. The thread is left behind
then; it ends with its work, or with the process.

What waits here is written in C. `threading.Event` and `Thread.start` take locks in Python, and where KeyboardInterrupt
comes between two of their lines they raise RuntimeError instead, which is also what a lack of threads raises: then the
work was done once more, in the main thread, and the interrupt was lost.
"""

import _thread
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")
_TURN_S = 0.2
"""A signal that comes just before a wait begins does not end it: then it is heard at the end of this turn."""


def interruptible(work: Callable[[], T]) -> T:
    """Does the work and returns or raises what it does. Of use where the library lets go of the interpreter's lock."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    done: SimpleQueue[tuple[T] | BaseException] = SimpleQueue()

    def run() -> None:
        try:
            done.put((work(),))
        except BaseException as error:
            done.put(error)

    try:
        _thread.start_new_thread(run, ())
    except RuntimeError:  # There is no thread to be had.
        return work()
    while True:  # Until it is done: `work` has its own bounds.
        try:
            result = done.get(timeout=_TURN_S)
        except Empty:
            continue
        if isinstance(result, BaseException):
            raise result
        return result[0]
