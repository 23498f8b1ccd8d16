"""Secure messaging: key establishment and wrapped messages ("OPACITY with zero key management").

The host sends an ephemeral public key, the card answers with a nonce, a cryptogram and the certificate of its static
key 04; both derive four session keys. From then on a command with CLA 0C is encrypted and carries a MAC, and so does
its answer. The card knows nothing of who the host is; the host knows that the card is the one of the certificate.

Two cipher suites: CS2 (P-256, AES-128, SHA-256) and CS7 (P-384, AES-256, SHA-384).
Spec: SP 800-73-5 part 2, 4.1 (key establishment) and 4.2 (messages); piv.md section 11 for what clients and NIST's
test cards do where the text leaves it open.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.constant_time import bytes_eq
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, Hash, HashAlgorithm

from card_os import ec
from card_os.apdu import CommandApdu, ResponseApdu
from card_os.ec import EcPrivateKey, field_bytes
from card_os.key_kind import KeyKind
from card_os.sw import SW, CardError
from card_os.symmetric import KEY_BYTES, SymmetricKey
from card_os.tlv import Tlv, parse_all
from card_os.wire import WireError

HOST_ID_BYTES = 8
MAC_BYTES = 8
BLOCK_BYTES = 16
CHAINING = 0x10
"""The bit of CLA that is not part of a message."""
AUTHENTICATED_HEADER = 0x0C
"""Bits of CLA: secure messaging in which the header is under the MAC, the only form here."""

_CRYPTOGRAM, _LE, _STATUS, _MAC = 0x87, 0x97, 0x99, 0x8E
_PADDING_INDICATOR = b"\x01"
_COMMAND, _ANSWER = b"\x00", b"\x80"


@dataclass(frozen=True, slots=True)
class Suite:
    """A cipher suite. algorithm: its identifier in P1; cipher_id: that of its AES in the key derivation."""

    algorithm: int
    kind: KeyKind
    cipher: KeyKind
    digest: HashAlgorithm
    nonce_bytes: int
    cipher_id: int

    @property
    def point_bytes(self) -> int:
        return 1 + 2 * field_bytes(self.kind)


CS2 = Suite(0x27, KeyKind.P256, KeyKind.AES_128, SHA256(), 16, 0x09)
CS7 = Suite(0x2E, KeyKind.P384, KeyKind.AES_256, SHA384(), 24, 0x0D)
SUITES = {suite.kind: suite for suite in (CS2, CS7)}
"""The suite follows from the curve of key 04."""


def _digest(algorithm: HashAlgorithm, data: bytes) -> bytes:
    hasher = Hash(algorithm)
    hasher.update(data)
    return hasher.finalize()


def card_id(cvc: bytes) -> bytes:
    """ID_sICC: the first 8 bytes of SHA-256, in both suites, over the whole card verifiable certificate."""
    return _digest(SHA256(), cvc)[:8]


def session_keys(suite: Suite, shared: bytes, other_info: bytes) -> tuple[SymmetricKey, ...]:
    """SK_CFRM, SK_MAC, SK_ENC and SK_RMAC from the ECDH secret (SP 800-56A 5.8.2.1, one-step with a hash)."""
    size = KEY_BYTES[suite.cipher]
    material, counter = b"", 1
    while len(material) < 4 * size:
        material += _digest(suite.digest, counter.to_bytes(4, "big") + shared + other_info)
        counter += 1
    return tuple(SymmetricKey.of(suite.cipher, material[at : at + size]) for at in range(0, 4 * size, size))


def establish(key: EcPrivateKey, cvc: bytes, host: bytes, nonce: bytes) -> tuple[bytes, "SecureChannel"]:
    """Key establishment on the card's side: what 82 holds in the answer, and the new session.

    key: 04, of a curve in SUITES. host: what 81 held, CB_H, ID_sH and the ephemeral point. nonce: as long as the
    suite says, fresh. 6A80 for a host that asks for what is not supported, or whose point is none.
    """
    suite, subject = SUITES[key.kind], "key establishment"
    if len(host) != 1 + HOST_ID_BYTES + suite.point_bytes:
        raise CardError(SW.WRONG_DATA, f"{1 + HOST_ID_BYTES + suite.point_bytes} bytes are expected", subject=subject)
    control, host_id, point = host[0], host[1 : 1 + HOST_ID_BYTES], host[1 + HOST_ID_BYTES :]
    if control & 0xF0:
        raise CardError(SW.WRONG_DATA, f"control byte {control:02X}: no such option", subject=subject)
    if point[0] != 0x04:
        raise CardError(SW.WRONG_DATA, "the point is not in the uncompressed form", subject=subject)
    shared = ec.agree(key, point)
    own_id, answered = card_id(cvc), b"\x00"
    parties = _field(host_id) + _field(bytes([control])) + _field(point[1:17])
    parties += _field(own_id) + _field(nonce) + _field(answered)
    confirm, mac, enc, rmac = session_keys(suite, shared, b"\x04" + bytes([suite.cipher_id]) * 4 + parties)
    cryptogram = confirm.cmac(b"KC_1_V" + own_id + host_id + point[1:])
    return answered + nonce + cryptogram + cvc, SecureChannel(mac, enc, rmac)


def _field(value: bytes) -> bytes:
    return bytes([len(value)]) + value


@dataclass(slots=True)
class SecureChannel:
    """A session: three keys, the counter of commands and the two chaining values of the MACs."""

    mac: SymmetricKey
    enc: SymmetricKey
    rmac: SymmetricKey
    counter: int = 0
    command_chain: bytes = bytes(BLOCK_BYTES)
    answer_chain: bytes = bytes(BLOCK_BYTES)

    def unwrap(self, apdu: CommandApdu, *, takes_unpadded: bool = False) -> CommandApdu:
        """Returns the plain command of a whole wrapped one; its CLA is without the bits of secure messaging.

        6987: no MAC; 6988: anything else that is wrong, without a word of what. takes_unpadded: whole blocks without
        padding pass as they are.
        """
        cryptogram, ne, under_mac, mac = _parse(apdu.data)
        header = bytes([apdu.cla & ~CHAINING, apdu.ins, apdu.p1, apdu.p2]) + b"\x80" + bytes(11)
        chain = self.mac.cmac(self.command_chain + header + under_mac)
        if not bytes_eq(chain[:MAC_BYTES], mac):
            raise _wrong("the MAC does not fit")
        self.command_chain = chain
        self.counter += 1
        data = b""
        if cryptogram is not None:
            padded = self.enc.decrypt_cbc(cryptogram, self._iv(_COMMAND))
            data = _without_padding(padded, takes_unpadded=takes_unpadded)
        extended = len(data) > 255 or ne > 256
        return CommandApdu(apdu.cla & ~(CHAINING | 0x0C), apdu.ins, apdu.p1, apdu.p2, data, ne, extended)

    def wrap(self, answer: ResponseApdu) -> ResponseApdu:
        """Returns the wrapped answer to the command that was unwrapped last; its own status word is 9000."""
        objects = b""
        if answer.data:
            padded = answer.data + b"\x80"
            padded += bytes(-len(padded) % BLOCK_BYTES)
            objects = bytes(Tlv(_CRYPTOGRAM, _PADDING_INDICATOR + self.enc.encrypt_cbc(padded, self._iv(_ANSWER))))
        objects += bytes(Tlv(_STATUS, answer.sw.to_bytes(2, "big")))
        self.answer_chain = self.rmac.cmac(self.answer_chain + objects)
        return ResponseApdu(objects + bytes(Tlv(_MAC, self.answer_chain[:MAC_BYTES])))

    def _iv(self, direction: bytes) -> bytes:
        return self.enc.encrypt_block(direction + self.counter.to_bytes(BLOCK_BYTES - 1, "big"))


def _parse(data: bytes) -> tuple[bytes | None, int, bytes, bytes]:
    """Takes [87] [97] 8E apart: cryptogram (None: no data), Ne, what stands before 8E, and the MAC."""
    try:
        objects = parse_all(data)
    except WireError:
        raise _wrong("not BER-TLV") from None
    if _MAC not in [one.tag for one in objects]:
        raise CardError(SW.SM_OBJECT_MISSING, "there is no MAC (8E)", subject="secure messaging")
    tags = [one.tag for one in objects]
    if tags not in ([_MAC], [_LE, _MAC], [_CRYPTOGRAM, _MAC], [_CRYPTOGRAM, _LE, _MAC]):
        raise _wrong("the objects are not 87, 97, 8E in this order")
    found = {one.tag: one.value for one in objects}
    if len(found[_MAC]) != MAC_BYTES:
        raise _wrong(f"a MAC has {MAC_BYTES} bytes")
    cryptogram = found.get(_CRYPTOGRAM)
    if cryptogram is not None:
        blocks = cryptogram[1:]
        if cryptogram[:1] != _PADDING_INDICATOR or not blocks or len(blocks) % BLOCK_BYTES:
            raise _wrong("87 holds 01 and whole blocks")
        cryptogram = blocks
    return cryptogram, _ne(found.get(_LE)), data[: len(data) - len(bytes(objects[-1]))], found[_MAC]


def _ne(le: bytes | None) -> int:
    if le is None:
        return 0
    if len(le) not in (1, 2):
        raise _wrong("97 holds one or two bytes")
    return int.from_bytes(le, "big") or (256 if len(le) == 1 else 65_536)


def _without_padding(padded: bytes, *, takes_unpadded: bool) -> bytes:
    data = padded.rstrip(b"\x00")
    if data.endswith(b"\x80") and len(padded) - len(data) < BLOCK_BYTES:
        return data[:-1]
    if takes_unpadded:
        return padded
    raise _wrong("the padding is wrong")


def _wrong(rule: str) -> CardError:
    return CardError(SW.SM_OBJECT_WRONG, rule, subject="secure messaging")
