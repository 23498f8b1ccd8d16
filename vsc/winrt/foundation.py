"""`winrt.windows.foundation`, as far as smart cards need it."""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from vsc.winrt.events import EventRegistrationToken
from vsc.winrt.operations import AsyncStatus, IAsyncAction, IAsyncInfo, IAsyncOperation

Sender = TypeVar("Sender")
Arguments = TypeVar("Arguments")

TypedEventHandler: TypeAlias = Callable[[Sender, Arguments], object]

__all__ = [
    "AsyncStatus",
    "EventRegistrationToken",
    "IAsyncAction",
    "IAsyncInfo",
    "IAsyncOperation",
    "TypedEventHandler",
]
