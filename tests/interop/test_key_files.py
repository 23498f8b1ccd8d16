"""Key and certificate files as openssl and ssh-keygen write them, odd ones included, onto a card by `vsc`."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

import vsc
from tests.interop.foreign_files import PASSWORD, PRINTABLE, T61, UTF8, Workshop
from vsc.errors import DamagedFile, KeyMismatch, UnsupportedFeature, UnsupportedKey, WrongPassword
from vsc.factory import home_store
from vsc.filling.ber import Element, first
from vsc.filling.load import Filled
from vsc.filling.material import read_key_and_certificate, read_pfx
from vsc.store.summary import summarise

PIN = "12345678"
SECRET = PASSWORD.encode()
CURVE = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
LEGACY = ("-provider", "legacy", "-provider", "default")
ONLY_RSA = "the card takes RSA of 1024, 2048, 3072, 4096 bits"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Files that many tests use: rsa.key, other.key, ec.key, ada.pem, other.pem, ec.pem."""
    bench = Workshop(tmp_path_factory.mktemp("files"))
    for name, words in (("rsa", ()), ("other", ()), ("ec", CURVE)):
        bench.key(f"{name}.key", *words)
        bench.certificate(f"{name}.key", "ada.pem" if name == "rsa" else f"{name}.pem", f"Owner of {name}")
    return bench


class Tried:
    """A card of a store of its own, and what was said of the files."""

    def __init__(self) -> None:
        vsc.create("work", pin=PIN)
        self.card = vsc.open("work")
        self.said: list[str] = []

    def load(self, **files: object) -> list[tuple[str, str, str | None]]:
        """The label, the kind and the subject of each key that was loaded."""
        done: tuple[Filled, ...] = self.card.load_keys(pin=PIN, tell=self.said.append, **files)  # type: ignore[arg-type]
        assert [one.number for one in self.card.containers()] == [one.container for one in done]
        return [(one.label, one.kind, one.subject) for one in done]

    def fails(self, kind: type[Exception], words: str, **files: object) -> None:
        """Nothing may be on the card then."""
        with pytest.raises(kind, match=words):
            self.load(**files)
        assert self.card.containers() == ()


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tried]:
    monkeypatch.setenv("VSC_HOME", str(tmp_path / "home"))
    return iter([Tried()])


@pytest.fixture(name="card")
def first_of(tried: Iterator[Tried]) -> Tried:
    return next(tried)


