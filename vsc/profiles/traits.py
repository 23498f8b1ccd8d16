"""What a profile says, trait by trait: for people who ask what differs between two kinds of cards."""

from collections.abc import Iterator

from card_os.kept import PolicyKind
from card_os.pin import PinPolicy
from vsc.profiles.options import NAMES
from vsc.profiles.profile import Profile

Trait = str | tuple[str, ...]
"""In words, or a list of them."""
_MISSING = "-"


def traits(profile: Profile) -> dict[str, Trait]:
    """By name, in an order for people. What an application has of its own begins with its name."""
    return dict(_traits(profile))


def _traits(profile: Profile) -> Iterator[tuple[str, Trait]]:
    yield "title", profile.title
    yield "ATR", bytes(profile.atr).hex().upper()
    yield "reader", profile.reader_name or "any"
    default = profile.default_application
    yield "selected after a reset", default.name if default is not None else "nothing"
    yield "PIN", _policy(profile.pin_rules)
    yield "PUK", _policy(profile.puk_rules)
    yield "options", tuple(name for name in NAMES if profile.takes(name))
    for application in profile.applications:
        yield f"{application.name}: AID", application.aid.hex().upper()
        yield f"{application.name}: commands", tuple(dict.fromkeys(row.name for _, row in application.table))
        for name, value in application.traits.items():
            yield f"{application.name}: {name}", value


def _policy(policy: PinPolicy) -> str:
    (fact,) = PolicyKind().facts(policy, "")
    return fact.shown


def differences(one: Profile, other: Profile) -> list[tuple[str, str, str]]:
    """The traits in which two profiles differ, with what each of them says; `-`: it has no such trait, or no more.

    Of lists what both have is left out.
    """
    first, second = traits(one), traits(other)
    found = []
    for name in dict.fromkeys((*first, *second)):
        left, right = first.get(name, ()), second.get(name, ())
        if left != right:
            found.append((name, _said(left, right), _said(right, left)))
    return found


def _said(trait: Trait, other: Trait) -> str:
    if isinstance(trait, str):
        return trait
    return ", ".join(one for one in trait if one not in other) or _MISSING
