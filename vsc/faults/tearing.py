"""Cutting a card's power at a commit: before it or after it, for there is nothing between."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from vpcd_bridge.port import PoweredCard
from vsc.faults.armed import Armed
from vsc.faults.effect import Effect
from vsc.faults.errors import FaultError
from vsc.faults.fault import Fault
from vsc.store.faulty import PowerCut

__all__ = ["PowerCut", "check_can_be_torn", "commits_of", "cutting"]

Around = Callable[[Callable[[], None]], None]


@runtime_checkable
class Commits(Protocol):
    """A card whose commits can be watched, as those of `card_os` can."""

    def watch_commits(self, around: Around | None) -> None: ...


def commits_of(card: PoweredCard) -> Commits | None:
    """The commits of a card, or of the card that it has inside; None if it has none."""
    for one in (card, getattr(card, "card", None)):
        if isinstance(one, Commits):
            return one
    return None


def check_can_be_torn(faults: Iterable[Fault], card: PoweredCard, reader_name: str) -> None:
    """FaultError if one of the faults tears commits, and the card has none."""
    for fault in faults:
        if fault.effect.is_tear and commits_of(card) is None:
            raise FaultError(
                f"{str(fault)!r} cannot strike in {reader_name!r}: that card has no commits of ours to cut"
            )


@contextmanager
def cutting(card: PoweredCard, torn: Sequence[Armed], lock: threading.RLock) -> Iterator[None]:
    """Cuts the card's power where one of the faults says so: PowerCut, with the fault, out of the card's command.

    lock: the plan's. Nobody else may watch the commits of the card meanwhile.
    """
    commits = commits_of(card) if torn else None
    if commits is None:
        yield
        return
    cut: PowerCut | None = None

    def strike(one: Armed) -> None:
        nonlocal cut
        one.fired += 1
        cut = PowerCut(one.fault)
        raise cut

    def around(commit: Callable[[], None]) -> None:
        if cut is not None:
            raise cut  # What runs on while the exception passes through writes nothing any more.
        with lock:
            due = [one for one in torn if one.counts()]
            for one in due:
                if one.fault.effect is Effect.TEAR_BEFORE:
                    strike(one)
        commit()
        with lock:
            for one in due:
                strike(one)

    commits.watch_commits(around)
    try:
        yield
    finally:
        commits.watch_commits(None)
