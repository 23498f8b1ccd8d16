"""The card verifiable certificate of key 04 (SP 800-73-5 part 2, 4.1.5; piv.md section 11.1).

Who makes cards signs one for each: the host of a secure channel checks it with the certificate in 5FC122.
"""

from collections.abc import Callable

from card_os.apps.piv.wire import Tag
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.tlv import Tlv, join

GUID_BYTES = 16
ISSUER_BYTES = 8
_CURVES = {KeyKind.P256: bytes.fromhex("2A8648CE3D030107"), KeyKind.P384: bytes.fromhex("2B81040022")}
_ECDSA = {KeyKind.P256: bytes.fromhex("2A8648CE3D040302"), KeyKind.P384: bytes.fromhex("2A8648CE3D040303")}
"""Signature algorithms: with SHA-256 for the suite of P-256, with SHA-384 for that of P-384."""
_PROFILE, _ROLE = 0x5F29, 0x5F4C
_ISSUER, _SUBJECT, _SIGNATURE = 0x42, 0x5F20, 0x5F37


def card_verifiable_certificate(key: EcPrivateKey, guid: bytes, issuer: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """Returns the whole 7F21. guid: of the card, 16 bytes. issuer: the first 8 bytes of the signer's subject key
    identifier. sign: ECDSA over the bytes it is given, with the hash of the suite of `key`; in DER."""
    public = join([Tlv(Tag.OBJECT_IDENTIFIER, _CURVES[key.kind]), Tlv(0x86, key.point)])
    body = join(
        [
            Tlv(_PROFILE, b"\x80"),
            Tlv(_ISSUER, issuer),
            Tlv(_SUBJECT, guid),
            Tlv(Tag.PUBLIC_KEY, public),
            Tlv(_ROLE, b"\x00"),
        ]
    )
    algorithm = Tlv(0x30, bytes(Tlv(0x06, _ECDSA[key.kind])))
    signature = Tlv(0x30, bytes(algorithm) + bytes(Tlv(0x03, b"\x00" + sign(body))))
    return bytes(Tlv(Tag.CARD_CERTIFICATE, body + bytes(Tlv(_SIGNATURE, bytes(signature)))))
