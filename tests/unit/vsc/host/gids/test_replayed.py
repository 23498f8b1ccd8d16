"""The host's half against a card that is not ours, from recordings of it (winrt-smartcards.md, row 38)."""

import uuid

import pytest
from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.hashes import SHA256

from tests.unit.vsc.host.cards import Recorded, host, transcript
from vsc.errors import UnsupportedCard, VscError
from vsc.host import AdminForm, AdminKeyResponder, DirectConnection, KeyUse, Tries
from vsc.host.exchange import Exchange
from vsc.host.gids.filesystem import FileSystem
from vsc.host.gids.objects import Objects

ADMIN_KEY = bytes(range(0x18))


def test_a_replayed_blank_card_is_found_and_has_no_file_system() -> None:
    card = Recorded("probe")
    assert host(card).application.form is AdminForm.EXTERNAL
    exchange = Exchange(DirectConnection(card))
    with pytest.raises(UnsupportedCard, match="file system"):
        FileSystem(exchange, Objects(exchange)).directory()


def test_a_replayed_card_is_listed() -> None:
    gids = host(Recorded("list"))
    assert gids.card_id() == uuid.UUID(bytes_le=bytes.fromhex("00112233445566778899AABBCCDDEEFF"))
    assert gids.pin_tries() == Tries(3, 3)
    assert gids.puk_tries() is None
    (container,) = gids.containers()
    assert (container.number, container.name, container.is_default) == (0, "key1", True)
    assert (container.use, container.key_bits) == (KeyUse.EXCHANGE, 2048)
    key = container.public_key()
    assert key is not None
    assert key.key_size == 2048
    assert container.certificate is not None
    certificate = x509.load_der_x509_certificate(container.certificate)
    assert certificate.public_key() == key
    assert gids.public_key(0) == key
    assert gids.read_certificate(0) == container.certificate


def test_a_replayed_card_signs() -> None:
    card = Recorded("sign")
    gids = host(card)
    gids.verify_pin(b"123456")
    digest = bytes.fromhex("9C827D3AD1824EE13B63B185DD827B4ACF7391C0DA3D8678936D515203122CC5")
    digest_info = bytes.fromhex("3031300D060960864801650304020105000420") + digest
    signature = gids.sign(0, digest_info, None)
    gids.public_key(0).verify(signature, digest, PKCS1v15(), Prehashed(SHA256()))
    gids.log_out()
    # What the recording's host sent is what ours sends.
    assert transcript(card.sent[2:4] + card.sent[-1:]) == [
        "00CBA010045C02DF2300",
        "002241B606800157840181",
        "00200082",
    ]


def test_a_replayed_card_changes_its_pin() -> None:
    card = Recorded("change-pin")
    host(card).change_pin(old=b"654321", new=b"135790")
    assert card.sent == [command for command, _ in card.pairs]


def test_a_replayed_card_is_unblocked_by_the_mutual_form() -> None:
    """With the random numbers of the recording's host everything we send is byte for byte what it sent."""
    card = Recorded("unblock")
    asked, answered = card.pairs[3]
    plain = _decrypted(asked[9:49])
    r2, r1, z1 = plain[:16], plain[16:32], plain[32:39]
    numbers = {16: r1, 7: z1}
    host(card, random=numbers.pop).reset_pin(new=b"222222", respond=AdminKeyResponder(ADMIN_KEY), form=AdminForm.MUTUAL)
    assert card.sent == [command for command, _ in card.pairs]
    # The card proved the key: R1, R2, its own secret, 80.
    proof = _decrypted(answered[4:44])
    assert proof[:32] == r1 + r2
    assert proof[39:] == b"\x80"


def test_a_replayed_card_that_does_not_prove_the_key_is_not_trusted() -> None:
    card = Recorded("unblock")
    plain = _decrypted(card.pairs[3][0][9:49])
    command, answer = card.pairs[3]
    card.pairs[3] = command, answer[:10] + bytes([answer[10] ^ 1]) + answer[11:]
    gids = host(card, random={16: plain[16:32], 7: plain[32:39]}.pop)
    with pytest.raises(VscError, match="not to be trusted"):
        gids.reset_pin(new=b"222222", respond=AdminKeyResponder(ADMIN_KEY), form=AdminForm.MUTUAL)
    # The new PIN was not sent to it, and it was told to forget the administrator.
    assert transcript(card.sent)[-1] == "00200082"
    assert not any(command.startswith(b"\x00\x2c") for command in card.sent)


def _decrypted(cryptogram: bytes) -> bytes:
    decryptor = Cipher(TripleDES(ADMIN_KEY), modes.CBC(bytes(8))).decryptor()
    return decryptor.update(cryptogram) + decryptor.finalize()
