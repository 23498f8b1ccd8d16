"""Kinds of keys, as hosts and command lines name them: `rsa:2048`, `ec:p256`, `ed25519`."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

_CURVES = {"secp256r1": "p256", "secp384r1": "p384", "secp521r1": "p521", "secp224r1": "p224", "secp192r1": "p192"}


def kind_of(key: object) -> str:
    """The kind of a private or public key of the library."""
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return f"rsa:{key.key_size}"
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        curve = key.curve.name.lower()
        return f"ec:{_CURVES.get(curve, curve)}"
    if isinstance(key, dsa.DSAPrivateKey | dsa.DSAPublicKey):
        return f"dsa:{key.key_size}"
    # The library names its other classes for their kind: Ed25519PrivateKey, X448PublicKey, MLDSA44PrivateKey.
    return type(key).__name__.removesuffix("PrivateKey").removesuffix("PublicKey").lower()


def bits_of(key: object) -> int:
    """The size of a key as people say it; 256 for curves that have no size in their class."""
    size = getattr(key, "key_size", None)
    return size if isinstance(size, int) else 456 if "448" in type(key).__name__ else 256


def title(kind: str) -> str:
    """A kind in words: RSA 2048, EC P-256, Ed25519."""
    family, _, rest = kind.partition(":")
    if family == "ec":
        return f"EC P-{rest[1:]}" if rest in _CURVES.values() else f"EC {rest}"
    return f"{family.upper()} {rest}" if rest else family.capitalize()


def article(kind: str) -> str:
    """A kind with its article: an RSA 2048 key, a DSA 1024 key."""
    words = title(kind)
    return f"{'an' if words[0] in 'AEIRX' else 'a'} {words} key"


def listed(kinds: Sequence[str]) -> str:
    """Kinds in words, the sizes of one family together: RSA of 1024, 2048 bits, EC P-256."""
    sizes = [kind.partition(":")[2] for kind in kinds if kind.startswith("rsa:")]
    others = [title(kind) for kind in kinds if not kind.startswith("rsa:")]
    return ", ".join(([f"RSA of {', '.join(sizes)} bits"] if sizes else []) + others)
