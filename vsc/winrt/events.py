"""Event handlers and their tokens: what `add_card_added` and its like hand out."""

import itertools
import threading
import warnings
from collections.abc import Callable

from vsc.unraisable import report
from vsc.winrt.projection import RuntimeClass, make


class _TokenClass(RuntimeClass):
    pass


class EventRegistrationToken(int, metaclass=_TokenClass):
    """Stands for one registration of one handler; an integer, never 0. Only events make it."""

    @property
    def value(self) -> int:
        """As in PyWinRT 3.x, where a token was no integer."""
        warnings.warn("EventRegistrationToken.value is deprecated: it is an integer", DeprecationWarning, stacklevel=2)
        return int(self)


_numbers = itertools.count(1)


class Registrations:
    """The handlers of one event of one object. Safe to use from several threads."""

    def __init__(self) -> None:
        self._ends: dict[int, Callable[[], None]] = {}
        self._lock = threading.Lock()

    def add(self, start: Callable[[], Callable[[], None]]) -> EventRegistrationToken:
        """Calls `start`, which returns what ends the registration again."""
        token = make(EventRegistrationToken, next(_numbers))
        end = start()
        with self._lock:
            self._ends[token] = end
        return token

    def remove(self, token: object) -> None:
        """Ends one registration. A token that is not known is ignored, as COM does. TypeError for no integer."""
        if not isinstance(token, int):
            raise TypeError(f"token must be EventRegistrationToken, not {type(token).__name__}")
        with self._lock:
            end = self._ends.pop(token, None)
        if end is not None:
            end()


class Guarded:
    """Calls a handler until it is ended; what it raises goes to sys.unraisablehook."""

    def __init__(self, handler: Callable[..., object]) -> None:
        self._handler = handler
        self._ended = False

    def __call__(self, *arguments: object) -> None:
        if self._ended:
            return
        try:
            self._handler(*arguments)
        except Exception as error:
            report(error, self._handler)

    def end(self) -> None:
        self._ended = True
