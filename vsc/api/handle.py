"""What every handle on a card is: a way to the card, and a `with` block that keeps it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from vsc.api.challenge import AdminChallenge
from vsc.api.place import Place
from vsc.api.session import Authority, GivenKey, Session, Turn, checked_length
from vsc.errors import CardInUseError
from vsc.interaction.port import UserInteraction
from vsc.machine import MachineReader
from vsc.machine.own import OwnReader
from vsc.reader import Reader


class Handle:
    """One card, wherever it is. Holds nothing until it is used, and inside of a `with` block."""

    def __init__(self, place: Place, name: str, *, interaction: UserInteraction | None = None) -> None:
        self._place = place
        self._name = name
        self._interaction = interaction
        self._turn = Turn()
        self._held: ExitStack | None = None
        self._session: Session | None = None
        self._challenge: Callable[[], AdminChallenge | None] = lambda: None
        """The last challenge, if it still exists: it may have the turn."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}>"

    @property
    def name(self) -> str:
        """The name of a virtual card; of any other card that of its reader."""
        return self._name

    @property
    def reader(self) -> Reader | MachineReader | None:
        """Where the card is. A virtual card in a `with` block is in a `vsc.reader.Reader` of its own."""
        session = self._session
        if session is None:
            return self._reader_outside()
        reader = session.spot.reader
        return reader.slot if session.spot.is_ours and isinstance(reader, OwnReader) else reader

    def _reader_outside(self) -> MachineReader | None:
        with self._place.enter() as spot:
            return spot.reader

    def __enter__(self) -> Self:
        with self._turn.taken():
            if self._held is not None:
                raise CardInUseError(f"the card {self._name!r} is open already, by this very handle")
            with ExitStack() as stack:
                session = Session(stack.enter_context(self._place.enter()))
                stack.callback(session.close)
                _ = session.connection
                self._session, self._held = session, stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends what `with` began: the card is given back, and taken out of a reader of its own. Never deletes it."""
        if (challenge := self._challenge()) is not None:
            challenge.close()
        with self._turn.taken():
            self._release()

    def _release(self) -> None:
        held, self._held, self._session = self._held, None, None
        if held is not None:
            held.close()

    @contextmanager
    def _opened(self) -> Iterator[Session]:
        """The card for one operation, in one transaction."""
        with self._turn.taken():
            if self._session is not None:
                with self._session.transaction():
                    yield self._session
                return
            with self._place.enter() as spot:
                session = Session(spot)
                try:
                    with session.transaction():
                        try:
                            yield session
                        finally:
                            # In the transaction: nobody gets in between with what was proved here.
                            session.log_out()
                finally:
                    session.close()

    @contextmanager
    def _administered(self, by: Authority, *, new_key: GivenKey | None = None) -> Iterator[Session]:
        """The same, with the admin key proved inside, and nothing afterwards. ValueError first for a new one that has a
        wrong length."""
        with self._opened() as session:
            if new_key is not None:
                checked_length(new_key, session.admin.key_bytes)
            try:
                session.prove_admin(by)
                yield session
            finally:
                session.log_out()
