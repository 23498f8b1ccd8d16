"""vsc.filling.load."""

import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from tests.unit.vsc import samples
from tests.unit.vsc.filling import stuff
from tests.unit.vsc.filling.conftest import Bench
from vsc.errors import (
    AuthenticationRequired,
    CardRemoved,
    FillingError,
    KeyMismatch,
    MaterialError,
    UnexpectedStatus,
    UnsupportedKey,
    VscError,
    WrongPassword,
    WrongPin,
)
from vsc.filling.certificate import Certificate
from vsc.filling.load import Filled, check_place, fitting, load, put_certificate
from vsc.filling.material import Contents, Material, read_material, read_pfx
from vsc.host import Gids, KeyUse
from vsc.world import SeededEnv

PIN = samples.PIN
ADA = read_material(key=stuff.key(), certificate=stuff.certificate())
CURVE = Material(ec.derive_private_key(7, ec.SECP256R1()), label="Curve")
DER = stuff.certificate().public_bytes(Encoding.DER)


def test_key_certificate_and_label(gids: Gids) -> None:
    (done,) = load(gids, read_pfx(stuff.pfx(), stuff.PASSWORD), pin=PIN)
    assert done == Filled(0, "Ada's key", 1024, "rsa:1024", "CN=Ada Lovelace")
    (container,) = gids.containers()
    assert (container.number, container.name, container.use, container.is_default) == (
        0,
        "Ada's key",
        KeyUse.EXCHANGE,
        True,
    )
    assert container.certificate == DER
    signature = gids.sign(0, b"hello", "sha256")
    stuff.key().public_key().verify(signature, b"hello", PKCS1v15(), SHA256())


def test_a_key_alone(gids: Gids) -> None:
    assert load(gids, Material(stuff.key()), pin=PIN) == (Filled(0, "RSA 1024 key", 1024, "rsa:1024"),)
    assert gids.read_certificate(0) is None


def test_every_new_one_has_a_place_and_a_name_of_its_own(gids: Gids) -> None:
    loaded = [*load(gids, ADA, pin=PIN), *load(gids, ADA), *load(gids, ADA, label="Third", use=KeyUse.SIGNATURE)]
    assert [(one.container, one.label) for one in loaded] == [
        (0, "Ada Lovelace"),
        (1, "Ada Lovelace 2"),
        (2, "Third"),
    ]
    assert [one.use for one in gids.containers()] == [KeyUse.EXCHANGE, KeyUse.EXCHANGE, KeyUse.SIGNATURE]
    gids.delete_container(1)
    assert load(gids, ADA, container=1)[0].container == 1


class TestSeveralKeys:
    def test_every_key_that_the_card_can_take(self, gids: Gids) -> None:
        several = Contents((CURVE, *ADA.keys, Material(stuff.key("other"), label="Other")), ADA.authorities)
        done = load(gids, several, pin=PIN)
        assert [(one.container, one.label, one.subject) for one in done] == [
            (0, "Ada Lovelace", "CN=Ada Lovelace"),
            (1, "Other", None),
        ]
        assert [one.name for one in gids.containers()] == ["Ada Lovelace", "Other"]

    def test_what_is_left_out_is_named_with_its_reason(self, gids: Gids) -> None:
        chosen = fitting(gids, Contents((CURVE, *ADA.keys), remarks=("first",)))
        words = "left out: an EC P-256 key (Curve): the card takes RSA of 1024, 2048, 3072, 4096 bits"
        assert (chosen.keys, chosen.remarks) == (ADA.keys, ("first", words))

    def test_a_card_of_another_kind(self) -> None:
        class Other:
            kinds = ("ec:p256",)

        assert fitting(Other(), Contents((CURVE, *ADA.keys))).keys == (CURVE,)
        with pytest.raises(UnsupportedKey, match="an RSA 1024 key: the card takes EC P-256"):
            fitting(Other(), ADA)

    def test_none_that_it_can_take(self, bench: Bench) -> None:
        before = bench.state
        with pytest.raises(UnsupportedKey, match=r"^an EC P-256 key: the card takes RSA of"):
            load(bench.gids, CURVE, pin=b"00000000")
        assert bench.state == before

    def test_place_and_label_are_for_one(self, gids: Gids) -> None:
        two = Contents((Material(stuff.key()), Material(stuff.key("other"))))
        for options in ({"container": 0}, {"label": "x"}):
            with pytest.raises(VscError, match="there are 2 keys for the card: a container and a label are for one"):
                load(gids, two, pin=PIN, **options)
        with pytest.raises(VscError, match="load_keys loads them all"):
            check_place(gids, fitting(gids, two), None, None, most=1)
        assert gids.containers() == ()

    def test_all_of_them_or_none(self) -> None:
        two = Contents((*ADA.keys, Material(stuff.key("other"))))
        bench = Bench(samples.state())
        load(bench.gids, two, pin=PIN)
        last = bench.commits
        bench = Bench(samples.state())
        bench.full = lambda commit: commit == last
        with pytest.raises(FillingError, match="the new key is deleted again"):
            load(bench.gids, two, pin=PIN)
        assert (bench.gids.containers(), has_keys(bench)) == ((), False)


