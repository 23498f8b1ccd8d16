"""card_os.apps.openpgp.security: signatures, deciphering, and which key does it."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, x25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from card_os.apps.openpgp.wire import Key
from card_os.ec import CURVES, EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.tlv import Tlv
from tests.unit.card_os.apps.openpgp.openpgp_card import (
    VERIFY_ADMIN,
    VERIFY_SIGNING,
    VERIFY_USER,
    OpenPgpCard,
    admin_card,
    card_with,
)
from vsc.finger import Finger
from vsc.testing.quick import QuickEnv

SHA256 = bytes.fromhex("3031300D060960864801650304020105000420")
DIGEST = bytes(range(32))


def public_key(card: OpenPgpCard, key: Key) -> object:
    slot = card.state.slot(key)
    assert slot is not None
    assert slot.stored is not None
    return slot.stored.key.library_key().public_key()


def agreed(point: bytes) -> bytes:
    return bytes(Tlv(0xA6, bytes(Tlv(0x7F49, bytes(Tlv(0x86, point))))))


def test_rsa_pads_a_digest_info() -> None:
    card = card_with(KeyKind.RSA_2048)
    assert card.send("002A9E9A", SHA256 + DIGEST) == "6982"
    card.run(VERIFY_SIGNING)
    signature = card.read("002A9E9A", SHA256 + DIGEST)
    key = public_key(card, Key.SIGNATURE)
    key.verify(signature, DIGEST, padding.PKCS1v15(), Prehashed(hashes.SHA256()))  # type: ignore[attr-defined]
    card.run(VERIFY_SIGNING)
    assert card.send("002A9E9A", bytes(103)) == "6700"


@pytest.mark.parametrize("kind", CURVES, ids=str)
def test_ecdsa_answers_r_and_s_each_as_long_as_the_field(kind: KeyKind) -> None:
    card = card_with(kind)
    card.run(VERIFY_SIGNING)
    raw = card.read("002A9E9A", DIGEST)
    half = len(raw) // 2
    assert half == (CURVES[kind].key_size + 7) // 8
    r, s = (int.from_bytes(one, "big") for one in (raw[:half], raw[half:]))
    algorithm = ec.ECDSA(Prehashed(hashes.SHA256()))
    public_key(card, Key.SIGNATURE).verify(encode_dss_signature(r, s), DIGEST, algorithm)  # type: ignore[attr-defined]


@pytest.mark.parametrize("length", [32, 64, 475])
def test_eddsa_signs_the_message(length: int) -> None:
    card, message = card_with(KeyKind.ED25519, KeyKind.X25519, KeyKind.ED25519), bytes(length)
    card.run(VERIFY_SIGNING, VERIFY_USER)
    for command, key in (("002A9E9A", Key.SIGNATURE), ("00880000", Key.AUTHENTICATION)):
        public = public_key(card, key)
        assert isinstance(public, ed25519.Ed25519PublicKey)
        public.verify(card.read(command, message), message)


def test_the_pin_is_good_for_one_signature_unless_c4_says_otherwise() -> None:
    card = card_with(KeyKind.ED25519)
    assert card.run(VERIFY_SIGNING, VERIFY_USER, "002A9E9A0141")[-4:] == "9000"
    assert card.run("002A9E9A0141") == "6982"
    assert card.run("00200082") == "9000"
    assert card.run(VERIFY_ADMIN, "00DA00C40101", VERIFY_SIGNING, "002A9E9A0141", "002A9E9A0141")[-4:] == "9000"
    assert card.get("7A") == "7A0593030000039000"


def test_without_a_key() -> None:
    card = OpenPgpCard()
    assert card.run(VERIFY_SIGNING, "002A9E9A0141") == "6A88"
    assert card.run("00200081") == "63C3"
    assert card.run(VERIFY_USER, "002A80860100") == "6A88"
    assert card.run("008800000141") == "6A88"


def test_rsa_deciphers() -> None:
    card = card_with(KeyKind.RSA_2048, KeyKind.RSA_2048)
    cryptogram = public_key(card, Key.DECRYPTION).encrypt(b"hello", padding.PKCS1v15())  # type: ignore[attr-defined]
    assert card.send("002A8086", b"\0" + cryptogram) == "6982"
    card.run(VERIFY_USER)
    assert card.read("002A8086", b"\0" + cryptogram) == b"hello"
    whole = b"\0" + cryptogram
    assert card.run("102A8086FE" + whole[:254].hex(), "002A808603" + whole[254:].hex() + "00") == "68656C6C6F9000"
    assert card.send("002A8086", b"\0" + cryptogram[:-1]) == "6700"
    assert card.send("002A8086", b"\0" + bytes(256)) == "6A80"
    assert card.send("002A8086", b"\x01" + cryptogram) == "6A80"


@pytest.mark.parametrize("kind", CURVES, ids=str)
def test_ecdh_gives_the_x_coordinate(kind: KeyKind) -> None:
    card = card_with(KeyKind.ED25519, kind)
    card.run(VERIFY_USER)
    other = EcPrivateKey.generate(kind, QuickEnv(9).random_bytes)
    secret = card.read("002A8086", agreed(other.point))
    public = public_key(card, Key.DECRYPTION)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert secret == other.library_key().exchange(ec.ECDH(), public)
    assert card.send("002A8086", agreed(other.point[:-1])) == "6A80"


def test_x25519_has_no_prefix() -> None:
    card = card_with(KeyKind.ED25519, KeyKind.X25519)
    card.run(VERIFY_USER)
    other = x25519.X25519PrivateKey.from_private_bytes(bytes(range(32)))
    point = other.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    public = public_key(card, Key.DECRYPTION)
    assert isinstance(public, x25519.X25519PublicKey)
    assert card.read("002A8086", agreed(point)) == other.exchange(public)
    assert card.send("002A8086", agreed(b"\x40" + point)) == "6A80"
    assert card.send("002A8086", agreed(bytes(32))) == "6A80"
    assert card.send("002A8086", "A600") == "6A80"


def test_aes_enciphers_and_deciphers() -> None:
    card = admin_card()
    assert card.run(VERIFY_USER, "002A868010" + "11" * 16) == "6A88"
    for key in ("22" * 16, "33" * 32):
        assert card.put("D5", key) == "9000"
        cryptogram = card.read("002A8680", "11" * 32)
        assert (cryptogram[0], len(cryptogram)) == (2, 33)
        assert card.read("002A8086", cryptogram) == b"\x11" * 32
    assert card.send("002A8680", "11" * 15) == card.send("002A8086", "02") == "6700"


def test_which_key_deciphers_and_authenticates_can_be_chosen_until_a_select() -> None:
    card = card_with(KeyKind.ED25519, KeyKind.P256, KeyKind.P384)
    card.run(VERIFY_USER)
    other = EcPrivateKey.generate(KeyKind.P384, QuickEnv(9).random_bytes)
    assert card.send("002A8086", agreed(other.point)) == "6A80"
    assert card.run("002241B803830103") == card.run("002241A403830102") == "9000"
    assert len(card.read("002A8086", agreed(other.point))) == 48
    assert len(card.read("00880000", DIGEST)) == 64
    assert card.run("00A4040006D27600012401") == "9000"
    assert len(card.read("00880000", DIGEST)) == 96
    assert card.run("002241B803830101") == "6A88"
    assert card.run("002241B603830102") == "6A86"


def test_a_key_that_cannot_do_it() -> None:
    card = card_with(KeyKind.ED25519, KeyKind.X25519, KeyKind.ED25519)
    card.run(VERIFY_USER, "002241B803830103", "002241A403830102")
    assert card.send("002A8086", agreed(bytes(32))) == card.send("00880000", DIGEST) == "6985"


def test_random_bytes() -> None:
    card = OpenPgpCard()
    assert len(card.run("0084000020")) == 2 * (32 + 2)
    assert card.run("0084000020") != card.run("0084000020")
    assert card.run("00840000") == card.run("00840000000401") == "6700"
    assert card.run("00840000000400")[-4:] == "9000"


def test_a_touch_that_does_not_come_is_6600() -> None:
    card = card_with(KeyKind.ED25519, KeyKind.X25519)
    env = QuickEnv(1)
    card.card.restore(card.card.persistent, env)
    assert card.run(VERIFY_ADMIN, "00DA00D6020120", VERIFY_SIGNING, "002A9E9A0141")[-4:] == "9000"
    env.finger = Finger(delay_s=None)
    before = card.state
    assert card.run(VERIFY_SIGNING, "002A9E9A0141") == "6600"
    assert card.state == before
    # The other key wants none.
    assert card.run(VERIFY_USER) == "9000"
    assert card.send("002A8086", agreed(b"\x09" + bytes(31)))[-4:] == "9000"
