"""What an application of one's own should say of itself, so that invariants can tell a retry counter from a bug.

`tear_everywhere` knows no application: what a state consists of it reads from `Application.facts`, and which command
presents a PIN or a key from `presents` in its row. Where these are missing a refusal that has lowered a counter is a
refused command that changes something; then this says what is missing, and what differed.
"""

from collections.abc import Iterator

from card_os.application import Application
from card_os.fact import Kind
from vsc.testing.diff import AnyApplication
from vsc.testing.invariants import Cut, State
from vsc.trace.wording import NAMES

_COMPARING = tuple(NAMES[ins] for ins in (0x20, 0x24, 0x26, 0x28, 0x2C, 0x82, 0x86))
"""VERIFY and its like, EXTERNAL and GENERAL AUTHENTICATE: by these names people call what compares a PIN or a key."""


def missing_hooks(cut: Cut) -> Iterator[str]:
    """A sentence for each hook that may be missing, given that an invariant is broken here."""
    changed = [one for one in cut.before.profile.applications if _changes(one, cut)]
    mute = [one for one in changed if _is_mute(one)]
    for application in mute:
        where = _where(application, cut.before, cut.after) or _where(application, cut.before, cut.found)
        yield (
            f"the application {application.name!r} has no `facts` and no `schema`, which name what it keeps and what "
            f"counts tries{f'; what differs: {where} of its state' if where else ''}"
        )
    if cut.spends:
        known = {name for name, fact in cut.before.facts.items() if fact.kind is Kind.COUNTER}
        if cut.spends[0] not in known:
            there = ", ".join(map(repr, sorted(known))) or "none"
            yield f"{cut.command} `presents` {cut.spends[0]!r}, and `facts` have no such counter; there is: {there}"
    elif changed and (mute or not cut.succeeds or cut.command.startswith(_COMPARING)):
        yield (
            f"if {cut.command} compares a PIN or a key, its row has no `presents`: the counter that it lowers first "
            "(Command(…, presents=…))"
        )


def _is_mute(application: AnyApplication) -> bool:
    """Whether it says nothing of its state: it has no schema, and its class brings neither facts nor a description."""
    own = type(application)
    return application.schema is None and own.facts is Application.facts and own.describe is Application.describe


def _changes(application: AnyApplication, cut: Cut) -> bool:
    before = cut.before.persistent.state(application.aid)
    return any(state.persistent.state(application.aid) != before for state in (cut.after, cut.found))


def _where(application: AnyApplication, one: State, other: State) -> str:
    """Which bytes of its encoded state differ: their places alone, for they may be secret. Empty if none do."""
    try:
        a, b = (application.encode(state.persistent.state(application.aid)) for state in (one, other))
    except (TypeError, ValueError):
        return ""
    longest = max(len(a), len(b))
    places = [at for at in range(longest) if a[at : at + 1] != b[at : at + 1]]
    if not places:
        return ""
    first, last = places[0] + 1, places[-1] + 1
    return f"byte {first} of {longest}" if first == last else f"bytes {first} to {last} of {longest}"
