"""vsc.filling.material."""

import datetime
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    pkcs12,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vsc.filling import stuff
from tests.unit.vsc.filling.stuff import PASSWORD
from vsc.errors import KeyMismatch, MaterialError
from vsc.filling.certificate import Certificate
from vsc.filling.material import (
    MAX_FILE_BYTES,
    Material,
    leaf_for,
    read_certificates,
    read_file,
    read_key_and_certificate,
    read_material,
    read_pfx,
)

OTHER = "another key"
ADA = Certificate.of(stuff.certificate())
AUTHORITY = Certificate.of(stuff.certificate("CN=Authority", seed=OTHER))
CURVE = ec.derive_private_key(7, ec.SECP256R1())


def pem(*certificates: x509.Certificate | Certificate) -> bytes:
    library = [one.library() if isinstance(one, Certificate) else one for one in certificates]
    return b"".join(one.public_bytes(Encoding.PEM) for one in library)


def only(found: Any) -> Material:
    (one,) = found.keys
    assert isinstance(one, Material)
    return one


class TestPfx:
    def test_key_certificate_name_and_authorities(self) -> None:
        found = read_pfx(stuff.pfx(others=(AUTHORITY.library(),)), PASSWORD)
        one = only(found)
        assert one.key.private_numbers() == stuff.key().private_numbers()  # type: ignore[union-attr]
        assert (one.certificate, one.label, one.kind) == (ADA, "Ada's key", "rsa:1024")
        assert (found.authorities, found.remarks) == ((AUTHORITY,), ())
        assert one.der == stuff.certificate().public_bytes(Encoding.DER)

    def test_from_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "ada.pfx").write_bytes(stuff.pfx())
        assert only(read_pfx(tmp_path / "ada.pfx", PASSWORD)).certificate == ADA
        assert only(read_pfx(str(tmp_path / "ada.pfx"), PASSWORD)).certificate == ADA

    def test_without_a_name_the_certificate_gives_it(self) -> None:
        assert only(read_pfx(stuff.pfx(name=None), PASSWORD)).label == "Ada Lovelace"

    def test_there_is_no_key_in_it(self) -> None:
        raw = pkcs12.serialize_key_and_certificates(b"x", None, None, [stuff.certificate()], stuff.encryption())
        with pytest.raises(MaterialError, match=r"^there is no private key in the PFX file$"):
            read_pfx(raw, PASSWORD)

    def test_there_is_no_certificate_in_it(self) -> None:
        raw = pkcs12.serialize_key_and_certificates(b"x", stuff.key(), None, None, stuff.encryption())
        found = read_pfx(raw, PASSWORD)
        assert (only(found).certificate, only(found).der, only(found).label, found.authorities) == (None, None, "x", ())

    def test_the_certificate_is_found_among_the_others(self) -> None:
        """Some programs leave out what ties a key to its certificate."""
        both = [AUTHORITY.library(), stuff.certificate()]
        raw = pkcs12.serialize_key_and_certificates(b"x", stuff.key(), None, both, stuff.encryption())
        found = read_pfx(raw, PASSWORD)
        assert (only(found).certificate, found.authorities) == (ADA, (AUTHORITY,))

    def test_the_certificates_are_of_other_keys(self) -> None:
        raw = pkcs12.serialize_key_and_certificates(b"x", stuff.key(), None, [AUTHORITY.library()], stuff.encryption())
        with pytest.raises(KeyMismatch, match=r"do not match: the certificate does not belong to this key"):
            read_pfx(raw, PASSWORD)

    def test_a_key_of_another_kind_is_read_too(self) -> None:
        raw = pkcs12.serialize_key_and_certificates(b"x", CURVE, None, None, stuff.encryption())
        assert only(read_pfx(raw, PASSWORD)).kind == "ec:p256"

    @given(st.binary(max_size=200), st.integers(0, 1000))
    def test_damage_is_told_in_a_sentence_or_does_no_harm(self, patch: bytes, at: int) -> None:
        raw = stuff.pfx(password=None)
        damaged = raw[:at] + patch + raw[at + len(patch) :]
        with suppress(MaterialError):
            read_pfx(damaged)


