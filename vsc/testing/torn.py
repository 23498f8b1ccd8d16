"""One run of a scenario, with the power cut at one place or at none: what `tear_everywhere` is made of.

The card is a fork whose commits are watched. At the command in which the power will go it is first seen, on a copy of
the card, what the whole command would come to; then the command runs in earnest, and the power goes.
"""

import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace

from card_os.card import Outcome
from card_os.memory import Persistent
from vsc.errors import VscError
from vsc.masking.mask import mask
from vsc.reader.errors import CardRemovedError
from vsc.store.faulty import PowerCut
from vsc.testing.card import SoftCard
from vsc.testing.invariants import Cut, Moment, State
from vsc.testing.watched import Draw, RepeatingEnv, WatchedCard
from vsc.trace.decoder import Decoder, command_name
from vsc.trace.entry import Entry, EntryKind

Scenario = Callable[[SoftCard], object]


class UnsteadyScenarioError(VscError):
    """The scenario does not do the same each time, so that its power cuts cannot be gone through one by one."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place for a power cut: the number of a command, from 0, and of a commit of it, from 1."""

    command: int
    commit: int
    moment: Moment


@dataclass(frozen=True, slots=True)
class Step:
    """A command as it goes when nothing cuts it off: its header, how many commits it makes, and what it is called."""

    header: bytes
    commits: int
    name: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.name} with {self.commits} commit{'s' * (self.commits != 1)}"


@dataclass(slots=True)
class _Command:
    """A command under way. spends: as Application.spends has it, once that is known."""

    raw: bytes
    before: State
    commits: list[State] = field(default_factory=list)
    spends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Evidence:
    """A power cut, before the card is looked at. commits: of the whole command; stored: what was there by then."""

    place: Place
    command: _Command
    commits: tuple[State, ...]
    stored: Persistent
    outcome: Outcome


