"""Questions to a person: what a Windows dialogue asks, as one object with three methods. None means: cancelled."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from card_os.pin import PinPolicy


class QuestionKind(Enum):
    """What is asked."""

    NEW_PIN = auto()
    CURRENT_PIN = auto()
    DELETION = auto()


@dataclass(frozen=True, slots=True)
class Question:
    """One question. card: its friendly name; tries_left: for CURRENT_PIN; problem: why it is asked again."""

    kind: QuestionKind
    card: str
    policy: PinPolicy | None = None
    tries_left: int | None = None
    problem: str | None = None


class UserInteraction(Protocol):
    """Whoever answers: a terminal, pinentry, a script."""

    def new_pin(self, question: Question) -> str | None:
        """Returns the new PIN, already asked twice where people type; None: cancelled."""
        ...

    def current_pin(self, question: Question) -> str | None: ...

    def consent_to_deletion(self, question: Question) -> bool:
        """False: cancelled."""
        ...
