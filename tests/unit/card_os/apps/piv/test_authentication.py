"""card_os.apps.piv.authentication: GENERAL AUTHENTICATE in all its forms (SP 800-73-5 part 2, 3.2.4 and appendix A)."""

from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from card_os.apps.piv.state import AdminKey, PivState
from card_os.apps.piv.wire import PinPolicy
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.symmetric import KEY_BYTES, SymmetricKey
from card_os.tlv import Tlv
from tests.unit.card_os.apps.piv.piv_card import (
    ADMIN,
    STRICT,
    YUBIKEY,
    PivCard,
    admin_card,
    contactless,
    key_of,
    new_state,
    slot_of,
    template,
)

HASH = bytes(range(32))
SIGN = "82008120" + HASH.hex()
SIGN_9C = "0087119C267C24" + SIGN + "00"


def key_card(reference: int, kind: KeyKind = KeyKind.P256, policy: PinPolicy = PinPolicy.ONCE) -> PivCard:
    return PivCard(new_state(slot_of(reference, kind, policy)), YUBIKEY)


def response(answer: str) -> bytes:
    """What 7C { 82 } holds in an answer that must be 9000."""
    assert answer[-4:] == "9000", answer
    outer, rest = Tlv.parse_head(bytes.fromhex(answer[:-4]))
    inner, more = Tlv.parse_head(outer.value)
    assert (outer.tag, inner.tag, rest, more) == (0x7C, 0x82, b"", b"")
    return inner.value


def signing(value: bytes) -> bytes:
    return bytes(Tlv(0x82)) + bytes(Tlv(0x81, value))


# --- private keys


@pytest.mark.parametrize(
    ("algorithm", "kind", "digest"),
    [(0x11, KeyKind.P256, SHA256()), (0x14, KeyKind.P384, SHA384())],
    ids=["P-256", "P-384"],
)
def test_ecdsa_signatures_verify(algorithm: int, kind: KeyKind, digest: SHA256 | SHA384) -> None:
    card = key_card(0x9A, kind)
    card.verify()
    hasher = Hash(digest)
    hasher.update(b"text")
    signature = response(card.authenticate(algorithm, 0x9A, signing(hasher.finalize())))
    public = key_of(kind).library_key().public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signature, b"text", ec.ECDSA(digest))
    # NIST puts 82 first, others last.
    other = bytes(Tlv(0x81, HASH)) + bytes(Tlv(0x82))
    assert response(card.authenticate(algorithm, 0x9A, other)) == response(
        card.authenticate(algorithm, 0x9A, signing(HASH))
    )


def test_a_short_digest_is_a_number_and_a_long_one_wrong() -> None:
    card = key_card(0x9E, policy=PinPolicy.NEVER)
    public = key_of(KeyKind.P256).library_key().public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    signature = response(card.authenticate(0x11, 0x9E, signing(b"\x01" * 20)))
    public.verify(signature, bytes(12) + b"\x01" * 20, ec.ECDSA(Prehashed(SHA256())))
    for size in (0, 33, 64):
        assert card.authenticate(0x11, 0x9E, signing(bytes(size))) == "6A80"


@pytest.mark.parametrize(("algorithm", "kind"), [(0x06, KeyKind.RSA_1024), (0x07, KeyKind.RSA_2048)])
def test_rsa_signs_and_deciphers_whole_blocks(algorithm: int, kind: KeyKind) -> None:
    card = key_card(0x9D, kind)
    card.verify()
    key = key_of(kind).library_key()
    assert isinstance(key, rsa.RSAPrivateKey)
    size = key.key_size // 8
    public = key.public_key().public_numbers()
    block = b"\x00\x01" + b"\xff" * (size - 40) + b"\x00" + bytes(range(37))
    signature = response(card.authenticate(algorithm, 0x9D, signing(block)))
    assert pow(int.from_bytes(signature, "big"), public.e, public.n).to_bytes(size, "big") == block
    cryptogram = key.public_key().encrypt(b"secret", padding.PKCS1v15())
    plain = response(card.authenticate(algorithm, 0x9D, signing(cryptogram)))
    assert plain[:2] == b"\x00\x02"
    assert plain.endswith(b"\x00secret")
    for wrong in (block[1:], block + b"\x00", b"", b"\xff" * size):
        assert card.authenticate(algorithm, 0x9D, signing(wrong)) == "6A80"