class Run:
    """drawn: what was random in runs before this one. expected and place: as the first run went, and where the power
    goes now; nothing of it in the first run itself."""

    def __init__(
        self, start: SoftCard, drawn: list[Draw], expected: list[Step] | None = None, place: Place | None = None
    ) -> None:
        self.steps: list[Step] = []
        self._start = start
        self._expected = expected
        self._place = place
        self._thread = threading.get_ident()
        self._decoder = Decoder()
        self._decoder.decode(Entry(EntryKind.INSERTED, atr=bytes(start.profile.atr)))
        self._stored = start.persistent
        self._is_dead = False
        self._is_cutting = False
        self._command: _Command | None = None
        self._answered: list[_Evidence] = []
        self._torn: _Evidence | None = None
        self._unsteady = ""
        self._soft = start.fork()
        self._soft.env = RepeatingEnv(self._soft.env, drawn)
        self._card = WatchedCard(start, self._soft.env, self)
        self._soft.card = self._card

    def play(self, scenario: Scenario) -> Iterator[Cut]:
        """Runs it whole; gives the power cuts after each answer, which need no run of their own."""
        given = scenario(self._soft)
        self._is_dead = True
        if isinstance(given, Coroutine):
            given.close()
            raise UnsteadyScenarioError("the scenario is async, and nobody runs it: give a function that does")
        for evidence in self._answered:
            yield self._cut(evidence)

    def play_until_the_cut(self, scenario: Scenario) -> Cut:
        """What the scenario raises before the cut goes through. UnsteadyScenarioError."""
        failure: BaseException | None = None
        try:
            scenario(self._soft)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if not self._is_dead:
                raise
            failure = error
        self._is_dead = True
        if self._torn is None:
            self._unsteady = self._unsteady or f"it ends after {len(self.steps)} commands"
            raise UnsteadyScenarioError(f"the scenario does not do the same each time: {self._unsteady}") from failure
        return self._cut(self._torn)

    # --- what the card does

    def exchange(self, raw: bytes) -> Outcome:
        """A command comes to the card."""
        self.check_power()
        number = len(self.steps)
        self._command = command = _Command(raw, self._state(self._card.persistent))
        if self._place is not None and number == self._place.command:
            self._tear(raw, command, self._place)
        outcome = self._card.run_whole(raw)
        self._command = None
        self._take_down(raw, command, outcome)
        return outcome

    def _take_down(self, raw: bytes, command: _Command, outcome: Outcome) -> None:
        number = len(self.steps)
        if self._expected is None:
            line = self._decoder.decode(
                Entry(
                    EntryKind.APDU,
                    command=mask(raw),
                    response=bytes(outcome.response),
                    reason=str(outcome.reason or ""),
                )
            )
            self.steps.append(Step(raw[:4], len(command.commits), f"{line.name} {line.details}".strip()))
            place = Place(number, 0, Moment.ANSWERED)
            self._answered.append(_Evidence(place, command, tuple(command.commits), self._stored, outcome))
            return
        step = Step(raw[:4], len(command.commits), command_name(raw))
        if number >= len(self._expected) or step != self._expected[number]:
            self._give_up(step)
        self.steps.append(step)

    def _tear(self, raw: bytes, command: _Command, place: Place) -> None:
        """Runs a command up to the power cut in it."""
        twin = self._card.twin()
        outcome = twin.run_whole(raw)
        commits = tuple(self._state(one) for one in twin.commits)
        self._is_cutting = True
        try:
            self._card.run_whole(raw)
        except (PowerCut, CardRemovedError):
            if not self._is_dead:
                raise
        if not self._is_dead:
            self._give_up(Step(raw[:4], len(command.commits), command_name(raw)))
        self._torn = _Evidence(place, command, commits, self._stored, outcome)
        self.check_power()

    def commit(self, make: Callable[[], None], new: Persistent) -> None:
        """The card is about to change what it keeps: here the power goes, if it goes here."""
        self.check_power()
        command, place = self._command, self._place
        here = None
        if command is not None and place is not None and self._is_cutting and len(command.commits) + 1 == place.commit:
            here = place.moment
        if here is Moment.BEFORE:
            self._cut_power()
        make()
        if command is not None:
            command.commits.append(self._state(new))
        if here is Moment.AFTER:
            self._cut_power()

    def store(self, new: Persistent) -> None:
        """What is told to the card's store, and that alone, is there after a power cut."""
        self.check_power()
        self._stored = new

    def understand(self, counters: tuple[str, ...]) -> None:
        """The command under way is whole now, and presents what the first of these counters counts."""
        if self._command is not None:
            self._command.spends = counters

    # --- the power

    @property
    def has_power(self) -> bool:
        return not self._is_dead

    def check_power(self) -> None:
        """Raises what a host gets of a card without power: here PowerCut, in a thread of a service a lost card."""
        if not self._is_dead:
            return
        if threading.get_ident() == self._thread:
            raise PowerCut
        raise CardRemovedError("the power was cut")

    def _cut_power(self) -> None:
        self._is_dead = True
        self.check_power()

    def _give_up(self, now: Step) -> None:
        """The command that has just run is not the one of the first run."""
        number, expected = len(self.steps), self._expected or []
        was = expected[number] if number < len(expected) else "not there"
        self._unsteady = f"command {number + 1} was {was}, and now is {now}"
        self._cut_power()

    def _state(self, persistent: Persistent) -> State:
        return State(self._start.profile, persistent)

    def _cut(self, evidence: "_Evidence") -> Cut:
        place, command = evidence.place, evidence.command
        card = restarted(self._start, evidence.stored)
        return Cut(
            command=(self._expected or self.steps)[place.command].name,
            number=place.command + 1,
            moment=place.moment,
            commit=place.commit,
            spends=command.spends,
            before=command.before,
            commits=evidence.commits,
            stored=self._state(evidence.stored),
            outcome=evidence.outcome,
            found=self._state(card.persistent),
            card=card,
            by_anybody=self._by_anybody(evidence),
        )

    def _by_anybody(self, evidence: _Evidence) -> tuple[State, ...]:
        if evidence.place.moment is not Moment.ANSWERED or not evidence.commits or evidence.command.spends:
            return ()
        command, found = evidence.command, []
        for application in self._start.profile.applications:
            row = application.table.find(command.raw[1], int.from_bytes(command.raw[2:4], "big"))
            if row is not None and row.renews:
                continue
            # Before a card is in use all is free: nothing in it is worth a try.
            if application.protected(command.before.persistent.state(application.aid)):
                card = restarted(self._start, command.before.persistent)
                card.transmit(bytes([0x00, 0xA4, 0x04, 0x0C, len(application.aid)]) + application.aid)
                card.transmit(command.raw)
                found.append(self._state(card.persistent))
        return tuple(found)


def restarted(start: SoftCard, persistent: Persistent) -> SoftCard:
    """Returns the card that comes back from an image with that state. AssertionError if the image cannot be read."""
    applications = start.profile.applications
    try:
        states = [one.decode(one.encode(persistent.state(one.aid))) for one in applications]
    except ValueError as error:
        raise AssertionError(f"after a power cut the card cannot be read from its image: {error}") from error
    card = start.fork()
    card.restore(replace(start.snapshot(), persistent=start.profile.persistent(*states)))
    return card
