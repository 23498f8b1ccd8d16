"""The host's side of secure messaging, written from the specification alone: what tests hold the card's side to."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HOST_ID = bytes.fromhex("C56D000000000000")


def cmac(key: bytes, data: bytes) -> bytes:
    mac = CMAC(AES(key))
    mac.update(data)
    return mac.finalize()


def sha(algorithm: SHA256 | SHA384, data: bytes) -> bytes:
    hasher = Hash(algorithm)
    hasher.update(data)
    return hasher.finalize()


def tlv(tag: int, value: bytes) -> bytes:
    size = len(value)
    length = (
        bytes([size]) if size < 128 else b"\x81" + bytes([size]) if size < 256 else b"\x82" + size.to_bytes(2, "big")
    )
    return bytes([tag]) + length + value


@dataclass
class SmHost:
    """An ephemeral key of P-256 (CS2) or P-384 (CS7), and then a session."""

    key: ec.EllipticCurvePrivateKey
    mac: bytes = b""
    enc: bytes = b""
    rmac: bytes = b""
    counter: int = 0
    chain: bytes = bytes(16)
    answer_chain: bytes = bytes(16)

    @property
    def is_cs2(self) -> bool:
        return self.key.curve.key_size == 256

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def opening(self, control: int = 0) -> bytes:
        """The whole command, 00 87 27/2E 04."""
        inner = tlv(0x81, bytes([control]) + HOST_ID + self.point) + b"\x82\x00"
        body = tlv(0x7C, inner)
        return bytes([0x00, 0x87, 0x27 if self.is_cs2 else 0x2E, 0x04, len(body)]) + body + b"\x00"

    def take(self, answer: bytes, public: ec.EllipticCurvePublicKey, cvc: bytes) -> None:
        """Checks what 82 held and derives the keys; AssertionError for a cryptogram that does not fit."""
        size, nonce_bytes, cipher = (16, 16, 0x09) if self.is_cs2 else (32, 24, 0x0D)
        assert answer[0] == 0
        nonce, cryptogram = answer[1 : 1 + nonce_bytes], answer[1 + nonce_bytes : 17 + nonce_bytes]
        assert answer[17 + nonce_bytes :] == cvc
        card_id = sha(SHA256(), cvc)[:8]
        shared = self.key.exchange(ec.ECDH(), public)
        info = b"\x04" + bytes([cipher] * 4) + b"\x08" + HOST_ID + b"\x01\x00\x10" + self.point[1:17]
        info += b"\x08" + card_id + bytes([nonce_bytes]) + nonce + b"\x01\x00"
        algorithm = SHA256() if self.is_cs2 else SHA384()
        material = b"".join(sha(algorithm, number.to_bytes(4, "big") + shared + info) for number in range(1, 5))
        confirm, self.mac, self.enc, self.rmac = (material[at : at + size] for at in range(0, 4 * size, size))
        assert cryptogram == cmac(confirm, b"KC_1_V" + card_id + HOST_ID + self.point[1:])
        self.counter, self.chain, self.answer_chain = 0, bytes(16), bytes(16)

    def _cipher(self, first: int) -> Cipher[modes.CBC]:
        counter = bytes([first]) + self.counter.to_bytes(15, "big")
        encryptor = Cipher(AES(self.enc), modes.ECB()).encryptor()
        return Cipher(AES(self.enc), modes.CBC(encryptor.update(counter)))

    def wrap(self, ins: int, p1: int, p2: int, data: bytes = b"", *, le: bool = False, pads: bool = True) -> bytes:
        """One wrapped command, in the short form if it fits, else in the extended one."""
        self.counter += 1
        objects = b""
        if data:
            padded = data + b"\x80" + bytes(-(len(data) + 1) % 16) if pads else data
            encryptor = self._cipher(0x00).encryptor()
            objects += tlv(0x87, b"\x01" + encryptor.update(padded))
        if le:
            objects += b"\x97\x01\x00"
        self.chain = cmac(self.mac, self.chain + bytes([0x0C, ins, p1, p2]) + b"\x80" + bytes(11) + objects)
        objects += tlv(0x8E, self.chain[:8])
        length = bytes([len(objects)]) if len(objects) < 256 else b"\x00" + len(objects).to_bytes(2, "big")
        return bytes([0x0C, ins, p1, p2]) + length + objects + (b"\x00" if len(objects) < 256 else b"\x00\x00")

    def unwrap(self, answer: bytes) -> tuple[bytes, int]:
        """The plain data and status word of a wrapped answer; AssertionError where the MAC does not fit."""
        assert answer[-2:] == b"\x90\x00"
        objects, mac = answer[:-12], answer[-10:-2]
        assert answer[-12:-10] == b"\x8e\x08"
        self.answer_chain = cmac(self.rmac, self.answer_chain + objects)
        assert self.answer_chain[:8] == mac
        assert objects[-4:-2] == b"\x99\x02"
        sw, cryptogram = int.from_bytes(objects[-2:], "big"), objects[:-4]
        if not cryptogram:
            return b"", sw
        assert cryptogram[0] == 0x87
        head = 2 if cryptogram[1] < 0x80 else 2 + (cryptogram[1] & 0x7F)
        assert cryptogram[head] == 0x01
        plain = self._cipher(0x80).decryptor().update(cryptogram[head + 1 :]).rstrip(b"\x00")
        assert plain[-1] == 0x80
        return plain[:-1], sw
