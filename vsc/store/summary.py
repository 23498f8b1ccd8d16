"""What a card holds, for people and for JSON: no secret in it. It is read from `Application.outline`, of any card."""

from dataclasses import asdict, dataclass, field
from typing import Any

from card_os.application import Application
from card_os.key_kind import KeyKind
from card_os.outline import Outline, Reference, Slot
from card_os.pin import CharacterRule, PinPolicy
from vsc.filling.certificate import subject_of
from vsc.host import ReferenceKind
from vsc.host.port import reference_of
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
_USUAL_NAMES = {ReferenceKind.USER: "PIN", ReferenceKind.UNBLOCK: "PUK", ReferenceKind.ADMIN: "admin key"}
"""Of the secrets of a card whose profile has no host half."""
Counter = dict[str, int | None]
_GUID_BYTES = 16


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
    """One card. label: its friendly name. card_id: as Windows shows it; serial: the same 16 bytes as OpenSC does.

    life_cycle: empty if the application says nothing of it. pin, puk, admin_key: the secrets of these kinds, whatever
    the application calls them (`names`); None: not set. others: the names of the card's other applications.
    """

    name: str
    label: str
    profile: str
    atr: str
    life_cycle: str
    card_id: str | None
    serial: str | None
    pin: Counter | None
    puk: Counter | None
    pin_policy: dict[str, int | str] | None
    admin_key: Counter | None
    containers: list[ContainerSummary]
    names: dict[str, str] = field(default_factory=dict, compare=False)
    others: list[str] = field(default_factory=list, compare=False)

    def as_json(self) -> dict[str, object]:
        """What follows from the profile is left out."""
        return {name: value for name, value in asdict(self).items() if name not in ("names", "others")}


def outline_of(image: Image) -> tuple[Outline, ...]:
    """What the applications of a card say of it, the one that its host half knows first."""
    persistent = image.persistent
    return tuple(_outline(one, persistent.state(one.aid)) for one in image.profile.applications)


def _outline(application: Application[Any, Any], state: object) -> Outline:
    try:
        return application.outline(state)
    except Exception:  # Whatever an application of somebody else's may raise: the card is listed all the same.
        return Outline(application.name, "cannot be read")


def summarise(image: Image) -> CardSummary:
    """Reads a card's image; changes nothing."""
    profile = image.profile
    outline, *others = outline_of(image)
    identity, names = outline.identity, _names(image, outline)
    secrets = {kind: _tries(outline.reference(name)) for kind, name in names.items()}
    return CardSummary(
        name=image.name,
        label=image.label,
        profile=profile.name,
        atr=bytes(profile.atr).hex().upper(),
        life_cycle=outline.life_cycle,
        card_id=str(profile.guid(identity)) if identity and len(identity) == _GUID_BYTES else None,
        serial=identity.hex().upper() if identity else None,
        pin=secrets.get(ReferenceKind.USER),
        puk=secrets.get(ReferenceKind.UNBLOCK),
        pin_policy=_policy(outline.pin_policy),
        admin_key=secrets.get(ReferenceKind.ADMIN),
        containers=[_container(slot) for slot in outline.slots],
        names={kind.value: name for kind, name in names.items()},
        others=[one.application for one in others],
    )


def _names(image: Image, outline: Outline) -> dict[ReferenceKind, str]:
    """What the application calls its secrets."""
    half = image.profile.host
    if half is None:
        keys = (one.name for one in outline.references if one.try_limit is None)
        return _USUAL_NAMES | {ReferenceKind.ADMIN: next(keys, _USUAL_NAMES[ReferenceKind.ADMIN])}
    found = {kind: reference_of(half, kind) for kind in ReferenceKind}
    return {kind: reference.name for kind, reference in found.items() if reference is not None}


def _tries(secret: Reference | None) -> Counter | None:
    return None if secret is None else {"tries_left": secret.tries_left, "try_limit": secret.try_limit}


def _policy(policy: PinPolicy | None) -> dict[str, int | str] | None:
    if policy is None:
        return None
    rules = {name: _RULE_WORDS[getattr(policy, field)] for name, field in _CLASSES.items()}
    return {"minlen": policy.min_length, "maxlen": policy.max_length, **rules}


def _container(slot: Slot) -> ContainerSummary:
    certificates = [subject_of(der) for der in slot.certificates]
    return ContainerSummary(slot.number, slot.name, slot.is_default, slot.use, kind_words(slot.kind), certificates)


def kind_words(kind: KeyKind | None) -> str | None:
    """As people read it: `RSA 2048`, `EC P-256`."""
    if kind is None:
        return None
    name = kind.value.replace("RSA-", "RSA ")
    return f"EC {name}" if name.startswith(("P-", "brainpool", "secp")) else name