class TestOddNames:
    """What authorities wrote for years, and OpenSSL, OpenSC and browsers read."""

    @pytest.fixture
    def odd(self, bench: Workshop) -> str:
        plain = bench.certificate("rsa.key", "plain.pem", "ada@example.org*", organization="Smith & Sons_Co")
        return bench.retyped(plain, "rsa.key", "odd.pem", old=T61, new=PRINTABLE)

    def test_letters_that_a_printable_string_has_not(self, bench: Workshop, odd: str, card: Tried) -> None:
        listing = bench.openssl("asn1parse", "-in", odd).decode()
        assert "PRINTABLESTRING   :Smith & Sons_Co" in listing
        found = card.load(key=bench.path("rsa.key"), certificate=bench.path(odd))
        assert found == [("ada@example.org*", "rsa:1024", "CN=ada@example.org*,O=Smith & Sons_Co")]
        der = bench.openssl("x509", "-in", odd, "-outform", "DER")
        assert card.card.certificate(0) == der

    @pytest.mark.parametrize("words", [(), ("-legacy",)], ids=" ".join)
    def test_in_a_pfx(self, bench: Workshop, odd: str, card: Tried, words: tuple[str, ...]) -> None:
        pfx = bench.pfx("odd.pfx", "rsa.key", odd, *words)
        assert card.load(pfx=bench.path(pfx), password=PASSWORD)[0][0] == "ada@example.org*"

    def test_of_an_authority_that_rides_along(self, bench: Workshop, odd: str, card: Tried) -> None:
        pfx = bench.pfx("chain.pfx", "other.key", "other.pem", "-certfile", odd)
        assert card.load(pfx=bench.path(pfx), password=PASSWORD) == [
            ("Owner of other", "rsa:1024", "CN=Owner of other,O=x")
        ]
        assert card.said == ["1 other certificate left out: a card has room for one beside each key"]

    def test_onto_a_key_that_is_there(self, bench: Workshop, odd: str, card: Tried) -> None:
        card.load(key=bench.path("rsa.key"))
        assert card.card.put_certificate(0, bench.path(odd), pin=PIN).common_name == "ada@example.org*"

    def test_latin_1_in_a_teletex_string(self, bench: Workshop, card: Tried) -> None:
        latin = bench.certificate("rsa.key", "latin.pem", "Zo\xeb M\xfcller")
        assert b"T61STRING         :Zo\xeb M\xfcller" in bench.openssl("asn1parse", "-in", latin)
        for number, files in enumerate(
            (
                {"pfx": bench.path(bench.pfx("latin.pfx", "rsa.key", latin)), "password": PASSWORD},
                {"key": bench.path("rsa.key"), "certificate": bench.path(latin)},
            )
        ):
            done = card.card.load_keys(pin=PIN, **files)[0]  # type: ignore[arg-type]
            assert (done.container, done.subject) == (number, "CN=Zo\xeb M\xfcller,O=x")
        assert summarise(home_store().read("work")).containers[0].certificates == ["CN=Zo\xeb M\xfcller,O=x"]

    def test_a_name_that_cannot_be_read_is_shown_as_such(self, bench: Workshop, card: Tried) -> None:
        latin = bench.certificate("rsa.key", "latin.pem", "Zo\xeb")
        wrong = bench.retyped(latin, None, "wrong.pem", old=T61, new=UTF8)
        found = card.load(key=bench.path("rsa.key"), certificate=bench.path(wrong))
        assert found == [("RSA 1024 key", "rsa:1024", "(unreadable name)")]


class TestSeveralKeys:
    @pytest.mark.parametrize("order", [("ec", "rsa", "other"), ("rsa", "other", "ec")], ids=" ".join)
    def test_in_one_pem(self, bench: Workshop, card: Tried, order: tuple[str, ...]) -> None:
        keys = b"".join(bench.read(f"{name}.key") for name in order)
        chain = b"".join(bench.read(f"{name}.pem") for name in ("ec", "other", "ada"))
        assert [one[:2] for one in card.load(key=keys, certificate=chain)] == [
            ("Owner of rsa", "rsa:1024"),
            ("Owner of other", "rsa:1024"),
        ]
        assert card.said == [f"left out: an EC P-256 key (Owner of ec): {ONLY_RSA}"]

    def test_in_one_pfx(self, bench: Workshop, card: Tried) -> None:
        """openssl takes one key only, so two PFX are put into one: both are not encrypted, and have no MAC."""
        words = ("-keypbe", "NONE", "-certpbe", "NONE", "-nomac")
        files = [bench.pfx(f"{name}.pfx", f"{name}.key", pem, *words) for name, pem in PAIRS]
        assert [one[:2] for one in card.load(pfx=joined(*map(bench.read, files)))] == [
            ("Owner of rsa", "rsa:1024"),
            ("Owner of other", "rsa:1024"),
        ]
        assert card.said == [f"left out: an EC P-256 key (Owner of ec): {ONLY_RSA}"]

    def test_in_one_key_store_of_java(self, bench: Workshop, card: Tried) -> None:
        store = ("-keystore", "java.p12", "-storetype", "PKCS12", "-storepass", PASSWORD)
        for alias, algorithm in (("ada", ("RSA", "-keysize", "1024")), ("eve", ("EC", "-groupname", "secp256r1"))):
            words = ("-alias", alias, "-dname", f"CN={alias}", "-keyalg", *algorithm)
            bench.run("keytool", "-genkeypair", *words, *store)
        assert card.load(pfx=bench.path("java.p12"), password=PASSWORD) == [("ada", "rsa:1024", "CN=ada")]
        assert card.said == [f"left out: an EC P-256 key (eve): {ONLY_RSA}"]

    def test_none_that_the_card_can_take(self, bench: Workshop, card: Tried) -> None:
        card.fails(UnsupportedKey, f"^an EC P-256 key: {ONLY_RSA}$", key=bench.path("ec.key"))

    def test_a_kind_that_nobody_here_knows(self, bench: Workshop, card: Tried) -> None:
        bench.key("sm2.key", "-algorithm", "SM2")
        card.fails(UnsupportedFeature, "Curve 1.2.156.10197.1.301 is not supported", key=bench.path("sm2.key"))
        assert len(card.load(key=bench.read("sm2.key") + bench.read("rsa.key"))) == 1
        assert card.said[0].startswith("left out: ")
        assert "1.2.156.10197.1.301" in card.said[0]

    def test_certificates_of_none_of_them(self, bench: Workshop, card: Tried) -> None:
        card.fails(KeyMismatch, "does not belong", key=bench.path("rsa.key"), certificate=bench.path("other.pem"))


