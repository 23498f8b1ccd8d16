"""How WinRT's classes look in Python (PyWinRT 4): what is static, what can be made, what names were before.

Static members live on the metaclass, so an instance does not have them; a class without a constructor refuses to be
called; nobody derives from one. Old names of 3.x warn. All parameters are positional-only.
"""

import functools
import inspect
import warnings
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final, ParamSpec, TypeVar, cast

from vsc.winrt import hresult
from vsc.winrt.errors import NullArgument, WinRTError

T = TypeVar("T")
P = ParamSpec("P")


class Absent:
    """The type of an argument that was not given: it chooses the overload."""


ABSENT: Final = Absent()


class RuntimeClass(type):
    """The metaclass of a class without a constructor. Its subclasses carry the static members of one class each."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> "RuntimeClass":
        for base in bases:
            if isinstance(base, RuntimeClass) and base.__dict__.get("_is_final", True):
                raise TypeError(f"type '{base.__name__}' is not an acceptable base type")
        return super().__new__(cls, name, bases, namespace, **options)

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        raise TypeError(f"cannot create '{cls.__name__}' instances: it has no constructor")


def make(kind: type[T], /, *arguments: object) -> T:
    """Makes an object of a class that others cannot call."""
    return cast("T", type.__call__(kind, *arguments))


class Object(metaclass=RuntimeClass):
    """The base of all: `winrt.system.Object`."""

    _is_final = False


def renamed(new: Callable[P, T], old_name: str) -> Callable[P, T]:
    """The name that an overload had in PyWinRT 3.x: it still works, and warns."""

    @functools.wraps(new)
    def old(*arguments: P.args, **named: P.kwargs) -> T:
        warnings.warn(f"{old_name} is deprecated: use {new.__name__}", DeprecationWarning, stacklevel=2)
        return new(*arguments, **named)

    old.__name__ = old_name
    return old


def needed(value: object, kind: type[T], name: str) -> T:
    """The argument, if it is one of `kind`. NullArgument for None, TypeError for all else."""
    if value is None:
        raise NullArgument(name)
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {kind.__name__}, not {type(value).__name__}")
    return value


def handler(value: object, name: str = "handler") -> Callable[..., object]:
    """A plain callable. TypeError for anything else, coroutine functions too: WinRT awaits nothing."""
    if value is None:
        raise NullArgument(name)
    if not callable(value):
        raise TypeError(f"{name} must be callable, not {type(value).__name__}")
    if inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(getattr(value, "__call__", None)):  # noqa: B004
        raise TypeError(f"{name} must be a plain function: nobody awaits what an async def returns")
    return value


Number = TypeVar("Number", bound=IntEnum)


def enumerated(value: object, kind: type[Number], name: str) -> Number:
    """A member of `kind`, or its number. TypeError for all else, E_INVALIDARG for a number that means nothing."""
    if not isinstance(value, int):
        raise TypeError(f"{name} must be {kind.__name__}, not {type(value).__name__}")
    if value not in set(kind.__members__.values()):
        raise WinRTError(hresult.E_INVALIDARG, f"{name}: {int(value)} is no {kind.__name__}")
    return kind(value)


def uint32(value: object, name: str) -> int:
    """TypeError for what is no integer, OverflowError outside 0 to 2**32 - 1."""
    if not isinstance(value, int):
        raise TypeError(f"{name} must be int, not {type(value).__name__}")
    if not 0 <= value < 1 << 32:
        raise OverflowError(f"{name} must fit in 32 bits without a sign")
    return int(value)
