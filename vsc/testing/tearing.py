"""The power cut, at every place where one can make a difference.

A card changes what it keeps in commits, and a commit is made or it is not. So a scenario with n commits has 2n power
cuts, before and after each, and all of them can be tried:

    report = tear_everywhere(scenario)
    print(report)       220 power cuts at 110 commits of 192 commands: the card came back whole each time

After each cut the card is taken to its image and back, as one that is kept on a disk, and powered; then the
`invariants` are asked.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vsc.testing.card import SoftCard
from vsc.testing.diff import Diff
from vsc.testing.hooks import missing_hooks
from vsc.testing.invariants import INVARIANTS, Cut, Invariant, Moment
from vsc.testing.torn import Place, Run, Scenario, UnsteadyScenarioError
from vsc.testing.watched import Draw

__all__ = ["TearReport", "TornCardError", "UnsteadyScenarioError", "tear_everywhere"]


class TornCardError(AssertionError):
    """A power cut does to the card what must not be. cut: which one; invariant: the name of the one that it breaks."""

    def __init__(self, cut: Cut, invariant: str, problem: str) -> None:
        changes = "".join(f"\n    {line}" for line in cut.diff) or " nothing"
        missing = "".join(f"\n  missing, perhaps: {words}" for words in missing_hooks(cut))
        super().__init__(
            f"a power cut {cut}\n  breaks {invariant!r}: {problem}\n"
            f"  changed between the last answer and the restart:{changes}{missing}"
        )
        self.cut, self.invariant = cut, invariant

    @property
    def diff(self) -> Diff:
        """From the last answer before the cut to the restart."""
        return self.cut.diff


@dataclass(frozen=True, slots=True)
class TearReport:
    """cuts: power cuts tried; commits and commands: those of the scenario when nothing cuts it off."""

    cuts: int
    commits: int
    commands: int

    def __str__(self) -> str:
        return (
            f"{self.cuts} power cuts at {self.commits} commits of {self.commands} commands: "
            "the card came back whole each time"
        )


def tear_everywhere(
    scenario: Scenario,
    *,
    card: SoftCard | Callable[[], SoftCard] | None = None,
    invariants: Iterable[Invariant] = (),
) -> TearReport:
    """Runs a scenario once without a power cut, then once for each that there can be, with the same card each time.

    scenario: does with the card what it likes, and does the same each time. In the cut the card raises `PowerCut`
    into it, or in another thread than the scenario's (behind a PC/SC service) is a card that was taken out. What the
    scenario raises then is swallowed; what it raises before the cut is its failure. card: the one to begin with, or
    what makes it; None: a personalised one (`SoftCard.make`). It is not touched: each run has a fork. What is random
    in it is the same in each run. invariants: more of them, beside `vsc.testing.invariants.INVARIANTS`.

    Raises TornCardError at the first cut that breaks an invariant; UnsteadyScenarioError.
    """
    start = SoftCard.make() if card is None else card if isinstance(card, SoftCard) else card()
    asked = (*INVARIANTS, *invariants)
    drawn: list[Draw] = []
    whole = Run(start, drawn)
    for cut in whole.play(scenario):
        _ask(cut, asked)
    cuts = 0
    for number, step in enumerate(whole.steps):
        for commit in range(1, step.commits + 1):
            for moment in (Moment.BEFORE, Moment.AFTER):
                _ask(Run(start, drawn, whole.steps, Place(number, commit, moment)).play_until_the_cut(scenario), asked)
                cuts += 1
    return TearReport(cuts, sum(step.commits for step in whole.steps), len(whole.steps))


def _ask(cut: Cut, invariants: Iterable[Invariant]) -> None:
    for invariant in invariants:
        try:
            invariant(cut)
        except AssertionError as error:
            name = getattr(invariant, "__name__", str(invariant)).replace("_", " ")
            raise TornCardError(cut, name, str(error)) from error
