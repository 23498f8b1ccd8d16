"""vsc.filling.keygen."""

import datetime

import pytest
from cryptography import x509

from tests.unit.vsc import samples
from tests.unit.vsc.filling.conftest import Bench
from vsc.errors import AuthenticationRequired, FillingError, UnsupportedKey, VscError, WrongPin
from vsc.filling.keygen import Request, SelfSigned, generate, key_bits
from vsc.filling.load import Filled
from vsc.filling.name import subject_name
from vsc.filling.request import MAX_DAYS, alternative_name
from vsc.host import Gids, KeyUse

PIN = samples.PIN
NOW = datetime.datetime(2026, 5, 17, 12, tzinfo=datetime.UTC)
SUBJECT = subject_name("CN=Ada Lovelace")
NAMES = (alternative_name("email:ada@example.org"),)


def test_kinds_of_keys() -> None:
    assert [key_bits(text) for text in ("rsa:1024", "RSA:2048", "rsa:3072", "rsa:4096")] == [1024, 2048, 3072, 4096]
    for text in ("", "rsa", "rsa:", "rsa:512", "rsa:2047", "rsa:²", "ec:p256", "2048"):
        with pytest.raises(UnsupportedKey, match="rsa:1024, rsa:2048, rsa:3072, rsa:4096"):
            key_bits(text)


def test_a_key(gids: Gids) -> None:
    assert generate(gids, 1024, pin=PIN) == Filled(0, "RSA 1024 key", 1024, "rsa:1024")
    assert generate(gids, 1024, label="Mine", container=1, use=KeyUse.SIGNATURE) == Filled(1, "Mine", 1024, "rsa:1024")
    assert [(one.name, one.use, one.certificate) for one in gids.containers()] == [
        ("RSA 1024 key", KeyUse.EXCHANGE, None),
        ("Mine", KeyUse.SIGNATURE, None),
    ]
    assert gids.public_key(0) != gids.public_key(1)


def test_with_certificate_and_request(gids: Gids) -> None:
    delivered: list[bytes] = []
    done = generate(
        gids,
        1024,
        pin=PIN,
        certificate=SelfSigned(SUBJECT, NOW, days=30, names=NAMES),
        csr=Request(SUBJECT, delivered.append, names=NAMES),
    )
    assert done == Filled(0, "Ada Lovelace", 1024, "rsa:1024", "CN=Ada Lovelace")
    certificate = x509.load_der_x509_certificate(gids.read_certificate(0) or b"")
    certificate.verify_directly_issued_by(certificate)
    (request,) = map(x509.load_der_x509_csr, delivered)
    assert request.is_signature_valid
    assert certificate.public_key() == request.public_key() == gids.public_key(0)
    assert certificate.not_valid_after_utc == NOW + datetime.timedelta(days=30)


def test_the_label_is_that_of_the_request_where_there_is_no_certificate(gids: Gids) -> None:
    assert generate(gids, 1024, pin=PIN, csr=Request(SUBJECT, lambda _: None)).label == "Ada Lovelace"


def test_a_request_that_cannot_be_delivered_takes_the_key_with_it(bench: Bench) -> None:
    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(FillingError, match=r"^No space left on device; the new key is deleted again") as caught:
        generate(bench.gids, 1024, pin=PIN, certificate=SelfSigned(SUBJECT, NOW), csr=Request(SUBJECT, full))
    assert caught.value.undone
    assert bench.gids.containers() == ()


def test_somebody_interrupts(bench: Bench) -> None:
    def interrupted(_: bytes) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(bench.gids, 1024, pin=PIN, csr=Request(SUBJECT, interrupted))
    assert bench.gids.containers() == ()


def test_what_is_refused_before_anything_is_written(bench: Bench) -> None:
    before = bench.state
    with pytest.raises(UnsupportedKey, match="512 bits"):
        generate(bench.gids, 512, pin=PIN)
    with pytest.raises(VscError, match="container 3"):
        generate(bench.gids, 1024, container=3)
    with pytest.raises(AuthenticationRequired):
        generate(bench.gids, 1024)
    assert bench.state == before
    with pytest.raises(WrongPin):
        generate(bench.gids, 1024, pin=b"00000000")
    assert bench.state.files == before.files


@pytest.mark.parametrize("days", [0, -1, MAX_DAYS + 1])
def test_days_out_of_range(days: int) -> None:
    with pytest.raises(VscError, match="1 to 36500 days"):
        SelfSigned(SUBJECT, NOW, days=days)
