"""Keys that a PIV card has from its issuer: PIV has no command that would bring them onto the card later."""

from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from card_os.apps.piv.containers import CERTIFICATES
from card_os.apps.piv.personalisation import certificate
from card_os.apps.piv.rules import SLOTS, Rules
from card_os.apps.piv.state import Origin, PivState, Slot
from card_os.apps.piv.wire import Key
from card_os.curve25519 import Ed25519PrivateKey, X25519PrivateKey
from card_os.ec import EcPrivateKey
from card_os.key import PrivateKey
from card_os.rsa import RsaPrivateKey
from vsc.errors import MaterialError, RefusedError, UnsupportedKey
from vsc.profiles.options import IssuedKey

_EXPONENT = 65_537
"""The only one that PIV has (SP 800-78-5 section 3.1)."""
_FIRST = (Key.AUTHENTICATION, Key.MANAGEMENT, Key.SIGNATURE)
"""Then come the slots for retired keys; 9E works without the PIN, so it is only used where somebody says so."""
ORDER = (*_FIRST, *(one for one in SLOTS if one not in (*_FIRST, Key.CARD_AUTHENTICATION)))


def with_keys(state: PivState, keys: Iterable[IssuedKey], rules: Rules) -> PivState:
    """Returns the card with these keys in their slots, and the certificates beside them.

    RefusedError for a slot that there is not, or that is taken; UnsupportedKey for a key that cannot be there;
    MaterialError for a certificate that is too large.
    """
    for one in keys:
        reference = _slot(state, one.place)
        key = _key(one.key)
        if key is None or not rules.allows(reference, key.kind):
            kinds = ", ".join(sorted(map(str, rules.kinds)))
            what = "a key of that kind" if key is None else f"a key of {key.kind}"
            raise UnsupportedKey(f"{what} cannot be in slot {reference:02X} of this card, which takes {kinds}")
        policy = rules.default_pin_policy(reference)
        state = state.with_slot(Slot(reference, key, Origin.IMPORTED, policy))
        if one.certificate is not None:
            content = certificate(one.certificate)
            if len(content) > rules.max_object_bytes:
                raise MaterialError(f"the certificate is too large: an object has {rules.max_object_bytes} bytes")
            state = state.with_object(CERTIFICATES[reference], content)
    return state


def _slot(state: PivState, place: str | None) -> int:
    if place is None:
        free = next((one for one in ORDER if state.slot(one) is None), None)
        if free is None:
            raise RefusedError("there is no free slot for another key")
        return int(free)
    try:
        reference = int(place, 16)
    except ValueError:
        reference = 0
    if reference not in SLOTS:
        raise RefusedError(f"a PIV card has no slot {place!r}: there are 9a, 9c, 9d, 9e and 82 to 95")
    if state.slot(reference) is not None:
        raise RefusedError(f"slot {reference:02X} is said twice, or taken")
    return reference


def _key(key: object) -> PrivateKey | None:
    """The key as the card has it; None for a kind of which it has none."""
    try:
        if isinstance(key, rsa.RSAPrivateKey):
            numbers = key.private_numbers()
            if numbers.public_numbers.e != _EXPONENT:
                return None
            return RsaPrivateKey.from_primes(numbers.p, numbers.q)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return EcPrivateKey.from_library(key)
    except ValueError:
        return None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return Ed25519PrivateKey.from_library(key)
    return X25519PrivateKey.from_library(key) if isinstance(key, x25519.X25519PrivateKey) else None
