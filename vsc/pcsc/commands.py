"""What the service does for each command: one function each, in the order of checks that pcscd has.

A handler returns the reply's bytes (none: empty), raises Refused with the return code, or is a generator (todo.py).
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from vsc.pcsc.codes import (
    CARD_OFF,
    EXCLUSIVE,
    FEATURE_REQUEST,
    MAX_PAYLOAD_BYTES,
    MAX_READERS_OLD,
    NEWEST_MINOR,
    OLDEST_MINOR,
    PROTOCOL_MAJOR,
    SHARED_BY_NOBODY,
    SHARED_BY_ONE,
    Attribute,
    Command,
    Disposition,
    Protocol,
    ReaderStateBit,
    ReturnCode,
    Scope,
    ShareMode,
)
from vsc.pcsc.connection import Connection
from vsc.pcsc.errors import HangUp, Refused
from vsc.pcsc.messages import (
    Answerable,
    ArraySize,
    BeginTransaction,
    Cancel,
    Connect,
    Control,
    Disconnect,
    EndTransaction,
    EstablishContext,
    GetSetAttribute,
    Notification,
    ReaderEvents,
    Reconnect,
    ReleaseContext,
    Status,
    Transmit,
    Version,
)
from vsc.pcsc.negotiation import SPEAKABLE, negotiate
from vsc.pcsc.requests import Request
from vsc.pcsc.slot import Handle, Slot
from vsc.pcsc.todo import CardCall, HoldBack, Task, Todo
from vsc.readers import CardRemovedError, Reader

if TYPE_CHECKING:
    from vsc.pcsc.engine import Engine

Answer = bytes | Task
Handler = Callable[["Engine", Connection, Request], Answer]
Body = TypeVar("Body", bound=Answerable)

MAX_HANDLES = 200
"""Per connection and per reader, as pcscd has it by default."""
HOLD_BACK_S = 1.0
"""How long BEGIN_TRANSACTION waits for the lock before the client is told to ask again.

