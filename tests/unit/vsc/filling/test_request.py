"""vsc.filling.request."""

import datetime
import ipaddress
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo

from tests.unit.vsc.filling import stuff
from vsc.errors import VscError
from vsc.filling.request import alternative_name, common, request, self_signed
from vsc.host.private_key import CardPrivateKey

NOW = datetime.datetime(2026, 5, 17, 12, tzinfo=datetime.UTC)
SUBJECT = x509.Name.from_rfc4514_string("CN=Ada Lovelace,O=Example")


class TestNames:
    @pytest.mark.parametrize("text", ["work", "a,b=c", "x" * 80, "☂"])
    def test_a_common_name_alone(self, text: str) -> None:
        assert [one.value for one in common(text)] == [text[:64]]

    def test_alternative_names(self) -> None:
        assert [alternative_name(one) for one in ("dns:a.example", "email:a@b.c", "ip:::1", "uri:urn:x")] == [
            x509.DNSName("a.example"),
            x509.RFC822Name("a@b.c"),
            x509.IPAddress(ipaddress.ip_address("::1")),
            x509.UniformResourceIdentifier("urn:x"),
        ]

    @pytest.mark.parametrize("text", ["", "a.example", "dns:", "dns:ü", "ip:1.2.3", "email:Ada <a@b.c>", "upn:a@b"])
    def test_no_alternative_name(self, text: str) -> None:
        with pytest.raises(VscError, match="is not an alternative name"):
            alternative_name(text)


def test_a_request() -> None:
    names = [alternative_name("dns:a.example")]
    made = x509.load_der_x509_csr(request(stuff.key(), SUBJECT, names))
    assert made.is_signature_valid
    assert (made.subject, made.public_key()) == (SUBJECT, stuff.key().public_key())
    found = made.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert list(found.value) == names
    assert len(x509.load_der_x509_csr(request(stuff.key(), SUBJECT)).extensions) == 0


def test_a_self_signed_certificate() -> None:
    names = [alternative_name("email:ada@example.org")]
    made = x509.load_der_x509_certificate(self_signed(stuff.key(), SUBJECT, names, now=NOW, days=30))
    made.verify_directly_issued_by(made)
    assert (made.subject, made.issuer, made.public_key()) == (SUBJECT, SUBJECT, stuff.key().public_key())
    assert made.not_valid_before_utc < NOW
    assert made.not_valid_after_utc == NOW + datetime.timedelta(days=30)
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = made.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment, usage.key_cert_sign) == (True, True, False)
    assert list(made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value) == names


def liar() -> CardPrivateKey:
    """A card that signs something else."""

    def sign(data: bytes, algorithm: Any) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

        return stuff.key().sign(b"else", PKCS1v15(), NoDigestInfo() if algorithm is None else algorithm)

    return CardPrivateKey(stuff.key().public_key(), sign)


def test_a_wrong_signature_does_not_leave() -> None:
    with pytest.raises(VscError, match="the card's signature of the request is wrong"):
        request(liar(), SUBJECT)
    with pytest.raises(VscError, match="the card's signature of the certificate is wrong"):
        self_signed(liar(), SUBJECT, now=NOW, days=1)
