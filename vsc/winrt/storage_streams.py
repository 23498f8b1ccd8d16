"""`winrt.windows.storage.streams`, as far as smart cards need it."""

from vsc.winrt.buffers import IBuffer

__all__ = ["IBuffer"]
