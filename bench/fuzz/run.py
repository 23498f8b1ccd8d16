"""The loop: rounds of a few mutated commands and operations on one card, and what of it is worth going on from."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from bench.fuzz.corpus import commands, operation
from bench.fuzz.mutation import mutated
from bench.fuzz.oracle import Finding, WatchedCard
from bench.fuzz.start import Start, starts
from card_os.apdu import CommandApdu
from card_os.kernel import KERNEL, KernelIns
from vsc.errors import VscError
from vsc.profiles import Profile
from vsc.testing.operation import Authenticate, Operation, Verify
from vsc.testing.player import Player, player

HOST_RULE = "the host's half raises VscError only"
MAX_CORPUS, MAX_STATES = 5_000, 500
_NUMBER = re.compile(r"[0-9A-F]*[0-9][0-9A-F]*")

Seen = tuple[str, int, int, str]
"""Profile, instruction, status word, and the rule that refused: what counts as something new."""


@dataclass(slots=True)
class Result:
    """What a run has come to. finding: the first one, with the card that it was found on."""

    seed: int
    sent: int = 0
    seconds: float = 0.0
    seen: Counter[Seen] = field(default_factory=Counter)
    states: int = 0
    finding: Finding | None = None
    card: WatchedCard | None = None

    @property
    def rate(self) -> float:
        return self.sent / self.seconds if self.seconds else 0.0

    @property
    def status_words(self) -> list[int]:
        return sorted({sw for _, _, sw, _ in self.seen})

    def done(self, profile: str) -> set[int]:
        """Instructions that have been answered 9000 or 61xx at least once."""
        return {ins for name, ins, sw, _ in self.seen if name == profile and sw >> 8 in (0x90, 0x61)}


class Mangling:
    """A way to a card on which now and then a command is mutated: the host's half gets answers it does not expect."""

    def __init__(self, card: WatchedCard, fuzzer: "Fuzzer", share: float) -> None:
        self._card, self._fuzzer, self._share = card, fuzzer, share

    def __call__(self, command: bytes) -> bytes:
        rng = self._fuzzer.rng
        answer = b"\x6f\x00"
        is_mangled = rng.random() < self._share
        for one in mutated(rng, command, self._fuzzer.corpus) if is_mangled else [command]:
            answer = self._fuzzer.send(self._card, one)
        return answer


class Fuzzer:
    """All rounds on the cards of one profile."""

    def __init__(self, profile: Profile, result: Result, rng: Random) -> None:
        self.profile, self.result, self.rng = profile, result, rng
        self.corpus = commands(profile)
        self.states = starts(profile)
        self._first = len(self.states)
        self._has_host = profile.host is not None
        self._others = [one.aid for one in profile.applications[1:]]

    def round(self) -> None:
        """A card, some commands and operations. Finding as it comes; `result.card` is then the card."""
        rng, result = self.rng, self.result
        start = rng.choice(self.states[: self._first] if rng.random() < 0.5 else self.states)
        card = result.card = WatchedCard(start, f"{result.seed}/{result.sent}")
        # The other applications of a card have their turns: a mutated name of theirs is hardly ever right.
        other = rng.choice(self._others) if self._others and rng.random() < 0.5 else None
        host = self._host(card) if self._has_host and other is None else None
        if other is not None:
            self.send(card, bytes(CommandApdu(0x00, KernelIns.SELECT, 0x04, 0x00, other)))
        if host is not None and rng.random() < 0.5:
            self._operate(host, rng.choice((Verify(), Authenticate())))
        news = len(result.seen)
        for _ in range(rng.randint(1, 16)):
            if host is not None and rng.random() < 0.2:
                self._operate(host, operation(rng))
                continue
            at = rng.randrange(len(self.corpus))
            # Commands that follow each other belong together: now and then a whole dialogue gets through.
            is_dialogue = rng.random() < 0.2
            for command in self.corpus[at : at + (rng.randint(2, 8) if is_dialogue else 1)]:
                is_mutated = rng.random() < (0.1 if is_dialogue else 0.8)
                for one in mutated(rng, command, self.corpus) if is_mutated else [command]:
                    self.send(card, one)
        if len(result.seen) > news and card.persistent != start.persistent and len(self.states) < MAX_STATES:
            self.states.append(Start("found", self.profile, card.persistent))
        result.states = max(result.states, len(self.states))

    def _host(self, card: WatchedCard) -> Player:
        card.wire = Mangling(card, self, self.rng.choice((0.0, 0.05, 0.3)))
        return player(card)

    def _operate(self, host: Player, what: Operation) -> None:
        try:
            what.run(host)
        except VscError:
            return
        except Finding:
            raise
        except Exception as error:
            # The host's half must bear any answer of a card.
            raise Finding(HOST_RULE, f"{what}: {type(error).__name__}: {error}") from error

    def send(self, card: WatchedCard, command: bytes) -> bytes:
        """Sends a command as it is, judged; counts what is new."""
        self.result.sent += 1
        outcome = card.judge(command)
        rule = "" if outcome.reason is None else _NUMBER.sub("#", outcome.reason.rule)
        seen = (self.profile.name, command[1] if len(command) > 1 else -1, outcome.response.sw, rule)
        if seen not in self.result.seen and len(self.corpus) < MAX_CORPUS:
            self.corpus.append(command)
        self.result.seen[seen] += 1
        return bytes(outcome.response)


def run(profiles: list[Profile], count: int, seed: int, progress: Callable[[Result], None] | None = None) -> Result:
    """Sends `count` commands, in turns to cards of every profile; stops at the first finding."""
    result, rng = Result(seed), Random(seed)
    fuzzers = [Fuzzer(profile, result, rng) for profile in profiles]
    began = time.monotonic()
    for fuzzer in _in_turns(fuzzers):
        try:
            fuzzer.round()
        except Finding as finding:
            result.finding = finding
        result.seconds = time.monotonic() - began
        if progress is not None:
            progress(result)
        if result.finding is not None or result.sent >= count:
            return result
    return result


def _in_turns(fuzzers: list[Fuzzer]) -> Iterator[Fuzzer]:
    while True:  # Whoever takes them knows how many.
        yield from fuzzers


def names(profile: Profile) -> dict[int, str]:
    """The commands of a profile by instruction: those of its tables, and the kernel's."""
    of_tables = {ins: row.name for one in profile.applications for ins, row in one.table}
    return of_tables | {ins: row.name for ins, row in KERNEL.items()}


def unanswered(profile: Profile, result: Result) -> list[str]:
    """Names of the commands that no card has done."""
    done = result.done(profile.name)
    return sorted(name for ins, name in names(profile).items() if ins not in done)