def test_a_block_comes_in_a_chain_and_goes_in_parts() -> None:
    card = key_card(0x9C, KeyKind.RSA_2048, PinPolicy.ALWAYS)
    block = b"\x00\x01" + b"\xff" * 217 + b"\x00" + bytes(36)
    data = template(signing(block))
    card.verify()
    assert card.run("1087079CFF" + data[:255].hex()) == "9000"
    first = card.run(f"0087079C{len(data) - 255:02X}" + data[255:].hex())
    assert first[-4:] == "6108"
    assert first[:16] == "7C82010482820100"
    assert card.run("00C0000008")[-4:] == "9000"


def test_an_interrupted_chain_has_no_effect() -> None:
    card = key_card(0x9C, policy=PinPolicy.ALWAYS)
    card.verify()
    assert card.run("1087119C02" + "7C24") == "9000"
    assert card.run("0020008000") == "9000"
    assert card.run("0087119C00") in ("6700", "6A80")


def test_ed25519_signs_messages_and_x25519_agrees() -> None:
    card = key_card(0x9A, KeyKind.ED25519)
    card.verify()
    signature = response(card.authenticate(0xE0, 0x9A, signing(b"a message of any length" * 30)))
    public = key_of(KeyKind.ED25519).library_key().public_key()
    assert isinstance(public, ed25519.Ed25519PublicKey)
    public.verify(signature, b"a message of any length" * 30)

    card = key_card(0x9A, KeyKind.X25519)
    card.verify()
    other = x25519.X25519PrivateKey.from_private_bytes(bytes(range(32)))
    own = key_of(KeyKind.X25519).library_key().public_key()
    assert isinstance(own, x25519.X25519PublicKey)
    inner = bytes(Tlv(0x82)) + bytes(Tlv(0x85, other.public_key().public_bytes_raw()))
    assert response(card.authenticate(0xE1, 0x9A, inner)) == other.exchange(own)
    assert card.authenticate(0xE1, 0x9A, signing(bytes(32))) == "6A80"


@pytest.mark.parametrize("kind", [KeyKind.P256, KeyKind.P384], ids=str)
def test_two_keys_agree(kind: KeyKind) -> None:
    algorithm = 0x11 if kind == KeyKind.P256 else 0x14
    card = key_card(0x9D, kind)
    other = key_of(kind, 1).library_key()
    own = key_of(kind).library_key().public_key()
    assert isinstance(other, ec.EllipticCurvePrivateKey)
    assert isinstance(own, ec.EllipticCurvePublicKey)
    point = other.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    inner = bytes(Tlv(0x82)) + bytes(Tlv(0x85, point))
    assert card.authenticate(algorithm, 0x9D, inner) == "6982"
    card.verify()
    assert response(card.authenticate(algorithm, 0x9D, inner)) == other.exchange(ec.ECDH(), own)
    compressed = other.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    for wrong in (point[:-1] + bytes([point[-1] ^ 1]), point[1:], compressed, bytes(len(point))):
        inner = bytes(Tlv(0x82)) + bytes(Tlv(0x85, wrong))
        assert card.authenticate(algorithm, 0x9D, inner) == "6A80"


