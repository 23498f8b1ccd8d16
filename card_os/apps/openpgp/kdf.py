"""KDF-DO, F9: how hosts make of a password what they send (OpenPGP card 3.4, 4.3.2).

The card computes nothing: it keeps the object, and from then on the two initial hashes in it are its passwords.
"""

from dataclasses import dataclass, replace

from card_os.apps.openpgp.state import DEFAULT_ADMIN_PIN, DEFAULT_PIN, OpenPgpState
from card_os.sw import SW, CardError
from card_os.tlv import Template

_NONE, _ITERATED_SALTED = 0x00, 0x03
_HASH_BYTES = {0x08: 32, 0x0A: 64}
"""SHA-256 and SHA-512, by OpenPGP's numbers."""
_SALT_BYTES = 8
_COUNT_BYTES = 4
_SALTS = (0x84, 0x85, 0x86)


@dataclass(frozen=True, slots=True)
class Kdf:
    """raw: the value of F9. pin, admin: the initial passwords, of the default ones if nothing is computed."""

    raw: bytes
    pin: bytes = DEFAULT_PIN
    admin: bytes = DEFAULT_ADMIN_PIN

    @classmethod
    def parse(cls, raw: bytes) -> "Kdf":
        """6A80 for what is no KDF-DO, or lacks the hashes."""
        template = Template.parse(raw, subject="KDF")
        method = template.need(0x81, subject="KDF")
        if method == bytes([_NONE]):
            return cls(raw)
        size = _HASH_BYTES.get(int.from_bytes(template.need(0x82, subject="KDF"), "big"))
        hashes = [template.need(tag, subject="KDF") for tag in (0x87, 0x88)]
        salts = [template.get(tag) for tag in _SALTS]
        if (
            method != bytes([_ITERATED_SALTED])
            or len(template.need(0x83, subject="KDF")) != _COUNT_BYTES
            or salts[0] is None
            or any(salt is not None and len(salt) != _SALT_BYTES for salt in salts)
            or any(len(one) != size for one in hashes)
        ):
            raise CardError(SW.WRONG_DATA, "81 00, or 81 03 with 82, 83, 84, 87 and 88 are expected", subject="KDF")
        return cls(raw, *hashes)


def with_kdf(state: OpenPgpState, kdf: Kdf) -> OpenPgpState:
    """The state in which the passwords are the initial ones of this KDF; a resetting code would be of another."""
    return replace(
        state,
        kdf=kdf.raw,
        pin=state.pin.with_value(kdf.pin),
        admin=state.admin.with_value(kdf.admin),
        resetting_code=replace(state.resetting_code, value=None, tries_left=0),
    )
