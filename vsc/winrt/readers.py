"""`SmartCardReader` and `SmartCard`: a reader, what comes and goes in it, and one stay of a card there."""

from collections.abc import Callable, Sequence

from vsc import machine
from vsc.errors import CardRemoved
from vsc.machine import Change, ChangeKind, MachineReader, ReaderKind
from vsc.winrt import hresult
from vsc.winrt.buffers import IBuffer
from vsc.winrt.connections import SmartCardConnection
from vsc.winrt.enums import SmartCardReaderKind, SmartCardReaderStatus, SmartCardStatus
from vsc.winrt.errors import WinRTError
from vsc.winrt.events import EventRegistrationToken, Guarded, Registrations
from vsc.winrt.operations import IAsyncOperation, operation
from vsc.winrt.projection import ABSENT, Absent, Object, RuntimeClass, enumerated, handler, make, needed, renamed
from vsc.winrt.selector import selector_of
from vsc.winrt.simulation import current_simulation

_KINDS = {ReaderKind.VIRTUAL: SmartCardReaderKind.TPM, ReaderKind.PHYSICAL: SmartCardReaderKind.GENERIC}
"""Virtual cards are in TPM readers, as on Windows; whatever else PC/SC has is GENERIC."""

Handler = Callable[..., object]


class _SmartCardReaderStatics(RuntimeClass):
    def get_device_selector(cls, kind: SmartCardReaderKind | Absent = ABSENT, /) -> str:
        """What `DeviceInformation.find_all_async_aqs_filter` wants: all readers, or those of one kind."""
        current_simulation().check_capability()
        if isinstance(kind, Absent):
            return selector_of(SmartCardReaderKind.ANY)
        return selector_of(enumerated(kind, SmartCardReaderKind, "kind"))

    @property
    def get_device_selector_with_kind(cls) -> Callable[[SmartCardReaderKind], str]:
        return renamed(cls.get_device_selector, "get_device_selector_with_kind")

    def from_id_async(cls, device_id: str, /) -> "IAsyncOperation[SmartCardReader]":
        """The reader of that device id. ERROR_FILE_NOT_FOUND."""
        current_simulation().check_capability()
        wanted = needed(device_id, str, "device_id")

        def from_id() -> SmartCardReader:
            for reader in machine.current().readers():
                if reader.id == wanted:
                    return reader_for(reader)
            raise WinRTError(hresult.ERROR_FILE_NOT_FOUND, f"there is no reader with the device id {wanted!r}")

        return operation(from_id)


class SmartCardReader(Object, metaclass=_SmartCardReaderStatics):
    """A reader, from `from_id_async` or from a card that is in it."""

    def __init__(self, reader: MachineReader) -> None:
        self._reader = reader
        self._added = Registrations()
        self._removed = Registrations()

    def __repr__(self) -> str:
        return f"<SmartCardReader {self.name!r}>"

    @property
    def device_id(self) -> str:
        return self._reader.id

    @property
    def kind(self) -> SmartCardReaderKind:
        return kind_of(self._reader)

    @property
    def name(self) -> str:
        return self._reader.name

    def find_all_cards_async(self, /) -> "IAsyncOperation[Sequence[SmartCard]]":
        """The cards that are in now: one or none."""

        def find_all_cards() -> Sequence[SmartCard]:
            return cards_in(self)

        return operation(find_all_cards)

    def get_status_async(self, /) -> IAsyncOperation[SmartCardReaderStatus]:
        return operation(lambda: SmartCardReaderStatus(self._reader.status().value))

    def add_card_added(self, value: Handler, /) -> EventRegistrationToken:
        """Has `value` called with this reader and CardAddedEventArgs; soon, if a card is in already."""
        return self._watch(self._added, ChangeKind.CARD_ADDED, CardAddedEventArgs, handler(value))

    def remove_card_added(self, token: EventRegistrationToken, /) -> None:
        self._added.remove(token)

    def add_card_removed(self, value: Handler, /) -> EventRegistrationToken:
        """Has `value` called with this reader and CardRemovedEventArgs; also when the reader goes with its card."""
        return self._watch(self._removed, ChangeKind.CARD_REMOVED, CardRemovedEventArgs, handler(value))

    def remove_card_removed(self, token: EventRegistrationToken, /) -> None:
        self._removed.remove(token)

    def _card(self, insertion: int) -> "SmartCard":
        return make(SmartCard, self, self._reader, insertion)

    def _watch(self, where: Registrations, kind: ChangeKind, arguments: type, call: Handler) -> EventRegistrationToken:
        guarded = Guarded(call)

        def watcher(change: Change) -> None:
            if change.kind is kind and change.insertion is not None:
                guarded(self, make(arguments, self._card(change.insertion)))

        def start() -> Callable[[], None]:
            stop = self._reader.watch(watcher)

            def end() -> None:
                guarded.end()
                stop()

            return end

        return where.add(start)


class SmartCard(Object):
    """A card, from the time it was put into its reader until it is taken out; put back in, it is another object."""

    def __init__(self, reader: SmartCardReader, place: MachineReader, insertion: int) -> None:
        self._reader = reader
        self._place = place
        self._insertion = insertion

    def __repr__(self) -> str:
        return f"<SmartCard in {self._place.name!r}>"

    @property
    def reader(self) -> SmartCardReader:
        return self._reader

    def connect_async(self, /) -> IAsyncOperation[SmartCardConnection]:
        """A connection that others may have beside it."""

        def connect() -> SmartCardConnection:
            return make(SmartCardConnection, self._place.connect(insertion=self._insertion))

        return operation(connect)

    def get_answer_to_reset_async(self, /) -> IAsyncOperation[IBuffer]:
        def get_answer_to_reset() -> IBuffer:
            atr = self._place.atr
            if atr is None or self._place.insertion != self._insertion:
                raise CardRemoved(f"the card was taken out of {self._place.name!r}")
            return IBuffer(atr)

        return operation(get_answer_to_reset)

    def get_status_async(self, /) -> IAsyncOperation[SmartCardStatus]:
        """DISCONNECTED once the card, or its reader, is gone; no error."""
        return operation(lambda: SmartCardStatus(self._place.card_status(self._insertion).value))


class CardAddedEventArgs(Object):
    def __init__(self, card: SmartCard) -> None:
        self._card = card

    @property
    def smart_card(self) -> SmartCard:
        """The card that came."""
        return self._card


class CardRemovedEventArgs(Object):
    def __init__(self, card: SmartCard) -> None:
        self._card = card

    @property
    def smart_card(self) -> SmartCard:
        """The card that has gone: its status is DISCONNECTED."""
        return self._card


def kind_of(reader: MachineReader) -> SmartCardReaderKind:
    return _KINDS[reader.kind]


def reader_for(reader: MachineReader) -> SmartCardReader:
    return make(SmartCardReader, reader)


def cards_in(reader: SmartCardReader) -> Sequence[SmartCard]:
    insertion = reader._reader.insertion
    return () if insertion is None else (reader._card(insertion),)
