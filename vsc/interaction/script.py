"""A script of answers, for tests: what a person would have typed, in order."""

import threading
from collections import deque
from collections.abc import Iterable

from vsc.errors import VscError
from vsc.interaction.port import Question
from vsc.interaction.wording import title


class ScriptExhausted(VscError):
    """A question came that the script has no answer for. question: which."""

    def __init__(self, question: Question) -> None:
        super().__init__(f"the script has no answer left to: {title(question)}")
        self.question = question


class PinScript:
    """Gives the answers one by one, to whatever is asked; None cancels. May be used by several threads.

    answers: PINs in the order in which they will be asked for; consent: what is said to every deletion. A question
    too many raises ScriptExhausted: a test that asks more than it should must not hang or pass.

        script = PinScript(["12345678", None])
        with vsc.user_interaction(script):
            ...
        assert [question.kind for question in script.questions] == [...]
    """

    def __init__(self, answers: Iterable[str | None] = (), *, consent: bool = True) -> None:
        if isinstance(answers, str | bytes):
            raise TypeError("the answers are a list of PINs, not one PIN")
        self._answers = deque(answers)
        self._consent = consent
        self._lock = threading.Lock()
        self.questions: list[Question] = []
        """What was asked, in order; an unanswered question, too."""

    def __repr__(self) -> str:
        return f"<PinScript: {len(self.questions)} questions asked, {self.answers_left} answers left>"

    @property
    def answers_left(self) -> int:
        return len(self._answers)

    def new_pin(self, question: Question) -> str | None:
        return self._next(question)

    def current_pin(self, question: Question) -> str | None:
        return self._next(question)

    def consent_to_deletion(self, question: Question) -> bool:
        with self._lock:
            self.questions.append(question)
        return self._consent

    def _next(self, question: Question) -> str | None:
        with self._lock:
            self.questions.append(question)
            if not self._answers:
                raise ScriptExhausted(question)
            return self._answers.popleft()
