"""What a card holds, for people and for JSON: no secret in it."""

import uuid
from dataclasses import asdict, dataclass

from card_os.admin import AdminKey
from card_os.apps.gids.minidriver import Container, containers
from card_os.apps.gids.personalisation import card_id
from card_os.apps.gids.state import GidsState, LifeCycle
from card_os.pin import CharacterRule, Pin, PinPolicy
from card_os.rsa import RsaPrivateKey
from vsc.filling.certificate import subject_of
from vsc.store.image import Image

# As `--pin-policy` and tpmvscmgr call them.
_CLASSES = {
    "uppercase": "uppercase",
    "lowercase": "lowercase",
    "digits": "digits",
    "specialchars": "special",
    "other": "other",
}
_RULE_WORDS = {
    CharacterRule.ALLOW: "allowed",
    CharacterRule.REQUIRE_AT_LEAST_ONE: "required",
    CharacterRule.DISALLOW: "disallowed",
}


@dataclass(frozen=True, slots=True)
class ContainerSummary:
    """A key container: its number, the host's name for it, what the key is for, its type, its certificates."""

    number: int
    name: str
    default: bool
    use: str
    key: str | None
    certificates: list[str]


@dataclass(frozen=True, slots=True)
class CardSummary:
    """One card. label: its friendly name. card_id: as Windows shows it; serial: the same 16 bytes as OpenSC does."""

    name: str
    label: str
    profile: str
    atr: str
    life_cycle: str
    card_id: str | None
    serial: str | None
    pin: dict[str, int] | None
    puk: dict[str, int] | None
    pin_policy: dict[str, int | str] | None
    admin_key: dict[str, int | None] | None
    containers: list[ContainerSummary]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def summarise(image: Image) -> CardSummary:
    """Reads a card's image; changes nothing. Of a card without an application that can be described: that it is."""
    state = next((one for _, one in image.persistent.applications if isinstance(one, GidsState)), None)
    if state is None:
        return CardSummary(**_known(image), life_cycle="-", **dict.fromkeys(_OF_GIDS), containers=[])  # type: ignore[arg-type]
    serial = card_id(state)
    return CardSummary(
        **_known(image),
        life_cycle=state.life_cycle.name.lower(),
        card_id=str(uuid.UUID(bytes_le=serial)) if serial and len(serial) == 16 else None,
        serial=serial.hex().upper() if serial else None,
        pin=_tries(state.pin),
        puk=_tries(state.puk),
        pin_policy=_policy(state.pin_policy),
        admin_key=_admin_key(state),
        containers=[_container(one) for one in containers(state)] if state.life_cycle != LifeCycle.CREATION else [],
    )


_OF_GIDS = ("card_id", "serial", "pin", "puk", "pin_policy", "admin_key")


def _known(image: Image) -> dict[str, str]:
    """What is known of every card."""
    profile = image.profile
    return {"name": image.name, "label": image.label, "profile": profile.name, "atr": bytes(profile.atr).hex().upper()}


def _tries(pin: Pin) -> dict[str, int] | None:
    return None if pin.value is None else {"tries_left": pin.tries_left, "try_limit": pin.try_limit}


def _policy(policy: PinPolicy | None) -> dict[str, int | str] | None:
    if policy is None:
        return None
    rules = {name: _RULE_WORDS[getattr(policy, field)] for name, field in _CLASSES.items()}
    return {"minlen": policy.min_length, "maxlen": policy.max_length, **rules}


def _admin_key(state: GidsState) -> dict[str, int | None] | None:
    file = state.key_file(0x80)
    if file is None or not isinstance(file.key, AdminKey):
        return None
    key = file.key
    return {"tries_left": None if key.try_limit is None else key.tries_left, "try_limit": key.try_limit}


def _container(one: Container) -> ContainerSummary:
    key = one.key
    if key is None or isinstance(key, AdminKey):
        kind = None
    else:
        kind = f"RSA {key.bits}" if isinstance(key, RsaPrivateKey) else f"EC {key.kind}"
    return ContainerSummary(
        one.number, one.name, one.is_default, one.use, kind, [subject_of(der) for der in one.certificates]
    )
