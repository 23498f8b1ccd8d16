"""vsc.interaction.script, and who answers when: argument, context, process, default."""

import asyncio
import contextvars
import subprocess
import sys
import threading

import pytest

import vsc.interaction
from tests.unit.vsc.processes import ROOT
from vsc.errors import VscError
from vsc.interaction import (
    NobodyToAsk,
    PinentryInteraction,
    PinScript,
    Question,
    QuestionKind,
    ScriptExhausted,
    TerminalInteraction,
    UserInteraction,
    current_interaction,
    set_user_interaction,
    user_interaction,
)

NEW = Question(QuestionKind.NEW_PIN, "work")
CURRENT = Question(QuestionKind.CURRENT_PIN, "work", tries_left=3)
DELETION = Question(QuestionKind.DELETION, "work")


class TestPinScript:
    def test_it_answers_in_order_and_keeps_the_questions(self) -> None:
        script = PinScript(["1234", None])
        assert (script.new_pin(NEW), script.consent_to_deletion(DELETION), script.current_pin(CURRENT)) == (
            "1234",
            True,
            None,
        )
        assert script.questions == [NEW, DELETION, CURRENT]
        assert script.answers_left == 0

    def test_one_question_too_many_is_named(self) -> None:
        script = PinScript([])
        with pytest.raises(ScriptExhausted, match="no answer left to: Enter the PIN of the card 'work'") as caught:
            script.current_pin(CURRENT)
        assert caught.value.question is CURRENT
        assert isinstance(caught.value, VscError)
        assert script.questions == [CURRENT]

    def test_consent_may_be_refused(self) -> None:
        assert not PinScript(consent=False).consent_to_deletion(DELETION)

    @pytest.mark.parametrize("wrong", ["123456", b"123456"])
    def test_one_pin_is_no_list_of_pins(self, wrong: str | bytes) -> None:
        with pytest.raises(TypeError, match="a list of PINs"):
            PinScript(wrong)  # type: ignore[arg-type]

    def test_it_does_not_show_the_pins(self) -> None:
        script = PinScript(["s3cr3t-pin"])
        assert repr(script) == "<PinScript: 0 questions asked, 1 answers left>"


class TestWhoAnswers:
    @pytest.fixture(autouse=True)
    def nobody_before_nor_after(self) -> object:
        set_user_interaction(None)
        yield
        set_user_interaction(None)

    def test_the_context_comes_before_the_process(self) -> None:
        inner, outer, whole = PinScript(), PinScript(), PinScript()
        set_user_interaction(whole)
        with user_interaction(outer) as given:
            assert given is outer
            with user_interaction(inner):
                assert current_interaction() is inner
            assert current_interaction() is outer
        assert current_interaction() is whole

    def test_a_thread_carries_it_in_its_context(self) -> None:
        whole, ours = PinScript(), PinScript()
        set_user_interaction(whole)
        seen: list[UserInteraction] = []
        with user_interaction(ours):
            copy = contextvars.copy_context()
            thread = threading.Thread(target=lambda: copy.run(lambda: seen.append(current_interaction())))
            thread.start()
            thread.join()
        assert seen == [ours]

    def test_each_task_has_its_own(self) -> None:
        async def task(script: PinScript, turn: asyncio.Barrier) -> bool:
            with user_interaction(script):
                await turn.wait()
                return current_interaction() is script

        async def both() -> list[bool]:
            turn = asyncio.Barrier(2)
            return list(await asyncio.gather(task(PinScript(), turn), task(PinScript(), turn)))

        assert asyncio.run(both()) == [True, True]

    @pytest.mark.parametrize(
        ("terminal", "pinentry", "kind"),
        [(True, True, TerminalInteraction), (False, True, PinentryInteraction)],
    )
    def test_by_default_the_terminal_then_pinentry(
        self, monkeypatch: pytest.MonkeyPatch, terminal: bool, pinentry: bool, kind: type
    ) -> None:
        monkeypatch.setattr(TerminalInteraction, "is_available", staticmethod(lambda: terminal))
        monkeypatch.setattr(PinentryInteraction, "is_available", staticmethod(lambda: pinentry))
        assert type(current_interaction()) is kind

    def test_with_nobody_to_ask_it_says_what_to_do(self) -> None:
        code = "import vsc.interaction as i\ntry: i.current_interaction()\nexcept i.NobodyToAsk as e: print(e)"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PATH": "/nowhere", "PYTHONPATH": str(ROOT)},
            start_new_session=True,  # Without a controlling terminal.
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == (
            "there is nobody to ask: no terminal, no pinentry program; give the PIN, or set a vsc.user_interaction\n"
        )
        assert issubclass(NobodyToAsk, VscError)


def test_every_public_name_is_there() -> None:
    for name in vsc.interaction.__all__:
        assert getattr(vsc.interaction, name).__doc__