PAIRS = (("ec", "ec.pem"), ("rsa", "ada.pem"), ("other", "other.pem"))


def joined(*files: bytes) -> bytes:
    """One PFX with what is in all of them."""
    from tests.unit.vsc.filling.test_pfx import tlv

    infos: list[Element] = []
    for raw in files:
        version, safe = first(raw).sequence(2)
        kind, content = safe.sequence(2)
        infos += first(content.inner().octets()).sequence()
    return tlv(0x30, version, tlv(0x30, kind, tlv(0xA0, tlv(0x04, tlv(0x30, *infos)))))


class TestOpenssh:
    @pytest.mark.parametrize("password", ["", PASSWORD], ids=["plain", "encrypted"])
    def test_its_own_format(self, bench: Workshop, card: Tried, password: str) -> None:
        name = f"ssh-{bool(password)}"
        bench.run("ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-f", name, "-N", password, "-C", "ada@host")
        assert b"OPENSSH PRIVATE KEY" in bench.read(name)
        if password:
            card.fails(WrongPassword, "^the key file needs a password$", key=bench.path(name))
            card.fails(WrongPassword, "^wrong password for the key file$", key=bench.path(name), password="x")
        assert card.load(key=bench.path(name), password=password or None) == [("RSA 1024 key", "rsa:1024", None)]
        public = bench.run("ssh-keygen", "-y", "-f", name, "-P", password).split()[1]
        key = card.card.containers()[0].public_key()
        assert key is not None
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        assert key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1] == public

    def test_another_kind_of_key(self, bench: Workshop, card: Tried) -> None:
        bench.run("ssh-keygen", "-q", "-t", "ed25519", "-f", "ssh-ed", "-N", "")
        card.fails(UnsupportedKey, f"^an Ed25519 key: {ONLY_RSA}$", key=bench.path("ssh-ed"))


