"""card_os.kept: PINs, policies, keys and data objects as parts of a state. More in apps/gids/test_schema.py."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.admin import AdminKey
from card_os.description import DescriptionError, Fields
from card_os.ec import EcPrivateKey
from card_os.fact import Kind
from card_os.kept import AdminKeyKind, EcKind, Objects, PinKind, PolicyKind, PrivateKeyKind, RsaKind, SymmetricKeyKind
from card_os.key_kind import KeyKind
from card_os.pin import CharacterRule, Pin, PinPolicy
from card_os.schema import Kind as SchemaKind
from card_os.secret import Secret
from card_os.symmetric import KEY_BYTES as CIPHER_KEY_BYTES
from card_os.symmetric import SymmetricKey
from card_os.tlv import Tlv
from card_os.wire import WireError
from vsc.testing.quick import QuickEnv

CURVES = (KeyKind.P256, KeyKind.P384)
RSA, EC = QuickEnv(1).rsa_key(1024), EcPrivateKey(KeyKind.P256, 12345)
POLICY = PinPolicy(6, 9, digits=CharacterRule.REQUIRE_AT_LEAST_ONE)
SAMPLES: list[tuple[SchemaKind[Any], Any]] = [
    (PinKind(), Pin()),
    (PinKind(), Pin(Secret(b"1234"), 3, 1)),
    (PinKind(255), Pin(None, 255, 0)),
    (PolicyKind(), POLICY),
    (AdminKeyKind(), AdminKey.new(bytes(range(24)))),
    (AdminKeyKind(), AdminKey(Secret(bytes(24)), 5, 2)),
    (RsaKind(), RSA),
    (EcKind(CURVES), EC),
    (Objects(), ()),
    (Objects(), (Tlv(0xDF20, bytes(200)), Tlv(0x81))),
]


def described(kind: SchemaKind[Any], value: Any) -> Any:
    return kind.read(Fields({"x": kind.describe(value)}), "x")


@pytest.mark.parametrize(("kind", "value"), SAMPLES, ids=lambda one: type(one).__name__)
def test_bytes_and_descriptions_come_back(kind: SchemaKind[Any], value: Any) -> None:
    assert kind.decode(kind.encode(value)) == value
    assert described(kind, value) == value


@given(st.binary(max_size=60))
@pytest.mark.parametrize("kind", [PinKind(), PolicyKind(), AdminKeyKind(), RsaKind(), EcKind(CURVES), Objects()])
def test_any_bytes_are_refused_or_read(kind: SchemaKind[Any], raw: bytes) -> None:
    try:
        value = kind.decode(raw)
    except ValueError:
        return
    assert kind.decode(kind.encode(value)) == value


def told(kind: SchemaKind[Any], value: Any, name: str) -> list[tuple[Kind, str, str]]:
    return [(fact.kind, fact.name, fact.shown) for fact in kind.facts(value, name)]


def test_facts_of_secrets_show_counters_only() -> None:
    assert told(PinKind(), Pin(Secret(b"1234"), 3, 1), "PIN") == [
        (Kind.SECRET, "PIN", ""),
        (Kind.COUNTER, "PIN tries", "1"),
        (Kind.RULE, "PIN try limit", "3"),
    ]
    assert told(AdminKeyKind(), AdminKey.new(bytes(24)), "admin key") == [
        (Kind.SECRET, "admin key", ""),
        (Kind.RULE, "try limit of admin key", "none"),
    ]
    assert (Kind.COUNTER, "admin key tries", "5") in told(
        AdminKeyKind(), AdminKey.new(bytes(24), try_limit=5), "admin key"
    )


def test_facts_of_the_others() -> None:
    assert told(PolicyKind(), POLICY, "policy") == [
        (Kind.RULE, "policy", "6 to 9 bytes, digits required, other disallowed")
    ]
    assert told(RsaKind(), RSA, "key 81") == [(Kind.KEY, "key 81", "RSA 1024")]
    assert told(EcKind(CURVES), EC, "key 81") == [(Kind.KEY, "key 81", "P-256")]
    assert told(Objects(), (Tlv(0xDF20, b"a"),), "in A012") == [(Kind.OBJECT, "object DF20 in A012", "1 byte")]


@pytest.mark.parametrize(
    ("kind", "raw"),
    [(PinKind(), "03"), (PinKind(), "0304"), (AdminKeyKind(), "0000" + "00" * 23), (EcKind(CURVES), "01")],
)
def test_bytes_that_are_too_short_are_refused(kind: SchemaKind[Any], raw: str) -> None:
    with pytest.raises(ValueError):
        kind.decode(bytes.fromhex(raw))


def test_a_key_on_another_curve_is_refused() -> None:
    other = EcPrivateKey(KeyKind.SECP256K1, 5)
    with pytest.raises(DescriptionError, match=r"x\.pem: a key of secp256k1 cannot be kept here"):
        EcKind(CURVES).read(Fields({"x": EcKind((KeyKind.SECP256K1,)).describe(other)}), "x")
    with pytest.raises(WireError, match="not a key of a known curve"):
        EcKind((KeyKind.P384,)).decode(EcKind(CURVES).encode(EC))


def test_the_limit_of_tries_is_the_applications() -> None:
    told = {"x": {"try_limit": 16, "tries_left": 16, "value": None}}
    assert PinKind(255).read(Fields(told), "x") == Pin(None, 16, 16)
    with pytest.raises(DescriptionError, match=r"x\.try_limit: not a number from 1 to 15"):
        PinKind().read(Fields(told), "x")


PAIRS = [KeyKind.RSA_1024, KeyKind.P521, KeyKind.BRAINPOOL_P256R1, KeyKind.SECP256K1, KeyKind.ED25519, KeyKind.X25519]


@pytest.mark.parametrize("kind", PAIRS, ids=str)
def test_a_private_key_of_any_kind_comes_back(kind: KeyKind) -> None:
    key = QuickEnv("kept").key(kind)
    private = PrivateKeyKind()
    assert private.decode(private.encode(key)) == key
    assert private.describe(key)["type"] == str(kind)
    assert described(private, key) == key
    (fact,) = private.facts(key, "key 1")
    assert (fact.name, fact.shown) == ("key 1", str(kind))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"type": "P-256", "pem": ["no"]}, "key.pem: not a private key in PEM"),
        ({"type": "AES-128", "pem": []}, "key.type: not one of"),
        ({**PrivateKeyKind().describe(RSA), "type": "RSA-2048"}, "a key of RSA-1024, not of RSA-2048"),
        ({"type": "P-256"}, "key.pem: missing"),
        ({**PrivateKeyKind().describe(EC), "more": 1}, "key.more: unknown"),
        ({**PrivateKeyKind().describe(EC), "type": "P-384"}, "of P-256, not of P-384"),
    ],
)
def test_a_private_key_that_is_none_is_named(value: dict[str, object], text: str) -> None:
    with pytest.raises(DescriptionError, match=text):
        PrivateKeyKind().read(Fields({"key": value}), "key")


@pytest.mark.parametrize("kind", list(CIPHER_KEY_BYTES), ids=str)
def test_a_symmetric_key_comes_back_and_is_not_shown(kind: KeyKind) -> None:
    key, symmetric = SymmetricKey.of(kind, bytes(range(CIPHER_KEY_BYTES[kind]))), SymmetricKeyKind()
    assert symmetric.decode(symmetric.encode(key)) == key
    assert described(symmetric, key) == key
    secret, cipher = symmetric.facts(key, "key")
    assert (secret.shown, cipher.name, cipher.shown) == ("", "cipher of the key", str(kind))
    with pytest.raises(DescriptionError, match=r"key\.value"):
        symmetric.read(Fields({"key": {"cipher": str(kind), "value": "00"}}), "key")
    with pytest.raises(WireError):
        symmetric.decode(PrivateKeyKind().encode(EC))
