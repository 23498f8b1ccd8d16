"""`winrt.windows.security.cryptography.core`, as far as smart cards need it."""

from vsc.winrt.cryptography import (
    CryptographicEngine,
    CryptographicKey,
    SymmetricAlgorithmNames,
    SymmetricKeyAlgorithmProvider,
)

__all__ = ["CryptographicEngine", "CryptographicKey", "SymmetricAlgorithmNames", "SymmetricKeyAlgorithmProvider"]