class TestCertificates:
    def test_of_two_the_one_that_is_valid_and_ends_last(self, bench: Workshop, card: Tried) -> None:
        ends = [bench.certificate("rsa.key", f"{days}.pem", f"{days} days", days=days) for days in (3, 90, 30)]
        chain = b"".join(map(bench.read, ends))
        last = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=90)
        assert card.load(key=bench.path("rsa.key"), certificate=chain)[0][0] == "90 days"
        words = "3 certificates for one key: taken is the one that is valid now and ends last, which ends on"
        assert card.said == [f"{words} {last:%Y-%m-%d}"]
        pfx = bench.pfx("two.pfx", "rsa.key", ends[0], "-certfile", ends[1])
        years = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=900)
        for now, name in ((None, "90 days"), (years, "90 days")):
            (one,) = read_pfx(bench.path(pfx), SECRET, now=now).keys
            assert one.label == name

    def test_an_expired_one_that_stands_first(self, bench: Workshop, card: Tried) -> None:
        bench.certificate("rsa.key", "old.pem", "Old", days=1)
        bench.certificate("rsa.key", "new.pem", "New", days=30)
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=7)
        chain = bench.read("old.pem") + bench.read("new.pem")
        (one,) = read_key_and_certificate(bench.path("rsa.key"), chain, now=later).keys
        assert one.label == "New"

    def test_as_openssl_trusts_it(self, bench: Workshop, card: Tried) -> None:
        bench.openssl("x509", "-in", "ada.pem", "-trustout", "-addtrust", "clientAuth", "-out", "trusted.pem")
        assert b"TRUSTED" in bench.read("trusted.pem")
        card.load(key=bench.path("rsa.key"), certificate=bench.path("trusted.pem"))
        assert card.card.certificate(0) == bench.openssl("x509", "-in", "ada.pem", "-outform", "DER")


