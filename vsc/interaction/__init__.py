"""Who answers questions: a terminal, pinentry, a script of answers. `current_interaction` says which one now.

Four places, the first that is set counts: the argument of a call, `with user_interaction(…)`, `set_user_interaction`,
and what the machine has: the terminal of this process, else a pinentry program.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from vsc.errors import VscError
from vsc.interaction.pinentry import PinentryInteraction
from vsc.interaction.port import Question, QuestionKind, UserInteraction
from vsc.interaction.script import PinScript, ScriptExhausted
from vsc.interaction.terminal import TerminalInteraction

__all__ = [
    "NobodyToAsk",
    "PinScript",
    "PinentryInteraction",
    "Question",
    "QuestionKind",
    "ScriptExhausted",
    "TerminalInteraction",
    "UserInteraction",
    "current_interaction",
    "set_user_interaction",
    "user_interaction",
]


class NobodyToAsk(VscError):
    """A question has to be asked, and there is neither a terminal nor a pinentry program."""


_of_this_context: ContextVar[UserInteraction | None] = ContextVar("user interaction", default=None)
_of_this_process: UserInteraction | None = None


@contextmanager
def user_interaction(interaction: UserInteraction) -> Iterator[UserInteraction]:
    """Has `interaction` answer inside the block: in this thread or task, and in tasks that it starts.

    A new thread starts without it (before Python 3.14), unless it is run in `contextvars.copy_context()`.
    """
    token = _of_this_context.set(interaction)
    try:
        yield interaction
    finally:
        _of_this_context.reset(token)


def set_user_interaction(interaction: UserInteraction | None) -> None:
    """Has `interaction` answer in the whole process; None: the terminal or pinentry again."""
    global _of_this_process  # noqa: PLW0603
    _of_this_process = interaction


def current_interaction() -> UserInteraction:
    """Returns who answers now; NobodyToAsk, saying what to do, if nobody can."""
    chosen = _of_this_context.get() or _of_this_process
    if chosen is not None:
        return chosen
    if TerminalInteraction.is_available():
        return TerminalInteraction()
    if PinentryInteraction.is_available():
        return PinentryInteraction()
    raise NobodyToAsk(
        "there is nobody to ask: no terminal, no pinentry program; give the PIN, or set a vsc.user_interaction"
    )
