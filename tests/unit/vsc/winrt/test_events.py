"""Tokens, registrations, and handlers that fail."""

import pytest

from vsc.unraisable import Unraisable
from vsc.winrt.events import EventRegistrationToken, Guarded, Registrations
from vsc.winrt.projection import handler


def test_a_token_is_an_integer_that_only_events_make() -> None:
    token = Registrations().add(lambda: lambda: None)
    assert isinstance(token, EventRegistrationToken)
    assert token > 0
    with pytest.raises(TypeError):
        EventRegistrationToken(1)
    with pytest.warns(DeprecationWarning, match="value"):
        assert token.value == token


def test_each_registration_has_a_token_of_its_own() -> None:
    ended: list[str] = []
    registrations = Registrations()
    first = registrations.add(lambda: lambda: ended.append("first"))
    second = registrations.add(lambda: lambda: ended.append("second"))
    assert first != second
    registrations.remove(second)
    registrations.remove(second)
    assert ended == ["second"]
    registrations.remove(int(first))
    assert ended == ["second", "first"]


def test_an_unknown_token_is_ignored_and_no_integer_is_a_type_error() -> None:
    Registrations().remove(12345)
    with pytest.raises(TypeError):
        Registrations().remove("token")


def test_what_a_handler_raises_is_unraisable(unraised: list[Unraisable]) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("oh")

    Guarded(fail)(1, 2)
    assert [(one.exc_type, one.object) for one in unraised] == [(RuntimeError, fail)]


def test_an_ended_handler_is_not_called() -> None:
    called: list[object] = []
    guarded = Guarded(called.append)
    guarded(1)
    guarded.end()
    guarded(2)
    assert called == [1]


def test_a_handler_is_a_plain_callable() -> None:
    async def coroutine(sender: object, args: object) -> None: ...

    class Callable:
        async def __call__(self, sender: object, args: object) -> None: ...

    for wrong in (coroutine, Callable(), 5, None, "text"):
        with pytest.raises(TypeError):
            handler(wrong)
    assert handler(print) is print