class TestSize:
    def test_more_than_the_format_can_say(self, gids: Gids) -> None:
        large = read_material(key=stuff.key(), certificate=stuff.certificate(extra_bytes=bytes(65_536)))
        with pytest.raises(MaterialError, match=r"too large: 6.*bytes, and a card holds 65535"):
            fitting(gids, large)

    def test_more_than_an_object_holds_when_compressed(self, gids: Gids) -> None:
        noise = b"".join(SeededEnv(str(number)).random_bytes(1000) for number in range(17))
        large = read_material(key=stuff.key(), certificate=stuff.certificate(extra_bytes=noise))
        with pytest.raises(MaterialError, match=r"too large: 17.*bytes when compressed, and a card holds"):
            fitting(gids, large)

    def test_large_but_it_compresses(self, gids: Gids) -> None:
        large = read_material(key=stuff.key(), certificate=stuff.certificate(extra_bytes=bytes(60_000)))
        assert fitting(gids, large).keys == large.keys


def test_an_expired_certificate_is_told_of(gids: Gids) -> None:
    later = datetime.datetime(2050, 1, 1, tzinfo=datetime.UTC)
    assert fitting(gids, ADA, now=later).remarks == ("warning: the certificate expired on 2040-01-01",)


def test_what_is_refused_before_anything_is_written(bench: Bench) -> None:
    gids = bench.gids
    load(gids, ADA, pin=PIN)
    before = bench.state
    refused: list[tuple[dict[str, object], type[VscError], str]] = [
        ({"container": 0}, VscError, "key container 0 is not free"),
        ({"container": 5}, VscError, "key container 5 is not free"),
        ({"container": -1}, VscError, "key container -1 is not free"),
        ({"label": "Ada Lovelace"}, VscError, "already"),
        ({"label": "a" * 40}, VscError, "a label has"),
    ]
    for options, kind, words in refused:
        with pytest.raises(kind, match=words) as caught:
            load(gids, ADA, **options)  # type: ignore[arg-type]
        assert not isinstance(caught.value, FillingError)
    with pytest.raises(WrongPassword):
        load(gids, read_pfx(stuff.pfx(), b"wrong"), pin=PIN)
    assert bench.state == before


def test_a_wrong_pin_costs_a_try_and_nothing_else(bench: Bench) -> None:
    before = bench.state
    with pytest.raises(WrongPin) as caught:
        load(bench.gids, ADA, pin=b"00000000")
    assert caught.value.tries_left == 2
    assert (bench.state.files, bench.gids.containers()) == (before.files, ())


def test_no_pin(bench: Bench) -> None:
    before = bench.state
    with pytest.raises(AuthenticationRequired):
        load(bench.gids, ADA)
    assert bench.state == before


