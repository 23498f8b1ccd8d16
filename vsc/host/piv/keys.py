"""Key pairs in the slots 9A, 9C, 9D, 9E and 82 to 95: made, imported, read, used (SP 800-73-5 part 2, 3.2.4, 3.3.1).

A card that keeps to NIST shows a public key once, when it makes it; afterwards only the certificate tells. Which kind
of key is in a slot without one is found out by asking: the card refuses a wrong algorithm (6A86) before it asks for
the PIN (6982). Cards with Yubico's commands tell all of it (metadata), import keys and, the newer ones, delete them.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, RSAPublicNumbers

from card_os.apdu import ResponseApdu
from card_os.apps.piv.wire import RETIRED_KEYS, Ins, Key, Tag
from card_os.sw import SW
from card_os.tlv import Tlv, join, parse_all
from card_os.wire import WireError
from vsc.errors import AuthenticationRequired, UnsupportedCard, VscError
from vsc.host.exchange import Exchange, checked
from vsc.host.piv.application import Application
from vsc.host.piv.objects import MANAGEMENT_KEY
from vsc.host.port import PrivateKey, PublicKey

KINDS = {
    0x11: "ec:p256",
    0x14: "ec:p384",
    0x07: "rsa:2048",
    0x05: "rsa:3072",
    0x16: "rsa:4096",
    0x06: "rsa:1024",
    0xE0: "ed25519",
    0xE1: "x25519",
}
"""Kinds of keys by algorithm identifier, in the order in which a slot is asked for them."""
ALGORITHMS = {kind: number for number, kind in KINDS.items()}
MAIN = (Key.AUTHENTICATION, Key.SIGNATURE, Key.MANAGEMENT, Key.CARD_AUTHENTICATION)
SLOTS: tuple[int, ...] = (*map(int, MAIN), *RETIRED_KEYS)

_CURVES: dict[str, ec.EllipticCurve] = {"ec:p256": ec.SECP256R1(), "ec:p384": ec.SECP384R1()}
_ALGORITHM, _PUBLIC = 0x01, 0x04
_MODULUS, _EXPONENT, _POINT = 0x81, 0x82, 0x86
_DELETE = 0xFF
_NIST_ALGORITHMS = (0x11, 0x07, 0x14, 0x05)
_OLD_ALGORITHMS = (*_NIST_ALGORITHMS, 0x06)
_PRESENT = frozenset({SW.SECURITY_STATUS_NOT_SATISFIED, SW.WRONG_DATA})
_NO_SUCH_KIND = frozenset({SW.WRONG_DATA, SW.FUNCTION_NOT_SUPPORTED, SW.INCORRECT_P1P2, SW.INS_NOT_SUPPORTED})


@dataclass(frozen=True, slots=True)
class Found:
    """The key in a slot. public: None: the card does not show it."""

    kind: str
    public: PublicKey | None = None


class Keys:
    """The key pairs of the selected application."""

    def __init__(self, exchange: Exchange, application: Application) -> None:
        self._exchange = exchange
        self._application = application
        self._made: dict[int, Found] = {}
        """Keys that this host has made: nothing else shows them on a card without metadata and certificate."""

    def find(self, reference: int, certificate: bytes | None = None) -> Found | None:
        """The key in a slot; None: there is none. certificate: the one beside it, DER."""
        if self._application.has_metadata:
            return self._from_metadata(reference)
        algorithm = self._probed(reference)
        if algorithm is None:
            return None
        made = self._made.get(reference, Found(KINDS[algorithm]))
        public = _certified(certificate) or made.public
        return Found(KINDS[algorithm], public)

    def _from_metadata(self, reference: int) -> Found | None:
        answer = self._exchange.send(Ins.GET_METADATA, reference, answers=True)
        if answer.sw == SW.REFERENCE_NOT_FOUND:
            return None
        try:
            fields = {one.tag: one.value for one in parse_all(checked(answer, "reading a slot"))}
        except WireError:
            raise VscError("the card's metadata of a slot cannot be read") from None
        number = fields.get(_ALGORITHM, b"\x00")[0]
        kind = KINDS.get(number, f"algorithm:{number:02x}")
        return Found(kind, parse_public_key(kind, fields.get(_PUBLIC, b"")))

    def _probed(self, reference: int) -> int | None:
        """Asks for a signature of nothing: which algorithm is refused for another reason than that it is none here."""
        nothing = bytes(Tlv(Tag.DYNAMIC_AUTHENTICATION, bytes(Tlv(Tag.RESPONSE))))
        for algorithm in _OLD_ALGORITHMS if reference in RETIRED_KEYS else _NIST_ALGORITHMS:
            sw = self._exchange.send(Ins.GENERAL_AUTHENTICATE, algorithm << 8 | reference, nothing).sw
            if sw in _PRESENT or sw == SW.OK:
                return algorithm
        return None

    # --- made, imported, deleted

    def generate(self, reference: int, kind: str) -> None:
        """GENERATE ASYMMETRIC KEY PAIR; takes seconds. The management key has been proved."""
        data = bytes(Tlv(Tag.ALGORITHMS, bytes(Tlv(Tag.ALGORITHM, bytes([_algorithm(kind)])))))
        answer = self._exchange.send(Ins.GENERATE_ASYMMETRIC_KEY_PAIR, reference, data, answers=True)
        raw = self._checked(answer, kind, "generating a key")
        try:
            outer, _ = Tlv.parse_head(raw)
        except WireError:
            raise VscError("the card gives a public key that is none") from None
        self._made[reference] = Found(kind, parse_public_key(kind, outer.value))

    def store(self, reference: int, key: PrivateKey) -> None:
        """Yubico's IMPORT KEY. UnsupportedCard: PIV itself has no such command."""
        kind, elements = _elements(key)
        if not self._application.has_yubico:
            raise UnsupportedCard(
                "this card takes no keys from outside: PIV has no command for that, YubiKeys have one; "
                "a key is made on the card, or given to it when it is created"
            )
        answer = self._exchange.send(Ins.IMPORT_KEY, _algorithm(kind) << 8 | reference, join(elements))
        self._checked(answer, kind, "importing a key")
        self._made.pop(reference, None)

    def _checked(self, answer: ResponseApdu, kind: str, command: str) -> bytes:
        if answer.sw == SW.SECURITY_STATUS_NOT_SATISFIED:
            raise AuthenticationRequired(command, right=MANAGEMENT_KEY)
        if answer.sw in _NO_SUCH_KIND:
            raise UnsupportedCard(f"the card takes no key of kind {kind} there ({answer.sw:04X})")
        return checked(answer, command)

    def delete(self, reference: int) -> None:
        """Yubico's MOVE KEY to nowhere. UnsupportedCard: cards before YubiKey 5.7 have no such command."""
        if not self._application.has_move:
            raise UnsupportedCard(
                "this card has no command to delete a key: PIV has none, YubiKeys have one from version 5.7"
            )
        answer = self._exchange.send(Ins.MOVE_KEY, _DELETE << 8 | reference)
        if answer.sw == SW.SECURITY_STATUS_NOT_SATISFIED:
            raise AuthenticationRequired("deleting a key", right=MANAGEMENT_KEY)
        if answer.sw != SW.REFERENCE_NOT_FOUND:
            checked(answer, "deleting a key")
        self._made.pop(reference, None)

    # --- used

    def use(self, reference: int, kind: str, tag: int, value: bytes, command: str) -> bytes:
        """GENERAL AUTHENTICATE: gives 81 (a challenge) or 85 (a point), and returns 82."""
        data = join([Tlv(Tag.RESPONSE), Tlv(tag, value)])
        answer = self._exchange.send(
            Ins.GENERAL_AUTHENTICATE,
            _algorithm(kind) << 8 | reference,
            bytes(Tlv(Tag.DYNAMIC_AUTHENTICATION, data)),
            answers=True,
        )
        if answer.sw == SW.SECURITY_STATUS_NOT_SATISFIED and reference == Key.SIGNATURE:
            raise AuthenticationRequired(command, right="the PIN, just before,")
        try:
            outer = {one.tag: one.value for one in parse_all(checked(answer, command))}
            inner = {one.tag: one.value for one in parse_all(outer.get(Tag.DYNAMIC_AUTHENTICATION, b""))}
        except WireError:
            inner = {}
        if Tag.RESPONSE not in inner:
            raise VscError(f"the card gave no answer that can be read to {command}")
        return inner[Tag.RESPONSE]


