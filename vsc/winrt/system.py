"""`winrt.system`, as far as smart cards need it."""

from vsc.winrt import hresult
from vsc.winrt.buffers import ReadableBuffer
from vsc.winrt.hresult import HResult
from vsc.winrt.projection import Object

__all__ = ["HResult", "Object", "ReadableBuffer", "hresult"]