While a reply is outstanding, libpcsclite lets no other thread use the context. So a request must not be held back for
ever: another thread of that client may have to do something before the lock becomes free.
"""
_NO_PRECISE_DIAGNOSIS = b"\x6f\x00"
_DISPOSITIONS = frozenset(Disposition)
_INITIALIZATIONS = frozenset((Disposition.LEAVE, Disposition.RESET, Disposition.UNPOWER))


# --- version, contexts


def version(engine: "Engine", connection: Connection, request: Request) -> bytes:
    """Speaks whatever the client speaks, 4:4 to 4:6: clients before 2.4.1 cannot fall back."""
    asked = _body(request, Version)
    if asked.major != PROTOCOL_MAJOR or not OLDEST_MINOR <= asked.minor <= NEWEST_MINOR:
        # Newer clients come again with the numbers given here.
        return bytes(Version(PROTOCOL_MAJOR, NEWEST_MINOR, ReturnCode.SERVICE_STOPPED))
    connection.minor = asked.minor
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))


def establish_context(engine: "Engine", connection: Connection, request: Request) -> bytes:
    asked = _body(request, EstablishContext)
    if asked.scope not in list(Scope):
        raise Refused(ReturnCode.INVALID_VALUE)
    if connection.context is not None:
        del engine.contexts[connection.context]
    connection.context = engine.new_number(engine.contexts)
    engine.contexts[connection.context] = connection
    return bytes(replace(asked, context=connection.context, rv=ReturnCode.SUCCESS))


def release_context(engine: "Engine", connection: Connection, request: Request) -> Task:
    asked = _body(request, ReleaseContext)
    if connection.context is None:
        raise Refused(ReturnCode.INVALID_HANDLE)
    if connection.context != asked.context:
        raise Refused(ReturnCode.INVALID_VALUE)
    yield from release_all(engine, connection)
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))


def release_all(engine: "Engine", connection: Connection) -> Task:
    """Gives back whatever a connection has. A card it has locked is reset, unless it has been already."""
    if connection.context is not None:
        engine.contexts.pop(connection.context, None)
        connection.context = None
    for handle in list(connection.handles.values()):
        slot = handle.slot
        if slot is not None:
            if slot.owner is handle and handle.event is ReturnCode.SUCCESS and not slot.state & ReaderStateBit.UNKNOWN:
                yield from _reset(engine, slot, handle, Disposition.RESET)
            _leave(engine, slot, handle)
        _forget(engine, connection, handle)
    return b""


def cancel(engine: "Engine", connection: Connection, request: Request) -> bytes:
    """Ends the wait of another connection. One that does not wait is no error, as from pcsc-lite 2.0.1 on."""
    asked = _body(request, Cancel)
    target = engine.contexts.get(asked.context)
    if target is None:
        raise Refused(ReturnCode.INVALID_HANDLE)
    if target.is_waiting:
        target.notify(ReturnCode.CANCELLED)
        engine.news_of(target)
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))


# --- what the readers are like


def get_readers_state(engine: "Engine", connection: Connection, request: Request) -> bytes:
    return engine.array(MAX_READERS_OLD)


def get_readers_state_size(engine: "Engine", connection: Connection, request: Request) -> bytes:
    connection.announced_entries = engine.entries
    return bytes(ArraySize(connection.announced_entries))


def get_readers_state_array(engine: "Engine", connection: Connection, request: Request) -> bytes:
    entries = connection.announced_entries or engine.entries
    connection.announced_entries = None
    connection.send(engine.array(entries))
    connection.array_sent()
    return b""


def wait_reader_state_change(engine: "Engine", connection: Connection, request: Request) -> bytes:
    """Registers for the next change. Up to 4:5 the array comes back; a 4:6 client asks for it next."""
    connection.is_waiting = True
    if connection.minor >= NEWEST_MINOR:
        connection.awaits_array = True
        return b""
    return engine.array(MAX_READERS_OLD)


def stop_waiting(engine: "Engine", connection: Connection, request: Request) -> bytes:
    """Answered only if nothing was notified: the client reads 8 bytes, and the notification is 8 bytes."""
    was_waiting = connection.is_waiting
    connection.is_waiting = False
    connection.array_sent()
    return bytes(Notification()) if was_waiting else b""


def get_reader_events(engine: "Engine", connection: Connection, request: Request) -> bytes:
    return bytes(ReaderEvents(engine.reader_events))


# --- connections to a card


def connect(engine: "Engine", connection: Connection, request: Request) -> Task:
    asked = _body(request, Connect)
    _check_mode(asked.share_mode, asked.preferred_protocols)
    slot = engine.slot_named(asked.name)
    if slot is None:
        raise Refused(ReturnCode.UNKNOWN_READER)
    slot.check_working()
    _check_not_exclusive(slot)
    if slot.owner is not None:
        yield from _await_release(engine, slot, connection)
        _check_not_exclusive(slot)
    if asked.share_mode != ShareMode.DIRECT:
        yield from _power_up(engine, slot)
        _check_not_exclusive(slot)
    if asked.share_mode != ShareMode.DIRECT or asked.preferred_protocols & Protocol.RAW:
        slot.protocol = negotiate(asked.preferred_protocols, slot.protocol, slot.atr)
    if asked.share_mode == ShareMode.EXCLUSIVE and slot.sharing != SHARED_BY_NOBODY:
        raise Refused(ReturnCode.SHARING_VIOLATION)
    if connection.context != asked.context:
        raise Refused(ReturnCode.INVALID_HANDLE if connection.context is None else ReturnCode.INVALID_VALUE)
    if len(connection.handles) >= MAX_HANDLES or len(slot.handles) >= MAX_HANDLES:
        raise Refused(ReturnCode.NO_MEMORY)
    handle = _new_handle(engine, connection, slot)
    if asked.share_mode == ShareMode.EXCLUSIVE:
        slot.lock(handle)
    _share(engine, slot, EXCLUSIVE if asked.share_mode == ShareMode.EXCLUSIVE else slot.sharing + 1)
    return bytes(replace(asked, card=handle.number, active_protocol=int(slot.protocol), rv=ReturnCode.SUCCESS))


def reconnect(engine: "Engine", connection: Connection, request: Request) -> Task:
    asked = _body(request, Reconnect)
    handle = _handle(connection, asked.card)
    if asked.initialization not in _INITIALIZATIONS:
        raise Refused(ReturnCode.INVALID_VALUE)
    if asked.share_mode not in list(ShareMode):
        raise Refused(ReturnCode.INVALID_VALUE)
    _check_mode(asked.share_mode, asked.preferred_protocols)
    slot = handle.placed()
    slot.check_working()
    slot.check_sharing(handle)
    if asked.initialization == Disposition.LEAVE:
        if not slot.is_present:
            raise Refused(ReturnCode.NO_SMARTCARD)
        if slot.state & ReaderStateBit.SWALLOWED:
            raise Refused(ReturnCode.UNRESPONSIVE_CARD)
    else:
        yield from _reset(engine, slot, handle, Disposition(asked.initialization), again=True)
        slot = handle.placed()
        if not slot.is_present:
            raise Refused(ReturnCode.NO_SMARTCARD)
        if slot.state & ReaderStateBit.SWALLOWED:
            raise Refused(ReturnCode.UNRESPONSIVE_CARD)
    if asked.share_mode != ShareMode.DIRECT or asked.preferred_protocols & Protocol.RAW:
        slot.protocol = negotiate(asked.preferred_protocols, slot.protocol, slot.atr)
    if asked.share_mode == ShareMode.EXCLUSIVE:
        if slot.sharing != EXCLUSIVE:
            if slot.sharing != SHARED_BY_ONE:
                return bytes(replace(asked, active_protocol=int(slot.protocol), rv=ReturnCode.SHARING_VIOLATION))
            slot.lock(handle)
            _share(engine, slot, EXCLUSIVE)
    elif slot.sharing == EXCLUSIVE:
        if slot.depth > 1:
            slot.depth -= 1
        _share(engine, slot, SHARED_BY_ONE)
        engine.wake(slot)
    handle.event = ReturnCode.SUCCESS
    return bytes(replace(asked, active_protocol=int(slot.protocol), rv=ReturnCode.SUCCESS))


def disconnect(engine: "Engine", connection: Connection, request: Request) -> Task:
    asked = _body(request, Disconnect)
    handle = _handle(connection, asked.card)
    if asked.disposition not in _DISPOSITIONS:
        raise Refused(ReturnCode.INVALID_VALUE)
    slot = handle.slot
    if slot is not None and asked.disposition != Disposition.LEAVE and slot.owner not in (None, handle):
        yield from _await_release(engine, slot, connection)
        slot = handle.slot
    if slot is not None:
        if asked.disposition in (Disposition.RESET, Disposition.UNPOWER):
            yield from _reset(engine, slot, handle, Disposition(asked.disposition))
        _leave(engine, slot, handle)
    _forget(engine, connection, handle)
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))


def begin_transaction(engine: "Engine", connection: Connection, request: Request) -> Answer:
    asked = _body(request, BeginTransaction)
    handle = _handle(connection, asked.card)
    _check_may_begin(handle)
    slot = handle.placed()
    if slot.owner is not handle and (slot.queue or not slot.is_free_for(handle)):
        return _begin_later(engine, handle, asked)
    slot.lock(handle)
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))


def _begin_later(engine: "Engine", handle: Handle, asked: BeginTransaction) -> Task:
    connection, slot = handle.connection, handle.placed()
    _check_owner_can_act(slot, connection)
    slot.queue.append(connection)
    try:
        while slot.queue[0] is not connection or not slot.is_free_for(handle):
            out_of_time = yield HoldBack(HOLD_BACK_S)
            _check_may_begin(handle)
            if out_of_time and not slot.is_free_for(handle):
                raise Refused(ReturnCode.SHARING_VIOLATION)
        slot.lock(handle)
    finally:
        slot.queue.remove(connection)
        engine.wake(slot)
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))


def end_transaction(engine: "Engine", connection: Connection, request: Request) -> Task:
    asked = _body(request, EndTransaction)
    handle = _handle(connection, asked.card)
    if asked.disposition not in _DISPOSITIONS:
        raise Refused(ReturnCode.INVALID_VALUE)
    slot = handle.placed()
    handle.check_event()
    if asked.disposition != Disposition.LEAVE:
        slot.check_sharing(handle)
    rv = ReturnCode.SUCCESS
    if asked.disposition in (Disposition.RESET, Disposition.UNPOWER):
        rv = yield from _reset(engine, slot, handle, Disposition(asked.disposition), again=True)
        slot = handle.placed()
    elif asked.disposition == Disposition.EJECT:
        rv = ReturnCode.UNSUPPORTED_FEATURE  # No motor. A DISCONNECT that asks for it does not say so.
    try:
        slot.unlock(handle)
    except Refused as refusal:
        rv = rv or refusal.rv
    engine.wake(slot)
    return bytes(replace(asked, rv=rv))


def status(engine: "Engine", connection: Connection, request: Request) -> bytes:
    """Only the return code counts; the rest the client reads from the array."""
    asked = _body(request, Status)
    handle = _handle(connection, asked.card)
    slot = handle.placed()
    slot.check_sharing(handle)
    handle.check_event()
    slot.check_working()
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))


# --- with the card and the reader


def transmit(engine: "Engine", connection: Connection, request: Request) -> Task:
    asked = _body(request, Transmit)
    handle = _handle(connection, asked.card)
    slot = handle.placed()
    slot.check_sharing(handle)
    slot.check_working()
    handle.check_event()
    if asked.send_protocol != Protocol.RAW:
        if not slot.is_present:
            raise Refused(ReturnCode.NO_SMARTCARD)
        if asked.send_protocol not in (Protocol.ANY_OLD, slot.protocol):
            raise Refused(ReturnCode.PROTO_MISMATCH)
    call = partial(_exchange, engine, slot.reader, request.payload, slot.insertion)
    try:
        response: bytes = yield from _work(engine, slot, handle, call)
    except CardRemovedError:
        engine.catch_up(slot)
        raise Refused(ReturnCode.NOT_TRANSACTED if handle.event is ReturnCode.SUCCESS else handle.event) from None
    except Exception as fault:
        engine.fault(fault)
        response = _NO_PRECISE_DIAGNOSIS
    if len(response) > asked.receive_bytes:
        return bytes(replace(asked, receive_bytes=len(response), rv=ReturnCode.INSUFFICIENT_BUFFER))
    return bytes(replace(asked, receive_bytes=len(response), rv=ReturnCode.SUCCESS)) + response


def _exchange(engine: "Engine", reader: Reader, command: bytes, insertion: int) -> bytes:
    """Runs without the engine's lock."""
    response = reader.transmit(command, insertion=insertion)
    if not 2 <= len(response) <= MAX_PAYLOAD_BYTES:
        raise ValueError(f"an R-APDU of {len(response)} bytes; it has 2 to {MAX_PAYLOAD_BYTES}")
    if engine.on_apdu is not None:
        try:
            engine.on_apdu(reader, command, response)
        except Exception as fault:  # Who looks on must not change what the client gets.
            engine.fault(fault)
    return response


