"""YubiKeys as their PIV side shows itself, and the management application by which Yubico's tools know them."""

from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding

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


def _profile(name: str, title: str, rules: Rules, aliases: tuple[str, ...] = ()) -> Profile:
    assert rules.yubico is not None
    ciphers = {KEY_BYTES[kind]: kind for kind in (KeyKind.AES_128, rules.default_cipher, KeyKind.AES_256)}

    def make(options: CardOptions, env: Env, *, is_blank: bool = False) -> States:
        check_secrets(options, rules.pin_rules, rules.pin_rules, MAX_TRIES)
        serial = 10_000_000 + int.from_bytes(env.random_bytes(4), "big") % 20_000_000
        guid = None if is_blank else guid_of(options, env)
        state = state_of(options, ciphers, guid, policy=UsagePolicy.PIN, serial=serial)
        state = with_keys(state, options.keys or (), rules)
        ca = EcPrivateKey.generate(KeyKind.P256, env.random_bytes)
        certificate = issue("Yubico PIV Attestation", ca)
        return with_attestation(state, ca, certificate.public_bytes(Encoding.DER)), serial.to_bytes(4, "big")

    def blank(options: CardOptions, env: Env) -> States:
        return make(options, env, is_blank=True)

    return Profile(
        name=name,
        title=title,
        atr=ATR,
        applications=(Piv(rules), Management(Device(rules.yubico.version))),
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
    "YubiKey 5.4, its PIV side",
    _rules(Yubico((5, 4, 3), has_move=False), _KINDS_5_4, KeyKind.TDES),
)
YUBIKEY_5_7 = _profile(
    "yubikey-5.7",
    "YubiKey 5.7, its PIV side",
    _rules(Yubico((5, 7, 1)), _KINDS_5_7, KeyKind.AES_192),
    aliases=("yubikey",),
)
