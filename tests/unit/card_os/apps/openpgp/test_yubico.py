"""card_os.apps.openpgp.yubico: version, tries, attestation."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from card_os.apps.openpgp.personalisation import factory_state, with_attestation
from card_os.apps.openpgp.wire import Key
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from tests.unit.card_os.apps.openpgp.openpgp_card import (
    CODE,
    VERIFY_ADMIN,
    VERIFY_SIGNING,
    YUBIKEY,
    OpenPgpCard,
    admin_card,
    with_key,
)
from vsc.profiles.piv import issue
from vsc.testing.quick import QuickEnv


def test_other_cards_know_none_of_it() -> None:
    card = OpenPgpCard()
    assert card.run("00F1000000") == card.run("00F2000003030303") == "6D00"
    assert card.run("80FB0100") == "6E00"


def test_the_version() -> None:
    assert OpenPgpCard(rules=YUBIKEY).run("00F1000000") == "0507019000"


def test_tries_are_set_by_the_administrator() -> None:
    card = OpenPgpCard(rules=YUBIKEY)
    assert card.run("00F2000003050607") == "6982"
    assert card.run(VERIFY_ADMIN, "00F2000003050607") == "9000"
    assert card.tries == (5, 0, 7)
    assert card.put("D3", CODE) == "9000"
    assert card.tries == (5, 6, 7)
    assert card.run("00F2000003050007") == "6A80"


def attesting() -> tuple[OpenPgpCard, x509.Certificate]:
    ca = EcPrivateKey.generate(KeyKind.P256, QuickEnv(5).random_bytes)
    certificate = issue("Yubico OPGP Attestation", ca)
    state = with_attestation(factory_state(YUBIKEY, 0x42), YUBIKEY, ca, certificate.public_bytes(Encoding.DER))
    return admin_card(with_key(state, Key.SIGNATURE, KeyKind.ED25519), YUBIKEY), certificate


def test_a_key_that_was_made_on_the_card_is_attested() -> None:
    card, ca = attesting()
    assert card.run("80FB0100") == "6982"
    assert card.run(VERIFY_SIGNING, "80FB0100") == "9000"
    assert card.send("00A50204", "60045C027F21") == "9000"
    attestation = x509.load_der_x509_certificate(card.read("00CA7F21"))
    attestation.verify_directly_issued_by(ca)
    key = card.state.slot(Key.SIGNATURE)
    assert key is not None
    assert key.stored is not None
    assert attestation.public_key() == key.stored.key.library_key().public_key()


def test_what_is_not_attested() -> None:
    card, _ = attesting()
    assert card.run(VERIFY_SIGNING, "80FB0200") == "6985"
    assert card.put("FC", "3000") == "9000"
    assert card.run(VERIFY_SIGNING, "80FB0100") == "6985"


def test_a_reset_leaves_the_attestation_key() -> None:
    card, ca = attesting()
    assert card.run("00E60000", "00440000") == "9000"
    assert card.get("FC") == ca.public_bytes(Encoding.DER).hex().upper() + "9000"
    assert card.get("DE") == "01000200030081029000"
