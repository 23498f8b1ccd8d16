"""What must hold after every power cut, whatever the card is. `vsc.testing.tear_everywhere` asks them all.

An invariant is a function of a `Cut` that raises AssertionError, saying what is wrong; its name is told with it. Give
your own to `tear_everywhere(…, invariants=[…])`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from card_os.card import Outcome
from card_os.fact import Fact, Kind
from card_os.memory import Persistent
from card_os.sw import SW
from vsc.profiles import Profile
from vsc.testing.card import SoftCard
from vsc.testing.diff import Diff, diff, facts_of


class Moment(Enum):
    """When the power goes."""

    BEFORE = "before"
    """Just before a commit: it is not made."""
    AFTER = "after"
    """Just after a commit: it is made, and nothing more of the command is done."""
    ANSWERED = "answered"
    """When the whole command is done and the host has the answer."""


@dataclass(frozen=True)
class State:
    """What a card of a profile keeps at one moment."""

    profile: Profile
    persistent: Persistent

    @cached_property
    def facts(self) -> dict[str, Fact]:
        return facts_of(self)


@dataclass(frozen=True, slots=True, repr=False)
class Cut:
    """One power cut, all that was known before it, and the card that came back.

    command: in words, secrets hidden; number: which one of the scenario, from 1. moment and commit: where in the
    command, commits counted from 1 (0: it makes none). spends: the counter that the command has to lower before it
    compares, if it presents a PIN or key, and behind it others that it gives back if that is right. before: at the
    last answer. commits: what the whole command makes permanent, one after the other; stored: what had been made
    permanent when the power went. outcome: what the whole command comes to. found: what the card has after the
    restart, by way of its image; card: that card, powered, to be asked. It is nobody else's: do with it what you
    like. by_anybody: after an answer, what the card would keep had the command come with nothing proved, for each
    application; empty if it presents a PIN or key, renews tries by its row, or changes nothing.
    """

    command: str
    number: int
    moment: Moment
    commit: int
    spends: tuple[str, ...]
    before: State
    commits: tuple[State, ...]
    stored: State
    outcome: Outcome
    found: State
    card: SoftCard
    by_anybody: tuple[State, ...] = ()

    def __str__(self) -> str:
        told = f"command {self.number}, {self.command}"
        if self.moment is Moment.ANSWERED:
            return f"after the answer to {told}"
        return f"{self.moment.value} commit {self.commit} of {len(self.commits)} of {told}"

    @property
    def after(self) -> State:
        """After the whole command."""
        return self.commits[-1] if self.commits else self.before

    @property
    def succeeds(self) -> bool:
        """Whether the whole command is answered 9000 or 61xx."""
        sw = self.outcome.response.sw
        return sw == SW.OK or sw >> 8 == 0x61

    @property
    def was_wrong(self) -> bool:
        """Whether a PIN or key that the command presents is answered to be wrong: 63Cx, 6982, 6983."""
        sw = self.outcome.response.sw
        return sw >> 4 == 0x63C or sw in (SW.SECURITY_STATUS_NOT_SATISFIED, SW.AUTHENTICATION_METHOD_BLOCKED)

    @property
    def diff(self) -> Diff:
        """From the last answer to the restart."""
        return diff(self.before, self.found)


Invariant = Callable[[Cut], None]


def no_try_refunded(cut: Cut) -> None:
    """A power cut gives no try back: tries are lowered, and stored, before anything is compared."""
    before, stored, found, after = (_counters(state) for state in (cut.before, cut.stored, cut.found, cut.after))
    is_done = cut.succeeds and _without_counters(cut.stored) == _without_counters(cut.after)
    for name, tries in found.items():
        # A right PIN gives its tries back whatever becomes of the rest of the command (6A80 for a new PIN, say).
        may_rise = (is_done and name in (cut.spends or found)) or (name in cut.spends[:1] and not cut.was_wrong)
        most = max(before.get(name, tries), after.get(name, tries) if may_rise else 0)
        if tries > min(most, stored.get(name, tries)):
            raise AssertionError(f"{name}: {tries} after the restart; {min(most, stored[name])} would be honest")
    for state in cut.by_anybody:
        for name, tries in _counters(state).items():
            if tries > before.get(name, tries):
                raise AssertionError(f"{name}: {before[name]} before it, {tries} after it, and nothing is proved")
    for name in cut.spends[:1]:
        if name in before:
            _check_spending(cut, name, before[name])


def _check_spending(cut: Cut, name: str, tries: int) -> None:
    sw = cut.outcome.response.sw
    if not cut.commits:
        if cut.succeeds or (cut.was_wrong and sw != SW.AUTHENTICATION_METHOD_BLOCKED):
            raise AssertionError(f"answered {sw:04X}, but no commit has lowered {name}")
        return
    first = _differing(cut.before, cut.commits[0])
    if _counters(cut.commits[0]).get(name) != tries - 1 or first != {name}:
        changed = diff(cut.before, cut.commits[0])
        raise AssertionError(
            f"the first commit has to lower {name} by one and do nothing else; it does: {_inline(changed)}"
        )
    if sw >> 4 == 0x63C and _counters(cut.after).get(name) != sw & 0xF:
        left = _counters(cut.after).get(name)
        raise AssertionError(f"answered {sw:04X}, but the card keeps {name} {left}")


def nothing_acknowledged_lost(cut: Cut) -> None:
    """What was answered 9000 before the cut is there, unchanged; so is what the command under way had stored."""
    expected = cut.after if cut.moment is Moment.ANSWERED else _expected(cut)
    if cut.found.persistent != expected.persistent:
        raise AssertionError(f"not what had been stored: {_inline(diff(expected, cut.found))}")


def _expected(cut: Cut) -> State:
    made = cut.commit - (cut.moment is Moment.BEFORE)
    return cut.commits[made - 1] if made else cut.before


def nothing_half_written(cut: Cut) -> None:
    """Counters apart, the card is as before the command or as after all of it; a refused command changes nothing."""
    found = _without_counters(cut.found)
    if found not in (_without_counters(cut.before), _without_counters(cut.after)):
        left = _inline(diff(cut.found, cut.after))
        raise AssertionError(f"neither as before the command nor as after it, which would be: {left}")
    # 63Cx of a command that presents a PIN or key says no; other warnings say that it is done.
    is_warned = cut.outcome.response.sw >> 8 in (0x62, 0x63) and not (cut.spends and cut.was_wrong)
    if not (cut.succeeds or is_warned) and _without_counters(cut.after) != _without_counters(cut.before):
        raise AssertionError(f"the command is refused and changes: {_inline(diff(cut.before, cut.after))}")


def no_right_gained(cut: Cut) -> None:
    """Nothing is verified after the restart, and who may do what is as before the command or as after all of it."""
    rules = [_rules(state) for state in (cut.before, cut.after)]
    if _rules(cut.found) not in rules:
        raise AssertionError("the rules of the card are neither those before the command nor those after it")
    card = cut.card.fork()
    for application in cut.found.profile.applications:
        state = cut.found.persistent.state(application.aid)
        select = bytes([0x00, 0xA4, 0x04, 0x0C, len(application.aid)]) + application.aid
        for command in application.protected(state):
            card.transmit(select)
            answer = card.transmit(command)
            if answer[-2:] == b"\x90\x00" or answer[-2] == 0x61:
                row = application.table.find(command[1], int.from_bytes(command[2:4], "big"))
                name = row.name if row else f"INS {command[1]:02X}"
                raise AssertionError(
                    f"{name} ({command.hex().upper()}) is answered {answer[-2:].hex()} with nothing proved"
                )


INVARIANTS: tuple[Invariant, ...] = (
    no_try_refunded,
    nothing_acknowledged_lost,
    nothing_half_written,
    no_right_gained,
)
"""Those that hold for every card."""


def _counters(state: State) -> dict[str, int]:
    found = state.facts.items()
    return {name: fact.value for name, fact in found if fact.kind is Kind.COUNTER and isinstance(fact.value, int)}


def _without_counters(state: State) -> dict[str, object]:
    return {name: fact.value for name, fact in state.facts.items() if fact.kind is not Kind.COUNTER}


def _rules(state: State) -> Mapping[str, object]:
    return {name: fact.value for name, fact in state.facts.items() if fact.kind is Kind.RULE}


def _differing(a: State, b: State) -> set[str]:
    one, other = a.facts, b.facts
    return {name for name in {*one, *other} if one.get(name) != other.get(name)}


def _inline(changes: Diff) -> str:
    return "; ".join(changes) or "nothing"
