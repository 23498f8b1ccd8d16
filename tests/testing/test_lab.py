"""Labs, benches, readers and card factories without pytest's fixtures."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

import vsc.testing
from vsc.errors import KeyMismatch, PinPolicyViolation, UnsupportedKey, VscError, WrongPassword
from vsc.pcsc import PcscError, Service
from vsc.testing import Authority, Bench, CardFactory, CardUser, Lab, SoftCard, VirtualReader
from vsc.testing.card_factory import user_options
from vsc.testing.identity import Stock

SELECT = bytes.fromhex("00A4040009A00000039742544659")
STOCK = Stock()


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(in_this_process=False) as lab:
        yield lab


@pytest.fixture
def make_card() -> CardFactory:
    return CardFactory(STOCK)


def test_public_names() -> None:
    for name in vsc.testing.__all__:
        assert getattr(vsc.testing, name).__name__ == name
    with pytest.raises(AttributeError):
        vsc.testing.nothing  # noqa: B018


def test_benches_come_one_after_the_other(lab: Lab) -> None:
    with lab.bench() as bench:
        names = [bench.reader().name, bench.reader().name, bench.reader("Mine").name]
        assert names == ["Virtual Smart Card 00 00", "Virtual Smart Card 01 00", "Mine"]
        with pytest.raises(PcscError, match="there is a reader 'Mine' already"):
            bench.reader("Mine")
        bench.readers[0].insert(SoftCard.make())
        bench.unplug(bench.readers[0])
        assert bench.readers[0].card is None
    assert lab.service.readers == ()
    with lab.bench() as bench:
        assert bench.reader().name == names[0]


def test_the_environment(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSC_SOCKET", "/elsewhere")
    with lab.bench() as bench:
        assert "VSC_SOCKET" not in bench.environment
        assert bench.environment["PCSCLITE_CSOCK_NAME"] == str(lab.service.socket_path)
    assert os.environ.get("PCSCLITE_CSOCK_NAME") != str(lab.service.socket_path)


def test_a_bench_tells_of_unfired_faults_unless_something_else_was_wrong(lab: Lab) -> None:
    with pytest.raises(VscError, match="never struck"), lab.bench() as bench:
        bench.reader().inject("sw 6F00 on VERIFY")
    with pytest.raises(ZeroDivisionError), lab.bench() as bench:
        assert len(bench.reader().inject("sw 6F00 on VERIFY").unfired) == 1 // 0
    with lab.bench() as bench:
        reader = bench.reader()
        reader.insert(SoftCard.make())
        plan = reader.inject("sw 6F00 on SELECT")
        assert reader.transmit(SELECT) == b"\x6f\x00"
        assert len(plan.fired) == 1


def test_what_is_done_to_a_reader_can_be_seen_at_once(lab: Lab) -> None:
    with lab.bench() as bench:
        reader, card, other = bench.reader(), SoftCard.make(), SoftCard.make()
        assert isinstance(lab.service, Service)
        (slot,) = filter(None, lab.service._engine.places)
        reader.insert(card)
        assert (slot.is_present, slot.event_counter) == (True, 1)
        assert reader.swap(other) is card
        assert (slot.is_present, slot.event_counter) == (True, 3)
        reader.transmit(SELECT)
        reader.reset()
        assert reader.eject() is other
        assert (slot.is_present, slot.event_counter) == (False, 4)


class StuckCard(SoftCard):
    """Raises when its power goes, once it is in a reader."""

    is_in = False

    def power_off(self) -> None:
        if self.is_in:
            raise ZeroDivisionError("a bug of the card")


def test_a_card_that_raises_leaves_no_reader_behind(lab: Lab) -> None:
    bench = Bench(lab)
    for card in (SoftCard.make(), stuck := StuckCard.make(), SoftCard.make()):
        bench.reader().insert(card)
    stuck.is_in = True
    with pytest.raises(ZeroDivisionError):
        bench.close()
    assert lab.service.readers == ()
    assert [reader.card for reader in bench.readers] == [None, None, None]


def test_a_lab_within_a_lab() -> None:
    """As where pytest is run within pytest."""
    code = (
        "import os\nfrom vsc.testing import Lab\n"
        "with Lab() as lab, lab.bench() as bench:\n"
        "    bench.reader('mine')\n"
        "    with Lab() as other:\n"
        "        other.bench().__enter__().reader('left behind')\n"
        "    print([reader.name for reader in lab.service.readers], other.service is lab.service)\n"
        "    print('PCSCLITE_CSOCK_NAME' in os.environ)\n"
        "print(lab.service.readers, 'PCSCLITE_CSOCK_NAME' in os.environ)\n"
    )
    env = {name: value for name, value in os.environ.items() if name != "PCSCLITE_CSOCK_NAME"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['mine'] True", "True", "() False"]


def test_nothing_is_said_at_the_end() -> None:
    """With all warnings on, a card in a reader, and somebody who listens."""
    code = (
        "from vsc.testing import Lab, SoftCard\n"
        "lab = Lab()\n"
        "lab.__enter__()\n"
        "reader = lab.new_reader()\n"
        "end = reader.subscribe(print)\n"
        "card = SoftCard.make()\n"
        "reader.insert(card)\n"
        "end()\n"
    )
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout.count("INSERTED"), done.stderr) == (1, "")


def test_a_reader_of_its_own() -> None:
    reader = VirtualReader()
    reader.check()
    reader.insert(SoftCard.make())
    reader.transmit(SELECT)
    reader.close()
    assert reader.card is None
    assert "SELECT GIDS" in reader.trace.text()


def test_only_the_end_of_a_long_trace_is_told(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsc.testing.lab.MAX_TRACE_LINES", 3)
    with lab.bench() as bench:
        reader = bench.reader()
        reader.insert(SoftCard.make())
        for _ in range(5):
            reader.transmit(SELECT)
        ((title, text),) = bench.sections()
    assert title == "APDU trace of Virtual Smart Card 00 00"
    counts, empty, before, *lines = text.splitlines()
    assert (counts, empty) == ("5 commands to GIDS: 5 done, none refused", "")
    assert before == "(3 lines before these)"
    assert len(lines) == 3


# --- cards


def pem(key: RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def certificate_on(card: SoftCard) -> x509.Certificate:
    der = card.gids().read_certificate(0)
    assert der is not None
    return x509.load_der_x509_certificate(der)


def test_options_of_the_card(make_card: CardFactory) -> None:
    card_id = uuid.uuid4()
    card = make_card(pin="24681357", tries=3, card_id=card_id)
    assert (card.pin, card.gids().card_id()) == ("24681357", card_id)
    assert make_card(seed=1).persistent == make_card(seed=1).persistent
    assert make_card.on_card(card) is None
    with pytest.raises(PinPolicyViolation):
        make_card(pin="1234", policy=vsc.PinPolicy(min_length=6))
    with pytest.raises(VscError, match="a card has no option 'colour'; there is: profile, pin"):
        make_card(colour="red")  # type: ignore[call-arg]


def test_keys_are_shared_between_factories_not_within_one() -> None:
    factories = CardFactory(STOCK), CardFactory(STOCK)
    one, two = ([make(key="rsa:1024").gids().public_key(0).public_numbers() for _ in "ab"] for make in factories)
    assert one == two
    assert one[0] != one[1]
    fresh = CardFactory(STOCK)(key="rsa:1024", fresh_key=True)
    assert fresh.gids().public_key(0).public_numbers() not in one


def test_a_seed_makes_the_key_too(make_card: CardFactory) -> None:
    one, two = (make_card(key="rsa:1024", seed="x") for _ in "ab")
    assert one.persistent == two.persistent


@pytest.mark.parametrize("by", ["ca", "self-signed"])
def test_certificates_made_on_the_spot(make_card: CardFactory, by: str) -> None:
    card = make_card(key="rsa:1024", certificate=by, name="Grace Hopper")
    filled = make_card.on_card(card)
    assert filled is not None
    assert filled.name == "Grace Hopper"
    assert certificate_on(card) == filled.certificate
    signer = make_card.authority.certificate if by == "ca" else certificate_on(card)
    certificate_on(card).verify_directly_issued_by(signer)
    assert make_card(certificate=by).gids().containers()[0].name == "Ada Lovelace"


def test_material_from_files(make_card: CardFactory, tmp_path: Path) -> None:
    key = STOCK.key(1024, 0)
    certificate = Authority("Somebody else").issue("Joan Clarke", key.public_key())
    cert_pem = certificate.public_bytes(Encoding.PEM)
    pfx = pkcs12.serialize_key_and_certificates(b"Joan", key, certificate, None, BestAvailableEncryption(b"secret"))
    (tmp_path / "key.pem").write_bytes(pem(key))
    (tmp_path / "joan.pfx").write_bytes(pfx)
    for card in (
        make_card(key=pem(key), certificate=cert_pem),
        make_card(key=pem(key).decode(), certificate=cert_pem.decode()),
        make_card(key=tmp_path / "key.pem", certificate=certificate),
        make_card(key=key, certificate=certificate),
        make_card(key=pem(key) + cert_pem),
        make_card(key=pem(key, b"secret"), password="secret", certificate=cert_pem),
        make_card(key=str(tmp_path / "joan.pfx"), password="secret"),
    ):
        assert certificate_on(card) == certificate
        user = CardUser.of(card, VirtualReader(), made_by=make_card, folder=tmp_path)
        assert user.ca_bundle.read_bytes() == cert_pem, "nobody else is known who vouches for it"
    assert make_card(key=pem(key)).gids().containers()[0].name == "RSA 1024 key"


def test_material_that_cannot_be(make_card: CardFactory) -> None:
    key, other = STOCK.key(1024, 0), generate_private_key(65537, 1024)
    certificate = Authority("Somebody else").issue("Joan Clarke", key.public_key())
    pfx = pkcs12.serialize_key_and_certificates(b"Joan", key, certificate, None, NoEncryption())
    with pytest.raises(KeyMismatch):
        make_card(key=other, certificate=certificate)
    with pytest.raises(WrongPassword):
        make_card(key=pem(key, b"secret"), password="wrong")
    with pytest.raises(UnsupportedKey):
        make_card(key=pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(VscError, match="needs its key"):
        make_card(certificate=certificate)
    with pytest.raises(VscError, match="has no certificate yet"):
        make_card(key="rsa:1024", certificate=certificate)
    with pytest.raises(VscError, match="a PFX brings its certificate"):
        make_card(key=pfx, certificate=certificate)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pin": 12345678}, "pin= is text, as in pin='24681357', not of type int"),
        ({"pin": b"12345678"}, "pin= is text, as in pin='24681357', not of type bytes"),
        ({"admin_key": "00" * 24}, "admin_key= is 24 bytes, not of type str"),
        ({"policy": "minlen=6"}, "policy= is a vsc.PinPolicy, not of type str"),
        ({"tries": "3"}, "tries= is a number, not of type str"),
        ({"admin_tries": "3"}, "admin_tries= is a number, or None, not of type str"),
        ({"puk": 5}, "puk= is text, or None, not of type int"),
        ({"card_id": "x"}, "card_id= is a uuid.UUID, not of type str"),
        ({"key": 5}, "key= is .* or its path, not of type int"),
        ({"certificate": 5}, "certificate= is .* or its path, not of type int"),
        ({"certificate": "ca", "name": 5}, "name= is text, not of type int"),
        ({"key": "rsa:1024", "password": b"secret"}, "password= is text, or None, not of type bytes"),
    ],
)
def test_options_of_another_kind(make_card: CardFactory, options: Any, words: str) -> None:
    with pytest.raises(VscError, match=words):
        make_card(**options)


def test_what_the_card_of_a_user_has_beside_what_is_asked_for() -> None:
    key = STOCK.key(1024, 0)
    certificate = Authority("Somebody else").issue("Joan Clarke", key.public_key())
    pfx = pkcs12.serialize_key_and_certificates(b"Joan", key, certificate, None, NoEncryption())
    both = pem(key) + certificate.public_bytes(Encoding.PEM)
    assert user_options({"pin": "1234"}) == {"pin": "1234", "key": "rsa:2048", "certificate": "ca"}
    for bare in ("rsa:1024", key, pem(key), pem(key).decode(), None):
        assert user_options({"key": bare}) == {"key": bare, "certificate": "ca"}
    for brings_it in (pfx, both, both.decode()):
        assert user_options({"key": brings_it}) == {"key": brings_it}
    assert user_options({"key": both, "certificate": None}) == {"key": both, "certificate": None}


def test_a_user_needs_a_certificate(make_card: CardFactory, tmp_path: Path) -> None:
    for card in (make_card(), make_card(key="rsa:1024"), SoftCard.make()):
        with pytest.raises(VscError, match="has a key and a certificate"):
            CardUser.of(card, VirtualReader(), made_by=make_card, folder=tmp_path)
