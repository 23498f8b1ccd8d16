"""vsc.filling.material."""

import datetime
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vsc.filling import stuff
from tests.unit.vsc.filling.stuff import PASSWORD
from vsc.errors import KeyMismatch, MaterialError, RefusedError, UnsupportedKey, WrongPassword
from vsc.filling.material import (
    MAX_FILE_BYTES,
    read_certificates,
    read_file,
    read_key,
    read_key_and_certificate,
    read_material,
    read_pfx,
    validity_problem,
)
from vsc.world import SeededEnv

OTHER = "another key"


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


class TestPfx:
    def test_key_certificate_name_and_authorities(self) -> None:
        authority = stuff.certificate("CN=Authority", seed=OTHER)
        found = read_pfx(stuff.pfx(others=(authority,)), PASSWORD)
        assert found.key.private_numbers() == stuff.key().private_numbers()
        assert (found.certificate, found.label, found.authorities) == (stuff.certificate(), "Ada's key", (authority,))
        assert found.der == stuff.certificate().public_bytes(Encoding.DER)

    def test_from_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "ada.pfx").write_bytes(stuff.pfx())
        assert read_pfx(tmp_path / "ada.pfx", PASSWORD).certificate == stuff.certificate()
        assert read_pfx(str(tmp_path / "ada.pfx"), PASSWORD).certificate == stuff.certificate()

    def test_without_a_name_the_certificate_gives_it(self) -> None:
        assert read_pfx(stuff.pfx(name=None), PASSWORD).label == "Ada Lovelace"

    @pytest.mark.parametrize("password", [None, b""])
    def test_no_password_and_an_empty_one_are_the_same(self, password: bytes | None) -> None:
        assert read_pfx(stuff.pfx(password=None), password).certificate == stuff.certificate()

    @pytest.mark.parametrize(
        "scheme",
        [
            pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC,
            pkcs12.PBES.PBESv2SHA256AndAES256CBC,
        ],
    )
    def test_old_and_new_encryption(self, scheme: pkcs12.PBES) -> None:
        algorithm = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1).key_cert_algorithm(scheme).build(PASSWORD)
        raw = pkcs12.serialize_key_and_certificates(None, stuff.key(), stuff.certificate(), None, algorithm)
        assert read_pfx(raw, PASSWORD).certificate == stuff.certificate()

    @pytest.mark.parametrize("password", [None, b""])
    def test_a_password_is_missing(self, password: bytes | None) -> None:
        with pytest.raises(WrongPassword, match=r"^the PFX file needs a password$"):
            read_pfx(stuff.pfx(), password)

    @pytest.mark.parametrize("password", [b"wrong", b"\xff", PASSWORD + b"\x00", PASSWORD[:-1]])
    def test_the_password_is_wrong(self, password: bytes) -> None:
        with pytest.raises(WrongPassword, match=r"^wrong password for the PFX file$") as caught:
            read_pfx(stuff.pfx(), password)
        assert isinstance(caught.value, RefusedError)

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"hello",
            stuff.key_file(),
            stuff.key_file(Encoding.DER),
            stuff.certificate().public_bytes(Encoding.DER),
        ],
    )
    def test_it_is_no_pfx(self, raw: bytes) -> None:
        with pytest.raises(MaterialError, match=r"^that is not a PFX file \(PKCS#12\)$"):
            read_pfx(raw, PASSWORD)

    def test_there_is_no_key_in_it(self) -> None:
        raw = pkcs12.serialize_key_and_certificates(b"x", None, None, [stuff.certificate()], stuff.encryption())
        with pytest.raises(MaterialError, match=r"^there is no private key in the PFX file$"):
            read_pfx(raw, PASSWORD)

    def test_there_is_no_certificate_in_it(self) -> None:
        raw = pkcs12.serialize_key_and_certificates(b"x", stuff.key(), None, None, stuff.encryption())
        found = read_pfx(raw, PASSWORD)
        assert (found.certificate, found.der, found.label, found.authorities) == (None, None, None, ())

    def test_the_certificate_is_found_among_the_others(self) -> None:
        """Some programs leave out what ties a key to its certificate."""
        both = [stuff.certificate("CN=Authority", seed=OTHER), stuff.certificate()]
        raw = pkcs12.serialize_key_and_certificates(b"x", stuff.key(), None, both, stuff.encryption())
        found = read_pfx(raw, PASSWORD)
        assert (found.certificate, found.authorities) == (both[1], (both[0],))

    def test_the_certificates_are_of_other_keys(self) -> None:
        others = [stuff.certificate("CN=Authority", seed=OTHER)]
        raw = pkcs12.serialize_key_and_certificates(b"x", stuff.key(), None, others, stuff.encryption())
        with pytest.raises(KeyMismatch, match=r"do not match: the certificate does not belong to this key"):
            read_pfx(raw, PASSWORD)

    def test_an_elliptic_curve_key(self) -> None:
        raw = pkcs12.serialize_key_and_certificates(
            b"x", ec.generate_private_key(ec.SECP256R1()), None, None, stuff.encryption()
        )
        with pytest.raises(UnsupportedKey, match=r"elliptic curve key: no host reads one from a GIDS card"):
            read_pfx(raw, PASSWORD)

    @given(st.binary(max_size=200), st.integers(0, 1000))
    def test_damage_is_told_in_a_sentence_or_does_no_harm(self, patch: bytes, at: int) -> None:
        raw = stuff.pfx(password=None)
        damaged = raw[:at] + patch + raw[at + len(patch) :]
        with suppress(MaterialError):
            read_pfx(damaged)