def test_nist_agrees_with_key_management_keys_alone() -> None:
    key = key_of(KeyKind.P256, 1)
    assert isinstance(key, EcPrivateKey)
    inner = bytes(Tlv(0x82)) + bytes(Tlv(0x85, key.point))
    for reference, answer in ((0x9A, "6A80"), (0x9C, "6A80"), (0x9E, "6A80"), (0x9D, "9000"), (0x82, "9000")):
        card = PivCard(new_state(slot_of(reference)))
        card.verify()
        assert card.authenticate(0x11, reference, inner)[-4:] == answer


@pytest.mark.parametrize(
    "inner",
    [
        *("", "8200", "8120" + HASH.hex(), "820100" + "8120" + HASH.hex(), SIGN + "8000", SIGN + SIGN, "82008520AA"),
        *("82008020" + HASH.hex(), "82008620" + HASH.hex(), "8200810085" + "00", "82"),
    ],
)
def test_a_template_that_asks_for_nothing_is_wrong_data(inner: str) -> None:
    card = key_card(0x9A)
    card.verify()
    assert card.authenticate(0x11, 0x9A, inner) == "6A80"
    assert card.send("0087119A", inner or "00") == "6A80"


@pytest.mark.parametrize(
    ("header", "strict", "yubikey"),
    [
        ("0087119C", "6A86", "6A80"),
        ("00871182", "6A86", "6A80"),
        ("0087149A", "6A86", "6A86"),
        ("0087009A", "6A86", "6A86"),
        ("0087FF9A", "6A86", "6A86"),
        ("00871100", "6A86", "6A86"),
        ("00871180", "6A86", "6A86"),
        ("008711F9", "6A86", "6A86"),
        ("00872704", "6A86", "6A86"),
    ],
)
def test_a_key_that_is_not_there_is_no_key(header: str, strict: str, yubikey: str) -> None:
    for rules, answer in ((STRICT, strict), (YUBIKEY, yubikey)):
        card = PivCard(new_state(slot_of(0x9A), slot_of(0xF9)), rules)
        card.verify()
        assert card.send(header, template(SIGN)) == answer


# --- PIN policies


def test_one_pin_entry_opens_9a_for_long_and_9c_once() -> None:
    state = new_state(
        slot_of(0x9A), slot_of(0x9C, pin_policy=PinPolicy.ALWAYS), slot_of(0x9E, pin_policy=PinPolicy.NEVER)
    )
    card = PivCard(state)
    assert card.authenticate(0x11, 0x9A, SIGN) == "6982"
    assert card.run(SIGN_9C) == "6982"
    assert response(card.authenticate(0x11, 0x9E, SIGN))
    card.verify()
    assert [card.run(SIGN_9C)[-4:] for _ in range(2)] == ["9000", "6982"]
    assert [card.authenticate(0x11, 0x9A, SIGN)[-4:] for _ in range(2)] == ["9000", "9000"]


@pytest.mark.parametrize(
    "between",
    ["00CB3FFF035C017E00", "00200080", "00A4040005A000000308", "00A4040006A00000000101", "0087119E027C00", "0001"],
)
def test_any_command_in_between_ends_what_a_verify_began(between: str) -> None:
    card = key_card(0x9C, policy=PinPolicy.ALWAYS)
    card.verify()
    if len(between) > 4:
        card.run(between)
        assert card.run(SIGN_9C) == "6982"
    # What is no command at all, or fetches the rest of an answer, is nothing in between.
    else:
        assert card.run(between) == "6700"
        assert card.run(SIGN_9C)[-4:] == "9000"


def test_a_wrong_pin_after_a_right_one_closes_9c() -> None:
    card = key_card(0x9C, policy=PinPolicy.ALWAYS)
    card.verify()
    card.verify("393939393939FFFF")
    assert card.run(SIGN_9C) == "6982"


# --- the administrator


def admin_state(kind: KeyKind) -> tuple[PivState, SymmetricKey]:
    key = SymmetricKey.of(kind, bytes(range(KEY_BYTES[kind])))
    return replace(new_state(), admin=AdminKey(key)), key


