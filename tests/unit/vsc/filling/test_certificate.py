"""vsc.filling.certificate."""

import datetime
import warnings
from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vsc.filling import stuff
from vsc.errors import DamagedFile, MaterialError
from vsc.filling.certificate import Certificate, pem, spki_of, subject_of

DER = stuff.certificate().public_bytes(Encoding.DER)
UTC = datetime.UTC


def test_what_is_read_of_it() -> None:
    found = Certificate.parse(DER)
    assert (found.der, found.subject, found.common_name) == (DER, "CN=Ada Lovelace", "Ada Lovelace")
    assert found.spki == spki_of(stuff.key().public_key())
    assert (found.not_before, found.not_after) == (
        datetime.datetime(2020, 1, 1, tzinfo=UTC),
        datetime.datetime(2040, 1, 1, tzinfo=UTC),
    )
    assert not found.is_pss_only
    assert Certificate.of(stuff.certificate()) == found
    assert found.library() == stuff.certificate()


def test_what_follows_it_is_cut_off() -> None:
    assert Certificate.parse(DER + b"trust").der == DER


def test_as_pem() -> None:
    assert pem(DER) == stuff.certificate().public_bytes(Encoding.PEM)


@pytest.mark.parametrize("cut", [0, 1, 3, 100, len(DER) - 1])
def test_cut_off(cut: int) -> None:
    with pytest.raises(DamagedFile, match=r"^the certificate file is damaged: "):
        Certificate.parse(DER[:cut])
    assert subject_of(DER[:cut]) == "(unreadable certificate)"


def changed(old: str, new: str) -> bytes:
    assert bytes.fromhex(old) in DER
    return DER.replace(bytes.fromhex(old), bytes.fromhex(new))


def test_what_the_library_refuses() -> None:
    """A character in a name, a version that there is not, a number that is negative: OpenSSL takes them."""
    for old, new in (("0C0C416461", "130C265F40"), ("A003020102", "A003020101"), ("020107", "0201F9")):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = Certificate.parse(changed(old, new))
        assert found.spki == spki_of(stuff.key().public_key())
    name = Certificate.parse(changed("0C0C416461", "130C265F40"))
    assert name.subject == "CN=&_@ Lovelace"
    with pytest.raises(MaterialError, match="cannot read"):
        name.library()


def test_a_name_that_cannot_be_read_is_shown_as_such() -> None:
    found = Certificate.parse(changed("0C0C416461", "0C0CFF6461"))
    assert (found.subject, found.common_name) == ("(unreadable name)", None)


def test_no_subject() -> None:
    der = stuff.certificate("").public_bytes(Encoding.DER)
    assert (Certificate.parse(der).subject, subject_of(der)) == ("", "(empty subject)")


def utc(text: str) -> str:
    return bytes([0x17, len(text)]).hex() + text.encode().hex()


TIMES = [
    (utc("200101000000Z"), utc("500101000000Z"), datetime.datetime(1950, 1, 1, tzinfo=UTC)),
    (utc("200101000000Z"), utc("490101000000Z"), datetime.datetime(2049, 1, 1, tzinfo=UTC)),
    (utc("200101000000Z"), utc("209901000000Z"), None),
    (utc("200101000000Z"), utc("xx0101000000Z"), None),
]


@pytest.mark.parametrize(("old", "new", "found"), TIMES)
def test_times(old: str, new: str, found: datetime.datetime | None) -> None:
    read = Certificate.parse(changed(old, new))
    assert read.not_before == found
    if found is None:
        assert (
            read.problem(datetime.datetime(2026, 1, 1, tzinfo=UTC)) == "the certificate does not say when it is valid"
        )


def test_expired_and_not_yet_valid() -> None:
    found = Certificate.parse(DER)
    problems = {year: found.problem(datetime.datetime(year, 6, 1, tzinfo=UTC)) for year in (2019, 2026, 2040)}
    assert problems == {
        2019: "the certificate is not valid before 2020-01-01",
        2026: None,
        2040: "the certificate expired on 2040-01-01",
    }


@given(st.integers(0, len(DER)), st.binary(min_size=1, max_size=3))
def test_a_changed_one_is_read_or_refused(at: int, patch: bytes) -> None:
    with suppress(MaterialError):
        Certificate.parse(DER[:at] + patch + DER[at + len(patch) :])


@given(st.datetimes(datetime.datetime(1950, 1, 1), datetime.datetime(2200, 1, 1)), st.integers(1, 1000))
def test_times_are_read_as_the_library_does(begin: datetime.datetime, days: int) -> None:
    begin = begin.replace(microsecond=0)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(stuff.key().public_key())
        .serial_number(7)
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=days))
        .sign(stuff.key(), SHA256())
    )
    found = Certificate.of(made)
    assert (found.not_before, found.not_after) == (made.not_valid_before_utc, made.not_valid_after_utc)
