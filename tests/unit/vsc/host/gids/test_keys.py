"""Keys: the commands as OpenSC and Windows send them, and what cards answer."""

from dataclasses import replace
from functools import partial

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA3_256, SHA224, SHA256, SHA384, SHA512, HashAlgorithm

from card_os.access import AccessRule
from card_os.apps.gids.state import KeyFile
from card_os.apps.gids.state import KeyUse as StoredUse
from card_os.apps.gids.wire import Crt
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from tests.unit.vsc.host.cards import Refusing, Wrapped, host, new_card, state_of
from tests.unit.vsc.samples import PIN, rsa_key, state, state_with_key
from vsc.errors import AuthenticationRequired, UnexpectedStatus, UnsupportedCard, VscError
from vsc.host import KeyUse
from vsc.host.digest import digest_info
from vsc.host.gids.keys import algorithm_of, key_file

EXCHANGE_FILE = (
    "62478201188302B0818C058F10101000A537B809800107830181950140B809800187830181950140B809800147830181950140"
    "B609800117830181950140B609800157830181950140"
)
"""RSA-2048 in container 0, as OpenSC and Windows make it (gids.md 6.2)."""


def test_key_files() -> None:
    assert key_file(0, 2048, KeyUse.EXCHANGE).hex().upper() == EXCHANGE_FILE
    # With the right key id, unlike OpenSC's 83.
    signature = "62268201188302B0838C058F10101000A516B609800116830183950140B609800156830183950140"
    assert key_file(2, 1024, KeyUse.SIGNATURE).hex().upper() == signature


def test_sizes() -> None:
    assert [algorithm_of(bits) for bits in (1024, 2048, 3072, 4096)] == [6, 7, 8, 9]
    with pytest.raises(UnsupportedCard, match="1024, 2048, 3072, 4096 bits, not of 1536"):
        algorithm_of(1536)


@pytest.mark.parametrize("algorithm", [SHA1(), SHA224(), SHA256(), SHA384(), SHA512()], ids=lambda one: str(one.name))
def test_signatures_with_every_hash(algorithm: HashAlgorithm) -> None:
    gids = host(new_card(state_with_key()))
    gids.verify_pin(PIN)
    gids.public_key(0).verify(gids.sign(0, b"text", algorithm), b"text", PKCS1v15(), algorithm)
    assert gids.sign(0, b"text", algorithm.name) == gids.sign(0, digest_info(b"text", algorithm), None)


def test_an_unknown_hash() -> None:
    with pytest.raises(UnsupportedAlgorithm, match="no hash for PKCS#1"):
        digest_info(b"", SHA3_256())


def test_anything_can_be_padded_as_far_as_it_fits() -> None:
    gids = host(new_card(state_with_key()))
    gids.verify_pin(PIN)
    block = bytes(117)
    signature = gids.sign(0, block, None)
    numbers = gids.public_key(0).public_numbers()
    assert pow(int.from_bytes(signature, "big"), numbers.e, numbers.n) == int.from_bytes(
        b"\x01" + b"\xff" * 8 + b"\x00" + block, "big"
    )
    with pytest.raises(ValueError, match="at most 117 bytes"):
        gids.sign(0, bytes(118), None)


def test_no_signature_without_the_pin() -> None:
    with pytest.raises(AuthenticationRequired, match="signing needs the PIN first"):
        host(new_card(state_with_key())).sign(0, b"text")


def test_no_signature_with_a_key_that_is_not_there() -> None:
    gids = host(new_card(state_with_key()))
    with pytest.raises(VscError, match="no key container 1"):
        gids.sign(1, b"text")
    with pytest.raises(VscError, match="no key in container 1"):
        gids.public_key(1)


def test_the_command_of_a_signature() -> None:
    card = Wrapped(new_card(state_with_key()))
    gids = host(card)
    gids.verify_pin(PIN)
    gids.sign(0, bytes(20), None)
    assert [one.hex().upper() for one in card.sent[-2:]] == ["002241B606800156840181", "002A9E9A14" + "00" * 21]


def test_the_commands_of_an_import() -> None:
    """PUT KEY in parts of 255 bytes, the DER with its leading zeros."""
    card = Wrapped(new_card())
    gids = host(card)
    gids.verify_pin(PIN)
    gids.import_key(rsa_key().library_key())
    create = next(one for one in card.sent if one[1] == 0xE0)
    assert create.hex().upper()[10:] == EXCHANGE_FILE.replace("07830181", "06830181").replace(
        "80018783", "80018683"
    ).replace("80014783", "80014683").replace("80011783", "80011683").replace("80015783", "80015683")
    parts = [one for one in card.sent if one[1:4] == bytes.fromhex("DB3FFF")]
    assert [one[0] for one in parts] == [0x10, 0x10, 0x00]
    whole = b"".join(one[5:] for one in parts)
    assert whole.startswith(bytes.fromhex("7082"))
    assert bytes(rsa_key()) in whole


def test_generation_asks_without_le() -> None:
    card = Wrapped(new_card())
    gids = host(card)
    gids.verify_pin(PIN)
    gids.generate_key(1024)
    assert "0047000008AC06800106830181" in [one.hex().upper() for one in card.sent]


@pytest.mark.parametrize("sw", ["6A80", "6A81", "6984"])
@pytest.mark.parametrize("ins", ["00E0", "0047", "00DB3FFF"])
def test_a_card_that_does_not_take_a_size(ins: str, sw: str) -> None:
    inner = new_card()
    before = state_of(inner)
    gids = host(Refusing(inner, (ins, sw)))
    gids.verify_pin(PIN)
    make = partial(gids.generate_key, 1024) if ins == "0047" else partial(gids.import_key, rsa_key().library_key())
    with pytest.raises(UnsupportedCard, match="RSA key of 1024 bits"):
        make()
    assert replace(state_of(inner), pin=before.pin) == before


def test_a_card_that_is_full() -> None:
    inner = new_card()
    before = state_of(inner)
    gids = host(Refusing(inner, ("00E0", "6A84")))
    gids.verify_pin(PIN)
    with pytest.raises(UnexpectedStatus, match="6A84, not enough memory"):
        gids.import_key(rsa_key().library_key())
    assert state_of(inner) == before


def ec_state() -> "object":
    key = EcPrivateKey(KeyKind.P256, generate_private_key(SECP256R1()).private_numbers().private_value)
    uses = (StoredUse(Crt.SIGNATURE, 0x1C, 0x40),)
    start = state_with_key()
    return start.with_file(
        KeyFile(0xB081, AccessRule.parse(bytes.fromhex("8F10101000")), uses, is_active=True, key=key)
    )


def test_a_key_that_is_not_rsa() -> None:
    gids = host(new_card(ec_state()))  # type: ignore[arg-type]
    with pytest.raises(UnsupportedCard, match="not an RSA key"):
        gids.public_key(0)
    (container,) = gids.containers()
    assert container.public_key() is None


@pytest.mark.parametrize("answer", ["7F4900", "7F4903810100", "7F4906810101820101", "FFFF"])
def test_a_public_key_that_is_none(answer: str) -> None:
    gids = host(Refusing(new_card(state()), ("00CB3FFF0A70", answer + "9000")))
    with pytest.raises(VscError, match=r"not an RSA key|that is none"):
        gids.public_key(0)