def control(engine: "Engine", connection: Connection, request: Request) -> Task:
    """SCardControl. Event flags do not matter here: it is the reader that is spoken to.

    A reader that does not know FEATURE_REQUEST has no features: no bytes, and no error.
    """
    asked = _body(request, Control)
    handle = _handle(connection, asked.card)
    slot = handle.placed()
    slot.check_sharing(handle)
    slot.check_working()
    try:
        answer: bytes | None = yield from _call(
            engine, slot, handle, partial(slot.reader.control, asked.code, request.payload)
        )
    except Exception as fault:
        if not isinstance(fault, CardRemovedError):
            engine.fault(fault)
        raise Refused(ReturnCode.NOT_TRANSACTED) from None
    if answer is None:
        if asked.code != FEATURE_REQUEST:
            raise Refused(ReturnCode.UNSUPPORTED_FEATURE)
        answer = b""
    if len(answer) > min(asked.receive_bytes, MAX_PAYLOAD_BYTES):
        return bytes(replace(asked, returned_bytes=len(answer), rv=ReturnCode.INSUFFICIENT_BUFFER))
    return bytes(replace(asked, returned_bytes=len(answer), rv=ReturnCode.SUCCESS)) + answer


def get_attribute(engine: "Engine", connection: Connection, request: Request) -> bytes:
    asked = _body(request, GetSetAttribute)
    slot = _usable(connection, asked.card)
    match asked.attribute:
        case Attribute.ATR_STRING:
            value = slot.atr
        case Attribute.VENDOR_NAME:
            value = b"vsc"
        case Attribute.FRIENDLY_NAME | Attribute.SYSTEM_NAME:
            value = slot.name + b"\0"
        case _:
            raise Refused(ReturnCode.UNSUPPORTED_FEATURE)
    if len(value) > asked.value_bytes:
        return bytes(replace(asked, value_bytes=len(value), rv=ReturnCode.INSUFFICIENT_BUFFER))
    padded = value.ljust(len(asked.value), b"\0")
    return bytes(replace(asked, value=padded, value_bytes=len(value), rv=ReturnCode.SUCCESS))


