"""The kinds of keys that a card can hold: one word for each, for tables, policies and the world that makes them."""

from enum import Enum


class KeyKind(Enum):
    """The value is the name by which people know the kind."""

    RSA_1024 = "RSA-1024"
    RSA_2048 = "RSA-2048"
    RSA_3072 = "RSA-3072"
    RSA_4096 = "RSA-4096"
    P256 = "P-256"
    P384 = "P-384"
    P521 = "P-521"
    BRAINPOOL_P256R1 = "brainpoolP256r1"
    BRAINPOOL_P384R1 = "brainpoolP384r1"
    BRAINPOOL_P512R1 = "brainpoolP512r1"
    SECP256K1 = "secp256k1"
    ED25519 = "Ed25519"
    X25519 = "X25519"
    TDES = "3DES"
    AES_128 = "AES-128"
    AES_192 = "AES-192"
    AES_256 = "AES-256"

    def __str__(self) -> str:
        return self.value
