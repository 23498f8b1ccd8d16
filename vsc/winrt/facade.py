"""Where the skin meets the facade: a `vsc.api.card.Card` for each `SmartCard`, and who is asked on its behalf."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID

from vsc import machine
from vsc.api.card import Card
from vsc.api.place import InReader
from vsc.errors import Cancelled, CardNotFoundError, UnsupportedCard
from vsc.interaction import Question, UserInteraction, current_interaction, user_interaction
from vsc.machine import MachineReader
from vsc.store import Image
from vsc.winrt.operations import checkpoint

T = TypeVar("T")


def image_in(reader: MachineReader) -> Image | None:
    """The image of the card of ours that is in a reader; None for any other card."""
    if reader.card_name is None:
        return None
    try:
        return machine.current().store.read(reader.card_name)
    except CardNotFoundError:
        return None


def card_name(reader: MachineReader) -> str:
    """The friendly name of a card of ours; of any other card the name of its reader, for want of a better one."""
    image = image_in(reader)
    return reader.name if image is None else image.label


def card_at(reader: MachineReader, insertion: int) -> Card:
    """The card that is, or was, at that insertion. Checks that it can be managed: UnsupportedCard, CardRemoved."""
    card = Card(InReader(reader, insertion), card_name(reader))
    _ = card.pin_tries
    return card


def id_of(card: Card) -> UUID:
    """UnsupportedCard if the card has no id."""
    found = card.id
    if found is None:
        raise UnsupportedCard("the card has no id: there is no file system on it")
    return found


class _Watched:
    """Whoever answers, until the operation that asks is cancelled."""

    def __init__(self, inner: UserInteraction) -> None:
        self._inner = inner

    def new_pin(self, question: Question) -> str | None:
        return _unless_cancelled(self._inner.new_pin(question))

    def current_pin(self, question: Question) -> str | None:
        return _unless_cancelled(self._inner.current_pin(question))

    def consent_to_deletion(self, question: Question) -> bool:
        return _unless_cancelled(self._inner.consent_to_deletion(question))


def _unless_cancelled(answer: T) -> T:
    checkpoint()
    return answer


@contextmanager
def asking() -> Iterator[UserInteraction]:
    """Has questions answered by whoever does now; one that comes back after the operation was cancelled ends it."""
    with user_interaction(_Watched(current_interaction())) as interaction:
        yield interaction


def cancellable(work: Callable[[], object]) -> Callable[[], bool]:
    """The work, with True when it is done and False when a person cancels: what WinRT's requests answer."""

    def request() -> bool:
        try:
            with asking():
                work()
        except Cancelled:
            return False
        return True

    return request
