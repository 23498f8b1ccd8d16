"""YubiKeys: PIV, OpenPGP, and the management application by which Yubico's tools know them.

Options are those of the PIV side; the OpenPGP side is as it comes from the factory.
"""

from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding

from card_os.apps.openpgp import OpenPgp, OpenPgpState
from card_os.apps.openpgp import Rules as OpenPgpRules
from card_os.apps.openpgp import Yubico as OpenPgpYubico
from card_os.apps.openpgp.personalisation import factory_state
from card_os.apps.openpgp.personalisation import with_attestation as with_openpgp_attestation
from card_os.apps.openpgp.rules import YUBICO
from card_os.apps.piv import Piv, Rules, Yubico
from card_os.apps.piv.personalisation import with_attestation
from card_os.apps.piv.rules import SLOTS
from card_os.apps.piv.state import DEFAULT_ADMIN_KEY
from card_os.apps.piv.wire import UsagePolicy
from card_os.apps.yubico_management import Device, Management
from card_os.atr import Atr
from card_os.ec import EcPrivateKey
from card_os.env import Env
from card_os.key_kind import KeyKind
from card_os.symmetric import KEY_BYTES
from vsc.host.piv import PivHost
from vsc.profiles.issued import with_keys
from vsc.profiles.options import CardOptions
from vsc.profiles.piv import OPTIONS, check_secrets, guid_of, issue, state_of
from vsc.profiles.profile import Profile, Recipe, States

# 3B Fx: yubikit takes the card for one over USB, and sends extended APDUs (piv.md section 8).
ATR: Final = Atr.parse(bytes.fromhex("3BFD1300008131FE158073C021C057597562694B657940"))
READER: Final = "Yubico YubiKey CCID"
MAX_TRIES: Final = 255

_FALSE: Final = (bytes.fromhex("162B060104019755010501"), bytes.fromhex("162B06010401DA470F01"))
"""X25519 and Ed25519 as EdDSA, whatever the key is for."""
_PIV, _OPENPGP = 0x0010, 0x0008
"""Bits of what the management application says there is."""

_KINDS_5_4: Final = frozenset({KeyKind.RSA_1024, KeyKind.RSA_2048, KeyKind.P256, KeyKind.P384})
_KINDS_5_7: Final = _KINDS_5_4 | {KeyKind.RSA_3072, KeyKind.RSA_4096, KeyKind.ED25519, KeyKind.X25519}


def _rules(yubico: Yubico, kinds: frozenset[KeyKind], default_cipher: KeyKind) -> Rules:
    return Rules(
        short_aid=True,
        kinds=kinds,
        default_cipher=default_cipher,
        agreeing=frozenset(SLOTS),
        other_objects=range(0x5F0000, 0x600000),
        max_object_bytes=3063,
        max_bytes=51_200,
        counts_malformed_pins=True,
        digits_only=False,
        blocked_status=0x6983,
        no_key=0x6A80,
        has_secure_messaging=False,
        yubico=yubico,
    )


def _openpgp_rules(yubico: Yubico) -> OpenPgpRules:
    return OpenPgpRules(
        manufacturer=YUBICO,
        historical=bytes.fromhex("00730000E0059000"),
        exponent_bits=0x11,
        capabilities=0x7D,
        max_challenge_bytes=3070,
        max_object_bytes=255,
        max_apdu_bytes=3070,
        yubico=OpenPgpYubico(yubico.version),
        # Older firmware lists them, and yubikit wants to find them there, to take them away (openpgp.md section 5.3).
        falsely_listed=_FALSE if yubico.version < (5, 6, 1) else (),
    )


def _openpgp(rules: OpenPgpRules, serial: int, env: Env) -> OpenPgpState:
    """As from the factory: its AID has the serial number in decimal, and its attestation key a certificate."""
    ca = EcPrivateKey.generate(KeyKind.P256, env.random_bytes)
    certificate = issue("Yubico OPGP Attestation", ca)
    state = factory_state(rules, int(str(serial), 16))
    return with_openpgp_attestation(state, rules, ca, certificate.public_bytes(Encoding.DER))


def _profile(name: str, title: str, rules: Rules, aliases: tuple[str, ...] = ()) -> Profile:
    assert rules.yubico is not None
    ciphers = {KEY_BYTES[kind]: kind for kind in (KeyKind.AES_128, rules.default_cipher, KeyKind.AES_256)}

    openpgp = _openpgp_rules(rules.yubico)

    def make(options: CardOptions, env: Env, *, is_blank: bool = False) -> States:
        check_secrets(options, rules.pin_rules, rules.pin_rules, MAX_TRIES)
        serial = 10_000_000 + int.from_bytes(env.random_bytes(4), "big") % 20_000_000
        guid = None if is_blank else guid_of(options, env)
        state = state_of(options, ciphers, guid, policy=UsagePolicy.PIN, serial=serial)
        state = with_keys(state, options.keys or (), rules)
        ca = EcPrivateKey.generate(KeyKind.P256, env.random_bytes)
        certificate = issue("Yubico PIV Attestation", ca)
        own = with_attestation(state, ca, certificate.public_bytes(Encoding.DER))
        return own, serial.to_bytes(4, "big"), _openpgp(openpgp, serial, env)

    def blank(options: CardOptions, env: Env) -> States:
        return make(options, env, is_blank=True)

    return Profile(
        name=name,
        title=title,
        atr=ATR,
        applications=(
            Piv(rules),
            Management(Device(rules.yubico.version, applications=_PIV | _OPENPGP)),
            OpenPgp(openpgp),
        ),
        personalisation=Recipe(make, {**OPTIONS, "admin_key": DEFAULT_ADMIN_KEY}),
        blank_card=Recipe(blank, {name: OPTIONS[name] for name in ("pin", "puk", "admin_key", "tries", "puk_tries")}),
        host=PivHost,
        pin_rules=rules.pin_rules,
        puk_rules=rules.pin_rules,
        aliases=aliases,
        reader_name=READER,
    )


YUBIKEY_5_4 = _profile(
    "yubikey-5.4",
    "YubiKey 5.4",
    _rules(Yubico((5, 4, 3), has_move=False), _KINDS_5_4, KeyKind.TDES),
)
YUBIKEY_5_7 = _profile(
    "yubikey-5.7",
    "YubiKey 5.7",
    _rules(Yubico((5, 7, 1)), _KINDS_5_7, KeyKind.AES_192),
    aliases=("yubikey",),
)