def _algorithm(kind: str) -> int:
    if kind not in ALGORITHMS:
        raise UnsupportedCard(f"a PIV card has keys of the kinds {', '.join(ALGORITHMS)}, not {kind}")
    return ALGORITHMS[kind]


def field_bytes(kind: str) -> int:
    """How long the numbers of a key are: the modulus of RSA, a coordinate of a curve."""
    return int("".join(filter(str.isdigit, kind.partition(":")[2])) or 256) // 8


def _elements(key: PrivateKey) -> tuple[str, list[Tlv]]:
    """The kind of a private key, and its numbers as IMPORT KEY takes them (piv.md 8)."""
    if isinstance(key, RSAPrivateKey):
        kind, half = f"rsa:{key.key_size}", key.key_size // 16
        numbers = key.private_numbers()
        if numbers.public_numbers.e != 65537:
            raise UnsupportedCard("a PIV card takes RSA keys with the public exponent 65537 alone")
        values = (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
        _algorithm(kind)
        return kind, [Tlv(tag, value.to_bytes(half, "big")) for tag, value in enumerate(values, 1)]
    if isinstance(key, EllipticCurvePrivateKey):
        kind = next((kind for kind, curve in _CURVES.items() if curve.name == key.curve.name), "")
        if kind:
            return kind, [Tlv(0x06, key.private_numbers().private_value.to_bytes(field_bytes(kind), "big"))]
    raise UnsupportedCard("a PIV card takes RSA keys, and those of the curves P-256 and P-384")


def parse_public_key(kind: str, raw: bytes) -> PublicKey | None:
    """Reads the contents of 7F49: 81 and 82, or 86. None: of a kind that has no such key here. VscError: nonsense."""
    try:
        found = {one.tag: one.value for one in parse_all(raw)}
        if kind in _CURVES:
            return EllipticCurvePublicKey.from_encoded_point(_CURVES[kind], found.get(_POINT, b""))
        if kind.startswith("rsa:"):
            exponent, modulus = (int.from_bytes(found.get(tag, b""), "big") for tag in (_EXPONENT, _MODULUS))
            return RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError as error:
        raise VscError(f"the card gives a public key that is none: {error}") from None
    return None


def _certified(der: bytes | None) -> PublicKey | None:
    try:
        key = None if der is None else x509.load_der_x509_certificate(der).public_key()
    except ValueError:
        return None
    return key if isinstance(key, RSAPublicKey | EllipticCurvePublicKey) else None
