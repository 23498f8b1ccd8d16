"""`winrt.windows.security.cryptography`, as far as smart cards need it."""

from vsc.winrt.cryptography import CryptographicBuffer

__all__ = ["CryptographicBuffer"]
