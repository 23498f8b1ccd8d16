"""Symmetric keys: 3DES with three keys and AES, their modes, and CMAC.

One value for all of them, `SymmetricKey`; what a protocol does with it (challenges, secure messaging) is that
protocol's. Nothing pads: data come in whole blocks.
Sources: SP 800-67 (3DES), FIPS 197 (AES), SP 800-38A (ECB, CBC), SP 800-38B (CMAC).
"""

from dataclasses import dataclass

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from card_os.key_kind import KeyKind
from card_os.secret import Secret

KEY_BYTES = {KeyKind.TDES: 24, KeyKind.AES_128: 16, KeyKind.AES_192: 24, KeyKind.AES_256: 32}
"""The symmetric kinds, and how long their keys are."""


@dataclass(frozen=True, slots=True)
class SymmetricKey:
    """A key of one of the kinds in KEY_BYTES; ValueError for another kind or length."""

    kind: KeyKind
    value: Secret

    def __post_init__(self) -> None:
        if self.kind not in KEY_BYTES:
            raise ValueError(f"{self.kind} is no symmetric cipher")
        if len(self.value) != KEY_BYTES[self.kind]:
            raise ValueError(f"a key for {self.kind} has {KEY_BYTES[self.kind]} bytes")

    @classmethod
    def of(cls, kind: KeyKind, value: bytes) -> "SymmetricKey":
        return cls(kind, Secret(value))

    @property
    def block_bytes(self) -> int:
        return 8 if self.kind == KeyKind.TDES else 16

    def encrypt_block(self, block: bytes) -> bytes:
        """One block, or several each for itself (ECB); ValueError for parts of a block."""
        return self._run(modes.ECB(), block, encrypts=True)

    def decrypt_block(self, block: bytes) -> bytes:
        """The reverse of `encrypt_block`."""
        return self._run(modes.ECB(), block, encrypts=False)

    def encrypt_cbc(self, data: bytes, iv: bytes) -> bytes:
        """Whole blocks, chained from `iv`, which is one block; else ValueError."""
        return self._run(modes.CBC(iv), data, encrypts=True)

    def decrypt_cbc(self, data: bytes, iv: bytes) -> bytes:
        """The reverse of `encrypt_cbc`."""
        return self._run(modes.CBC(iv), data, encrypts=False)

    def cmac(self, data: bytes) -> bytes:
        """The whole CMAC of any data, one block long."""
        mac = CMAC(self._algorithm())
        mac.update(data)
        return mac.finalize()

    def _algorithm(self) -> BlockCipherAlgorithm:
        value = self.value.reveal()
        return TripleDES(value) if self.kind == KeyKind.TDES else AES(value)

    def _run(self, mode: modes.ECB | modes.CBC, data: bytes, *, encrypts: bool) -> bytes:
        cipher = Cipher(self._algorithm(), mode)
        context = cipher.encryptor() if encrypts else cipher.decryptor()
        return context.update(data) + context.finalize()