def test_rsassa_pss(bench: Workshop, card: Tried) -> None:
    bench.key("pss.key", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:1024")
    bench.certificate("pss.key", "pss.pem", "Pss")
    said = "the key is for RSASSA-PSS alone; on a card it is a key for every kind of signature"
    assert card.load(key=bench.path("pss.key"), certificate=bench.path("pss.pem"))[0][0] == "Pss"
    assert card.said == [said]
    pfx = bench.pfx("pss.pfx", "pss.key", "pss.pem")
    assert read_pfx(bench.path(pfx), SECRET).remarks == (said,)


@pytest.mark.parametrize("words", [(), ("-legacy",)], ids=" ".join)
def test_the_name_of_a_key_without_a_certificate(bench: Workshop, card: Tried, words: tuple[str, ...]) -> None:
    pfx = bench.pfx("named.pfx", "rsa.key", None, "-name", "Ada's \u2602", *words)
    assert card.load(pfx=bench.path(pfx), password=PASSWORD) == [("Ada's \u2602", "rsa:1024", None)]


PBES1 = ("PBE-SHA1-RC4-128", "PBE-SHA1-RC4-40", "PBE-SHA1-3DES", "PBE-SHA1-2DES", "PBE-SHA1-RC2-128", "PBE-SHA1-RC2-40")
OLD_PBES1 = ("PBE-MD5-DES", "PBE-SHA1-DES")
PKCS8 = [
    *[("-v1", scheme, *LEGACY) for scheme in (*PBES1, *OLD_PBES1)],
    *[("-v2", cipher) for cipher in ("aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des3")],
    *[("-v2prf", f"hmacWith{name}") for name in ("SHA1", "SHA224", "SHA256", "SHA384", "SHA512")],
    ("-scrypt", "-scrypt_N", "1024"),
]
PFX = [
    *[("-keypbe", scheme, "-certpbe", scheme, *LEGACY) for scheme in PBES1],
    *[("-macalg", name) for name in ("sha1", "sha224", "sha256", "sha384", "sha512")],
    ("-keypbe", "AES-128-CBC", "-certpbe", "NONE"),
    ("-keypbe", "NONE", "-certpbe", "NONE"),
    ("-iter", "1"),
    ("-nomac",),
    ("-nomac", "-legacy"),
]


class TestEveryWayToEncrypt:
    """Those of openssl; PASSWORD and none, right and wrong."""

    @pytest.mark.parametrize("way", PKCS8, ids=" ".join)
    def test_a_key(self, bench: Workshop, way: tuple[str, ...]) -> None:
        right = read_key_and_certificate(bench.path("rsa.key")).keys[0].key.private_numbers()  # type: ignore[union-attr]
        for form in ("PEM", "DER"):
            words = ("-topk8", "-in", "rsa.key", "-outform", form, "-out", "k", "-passout", f"pass:{PASSWORD}")
            bench.openssl("pkcs8", *words, *way)
            (found,) = read_key_and_certificate(bench.path("k"), password=SECRET).keys
            assert found.key.private_numbers() == right  # type: ignore[union-attr]
            for password, said in ((b"wrong", "wrong password for"), (None, "needs a password")):
                with pytest.raises(WrongPassword, match=said):
                    read_key_and_certificate(bench.path("k"), password=password)

    @pytest.mark.parametrize("way", [(), ("-aes128",), ("-des3",), ("-des",)], ids=" ".join)
    def test_a_traditional_key(self, bench: Workshop, way: tuple[str, ...]) -> None:
        words = ("-in", "rsa.key", "-traditional", "-out", "k", "-passout", f"pass:{PASSWORD}")
        bench.openssl("rsa", *words, *way, *LEGACY)
        assert b"BEGIN RSA PRIVATE KEY" in bench.read("k")
        assert len(read_key_and_certificate(bench.path("k"), password=SECRET).keys) == 1
        if way:
            with pytest.raises(WrongPassword):
                read_key_and_certificate(bench.path("k"), password=b"wrong")

    @pytest.mark.parametrize("way", PFX, ids=" ".join)
    def test_a_pfx(self, bench: Workshop, way: tuple[str, ...]) -> None:
        for password in (PASSWORD, "p\xe4ssw\xf6rd", ""):
            pfx = bench.pfx("p", "rsa.key", "ada.pem", *way, password=password)
            (found,) = read_pfx(bench.path(pfx), password.encode()).keys
            assert (found.label, found.kind) == ("Owner of rsa", "rsa:1024")
            if "NONE" in way and "-nomac" not in way:
                continue
            for wrong in (b"wrong", None):
                if (wrong is None) != (password == ""):
                    with pytest.raises(WrongPassword):
                        read_pfx(bench.path(pfx), wrong)

    @pytest.mark.parametrize("cipher", ["aes-256", "3des-pkcs12", "rc2-40", "arcfour"])
    def test_a_pfx_of_gnutls(self, bench: Workshop, cipher: str) -> None:
        files = ("--load-privkey", "rsa.key", "--load-certificate", "ada.pem", "--outder", "--outfile", "g.pfx")
        words = ("--to-p12", "--p12-name", "Ada", "--password", PASSWORD, "--pkcs-cipher", cipher)
        bench.run("certtool", *words, *files)
        (found,) = read_pfx(bench.path("g.pfx"), SECRET).keys
        assert (found.label, found.kind) == ("Ada", "rsa:1024")
        with pytest.raises(WrongPassword):
            read_pfx(bench.path("g.pfx"), b"wrong")

    def test_what_is_not_supported_is_named(self, bench: Workshop) -> None:
        words = ("-topk8", "-in", "rsa.key", "-out", "k", "-passout", f"pass:{PASSWORD}", "-v2", "camellia-128-cbc")
        bench.openssl("pkcs8", *words)
        with pytest.raises(UnsupportedFeature, match=r"the cipher 1\.2\.392\.200011\.61\.1\.1\.1\.2 is not supported"):
            read_key_and_certificate(bench.path("k"), password=SECRET)

    def test_damage_is_told_from_a_wrong_password(self, bench: Workshop) -> None:
        raw = bench.read(bench.pfx("p", "rsa.key", "ada.pem"))
        with pytest.raises(DamagedFile, match="cut off"):
            read_pfx(raw[:-40], SECRET)
        digest = first(raw).sequence(3)[2].sequence()[0].sequence()[1].content
        changed = raw.replace(digest, bytes(len(digest)))
        with pytest.raises(DamagedFile, match="the password opens it, but its checksum is another one"):
            read_pfx(changed, SECRET)
        with pytest.raises(WrongPassword):
            read_pfx(changed, b"wrong")