class TestKeyAndCertificate:
    def test_pem_and_der(self) -> None:
        for encoding in (Encoding.PEM, Encoding.DER):
            found = only(read_key_and_certificate(stuff.key_file(encoding), stuff.certificate().public_bytes(encoding)))
            assert (found.certificate, found.label) == (ADA, "Ada Lovelace")

    def test_the_leaf_of_a_chain_is_the_one_that_fits(self) -> None:
        for chain in ((ADA, AUTHORITY), (AUTHORITY, ADA)):
            found = read_key_and_certificate(stuff.key_file(), pem(*chain))
            assert (only(found).certificate, found.authorities) == (ADA, (AUTHORITY,))

    def test_key_and_certificate_in_one_file(self) -> None:
        both = stuff.key_file() + pem(ADA)
        assert only(read_key_and_certificate(both, both)).certificate == ADA

    def test_several_keys_each_with_its_own(self) -> None:
        keys = stuff.key_file(private=CURVE) + stuff.key_file() + stuff.key_file(private=stuff.key(OTHER))
        found = read_key_and_certificate(keys, pem(AUTHORITY, ADA))
        assert [(one.kind, one.certificate) for one in found.keys] == [
            ("ec:p256", None),
            ("rsa:1024", ADA),
            ("rsa:1024", AUTHORITY),
        ]
        assert (found.authorities, found.remarks) == ((), ())

    def test_they_do_not_match(self) -> None:
        one, two = stuff.certificate("CN=a", seed=OTHER), stuff.certificate("CN=b", seed=OTHER)
        with pytest.raises(KeyMismatch, match=r"the certificate does not belong to this key"):
            read_key_and_certificate(stuff.key_file(), pem(one))
        with pytest.raises(KeyMismatch, match=r"the 2 certificates do not belong to this key"):
            read_key_and_certificate(stuff.key_file(), pem(one, two))

    @pytest.mark.parametrize("raw", [b"", b"hello", stuff.key_file(), stuff.pfx()])
    def test_it_is_no_certificate(self, raw: bytes) -> None:
        with pytest.raises(MaterialError, match=r"^that is not a certificate in PEM or DER$"):
            read_certificates(raw)

    def test_it_looks_like_a_certificate(self) -> None:
        with pytest.raises(MaterialError, match=r"^the certificate file is damaged"):
            read_certificates(stuff.key_file(Encoding.DER))

    def test_a_key_without_a_certificate(self) -> None:
        found = only(read_key_and_certificate(stuff.key_file()))
        assert (found.certificate, found.label) == (None, None)

    def test_objects_of_the_library(self) -> None:
        found = only(read_material(key=stuff.key(), certificate=stuff.certificate()))
        assert (found.key, found.certificate) == (stuff.key(), ADA)

    def test_no_common_name(self) -> None:
        for subject, label in (("O=Example,C=DE", "O=Example,C=DE"), ("", None), ("CN=a,CN=b", "a")):
            certificate = stuff.certificate(subject)
            assert only(read_key_and_certificate(stuff.key(), certificate)).label == label


class TestSeveralCertificatesOfOneKey:
    NOW = datetime.datetime(2026, 5, 17, tzinfo=datetime.UTC)

    def of(self, begin: int, end: int) -> Certificate:
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(x509.Name([]))
            .public_key(stuff.key().public_key())
            .serial_number(begin * 10_000 + end)
            .not_valid_before(datetime.datetime(begin, 1, 1))
            .not_valid_after(datetime.datetime(end, 1, 1))
            .sign(stuff.key(), SHA256())
        )
        return Certificate.of(made)

    def chosen(self, *years: tuple[int, int]) -> tuple[int, tuple[str, ...]]:
        several = [self.of(*each) for each in years]
        leaf, said = leaf_for(several[0].spki, several, now=self.NOW)
        return several.index(leaf), said

    def test_the_one_that_is_valid_now_and_ends_last(self) -> None:
        words = "certificates for one key: taken is the one that is valid now and ends last, which ends on "
        assert self.chosen((2020, 2024), (2025, 2027)) == (1, (f"2 {words}2027-01-01",))
        assert self.chosen((2025, 2027), (2020, 2030), (2028, 2040)) == (1, (f"3 {words}2030-01-01",))

    def test_none_is_valid(self) -> None:
        words = "taken is the one that is the last to end: none is valid now, which ends on 2024-01-01"
        assert self.chosen((2020, 2023), (2020, 2024)) == (1, (f"2 certificates for one key: {words}",))

    def test_the_same_one_twice_is_one(self) -> None:
        assert self.chosen((2020, 2030), (2020, 2030)) == (0, ())

    def test_of_a_pfx_and_of_files(self) -> None:
        old, new = self.of(2020, 2024), self.of(2025, 2027)
        raw = pkcs12.serialize_key_and_certificates(
            b"x", stuff.key(), old.library(), [new.library()], stuff.encryption()
        )
        for found in (
            read_pfx(raw, PASSWORD, now=self.NOW),
            read_key_and_certificate(stuff.key(), pem(old, new), now=self.NOW),
        ):
            assert only(found).certificate == new
            assert (len(found.remarks), found.authorities) == (1, ())


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
    assert only(found).certificate == ADA
    assert read_material(material=found) is found
    assert read_material(material=only(found)).keys == found.keys


def test_what_is_odd_about_a_certificate_is_not_printed() -> None:
    der = stuff.certificate().public_bytes(Encoding.DER)
    # A negative serial number: the library warns of it, and would in the middle of a command's output.
    odd = der.replace(bytes.fromhex("020107"), bytes.fromhex("0201f9"), 1)
    assert odd != der
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert only(read_key_and_certificate(stuff.key(), odd)).label == "Ada Lovelace"


def test_a_key_is_not_shown() -> None:
    found = read_material(key=stuff.key(), certificate=stuff.certificate())
    assert "RSAPrivateKey" not in repr(found)


def test_the_best_encryption_there_is() -> None:
    raw = pkcs12.serialize_key_and_certificates(
        None, stuff.key(), stuff.certificate(), None, BestAvailableEncryption(b"x")
    )
    assert only(read_pfx(raw, b"x")).certificate == ADA
