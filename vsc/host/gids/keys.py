"""RSA keys on the card: made, imported, read, used (gids.md 6).

The key of container n has key id 81 + n and stands in a key file of its own, EF B081 + n. Whoever makes or stores a
key, or uses it, has verified the PIN.
"""

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from card_os.apdu import ResponseApdu
from card_os.apps.gids.minidriver import FIRST_CONTAINER_KEY
from card_os.apps.gids.wire import KEY_FILES, RSA_BITS, USAGE_COMPUTE, Crt, EfId, FileDescriptor, Ins, Padding, Tag
from card_os.sw import SW
from card_os.tlv import Tlv, join, parse_all
from vsc.errors import AuthenticationRequired, UnsupportedCard, VscError
from vsc.host.exchange import Exchange, checked
from vsc.host.gids.filesystem import FileSystem
from vsc.host.port import KeyUse

ALGORITHMS = {bits: number for number, bits in RSA_BITS.items()}
KEY_BITS = tuple(ALGORITHMS)
MAX_CONTAINERS = KEY_FILES.stop - (KEY_FILES.start & 0xFF00 | FIRST_CONTAINER_KEY)

_USER_KEY_RULE = bytes.fromhex("8F10101000")
"""GENERATE, use and PUT KEY with the PIN; GET PUBLIC KEY free (gids.md 3)."""
_RSA = 0x02
_COMPUTE_SIGNATURE = 0x9E9A
_DECIPHER = 0x8086
_SET_FOR_COMPUTATION = 0x4100
_MIN_PADDING_BYTES = 11
_EXISTS = frozenset({SW.FILE_EXISTS, SW.REFERENCE_DATA_NOT_USABLE})
# What cards say to a size of key that they have not: GIDS 6A81 or 6A80, the reference applet 6984 (gids.md 6.2, 6.3).
_NO_SUCH_KIND = frozenset({SW.FUNCTION_NOT_SUPPORTED, SW.WRONG_DATA, SW.REFERENCE_DATA_NOT_USABLE})

_PADDINGS = {
    KeyUse.EXCHANGE: (
        (Crt.CONFIDENTIALITY, Padding.DECIPHER_RAW),
        (Crt.CONFIDENTIALITY, Padding.DECIPHER_OAEP),
        (Crt.CONFIDENTIALITY, Padding.DECIPHER_PKCS1),
        (Crt.SIGNATURE, Padding.SIGN_AS_IS),
        (Crt.SIGNATURE, Padding.SIGN_PKCS1),
    ),
    KeyUse.SIGNATURE: ((Crt.SIGNATURE, Padding.SIGN_AS_IS), (Crt.SIGNATURE, Padding.SIGN_PKCS1)),
}
"""As OpenSC and Windows make their key files (gids.md 6.2)."""


def key_id(number: int) -> int:
    return FIRST_CONTAINER_KEY + number


def key_efid(number: int) -> int:
    return KEY_FILES.start & 0xFF00 | key_id(number)


def algorithm_of(bits: int) -> int:
    """Returns the algorithm number of a key size; UnsupportedCard for a size that GIDS has not."""
    if bits not in ALGORITHMS:
        sizes = ", ".join(map(str, KEY_BITS))
        raise UnsupportedCard(f"a GIDS card takes RSA keys of {sizes} bits, not of {bits}")
    return ALGORITHMS[bits]


def key_file(number: int, bits: int, use: KeyUse) -> bytes:
    """The FCP of a container's key file, as CREATE FILE takes it."""
    algorithm, own_id = algorithm_of(bits), bytes([key_id(number)])
    crts = (
        Tlv(
            crt,
            join([Tlv(0x80, bytes([padding << 4 | algorithm])), Tlv(0x83, own_id), Tlv(0x95, bytes([USAGE_COMPUTE]))]),
        )
        for crt, padding in _PADDINGS[use]
    )
    fcp = (
        Tlv(Tag.FILE_DESCRIPTOR, bytes([FileDescriptor.KEY_FILE])),
        Tlv(Tag.FILE_ID, key_efid(number).to_bytes(2, "big")),
        Tlv(Tag.ACCESS_RULE, _USER_KEY_RULE),
        Tlv(Tag.KEY_TEMPLATE, join(crts)),
    )
    return bytes(Tlv(Tag.FCP, join(fcp)))


