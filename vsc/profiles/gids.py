"""The GIDS card: what Windows' in-box driver and OpenSC's gids driver speak to."""

import uuid
from typing import Final

from card_os.apps.gids import Gids as GidsApplication
from card_os.apps.gids.personalisation import blank, personalised
from card_os.apps.gids.wire import AID
from card_os.atr import Atr, Interface
from card_os.env import Env
from card_os.pin import DEFAULT_TRIES, NO_POLICY, CharacterRule, PinPolicy
from vsc.errors import RefusedError
from vsc.host.gids import Gids
from vsc.profiles.options import DEFAULT_ADMIN_KEY, DEFAULT_PIN, CardOptions
from vsc.profiles.profile import Profile, Recipe, States

_PUK: Final = PinPolicy(min_length=8, other=CharacterRule.ALLOW)


def _personalised(options: CardOptions, env: Env) -> States:
    """pin: within the policy, without one 4 to 127 bytes; puk: 8 to 127 bytes. RefusedError for others."""
    assert options.pin is not None
    assert options.admin_key is not None
    assert options.tries is not None
    if broken := (options.policy or NO_POLICY).violation(options.pin):
        raise RefusedError(f"the PIN is refused: {broken}")
    if options.puk is not None and _PUK.violations(options.puk):
        raise RefusedError(f"the PUK is refused: a PUK has {_PUK.min_length} to {_PUK.max_length} bytes")
    identity = options.card_id
    if identity is None and options.file_system:
        identity = uuid.UUID(bytes=env.random_bytes(16), version=4)
    state = personalised(
        pin=options.pin,
        admin_key=options.admin_key,
        card_id=identity.bytes_le if identity is not None and options.file_system else None,
        tries=options.tries,
        pin_policy=options.policy,
        puk=options.puk,
        admin_try_limit=options.admin_tries,
    )
    return (state,)


def _blank(options: CardOptions, env: Env) -> States:
    assert options.tries is not None
    return (blank(pin_policy=options.policy, tries=options.tries, admin_try_limit=options.admin_tries),)


_RULES = {"policy": None, "tries": DEFAULT_TRIES, "admin_tries": None}
_WHOLE = {"pin": DEFAULT_PIN, "puk": None, "admin_key": DEFAULT_ADMIN_KEY, "card_id": None, "file_system": True}

# T=1 alone, as contact cards of this kind offer it. Historical bytes: category 80, then compact-TLV F with the AID of
# the application that is selected after a reset (gids.md 1.3).
GIDS = Profile(
    name="gids",
    title="GIDS 2.0 smart card",
    atr=Atr((Interface(), Interface(protocol=1)), historical=bytes([0x80, 0xF0 | len(AID)]) + AID),
    applications=(GidsApplication(),),
    personalisation=Recipe(_personalised, {**_WHOLE, **_RULES}),
    blank_card=Recipe(_blank, _RULES),
    host=Gids,
    puk_rules=_PUK,
    # Windows keeps a GUID with its first three fields little-endian, in memory and so in `cardid`.
    guid=lambda raw: uuid.UUID(bytes_le=raw),
)