class TestKey:
    @pytest.mark.parametrize("password", [None, PASSWORD])
    @pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
    @pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
    def test_every_usual_form(self, encoding: Encoding, form: PrivateFormat, password: bytes | None) -> None:
        if password and encoding == Encoding.DER and form == PrivateFormat.TraditionalOpenSSL:
            return  # PKCS#1 in DER knows no encryption.
        raw = stuff.key_file(encoding, form, password=password)
        assert read_key(raw, password).private_numbers() == stuff.key().private_numbers()

    def test_a_password_too_much_does_no_harm(self) -> None:
        assert read_key(stuff.key_file(), PASSWORD).private_numbers() == stuff.key().private_numbers()

    @pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
    def test_the_password_is_wrong_or_missing(self, encoding: Encoding) -> None:
        raw = stuff.key_file(encoding, password=PASSWORD)
        with pytest.raises(WrongPassword, match=r"^wrong password for the key file$"):
            read_key(raw, b"wrong")
        for missing in (None, b""):
            with pytest.raises(WrongPassword, match=r"^the key file needs a password$"):
                read_key(raw, missing)

    @pytest.mark.parametrize("raw", [b"", b"hello", pem(stuff.certificate()), stuff.pfx(), b"-----BEGIN"])
    def test_it_is_no_key(self, raw: bytes) -> None:
        with pytest.raises(MaterialError, match=r"^that is not a private key in PEM or DER$"):
            read_key(raw)

    def test_keys_that_no_host_uses(self) -> None:
        private: list[tuple[ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, str]] = [
            (ed25519.Ed25519PrivateKey.generate(), "not an RSA key"),
            (rsa.generate_private_key(65537, 1032), "1032 bits is not supported: 1024, 2048, 3072, 4096"),
        ]
        for key, words in private:
            with pytest.raises(UnsupportedKey, match=words):
                read_key(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


class TestKeyAndCertificate:
    def test_pem_and_der(self) -> None:
        for encoding in (Encoding.PEM, Encoding.DER):
            found = read_key_and_certificate(stuff.key_file(encoding), stuff.certificate().public_bytes(encoding))
            assert (found.certificate, found.label) == (stuff.certificate(), "Ada Lovelace")

    def test_the_leaf_of_a_chain_is_the_one_that_fits(self) -> None:
        authority = stuff.certificate("CN=Authority", seed=OTHER)
        for chain in ((stuff.certificate(), authority), (authority, stuff.certificate())):
            found = read_key_and_certificate(stuff.key_file(), pem(*chain))
            assert (found.certificate, found.authorities) == (stuff.certificate(), (authority,))

    def test_key_and_certificate_in_one_file(self) -> None:
        both = stuff.key_file() + pem(stuff.certificate())
        assert read_key_and_certificate(both, both).certificate == stuff.certificate()

    def test_they_do_not_match(self) -> None:
        one, two = stuff.certificate("CN=a", seed=OTHER), stuff.certificate("CN=b", seed=OTHER)
        with pytest.raises(KeyMismatch, match=r"the certificate does not belong to this key"):
            read_key_and_certificate(stuff.key_file(), pem(one))
        with pytest.raises(KeyMismatch, match=r"the 2 certificates do not belong to this key"):
            read_key_and_certificate(stuff.key_file(), pem(one, two))

    @pytest.mark.parametrize("raw", [b"", b"hello", stuff.key_file(), stuff.key_file(Encoding.DER), stuff.pfx()])
    def test_it_is_no_certificate(self, raw: bytes) -> None:
        with pytest.raises(MaterialError, match=r"^that is not a certificate in PEM or DER$"):
            read_certificates(raw)

    def test_a_key_without_a_certificate(self) -> None:
        found = read_key_and_certificate(stuff.key_file())
        assert (found.certificate, found.label) == (None, None)

    def test_objects_of_the_library(self) -> None:
        found = read_material(key=stuff.key(), certificate=stuff.certificate())
        assert (found.key, found.certificate) == (stuff.key(), stuff.certificate())

    def test_no_common_name(self) -> None:
        for subject, label in (("O=Example,C=DE", "O=Example,C=DE"), ("", None), ("CN=a,CN=b", "a")):
            certificate = stuff.certificate(subject)
            assert read_key_and_certificate(stuff.key(), certificate).label == label


class TestSize:
    def test_more_than_the_format_can_say(self) -> None:
        certificate = stuff.certificate(extra_bytes=bytes(65_536))
        with pytest.raises(MaterialError, match=r"too large: 6.*bytes, and a card holds 65535"):
            read_key_and_certificate(stuff.key(), certificate)

    def test_more_than_an_object_holds_when_compressed(self) -> None:
        noise = b"".join(SeededEnv(str(number)).random_bytes(1000) for number in range(17))
        with pytest.raises(MaterialError, match=r"too large: 17.*bytes when compressed, and a card holds"):
            read_key_and_certificate(stuff.key(), stuff.certificate(extra_bytes=noise))

    def test_large_but_it_compresses(self) -> None:
        certificate = stuff.certificate(extra_bytes=bytes(60_000))
        assert read_key_and_certificate(stuff.key(), certificate).certificate == certificate


class TestFile:
    def test_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(
            MaterialError, match=r"^the PFX file '.*nothing' cannot be read: No such file or directory$"
        ):
            read_pfx(tmp_path / "nothing", PASSWORD)

    def test_a_folder_and_an_impossible_name(self, tmp_path: Path) -> None:
        for path in (tmp_path, "a\x00b"):
            with pytest.raises(MaterialError, match=r"cannot be read"):
                read_file(path, what="file")

    def test_too_large(self, tmp_path: Path) -> None:
        (tmp_path / "big").write_bytes(bytes(MAX_FILE_BYTES + 1))
        with pytest.raises(MaterialError, match=r"is larger than"):
            read_file(tmp_path / "big", what="file")
        (tmp_path / "big").write_bytes(bytes(MAX_FILE_BYTES))
        assert len(read_file(tmp_path / "big", what="file")) == MAX_FILE_BYTES


def test_either_or() -> None:
    both: tuple[dict[str, Any], ...] = (
        {},
        {"pfx": b"", "key": b""},
        {"pfx": b"", "certificate": b""},
        {"certificate": b""},
        {"material": read_material(key=stuff.key()), "key": b""},
    )
    for wrong in both:
        with pytest.raises(TypeError, match="either a pfx"):
            read_material(**wrong)
    found = read_material(pfx=stuff.pfx(), password=PASSWORD)
    assert found.certificate == stuff.certificate()
    assert read_material(material=found) is found


def test_what_is_odd_about_a_certificate_is_not_printed() -> None:
    der = stuff.certificate().public_bytes(Encoding.DER)
    # A negative serial number: the library warns of it, and would in the middle of a command's output.
    odd = der.replace(bytes.fromhex("020107"), bytes.fromhex("0201f9"), 1)
    assert odd != der
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_key_and_certificate(stuff.key(), odd).label == "Ada Lovelace"


def test_expired_and_not_yet_valid() -> None:
    """The certificate is valid from 2020 to 2039."""
    problems = {
        year: validity_problem(stuff.certificate(), datetime.datetime(year, 6, 1, tzinfo=datetime.UTC))
        for year in (2019, 2026, 2040)
    }
    assert problems == {
        2019: "the certificate is not valid before 2020-01-01",
        2026: None,
        2040: "the certificate expired on 2040-01-01",
    }


def test_a_key_is_not_shown() -> None:
    found = read_material(key=stuff.key(), certificate=stuff.certificate())
    assert "RSAPrivateKey" not in repr(found)


def test_the_best_encryption_there_is() -> None:
    raw = pkcs12.serialize_key_and_certificates(
        None, stuff.key(), stuff.certificate(), None, BestAvailableEncryption(b"x")
    )
    assert read_pfx(raw, b"x").certificate == stuff.certificate()