class Keys:
    """The key files of containers."""

    def __init__(self, exchange: Exchange, files: FileSystem) -> None:
        self._exchange = exchange
        self._files = files

    def create(self, number: int, bits: int, use: KeyUse) -> None:
        """Makes the key file of a free container, without a key.

        A file that is there already belongs to no container: a host was cut off while it made or deleted one. It is
        deleted first.
        """
        fcp = key_file(number, bits, use)
        sw = self._exchange.send(Ins.CREATE_FILE, 0x0000, fcp).sw
        if sw in _EXISTS and self.delete(number):
            sw = self._exchange.send(Ins.CREATE_FILE, 0x0000, fcp).sw
        if sw == SW.SECURITY_STATUS_NOT_SATISFIED:
            raise AuthenticationRequired("making a key")
        self._check_kind(sw, bits, "making a key file")
        self._exchange.run(Ins.ACTIVATE_FILE, 0x0000, command="activating a key file")

    def delete(self, number: int) -> bool:
        """Deletes a key file, with its key; False if there is none."""
        if not self._files.select(key_efid(number)):
            return False
        self._files.delete_current("deleting a key")
        return True

    def generate(self, number: int, bits: int) -> None:
        """GENERATE ASYMMETRIC KEY PAIR in a key file that is there; takes seconds."""
        mechanism = join([Tlv(0x80, bytes([algorithm_of(bits)])), Tlv(0x83, bytes([key_id(number)]))])
        data = bytes(Tlv(Tag.CRYPTOGRAPHIC_MECHANISM, mechanism))
        # Without Le, as OpenSC has it: a card with an implicit Le answers all the same (gids.md 6.3).
        answer = self._exchange.send(Ins.GENERATE_ASYMMETRIC_KEY_PAIR, 0x0000, data)
        if answer.sw == SW.SECURITY_STATUS_NOT_SATISFIED:
            raise AuthenticationRequired("generating a key")
        self._check_kind(answer.sw, bits, "generating a key")

    def store(self, number: int, key: RSAPrivateKey) -> None:
        """PUT KEY into a key file that is there."""
        der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        value = join([Tlv(0x83, bytes([_RSA])), Tlv(0x84, b"\x00"), Tlv(0x87, der)])
        header = join([Tlv(0x84, bytes([key_id(number)])), Tlv(Tag.KEY_TEMPLATE, value)])
        answer = self._exchange.send(Ins.PUT_DATA, EfId.ADF, bytes(Tlv(Tag.EXTENDED_HEADER, header)))
        if answer.sw == SW.SECURITY_STATUS_NOT_SATISFIED:
            raise AuthenticationRequired("importing a key")
        self._check_kind(answer.sw, key.key_size, "importing a key")

    def _check_kind(self, sw: int, bits: int, command: str) -> None:
        if sw in _NO_SUCH_KIND:
            raise UnsupportedCard(f"the card does not take this RSA key of {bits} bits ({sw:04X})")
        checked(ResponseApdu(sw=sw), command)

    def public(self, number: int) -> RSAPublicKey | None:
        """GET PUBLIC KEY, without the PIN. None: no key there. UnsupportedCard: a key that is not RSA."""
        header = join([Tlv(0x84, bytes([key_id(number)])), Tlv(Tag.KEY_TEMPLATE, bytes.fromhex("7F4980"))])
        answer = self._files.objects.ask(EfId.ADF, bytes(Tlv(Tag.EXTENDED_HEADER, header)))
        if answer.sw != SW.OK:
            return None
        return parse_public_key(answer.data)

    def sign(self, number: int, bits: int, block: bytes) -> bytes:
        """PKCS#1 v1.5 signature over `block` as it is; the card pads. AuthenticationRequired without the PIN."""
        if len(block) > bits // 8 - _MIN_PADDING_BYTES:
            raise ValueError(f"a key of {bits} bits signs at most {bits // 8 - _MIN_PADDING_BYTES} bytes")
        algorithm = Padding.SIGN_PKCS1 << 4 | algorithm_of(bits)
        environment = join([Tlv(0x80, bytes([algorithm])), Tlv(0x84, bytes([key_id(number)]))])
        with self._exchange.connection.transaction():
            p1p2 = _SET_FOR_COMPUTATION | Crt.SIGNATURE
            self._exchange.run(Ins.MANAGE_SECURITY_ENVIRONMENT, p1p2, environment, command="signing")
            ins = Ins.PERFORM_SECURITY_OPERATION
            return self._exchange.run(ins, _COMPUTE_SIGNATURE, block, answers=True, command="signing")

    def decipher(self, number: int, bits: int, cryptogram: bytes) -> bytes:
        """PKCS#1 v1.5: returns what was encrypted. ValueError for another length than the key's."""
        if len(cryptogram) != bits // 8:
            raise ValueError(f"a key of {bits} bits deciphers {bits // 8} bytes, not {len(cryptogram)}")
        algorithm = Padding.DECIPHER_PKCS1 << 4 | algorithm_of(bits)
        environment = join([Tlv(0x80, bytes([algorithm])), Tlv(0x84, bytes([key_id(number)]))])
        with self._exchange.connection.transaction():
            p1p2 = _SET_FOR_COMPUTATION | Crt.CONFIDENTIALITY
            self._exchange.run(Ins.MANAGE_SECURITY_ENVIRONMENT, p1p2, environment, command="deciphering")
            # Without a padding indicator, as OpenSC has it: cards in the field answer 6500 to one (clients.md).
            ins = Ins.PERFORM_SECURITY_OPERATION
            return self._exchange.run(ins, _DECIPHER, cryptogram, answers=True, command="deciphering")


def parse_public_key(raw: bytes) -> RSAPublicKey:
    """Reads 7F49 { 81 modulus, 82 exponent }; UnsupportedCard for another kind of key, VscError for nonsense."""
    try:
        outer = {one.tag: one.value for one in parse_all(raw)}
        inner = {one.tag: one.value for one in parse_all(outer.get(Tag.PUBLIC_KEY, b""))}
        modulus, exponent = inner.get(0x81), inner.get(0x82)
        if modulus is None or exponent is None:
            raise UnsupportedCard("this key of the card is not an RSA key")
        return RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).public_key()
    except ValueError as error:
        raise VscError(f"the card gives a public key that is none: {error}") from None
