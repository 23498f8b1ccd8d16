"""vsc.filling.kind."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519

from tests.unit.vsc.filling import stuff
from vsc.filling.kind import article, bits_of, kind_of, listed, title

KINDS: list[tuple[object, str, int, str]] = [
    (stuff.key(), "rsa:1024", 1024, "an RSA 1024 key"),
    (ec.derive_private_key(7, ec.SECP256R1()), "ec:p256", 256, "an EC P-256 key"),
    (ec.derive_private_key(7, ec.SECP384R1()).public_key(), "ec:p384", 384, "an EC P-384 key"),
    (ec.derive_private_key(7, ec.BrainpoolP256R1()), "ec:brainpoolp256r1", 256, "an EC brainpoolp256r1 key"),
    (ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)), "ed25519", 256, "an Ed25519 key"),
    (x25519.X25519PrivateKey.from_private_bytes(bytes(32)).public_key(), "x25519", 256, "an X25519 key"),
    (ed448.Ed448PrivateKey.generate(), "ed448", 456, "an Ed448 key"),
]


@pytest.mark.parametrize(("key", "kind", "bits", "words"), KINDS, ids=[kind for _, kind, _, _ in KINDS])
def test_kinds(key: object, kind: str, bits: int, words: str) -> None:
    assert (kind_of(key), bits_of(key), article(kind)) == (kind, bits, words)


def test_a_dsa_key_has_an_article_of_its_own() -> None:
    assert (title("dsa:2048"), article("dsa:2048")) == ("DSA 2048", "a DSA 2048 key")
    assert isinstance(stuff.key().public_key(), rsa.RSAPublicKey)
    assert kind_of(stuff.key().public_key()) == "rsa:1024"


def test_several() -> None:
    assert listed(("rsa:1024", "rsa:2048")) == "RSA of 1024, 2048 bits"
    assert listed(("rsa:2048", "ec:p256", "ed25519")) == "RSA of 2048 bits, EC P-256, Ed25519"
    assert listed(("ec:p384",)) == "EC P-384"