def commits_of_a_load() -> int:
    bench = Bench(samples.state())
    load(bench.gids, ADA, pin=PIN)
    return bench.commits


def has_keys(bench: Bench) -> bool:
    return any(file.efid >= 0xB081 for file in bench.state.files)


@pytest.mark.parametrize("number", range(1, commits_of_a_load() + 1))
def test_a_write_that_fails_once_leaves_no_key(number: int) -> None:
    bench = Bench(samples.state())
    bench.full = lambda commit: commit == number
    with pytest.raises(VscError, match="6581") as caught:
        load(bench.gids, ADA, pin=PIN)
    assert not isinstance(caught.value, FillingError) or caught.value.undone
    assert (bench.gids.containers(), has_keys(bench)) == ((), False)
    # Nothing is in the way of the next attempt.
    assert load(bench.gids, ADA, pin=PIN)[0].container == 0
    assert bench.gids.read_certificate(0) == DER


@pytest.mark.parametrize("number", range(1, commits_of_a_load() + 1))
def test_what_cannot_be_taken_back_is_told(number: int) -> None:
    bench = Bench(samples.state())
    bench.full = lambda commit: commit >= number
    with pytest.raises(VscError, match="6581") as caught:
        load(bench.gids, ADA, pin=PIN)
    undone = not isinstance(caught.value, FillingError) or caught.value.undone
    assert undone == (bench.gids.containers() == ())
    if not undone:
        assert "could not be taken back" in str(caught.value)


def test_it_is_said_that_the_key_is_gone_again() -> None:
    bench = Bench(samples.state())
    last = commits_of_a_load()
    bench.full = lambda commit: commit == last
    with pytest.raises(FillingError, match=r"6581.*; the new key is deleted again") as caught:
        load(bench.gids, ADA, pin=PIN)
    assert caught.value.undone
    assert isinstance(caught.value.__cause__, UnexpectedStatus)


def test_a_card_that_is_lost_is_that(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    gids = bench.gids
    gids.verify_pin(PIN)

    def lost(command: bytes) -> bytes:
        raise CardRemoved("the card is gone")

    def pull_out(number: int, der: bytes) -> None:
        monkeypatch.setattr(gids.connection, "transmit", lost)
        gids.connection.transmit(b"")

    monkeypatch.setattr(gids, "write_certificate", pull_out)
    with pytest.raises(CardRemoved):
        load(gids, ADA)


class TestPutCertificate:
    def test_written_and_replaced(self, gids: Gids) -> None:
        load(gids, Material(stuff.key()), pin=PIN)
        for subject in ("CN=First", "CN=Second"):
            certificate = stuff.certificate(subject)
            assert put_certificate(gids, 0, certificate.public_bytes(Encoding.PEM)) == Certificate.of(certificate)
            assert gids.read_certificate(0) == certificate.public_bytes(Encoding.DER)

    def test_the_one_of_the_chain_that_fits(self, gids: Gids) -> None:
        load(gids, Material(stuff.key()), pin=PIN)
        chain = (stuff.certificate("CN=Authority", seed="other"), stuff.certificate())
        pem = b"".join(one.public_bytes(Encoding.PEM) for one in chain)
        assert put_certificate(gids, 0, pem, pin=PIN).library() == chain[1]

    def test_refused_and_unchanged(self, bench: Bench) -> None:
        load(bench.gids, ADA, pin=PIN)
        before = bench.state
        with pytest.raises(KeyMismatch):
            put_certificate(bench.gids, 0, stuff.certificate("CN=x", seed="other"))
        with pytest.raises(MaterialError):
            put_certificate(bench.gids, 0, b"hello")
        with pytest.raises(VscError, match="container 1"):
            put_certificate(bench.gids, 1, stuff.certificate())
        bench.gids.log_out()
        with pytest.raises(AuthenticationRequired):
            put_certificate(bench.gids, 0, stuff.certificate())
        assert bench.state == before
