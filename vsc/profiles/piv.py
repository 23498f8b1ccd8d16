"""PIV cards that keep to NIST SP 800-73-5: one for readers with contacts, one for those without.

Both have secure messaging, with a signer of their own that nobody else has a key of.
"""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from card_os.apps.piv import Piv, PivState, Rules
from card_os.apps.piv.cvc import ISSUER_BYTES, card_verifiable_certificate
from card_os.apps.piv.personalisation import certificate, new_pin, personalised, with_secure_messaging
from card_os.apps.piv.state import DEFAULT_ADMIN_KEY, DEFAULT_TRIES, PIN_BYTES, CardCertificate
from card_os.apps.piv.wire import UsagePolicy
from card_os.atr import Atr
from card_os.ec import EcPrivateKey
from card_os.env import Env
from card_os.key_kind import KeyKind
from card_os.pin import CharacterRule, PinPolicy
from card_os.symmetric import KEY_BYTES, SymmetricKey
from vsc.errors import RefusedError
from vsc.host.piv import PivHost
from vsc.profiles.issued import with_keys
from vsc.profiles.options import CardOptions
from vsc.profiles.profile import Profile, Recipe, States

PIN: Final = b"123456"
PUK: Final = b"12345678"
PAIRING_CODE: Final = b"12345678"
"""What everybody's cards for tests have."""

_RULES: Final = Rules(label="vsc PIV")
PIN_RULES: Final = _RULES.pin_rules
MAX_TRIES: Final = 10
"""FIPS 201-3 section 4.3.1."""
PUK_RULES: Final = PinPolicy(PIN_BYTES, PIN_BYTES, other=CharacterRule.ALLOW)
OPTIONS: Final = {
    "pin": PIN,
    "puk": PUK,
    "admin_key": DEFAULT_ADMIN_KEY,
    "tries": DEFAULT_TRIES,
    "puk_tries": DEFAULT_TRIES,
    "card_id": None,
    "keys": None,
}

_VALID = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)


def issue(name: str, key: EcPrivateKey) -> x509.Certificate:
    """A self-signed certificate; the same for the same key, so a seeded card repeats byte for byte."""
    own = key.library_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    identifier = x509.SubjectKeyIdentifier.from_public_key(own.public_key())
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(own.public_key())
    builder = builder.serial_number(int.from_bytes(identifier.digest[:8], "big") | 1)
    builder = builder.not_valid_before(_VALID[0]).not_valid_after(_VALID[1])
    builder = builder.add_extension(identifier, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(own, SHA256(), ecdsa_deterministic=True)


def guid_of(options: CardOptions, env: Env) -> bytes:
    """The card's identity, 16 bytes as they stand in its CHUID; a random one where nobody says."""
    return (options.card_id or uuid.UUID(bytes=env.random_bytes(16), version=4)).bytes


def state_of(
    options: CardOptions, ciphers: dict[int, KeyKind], guid: bytes | None, *, policy: int, serial: int = 0
) -> PivState:
    """The state of a card with PINs and management key; with a guid also CHUID and CCC.

    ciphers: which one a management key of so many bytes is for. RefusedError for a key of another length.
    """
    assert options.pin is not None
    assert options.puk is not None
    assert options.admin_key is not None
    if len(options.admin_key) not in ciphers:
        known = ", ".join(map(str, sorted(ciphers)))
        raise RefusedError(f"the admin key is refused: it has {known} bytes")
    return personalised(
        pin=new_pin(options.pin, options.tries or DEFAULT_TRIES),
        puk=new_pin(options.puk, options.puk_tries or DEFAULT_TRIES),
        admin=SymmetricKey.of(ciphers[len(options.admin_key)], options.admin_key),
        guid=guid,
        policy=policy,
        serial=serial,
    )


def check_secrets(options: CardOptions, pin_rules: PinPolicy, puk_rules: PinPolicy, max_tries: int) -> None:
    """RefusedError for a PIN or PUK that breaks the rules of the card, ValueError for too many tries."""
    for tries in (options.tries, options.puk_tries):
        if tries is not None and not 1 <= tries <= max_tries:
            raise ValueError(f"a PIN or PUK here has 1 to {max_tries} tries")
    for name, value, rules in (("PIN", options.pin, pin_rules), ("PUK", options.puk, puk_rules)):
        assert value is not None
        broken = rules.violation(value)
        if broken:
            raise RefusedError(f"the {name} is refused: {broken}")


_CIPHERS = {KEY_BYTES[kind]: kind for kind in (KeyKind.AES_128, KeyKind.TDES, KeyKind.AES_256)}


def _signed(state: PivState, env: Env, guid: bytes, code: bytes | None) -> PivState:
    """Adds key 04, its CVC and the certificate of the signer, whose key is forgotten at once."""
    signer, own = (EcPrivateKey.generate(KeyKind.P256, env.random_bytes) for _ in range(2))
    signed_by = issue("vsc content signer", signer)
    identifier = x509.SubjectKeyIdentifier.from_public_key(signer.library_key().public_key())
    algorithm = ec.ECDSA(SHA256(), deterministic_signing=True)
    cvc = card_verifiable_certificate(
        own, guid, identifier.digest[:ISSUER_BYTES], lambda body: signer.library_key().sign(body, algorithm)
    )
    content = certificate(signed_by.public_bytes(Encoding.DER))
    return with_secure_messaging(state, CardCertificate(own, cvc), content, code)


def _contact(options: CardOptions, env: Env) -> States:
    return (_made(options, env, UsagePolicy.PIN, None),)


def _contactless(options: CardOptions, env: Env) -> States:
    return (_made(options, env, UsagePolicy.PIN | UsagePolicy.VCI, PAIRING_CODE),)


def _made(options: CardOptions, env: Env, policy: int, code: bytes | None) -> PivState:
    check_secrets(options, PIN_RULES, PUK_RULES, MAX_TRIES)
    guid = guid_of(options, env)
    state = state_of(options, _CIPHERS, guid, policy=policy)
    return _signed(with_keys(state, options.keys or (), _RULES), env, guid, code)


# OpenSC takes any ATR that begins with 3B 8x 80 01 for a card without contacts, and then wants secure messaging
# (piv.md sections 0 and 11.2). Both offer T=1, without which yubico-piv-tool does not connect.
PIV = Profile(
    name="piv",
    title="PIV card (NIST SP 800-73-5)",
    atr=Atr.parse(bytes.fromhex("3BD496FF81B1FE451F075653433159")),
    applications=(Piv(_RULES),),
    personalisation=Recipe(_contact, OPTIONS),
    host=PivHost,
    pin_rules=PIN_RULES,
    puk_rules=PUK_RULES,
    max_tries=MAX_TRIES,
)
PIV_CONTACTLESS = Profile(
    name="piv-contactless",
    title="PIV card without contacts (NIST SP 800-73-5)",
    atr=Atr.parse(bytes.fromhex("3B8480015653433172")),
    applications=(Piv(replace(_RULES, is_contactless=True)),),
    personalisation=Recipe(_contactless, OPTIONS),
    pin_rules=PIN_RULES,
    puk_rules=PUK_RULES,
    max_tries=MAX_TRIES,
)
