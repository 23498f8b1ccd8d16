"""How objects travel between a process and the one that serves it: as pickles, in text.

By its name, what both can import: that is quick, and needs nothing. Whole, with its code, what only one of them has,
as a class of a script or of a `conftest.py`: that takes `cloudpickle`. Whoever gets a pickle runs what is in it, so
only an owner and its own service speak so.
"""

import base64
import io
import pickle
import sys
import traceback
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from vsc.errors import VscError

EXTRA = "pip install 'virtual-smart-card[cloudpickle]'"


class TravelError(VscError):
    """An object cannot get to the process that serves; the sentence says what to do."""


class NotImportableError(Exception):
    """What is here by its name only cannot be imported here. module: its module."""

    def __init__(self, module: str) -> None:
        super().__init__(module)
        self.module = module


def packed(value: object, *, whole: Collection[str] = ()) -> str:
    """The object as text. whole: modules whose contents must travel with their code. TravelError."""
    if not whole:
        try:
            return _text(pickle.dumps(value))
        except Exception as error:  # Whatever its __reduce__ raises, too.
            reason: Exception = error
    else:
        reason = NotImportableError(", ".join(whole))
    try:
        import cloudpickle  # type: ignore[import-untyped,unused-ignore]
    except ModuleNotFoundError:
        raise _cannot(reason, f"or install what takes it along as it is: {EXTRA}") from None
    modules = [sys.modules[name] for name in whole if name in sys.modules and name != "__main__"]
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    try:
        return _text(cloudpickle.dumps(value))
    except TravelError:
        raise
    except Exception as error:
        raise _cannot(error, "or give it a __getstate__ that leaves out what is bound to this process") from None
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)


def unpacked(text: str) -> Any:
    """The object again. NotImportableError."""
    return _Unpickler(io.BytesIO(base64.b64decode(text))).load()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except Exception:  # Whatever importing that module raises.
            raise NotImportableError(module) from None


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _cannot(reason: Exception, other: str) -> TravelError:
    if isinstance(reason, TravelError):
        return reason
    words = (
        f"{reason.module} cannot be imported there"
        if isinstance(reason, NotImportableError)
        else f"{type(reason).__name__}: {reason}"
    )
    return TravelError(
        f"this cannot travel to the process that serves PC/SC to this one ({words}): define it in a module that can be "
        f"imported, {other}"
    )


# --- what was raised


class ElsewhereError(Exception):
    """Where an exception was raised in another process; its text is that traceback."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception on its way: its class, what it holds, and its traceback."""

    kind: type[BaseException]
    args: tuple[object, ...]
    state: dict[str, object]
    traceback: str

    @classmethod
    def of(cls, error: BaseException) -> "Raised":
        return cls(type(error), error.args, dict(vars(error)), "".join(traceback.format_exception(error)))

    def again(self) -> BaseException:
        """The exception, as it was but for its traceback, which is told in its cause."""
        # Its __init__ may take something else than args.
        error = self.kind.__new__(self.kind, *self.args)
        error.args = self.args
        vars(error).update(self.state)
        if not isinstance(error, VscError):
            error.__cause__ = ElsewhereError(self.traceback)
        return error


def packed_error(error: BaseException) -> str:
    """An exception as text; one that cannot travel becomes one that says what it was."""
    try:
        return packed(Raised.of(error))
    except TravelError:
        text = "".join(traceback.format_exception(error))
        return packed(Raised(RuntimeError, (f"{type(error).__name__}: {error}",), {}, text))
