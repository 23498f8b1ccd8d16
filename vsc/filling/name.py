"""Distinguished names: read from a command line, and shown; those of a certificate whatever is in them.

A certificate's names are often not what their types allow: `&` and `_` in a PrintableString, Latin-1 in a
TeletexString. A card need not read them, OpenSSL shows them, so they are shown here as OpenSSL does.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from vsc.errors import VscError
from vsc.filling.ber import BerError, Element, Type, first

UNREADABLE = "(unreadable name)"
EXAMPLE = "CN=Ada Lovelace,O=Example"

# Names of attributes: of RFC 4514 and, where that has none, of OpenSSL.
ATTRIBUTES = {
    "CN": NameOID.COMMON_NAME,
    "L": NameOID.LOCALITY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME,
    "STREET": NameOID.STREET_ADDRESS,
    "DC": NameOID.DOMAIN_COMPONENT,
    "UID": NameOID.USER_ID,
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "title": NameOID.TITLE,
    "SN": NameOID.SURNAME,
    "GN": NameOID.GIVEN_NAME,
    "initials": NameOID.INITIALS,
    "pseudonym": NameOID.PSEUDONYM,
    "generationQualifier": NameOID.GENERATION_QUALIFIER,
    "dnQualifier": NameOID.DN_QUALIFIER,
    "businessCategory": NameOID.BUSINESS_CATEGORY,
    "postalCode": NameOID.POSTAL_CODE,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
    "unstructuredName": NameOID.UNSTRUCTURED_NAME,
}
_OTHER_SPELLINGS = {
    "commonname": "CN",
    "localityname": "L",
    "stateorprovincename": "ST",
    "s": "ST",
    "organizationname": "O",
    "organizationalunitname": "OU",
    "countryname": "C",
    "streetaddress": "STREET",
    "domaincomponent": "DC",
    "userid": "UID",
    "email": "emailAddress",
    "e": "emailAddress",
    "surname": "SN",
    "givenname": "GN",
}
_BY_SPELLING = {
    **{name.lower(): oid for name, oid in ATTRIBUTES.items()},
    **{spelling: ATTRIBUTES[name] for spelling, name in _OTHER_SPELLINGS.items()},
}
_SHOWN = {oid: name for name, oid in ATTRIBUTES.items()}
_DOTTED = re.compile(r"(OID\.)?\d+(\.\d+)+", re.IGNORECASE)


# --- from a command line


def subject_name(text: str) -> x509.Name:
    """Reads a name as in "CN=Ada Lovelace,O=Example" (RFC 4514) or "/O=Example/CN=Ada Lovelace" (OpenSSL's).

    VscError for anything else, which names the part that is wrong.
    """
    is_openssl = text.strip().startswith("/")
    # RFC 4514 begins with what the certificate has last, OpenSSL with what it has first.
    parts = _split(text.strip()[1:], "/") if is_openssl else _split(text, ",")[::-1]
    if parts == [""]:
        raise VscError('a subject has at least one part, as in "CN=Ada Lovelace"')
    value_of = _openssl_value if is_openssl else _rfc4514_value
    return x509.Name([_rdn(part, text, value_of) for part in parts])


def _split(text: str, separator: str) -> list[str]:
    """Splits at each separator that no backslash is in front of; blanks around the pieces go."""
    pieces, is_escaped = [""], False
    for char in text:
        if char == separator and not is_escaped:
            pieces.append("")
        else:
            pieces[-1] += char
        is_escaped = char == "\\" and not is_escaped
    return [piece.strip() for piece in pieces]


def _rdn(part: str, text: str, value_of: Callable[[str], str]) -> x509.RelativeDistinguishedName:
    return x509.RelativeDistinguishedName([_attribute(one, text, value_of) for one in _split(part, "+")])


def _attribute(part: str, text: str, value_of: Callable[[str], str]) -> x509.NameAttribute[str | bytes]:
    shown = repr(part) if part else "an empty part"
    spelling, equals, value = (one.strip() for one in part.partition("="))
    if not equals or not value:
        raise VscError(f'{text!r} is not a name like "{EXAMPLE}": {shown} is not of the form NAME=VALUE')
    is_dotted = _DOTTED.fullmatch(spelling)
    oid = ObjectIdentifier(spelling.upper().removeprefix("OID.")) if is_dotted else _BY_SPELLING.get(spelling.lower())
    if oid is None:
        known = ", ".join(ATTRIBUTES)
        raise VscError(f"{text!r}: {spelling!r} is no part of a name; there is {known}, and any OID in dots")
    try:
        attribute = x509.NameAttribute(oid, value_of(value))
        _check_characters(attribute)
        return attribute
    except ValueError as error:
        because = f": {error}" if str(error) else ""
        raise VscError(f'{text!r} is not a name like "{EXAMPLE}": {shown} is wrong{because}') from None


def _check_characters(attribute: x509.NameAttribute[str | bytes]) -> None:
    """The library writes what such a string cannot have all the same, and cannot read it afterwards. ValueError."""
    (rdn,) = first(x509.Name([attribute]).public_bytes()).sequence()
    kind = rdn.children()[0].sequence(2)[1].tag
    allowed, words = _CHARACTERS.get(kind, (None, ""))
    if allowed is not None and not allowed.fullmatch(str(attribute.value)):
        raise ValueError(words)


_CHARACTERS: dict[int, tuple[re.Pattern[str], str]] = {
    Type.PRINTABLE_STRING: (re.compile(r"[A-Za-z0-9 '()+,./:=?-]*"), "it has letters, digits and '()+,-./:=? only"),
    Type.IA5_STRING: (re.compile(r"[\x00-\x7f]*"), "it has ASCII only"),
}


def _rfc4514_value(value: str) -> str:
    """The library undoes the backslashes."""
    (attribute,) = x509.Name.from_rfc4514_string(f"{NameOID.UNSTRUCTURED_NAME.dotted_string}={value}")
    return str(attribute.value)


def _openssl_value(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)


# --- shown


def shown(name: x509.Name) -> str:
    """A name as in RFC 4514, with OpenSSL's names for the parts that RFC 4514 has none for."""
    return name.rfc4514_string(_SHOWN)


def common_name_of(name: x509.Name) -> str | None:
    """The CN (the innermost) of a name, or else the whole of it; None if it is empty."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[-1].value) if found else shown(name) or None


class UnreadableName(BerError):
    """A name that is not what X.501 has."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A part of a certificate's name. text: None for a value that is no string; written: as in RFC 4514."""

    oid: str
    text: str | None
    written: str


Rdns = tuple[tuple[Attribute, ...], ...]


def attributes(name: Element) -> Rdns:
    """Reads the Name of a certificate: the parts of each RDN. UnreadableName."""
    try:
        return tuple(tuple(map(_read, rdn.expect(Type.SET).children())) for rdn in name.sequence())
    except ValueError as error:
        raise UnreadableName(str(error)) from None


def _read(attribute: Element) -> Attribute:
    kind, value = attribute.sequence(2)[:2]
    oid = kind.oid()
    label = next((name for known, name in _SHOWN.items() if known.dotted_string == oid), oid)
    if value.tag not in _ENCODINGS:
        return Attribute(oid, None, f"{label}=#{value.raw.hex()}")
    text = value.octets().decode(_ENCODINGS[value.tag])
    return Attribute(oid, text, f"{label}={_escaped(text)}")


# What OpenSSL takes the bytes of each type for.
_ENCODINGS: dict[int, str] = {
    Type.UTF8_STRING: "utf-8",
    Type.BMP_STRING: "utf-16-be",
    Type.UNIVERSAL_STRING: "utf-32-be",
    Type.NUMERIC_STRING: "latin-1",
    Type.PRINTABLE_STRING: "latin-1",
    Type.TELETEX_STRING: "latin-1",
    Type.IA5_STRING: "latin-1",
    Type.VISIBLE_STRING: "latin-1",
}


def rfc4514(rdns: Rdns) -> str:
    """Writes what `attributes` has read."""
    return ",".join("+".join(one.written for one in rdn) for rdn in reversed(rdns))


def common_name(rdns: Rdns) -> str | None:
    """The CN (the innermost) of a name, or else the whole of it; None if it is empty."""
    wanted = NameOID.COMMON_NAME.dotted_string
    found = [one.text for rdn in rdns for one in rdn if one.oid == wanted and one.text]
    return found[-1] if found else rfc4514(rdns) or None


def _escaped(text: str) -> str:
    """RFC 4514, section 2.4."""
    escaped = re.sub(r'([\\"+,;<>])', r"\\\1", text).replace("\0", "\\00")
    if escaped[:1] in ("#", " "):
        escaped = "\\" + escaped
    return f"{escaped[:-1]}\\ " if len(text) > 1 and text.endswith(" ") else escaped