def set_attribute(engine: "Engine", connection: Connection, request: Request) -> bytes:
    """No attribute can be set; in the words of pcscd with the drivers that are in use (CCID, vpcd)."""
    asked = _body(request, GetSetAttribute)
    _usable(connection, asked.card)
    raise Refused(ReturnCode.NOT_TRANSACTED)


COMMANDS: Mapping[Command, Handler] = MappingProxyType(
    {
        Command.ESTABLISH_CONTEXT: establish_context,
        Command.RELEASE_CONTEXT: release_context,
        Command.CONNECT: connect,
        Command.RECONNECT: reconnect,
        Command.DISCONNECT: disconnect,
        Command.BEGIN_TRANSACTION: begin_transaction,
        Command.END_TRANSACTION: end_transaction,
        Command.TRANSMIT: transmit,
        Command.CONTROL: control,
        Command.STATUS: status,
        Command.CANCEL: cancel,
        Command.GET_ATTRIB: get_attribute,
        Command.SET_ATTRIB: set_attribute,
        Command.VERSION: version,
        Command.GET_READERS_STATE: get_readers_state,
        Command.WAIT_READER_STATE_CHANGE: wait_reader_state_change,
        Command.STOP_WAITING_READER_STATE_CHANGE: stop_waiting,
        Command.GET_READER_EVENTS: get_reader_events,
        Command.GET_READERS_STATE_SIZE: get_readers_state_size,
        Command.GET_READERS_STATE_ARRAY: get_readers_state_array,
    }
)


