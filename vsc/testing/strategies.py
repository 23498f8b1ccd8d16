"""Strategies for hypothesis: APDUs, PINs, policies, cards, histories, faults. Needs `virtual-smart-card[hypothesis]`.

What is drawn is printed when an example fails, PINs and keys too: they are test data, and the print is a recipe.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from hypothesis import strategies as st

from card_os.pin import MAX_BYTES as MAX_PIN_BYTES
from card_os.pin import MAX_TRIES, NO_POLICY, CharacterRule, PinPolicy, character_class
from card_os.pin import MIN_BYTES as MIN_PIN_BYTES
from vsc.faults.strategies import faults
from vsc.host import CanUnblock, HasChallenge, HasKeys, HasObjects, HostCard, ReferenceKind
from vsc.host.port import offered, offers, reference_of
from vsc.profiles import profile_named
from vsc.testing.apdus import ApduKind, Miss, NearMiss, apdus, near_misses
from vsc.testing.card import SoftCard
from vsc.testing.history import History
from vsc.testing.operation import (
    Authenticate,
    Block,
    Change,
    ChangeAdminKey,
    CloseChannel,
    Delete,
    DeleteKey,
    GenerateKey,
    ImportKey,
    LogOut,
    Operation,
    PowerCycle,
    Read,
    Reset,
    Select,
    Sign,
    UseChannel,
    Verify,
    VerifyWrong,
    Write,
)
from vsc.testing.player import MAX_CHANNEL, half_of

__all__ = [
    "ApduKind",
    "Miss",
    "NearMiss",
    "admin_keys",
    "apdus",
    "bad_pins",
    "card_histories",
    "cards",
    "faults",
    "near_misses",
    "pins",
    "policies",
]

T = TypeVar("T")

_CLASSES = ("digits", "lowercase", "uppercase", "special", "other")
_CHARACTERS: Mapping[str, str] = {
    # Simple ones first: hypothesis shrinks towards them.
    name: "".join(sorted(filter(lambda char: character_class(ord(char)) == name, map(chr, range(0x20, 0x80)))))
    for name in _CLASSES
}
_TWO_BYTES = "é"
_MANY = 8
"""How much too long a PIN may be."""


# --- PINs and policies -----------------------------------------------------------------------------------------------


@st.composite
def policies(draw: st.DrawFn) -> PinPolicy:
    """Any policy that some PIN can meet."""
    shortest = draw(st.integers(MIN_PIN_BYTES, MAX_PIN_BYTES))
    longest = draw(st.integers(shortest, MAX_PIN_BYTES))
    rules = {name: draw(st.sampled_from(CharacterRule)) for name in _CLASSES}
    required = [name for name in _CLASSES if rules[name] == CharacterRule.REQUIRE_AT_LEAST_ONE]
    if len(required) > longest:
        rules[required[0]] = CharacterRule.ALLOW
    if set(rules.values()) == {CharacterRule.DISALLOW}:
        rules["digits"] = CharacterRule.ALLOW
    return draw(_built(PinPolicy, {"min_length": shortest, "max_length": longest, **rules}))


@st.composite
def pins(draw: st.DrawFn, policy: PinPolicy | None = None) -> str:
    """PINs that the policy allows; without one, what a card without a policy takes: 4 to 127 bytes of anything.

    Lengths are those of the PIN in UTF-8, as the card counts them.
    """
    rules = policy or NO_POLICY
    required = [draw(st.sampled_from(_CHARACTERS[name])) for name in _with(rules, CharacterRule.REQUIRE_AT_LEAST_ONE)]
    size = draw(st.integers(max(rules.min_length, len(required)), rules.max_length))
    free = size - len(required)
    tail = _TWO_BYTES if free > 1 and rules.other != CharacterRule.DISALLOW and draw(st.booleans()) else ""
    free -= len(tail.encode())
    rest = draw(st.text(st.sampled_from(_allowed(rules)), min_size=free, max_size=free))
    at = draw(st.integers(0, free))
    return rest[:at] + "".join(required) + rest[at:] + tail


@st.composite
def bad_pins(draw: st.DrawFn, policy: PinPolicy | None = None) -> str:
    """PINs of at least one byte that the policy refuses: too short, too long, a character that may not be, or one
    missing that must be. They shrink to a PIN that is all but allowed.
    """
    rules = policy or NO_POLICY
    good = draw(pins(rules))
    disallowed = _with(rules, CharacterRule.DISALLOW)
    # A class can only be missed where others may fill its place.
    required = [name for name in _with(rules, CharacterRule.REQUIRE_AT_LEAST_ONE) if _allowed(rules, besides=name)]
    match draw(st.sampled_from(["short", "long", *["disallowed"] * bool(disallowed), *["missing"] * bool(required)])):
        case "short":
            size = rules.min_length - draw(st.integers(1, rules.min_length - 1))
            return _ascii(good)[:size]
        case "long":
            size = rules.max_length + draw(st.integers(1, _MANY))
            return good + _allowed(rules)[0] * (size - len(good.encode()))
        case "disallowed":
            name = draw(st.sampled_from(disallowed))
            at = draw(st.integers(0, len(good) - 1))
            return good[:at] + draw(st.sampled_from(_CHARACTERS[name])) + good[at + 1 :]
        case _:
            name = draw(st.sampled_from(required))
            filler = draw(st.sampled_from(_allowed(rules, besides=name)))
            return "".join(filler if character_class(ord(char)) == name else char for char in _ascii(good))


def readable_pins(policy: PinPolicy | None) -> st.SearchStrategy[str]:
    """PINs for histories: where it matters which one holds, short ones are easier to read."""
    if policy is not None and policy != NO_POLICY:
        return pins(policy)
    return st.text(st.sampled_from(_CHARACTERS["digits"]), min_size=4, max_size=8)


def _with(policy: PinPolicy, rule: CharacterRule) -> list[str]:
    return [name for name in _CLASSES if getattr(policy, name) == rule]


def _allowed(policy: PinPolicy, *, besides: str = "") -> str:
    """Every character of one byte that may be in a PIN, but those of one class."""
    disallowed = _with(policy, CharacterRule.DISALLOW)
    return "".join(_CHARACTERS[name] for name in _CLASSES if name not in (*disallowed, besides))


def _ascii(pin: str) -> str:
    return pin.replace(_TWO_BYTES, "  ")


@st.composite
def admin_keys(draw: st.DrawFn) -> bytes:
    """Admin keys of 24 bytes. Two that differ are different keys to 3DES as well: each byte has odd parity, and no
    half is the same as the next.
    """
    part = st.binary(min_size=8, max_size=8).map(_with_odd_parity)
    return b"".join(draw(st.lists(part, min_size=3, max_size=3, unique=True)))


def _with_odd_parity(key: bytes) -> bytes:
    return bytes((byte & 0xFE) | ((byte & 0xFE).bit_count() + 1) % 2 for byte in key)


# --- cards -----------------------------------------------------------------------------------------------------------


def _make(**options: object) -> SoftCard:
    return SoftCard.make(**options)  # type: ignore[arg-type]


# As hypothesis prints what it built: the recipe can be pasted.
_make.__name__ = "SoftCard.make"


@st.composite
def cards(draw: st.DrawFn, profile: str = "gids") -> SoftCard:
    """Personalised cards, seeded. A failing example prints the call that makes the same card again.

    VscError if there is no such profile.
    """
    kind = profile_named(profile)
    optional: dict[str, st.SearchStrategy[object]] = {
        "tries": st.integers(1, kind.max_tries),
        "puk_tries": st.integers(1, kind.max_tries),
        "admin_tries": st.integers(1, MAX_TRIES),
        "admin_key": admin_keys(),
        "puk": pins(kind.puk_rules),
        "policy": policies(),
    }
    options: dict[str, object] = draw(
        st.fixed_dictionaries(
            {"seed": st.integers(0, 0xFFFF)},
            optional={name: values for name, values in optional.items() if kind.takes(name)},
        )
    )
    policy = options.get("policy")
    assert policy is None or isinstance(policy, PinPolicy)
    if kind.takes("pin") and (policy is not None or draw(st.booleans())):
        options = {"pin": draw(pins(policy or kind.pin_rules)), **options}
    return draw(_built(_make, options if profile == "gids" else {"profile": profile, **options}))


def _built(target: Callable[..., T], values: Mapping[str, object]) -> st.SearchStrategy[T]:
    return st.builds(target, **{name: st.just(value) for name, value in values.items()})


# --- histories -------------------------------------------------------------------------------------------------------


def card_histories(
    profile: str = "gids", *, max_size: int = 20, policy: PinPolicy | None = None
) -> st.SearchStrategy[History]:
    """What a host may do with a card, in any order; operations that are refused are a part of it.

    policy: the cards', for new PINs. VscError if there is no such profile, or no host for its application.
    """
    kind = profile_named(profile)
    operations = _operations(half_of(kind), policy or kind.pin_rules)
    return st.builds(History, st.lists(operations, max_size=max_size).map(tuple))


def _operations(half: type[HostCard], policy: PinPolicy) -> st.SearchStrategy[Operation]:
    """Those that cards with this half have something for."""
    new = readable_pins(policy) | bad_pins(policy)
    number, knows = st.integers(0, 2), st.sampled_from([True, False])
    sizes = st.integers(1, 20) | st.sampled_from([127, 128, 255, 256, 1000])
    has_pin = reference_of(half, ReferenceKind.USER) is not None
    has_admin = offers(half, HasChallenge) or reference_of(half, ReferenceKind.ADMIN) is not None
    objects = offered(half, HasObjects)
    writable = [private for private in (False, True) if objects is not None and objects.places(private=private)]
    private = st.sampled_from(writable or [False])
    # In an order that examples shrink along: what is simpler stands first.
    table: tuple[tuple[bool, st.SearchStrategy[Operation]], ...] = (
        (has_pin, st.builds(Verify)),
        (has_pin, st.builds(VerifyWrong)),
        (True, st.builds(PowerCycle)),
        (has_pin or has_admin, st.builds(LogOut)),
        (has_pin, st.builds(Block)),
        (has_pin, st.builds(Change, new, knows)),
        (has_pin and offers(half, CanUnblock), st.builds(Reset, new, knows)),
        (has_admin, st.builds(Authenticate, knows)),
        (offers(half, HasChallenge), st.builds(ChangeAdminKey, admin_keys())),
        (bool(writable), st.builds(Write, number, sizes, private)),
        (bool(writable), st.builds(Read, number, private)),
        (bool(writable), st.builds(Delete, number, private)),
        (offers(half, HasKeys), st.builds(ImportKey)),
        (offers(half, HasKeys), st.builds(GenerateKey)),
        (offers(half, HasKeys), st.builds(Sign, number)),
        (offers(half, HasKeys), st.builds(DeleteKey, number)),
        (True, st.builds(Select)),
        (True, st.builds(UseChannel, st.integers(1, MAX_CHANNEL) | st.just(0))),
        (True, st.builds(CloseChannel)),
    )
    return st.one_of(*(operations for is_there, operations in table if is_there))