CIPHERS = pytest.mark.parametrize(
    ("algorithm", "kind"),
    [(0x03, KeyKind.TDES), (0x08, KeyKind.AES_128), (0x0A, KeyKind.AES_192), (0x0C, KeyKind.AES_256)],
    ids=str,
)


@CIPHERS
def test_mutual_authentication(algorithm: int, kind: KeyKind) -> None:
    state, key = admin_state(kind)
    for asks in ("", "8200"):
        card = PivCard(state)
        assert card.put("5FC105", "00") == "6982"
        outer = card.read(f"0087{algorithm:02X}9B", template("8000"))
        assert outer[:4] == bytes([0x7C, key.block_bytes + 2, 0x80, key.block_bytes])
        host = bytes(key.block_bytes)
        proof = bytes(Tlv(0x80, key.decrypt_block(outer[4:]))) + bytes(Tlv(0x81, host)) + bytes.fromhex(asks)
        assert response(card.authenticate(algorithm, 0x9B, proof)) == key.encrypt_block(host)
        assert card.put("5FC105", "00") == "9000"


@CIPHERS
def test_external_authentication(algorithm: int, kind: KeyKind) -> None:
    state, key = admin_state(kind)
    card = PivCard(state)
    challenge = card.read(f"0087{algorithm:02X}9B", template("8100"))[4:]
    assert len(challenge) == key.block_bytes
    answer = bytes(Tlv(0x82, key.encrypt_block(challenge)))
    assert card.authenticate(algorithm, 0x9B, answer) == "9000"
    assert card.put("5FC105", "00") == "9000"


@CIPHERS
def test_internal_authentication_proves_the_card_and_nobody_else(algorithm: int, kind: KeyKind) -> None:
    state, key = admin_state(kind)
    card = PivCard(state)
    block = bytes(range(key.block_bytes))
    assert response(card.authenticate(algorithm, 0x9B, signing(block))) == key.encrypt_block(block)
    assert card.authenticate(algorithm, 0x9B, signing(block + b"\x00")) == "6A80"
    assert card.put("5FC105", "00") == "6982"


def test_the_card_does_not_answer_its_own_challenge() -> None:
    card = PivCard()
    challenge = card.read("0087039B", template("8100"))[4:]
    proof = response(card.authenticate(0x03, 0x9B, signing(challenge)))
    assert card.authenticate(0x03, 0x9B, bytes(Tlv(0x82, proof))) == "6985"
    assert card.put("5FC105", "00") == "6982"


def test_a_witness_is_no_challenge_and_a_challenge_no_witness() -> None:
    card = PivCard()
    witness = card.read("0087039B", template("8000"))[4:]
    assert card.authenticate(0x03, 0x9B, bytes(Tlv(0x82, witness))) == "6985"
    challenge = card.read("0087039B", template("8100"))[4:]
    proof = bytes(Tlv(0x80, challenge)) + bytes(Tlv(0x81, bytes(8)))
    assert card.authenticate(0x03, 0x9B, proof) == "6985"
    assert card.put("5FC105", "00") == "6982"


@pytest.mark.parametrize(
    ("inner", "sw"),
    [
        ("8208" + "00" * 8, "6982"),
        ("8207" + "00" * 7, "6982"),
        ("8208" + "00" * 8 + "8100", "6A80"),
        ("80088108", "6A80"),
        ("8300", "6A80"),
        ("80008100", "6A80"),
        ("00", "6A80"),
    ],
)
def test_a_wrong_answer_ends_an_earlier_proof_and_the_challenge(inner: str, sw: str) -> None:
    card = admin_card()
    assert card.put("5FC105", "00") == "9000"
    # A new challenge ends the proof already.
    challenge = card.read("0087039B", template("8100"))[4:]
    assert card.put("5FC105", "00") == "6982"
    challenge = card.read("0087039B", template("8100"))[4:]
    assert card.authenticate(0x03, 0x9B, inner) == sw
    right = bytes(Tlv(0x82, ADMIN.encrypt_block(challenge)))
    assert card.authenticate(0x03, 0x9B, right) == "6985"
    assert card.put("5FC105", "00") == "6982"