# --- parts of the above


def _body(request: Request, kind: type[Body]) -> Body:
    assert isinstance(request.body, kind)
    return request.body


def _handle(connection: Connection, number: int) -> Handle:
    """A handle of this connection. For a foreign one pcscd hangs up, so that nobody can try numbers."""
    handle = connection.handles.get(number)
    if handle is None:
        raise HangUp("a handle that is not this connection's")
    return handle


def _usable(connection: Connection, number: int) -> Slot:
    handle = _handle(connection, number)
    slot = handle.placed()
    slot.check_sharing(handle)
    slot.check_working()
    handle.check_event()
    return slot


def _check_mode(share_mode: int, protocols: int) -> None:
    if share_mode != ShareMode.DIRECT and not protocols & SPEAKABLE:
        raise Refused(ReturnCode.PROTO_MISMATCH)
    if share_mode not in list(ShareMode):
        raise Refused(ReturnCode.INVALID_VALUE)


def _check_not_exclusive(slot: Slot) -> None:
    if not slot.is_plugged:
        raise Refused(ReturnCode.READER_UNAVAILABLE)
    if slot.sharing == EXCLUSIVE:
        raise Refused(ReturnCode.SHARING_VIOLATION)


def _check_may_begin(handle: Handle) -> None:
    handle.placed().check_working()
    handle.check_event()


def _check_owner_can_act(slot: Slot, connection: Connection) -> None:
    """Refuses to wait for a handle of the same connection: the client sends nothing while it waits for a reply."""
    if slot.owner is not None and slot.owner.connection is connection:
        raise Refused(ReturnCode.SHARING_VIOLATION)


def _await_release(engine: "Engine", slot: Slot, connection: Connection) -> Generator[Todo, Any, None]:
    """Waits until nobody has the lock, or the reader is gone."""
    _check_owner_can_act(slot, connection)
    slot.queue.append(connection)
    try:
        while slot.is_plugged and (slot.queue[0] is not connection or slot.owner is not None):
            yield HoldBack()
    finally:
        slot.queue.remove(connection)
        engine.wake(slot)


