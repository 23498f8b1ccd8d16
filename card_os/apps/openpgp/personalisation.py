"""Making the state of a new OpenPGP card."""

from dataclasses import replace

from card_os.apps.openpgp.rules import Rules
from card_os.apps.openpgp.state import DEFAULT_ADMIN_PIN, DEFAULT_PIN, DEFAULT_TRIES, OpenPgpState, Slot, StoredKey
from card_os.apps.openpgp.wire import Key, Origin
from card_os.key import PrivateKey
from card_os.pin import Pin
from card_os.secret import Secret


def factory_state(rules: Rules, serial: int) -> OpenPgpState:
    """A card as its maker hands it out: nothing on it, PIN 123456, admin PIN 12345678, no resetting code."""
    return personalised(rules, serial=serial)


def personalised(
    rules: Rules,
    *,
    serial: int,
    pin: bytes = DEFAULT_PIN,
    admin: bytes = DEFAULT_ADMIN_PIN,
    resetting_code: bytes | None = None,
    tries: int = DEFAULT_TRIES,
    code_tries: int = DEFAULT_TRIES,
    admin_tries: int = DEFAULT_TRIES,
) -> OpenPgpState:
    """serial: 4 bytes. resetting_code: None: none is set, and it has no tries."""
    code = Pin(None, code_tries, 0)
    return OpenPgpState(
        serial=serial,
        slots=tuple(Slot(key, rules.default_attributes(key)) for key in rules.keys),
        pin=Pin(Secret(pin), tries, tries),
        admin=Pin(Secret(admin), admin_tries, admin_tries),
        resetting_code=code if resetting_code is None else code.with_value(resetting_code),
    )


def with_attestation(state: OpenPgpState, rules: Rules, key: PrivateKey, der: bytes) -> OpenPgpState:
    """Adds the card's own CA (Yubico): its key, and its certificate in DER."""
    wanted = next(one for one in rules.all_attributes(Key.ATTESTATION) if one.kind == key.kind)
    stored = StoredKey(key, Origin.IMPORTED)
    return state.with_slot(replace(Slot(Key.ATTESTATION, wanted), stored=stored, certificate=der))