@pytest.mark.parametrize(
    ("algorithm", "inner", "sw"),
    [
        (0x03, "8208" + "00" * 8, "6985"),
        (0x03, "00", "6A80"),
        (0x08, "8100", "6A86"),
        (0x03, "82008109" + "00" * 9, "6A80"),
    ],
)
def test_any_failure_with_the_management_key_ends_an_earlier_proof(algorithm: int, inner: str, sw: str) -> None:
    card = admin_card()
    assert card.authenticate(algorithm, 0x9B, inner) == sw
    assert card.put("5FC105", "00") == "6982"


def test_a_challenge_is_good_for_one_answer_and_for_the_next_command() -> None:
    card = PivCard()
    for between in ("00CB3FFF035C017E00", "00200080", "0087119A02" + "7C00"):
        challenge = card.read("0087039B", template("8100"))[4:]
        card.run(between)
        assert card.authenticate(0x03, 0x9B, bytes(Tlv(0x82, ADMIN.encrypt_block(challenge)))) == "6985"
    challenge = card.read("0087039B", template("8100"))[4:]
    right = bytes(Tlv(0x82, ADMIN.encrypt_block(challenge)))
    assert card.authenticate(0x03, 0x9B, right) == "9000"
    assert card.authenticate(0x03, 0x9B, right) == "6985"


def test_a_wrong_witness_is_refused() -> None:
    card = PivCard()
    card.read("0087039B", template("8000"))
    assert card.authenticate(0x03, 0x9B, "8008" + "00" * 8 + "8108" + "00" * 8) == "6982"
    card.read("0087039B", template("8000"))
    assert card.authenticate(0x03, 0x9B, "8008" + "00" * 8 + "8109" + "00" * 9) == "6A80"


def test_another_cipher_is_not_that_of_the_key_but_00_is_any() -> None:
    card = PivCard()
    for algorithm in (0x08, 0x0A, 0x0C, 0x11, 0xFF):
        assert card.authenticate(algorithm, 0x9B, "8100") == "6A86"
    # OpenSC takes its random numbers so.
    assert card.run("0087009B047C02810000")[:8] == "7C0A8108"


def test_the_proof_ends_with_a_reset_and_lasts_over_a_select() -> None:
    card = admin_card()
    assert card.run("00A4040005A000000308")[-4:] == "9000"
    assert card.run("00A4040006A00000000101") == "6A82"
    assert card.put("5FC105", "00") == "9000"
    card.card.reset()
    assert card.put("5FC105", "00") == "6982"


def test_a_proof_of_another_channel_does_not_count() -> None:
    card = admin_card()
    assert card.run("0070000001") == "019000"
    assert card.run("01DB3FFF0A5C035FC105" + "5303AABBCC") == "6982"


# --- without contact


def test_without_contact_9e_alone_signs() -> None:
    slots = [slot_of(reference, pin_policy=PinPolicy.NEVER) for reference in (0x9A, 0x9C, 0x9D, 0x9E, 0x82)]
    card = PivCard(new_state(*slots), contactless())
    for slot in slots:
        answer = card.authenticate(0x11, slot.reference, SIGN)[-4:]
        assert answer == ("9000" if slot.reference == 0x9E else "6982")
    assert card.authenticate(0x03, 0x9B, "8100") == "6982"


def test_a_signature_of_another_key_does_not_verify() -> None:
    card = key_card(0x9E, policy=PinPolicy.NEVER)
    other = key_of(KeyKind.P256, 1).library_key().public_key()
    assert isinstance(other, ec.EllipticCurvePublicKey)
    with pytest.raises(InvalidSignature):
        other.verify(response(card.authenticate(0x11, 0x9E, SIGN)), HASH, ec.ECDSA(Prehashed(SHA256())))
