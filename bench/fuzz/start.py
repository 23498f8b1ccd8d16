"""Where the fuzzer begins: cards in states that are hard to come to by chance."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from card_os.access import AccessRule
from card_os.apps.gids.state import GidsState, KeyFile, KeyUse, LifeCycle
from card_os.apps.gids.wire import Crt
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.memory import Persistent
from card_os.pin import CharacterRule, PinPolicy
from vsc.errors import RefusedError
from vsc.profiles import PROFILES, Profile
from vsc.testing.card import SoftCard
from vsc.testing.history import History
from vsc.testing.operation import Authenticate, Block, GenerateKey, ImportKey, Verify, Write

PIN, PUK = "q7Zk!v9R", "Wd4%xT2m"
ADMIN_KEY = bytes.fromhex("C1A7E30B5D9426F8 6EB0134C97D2A58F F4089BC2317EDA65")
"""Nobody draws these by chance, and no constant of the source is one."""


@dataclass(frozen=True, slots=True)
class Start:
    """A card to begin with. The fuzzer's transcripts hold the state as an image would."""

    name: str
    profile: Profile
    persistent: Persistent


def personalised(profile: str, **options: object) -> SoftCard:
    """A card with secrets that nobody guesses, as far as cards of the profile take them."""
    wanted = {"pin": PIN, "admin_key": ADMIN_KEY, **options}
    taken = {name: value for name, value in wanted.items() if PROFILES[profile].takes(name)}
    try:
        return SoftCard.make(profile, seed="fuzz", **taken)  # type: ignore[arg-type]
    except (RefusedError, ValueError):
        # Its PINs are digits, its keys of another length: those that its cards have in tests.
        own = {name: value for name, value in taken.items() if name not in ("pin", "puk", "admin_key")}
        return SoftCard.make(profile, seed="fuzz", **own)  # type: ignore[arg-type]


_FILLED = History((Verify(), ImportKey(), GenerateKey(), Write(0, 40), Write(1, 300, True)))

_CARDS: Mapping[str, Mapping[str, object]] = {
    "personalised": {},
    "with few tries": {"tries": 2, "admin_tries": 2},
    "with a PUK": {"puk": PUK, "tries": 3},
    "with a policy": {
        "policy": PinPolicy(6, 12, digits=CharacterRule.REQUIRE_AT_LEAST_ONE),
        "admin_tries": 5,
    },
}
_HISTORIES: Mapping[str, History] = {
    "with keys and objects": _FILLED,
    "blocked": _FILLED + History((Block(),)),
    "with a blocked admin key": History((Authenticate(False),) * 5),
}


def starts(profile: Profile) -> list[Start]:
    """The states for one profile: blank, personalised in several ways, used, blocked, at the ends of its life."""
    cards = {} if profile.blank_card is None else {"blank": SoftCard.make_blank(profile.name, seed="fuzz")}
    cards |= {name: personalised(profile.name, **options) for name, options in _CARDS.items()}
    if profile.host is not None:
        for name, history in _HISTORIES.items():
            card = personalised(profile.name, admin_tries=3)
            history.run(card)
            cards[name] = card
    found = [Start(name, profile, card.persistent) for name, card in cards.items()]
    persistent = cards["personalised"].persistent
    for aid, state in persistent.applications:
        if isinstance(state, GidsState):
            found += [Start(name, profile, persistent.with_state(aid, new)) for name, new in _rare(state).items()]
    return found


def _rare(state: GidsState) -> dict[str, GidsState]:
    """States of GIDS that the commands of an ordinary host do not lead to."""
    free, ec = AccessRule.parse(bytes.fromhex("8F10001000")), EcPrivateKey(KeyKind.P256, 12345)
    uses = tuple(KeyUse(crt, algorithm, 0x40) for crt, algorithm in zip(Crt, (0x0C, 0x1C, 0x0C), strict=True))
    return {
        "with a key on a curve": state.with_file(KeyFile(0xB090, free, uses, is_active=True, key=ec)),
        "with an end": replace(state, rule=AccessRule.parse(bytes.fromhex("23103030"))),
        "terminated": replace(state, life_cycle=LifeCycle.TERMINATED),
        "being created": GidsState(life_cycle=LifeCycle.CREATION, template=b"", fmd=b""),
    }


def all_starts(profile: str | None = None) -> list[Start]:
    """Those of one profile, or of all."""
    return [start for one in PROFILES.values() if profile in (None, one.name) for start in starts(one)]