def _call(engine: "Engine", slot: Slot, handle: Handle | None, run: Callable[[], Any]) -> Generator[Todo, Any, Any]:
    """Has the reader do something, and takes over what that has changed."""
    try:
        return (yield from _work(engine, slot, handle, run))
    finally:
        engine.catch_up(slot)


def _work(engine: "Engine", slot: Slot, handle: Handle | None, run: Callable[[], Any]) -> Generator[Todo, Any, Any]:
    """Has the card compute. Meanwhile nobody else gets the lock: his commands would come among ours."""
    if handle is not None:
        slot.calls.append(handle)
    try:
        return (yield CardCall(slot, handle, run))
    finally:
        if handle is not None:
            slot.calls.remove(handle)
        engine.wake(slot)


def _power_up(engine: "Engine", slot: Slot) -> Generator[Todo, Any, None]:
    """Makes sure that there is a card with power, for CONNECT."""
    if not slot.is_present:
        raise Refused(ReturnCode.NO_SMARTCARD)
    if not slot.reader.is_powered or not slot.state & ReaderStateBit.POWERED:
        power_on = partial(slot.reader.power_on, only_if_off=True, insertion=slot.insertion)
        try:
            yield from _call(engine, slot, None, power_on)
        except CardRemovedError:
            raise Refused(ReturnCode.NO_SMARTCARD) from None
        except Exception as fault:
            engine.fault(fault)
            slot.card_is_mute()
        if not slot.is_present:
            raise Refused(ReturnCode.NO_SMARTCARD)
    if not slot.state & ReaderStateBit.POWERED:
        raise Refused(ReturnCode.UNPOWERED_CARD)


def _reset(
    engine: "Engine", slot: Slot, handle: Handle, how: Disposition, *, again: bool = False
) -> Generator[Todo, Any, ReturnCode]:
    """Resets the card, or switches it off (again: and on); all handles are flagged, whatever comes of it."""
    if how is Disposition.RESET:
        run: Callable[[], Any] = partial(slot.reader.reset, insertion=slot.insertion)
    else:
        run = partial(_power_cycle, slot.reader, slot.insertion, again)
    slot.flag(ReturnCode.RESET_CARD)
    slot.protocol = Protocol.UNDEFINED
    try:
        yield from _call(engine, slot, handle, run)
    except CardRemovedError:
        return ReturnCode.REMOVED_CARD
    except Exception as fault:
        engine.fault(fault)
        if slot.is_present:
            slot.card_is_mute()
        return ReturnCode.NOT_TRANSACTED
    if how is Disposition.UNPOWER and not again and slot.is_present:
        slot.state = CARD_OFF
    return ReturnCode.SUCCESS


def _power_cycle(reader: Reader, insertion: int, again: bool) -> None:
    reader.power_off(insertion=insertion)
    if again:
        reader.power_on(insertion=insertion)


def _new_handle(engine: "Engine", connection: Connection, slot: Slot) -> Handle:
    handle = Handle(engine.new_number(engine.handles), connection, slot)
    engine.handles.add(handle.number)
    connection.handles[handle.number] = handle
    slot.handles.add(handle)
    return handle


def _leave(engine: "Engine", slot: Slot, handle: Handle) -> None:
    """Takes a handle off its reader, with its lock and its share."""
    if slot.owner is handle:
        slot.free()
    slot.handles.discard(handle)
    if handle.slot is slot:
        _share(engine, slot, SHARED_BY_NOBODY if slot.sharing == EXCLUSIVE else max(0, slot.sharing - 1))
    handle.slot = None
    engine.wake(slot)


def _forget(engine: "Engine", connection: Connection, handle: Handle) -> None:
    connection.handles.pop(handle.number, None)
    engine.handles.discard(handle.number)


def _share(engine: "Engine", slot: Slot, sharing: int) -> None:
    """Who uses a reader shows as INUSE or EXCLUSIVE: clients that wait must hear of it."""
    if slot.sharing != sharing:
        slot.sharing = sharing
        engine.signal()
