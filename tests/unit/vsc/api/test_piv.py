"""The facade on PIV cards: the same verbs; what PIV has not is a typed error that names what there is."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

import vsc
from tests.unit.vsc.host.piv.cards import certificate
from vsc.api.card import Card, VirtualCard
from vsc.api.filled import issued_keys
from vsc.errors import (
    AuthenticationRequired,
    KeyMismatch,
    PinPolicyViolation,
    RefusedError,
    UnsupportedCard,
    UnsupportedKey,
    VscError,
    WrongPin,
)
from vsc.filling.keygen import Request
from vsc.filling.material import Contents, Material, read_key_and_certificate
from vsc.filling.name import subject_name
from vsc.machine.own import OwnReader
from vsc.profiles import PROFILES
from vsc.profiles.options import IssuedKey
from vsc.profiles.piv import PIV
from vsc.reader import Reader
from vsc.store.memory import MemoryStore
from vsc.testing import SoftCard
from vsc.testing.player import is_signed, key_of

PIN, PUK = "123456", "12345678"
EC = key_of("ec:p256")


@pytest.fixture(params=["piv", "yubikey-5.4", "yubikey-5.7"])
def card(request: pytest.FixtureRequest) -> Iterator[VirtualCard]:
    with vsc.temporary_card(profile=request.param) as found:
        yield found


@pytest.fixture
def piv() -> Iterator[VirtualCard]:
    with vsc.temporary_card(profile="piv") as found:
        yield found


@pytest.fixture
def yubikey() -> Iterator[VirtualCard]:
    with vsc.temporary_card(profile="yubikey") as found:
        yield found


def test_the_pin(card: VirtualCard) -> None:
    card.verify_pin(PIN)
    card.change_pin(old=PIN, new="246813")
    with pytest.raises(WrongPin):
        card.verify_pin(PIN)
    with pytest.raises(PinPolicyViolation, match="6"):
        card.reset_pin(new="123", puk=PUK)
    card.reset_pin(new=PIN, puk=PUK)
    card.verify_pin(PIN)


def test_the_admin_key_resets_no_pin_and_the_error_names_the_puk(card: VirtualCard) -> None:
    with pytest.raises(UnsupportedCard, match="reset with its PUK, not with the admin key"):
        card.reset_pin(new="246813", admin_key=card.admin_key)
    assert card.verify_admin_key(card.admin_key)
    assert not card.verify_admin_key(bytes(24))


@pytest.mark.parametrize("kind", ["ec:p256", "ec:p384", 2048])
def test_a_key_is_made_with_its_certificate(card: VirtualCard, kind: int | str) -> None:
    made = card.generate_key(kind, self_signed="CN=Ada", pin=PIN)
    assert (made.container, made.place, made.subject) == (0x9A, "slot 9A", "CN=Ada")
    (slot,) = card.containers()
    key = x509.load_der_x509_certificate(slot.certificate or b"").public_key()
    assert is_signed(key, b"data", card.sign(0x9A, b"data", pin=PIN))  # type: ignore[arg-type]


def test_the_signature_key_is_used_with_the_pin_each_time(card: VirtualCard) -> None:
    card.generate_key("ec:p256", self_signed="CN=Ada", pin=PIN, container=0x9C)
    card.sign(0x9C, b"data", pin=PIN)
    card.sign(0x9C, b"data", pin=PIN)
    card.verify_pin(PIN)
    with pytest.raises(vsc.errors.VscError, match="nobody"):  # It would be asked for again.
        card.sign(0x9C, b"data")


def test_a_certificate_for_a_request(card: VirtualCard) -> None:
    asked: list[bytes] = []
    request = Request(subject_name("CN=Ada"), asked.append)
    card.generate_key("ec:p256", csr=request, pin=PIN, container=0x9D)
    public = x509.load_der_x509_csr(asked[0]).public_key()
    assert isinstance(public, EllipticCurvePublicKey)
    builder = x509.CertificateBuilder().subject_name(subject_name("CN=Ada")).issuer_name(subject_name("CN=CA"))
    builder = builder.public_key(public).serial_number(1)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    own = builder.not_valid_before(now).not_valid_after(now).sign(EC, SHA256())
    card.put_certificate(0x9D, own)
    with pytest.raises(KeyMismatch):
        card.put_certificate(0x9D, certificate(key_of("rsa:2048")))
    public.verify(card.sign(0x9D, b"data", pin=PIN), b"data", ECDSA(SHA256()))
    card.delete_certificate(0x9D)
    assert card.certificate(0x9D) is None


def test_a_certificate_for_a_key_that_the_card_does_not_show() -> None:
    card = vsc.create("ada", pin=PIN, profile="piv", store=MemoryStore())
    card.generate_key("ec:p256")
    told: list[str] = []
    with pytest.raises(KeyMismatch, match="not exactly one certificate for an EC P-256 key"):
        card.put_certificate(0x9A, certificate(key_of("rsa:2048")))
    card.put_certificate(0x9A, certificate(EC), tell=told.append)
    assert "taken on trust" in told[0]


def test_a_yubikey_takes_keys_and_gives_them_up(yubikey: VirtualCard) -> None:
    first = yubikey.load_key(key=EC, certificate=x509.load_der_x509_certificate(certificate(EC)))
    assert (first.place, first.kind) == ("slot 9A", "ec:p256")
    with pytest.raises(WrongPin):
        yubikey.load_key(key=key_of("rsa:2048"), pin="000000")
    yubikey.delete_key(0x9A)
    assert yubikey.containers() == ()
    new = bytes(range(32))
    yubikey.change_admin_key(new=new, admin_key=yubikey.admin_key)
    assert yubikey.admin_key == new
    assert yubikey.load_key(key=EC).place == "slot 9A"


def test_what_piv_has_not(piv: VirtualCard) -> None:
    for work, words in (
        (lambda: piv.load_key(key=EC), "takes no keys from outside"),
        (lambda: piv.change_admin_key(new=bytes(24), admin_key=piv.admin_key), "no command to change the management"),
        (lambda: piv.provision(format=True, admin_key=piv.admin_key), "no format that an administrator gives"),
    ):
        before = piv.containers()
        with pytest.raises(UnsupportedCard, match=words):
            work()
        assert piv.containers() == before
    piv.generate_key("ec:p256")
    with pytest.raises(UnsupportedCard, match="no command to delete a key"):
        piv.delete_key(0x9A)


def test_a_card_in_a_reader_wants_to_be_told_its_management_key() -> None:
    reader = Reader("PIV reader")
    soft = SoftCard.make("yubikey")
    reader.insert(soft)
    card = Card.in_reader(OwnReader(reader))
    with pytest.raises(AuthenticationRequired, match="management key"):
        card.load_key(key=EC)
    assert card.load_key(key=EC, admin_key=soft.admin_key).place == "slot 9A"
    assert card.key_number("9a") == 0x9A
    assert card.key_number("0") is None


# --- keys from the issuer


def test_keys_from_the_issuer() -> None:
    both = tuple(IssuedKey(key_of(kind), certificate(key_of(kind)), place) for kind, place in _ISSUED)
    with vsc.temporary_card(profile="piv", keys=both) as card:
        assert [(one.name, one.kind) for one in card.containers()] == [("9A", "rsa:2048"), ("9C", "ec:p384")]
        card.sign(0x9C, b"data", pin=PIN)


_ISSUED = (("rsa:2048", None), ("ec:p384", "9c"))


@pytest.mark.parametrize("profile", ["piv", "piv-contactless", "yubikey"])
def test_in_the_order_of_the_slots(profile: str) -> None:
    card = SoftCard.make(profile, keys=[IssuedKey(EC, None, place) for place in (None, None, "9e", None, None)])
    state = card.persistent.state(card.profile.applications[0].aid)
    assert [one.reference for one in state.slots][:5] == [0x82, 0x9A, 0x9C, 0x9D, 0x9E]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("keys", "error", "words"),
    [
        ([IssuedKey(EC, None, "9b")], RefusedError, "no slot '9b'"),
        ([IssuedKey(EC, None, "slot")], RefusedError, "no slot 'slot'"),
        ([IssuedKey(EC, None, "9a"), IssuedKey(EC, None, "9A")], RefusedError, "said twice"),
        ([IssuedKey(key_of("rsa:1024"))], UnsupportedKey, "RSA-1024 cannot be in slot 9A"),
        ([IssuedKey(key_of("ec:p521"))], UnsupportedKey, "P-521 cannot be in slot 9A"),
        ([IssuedKey("no key")], UnsupportedKey, "a key of that kind"),
        ([IssuedKey(EC, bytes(40_000))], VscError, "too large"),
        ([IssuedKey(EC)] * 24, RefusedError, "no free slot"),
    ],
)
def test_what_cannot_be_issued(keys: list[IssuedKey], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        SoftCard.make("piv", keys=keys)


def test_what_files_give() -> None:
    told: list[str] = []
    contents = read_key_and_certificate(EC, x509.load_der_x509_certificate(certificate(EC)))
    keys = issued_keys(PIV, contents, {"9C": contents}, tell=told.append)
    assert [one.place for one in keys] == ["9C", None]
    assert told == []
    two = Contents((Material(EC), Material(key_of("rsa:2048"))))
    with pytest.raises(VscError, match="2 keys for slot 9c"):
        issued_keys(PROFILES["yubikey-5.7"], None, {"9c": two})
