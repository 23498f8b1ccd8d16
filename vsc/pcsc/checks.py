"""Handles: finding, checking, making and giving back; what several commands share."""

from typing import TYPE_CHECKING, TypeVar

from vsc.pcsc.codes import EXCLUSIVE, SHARED_BY_NOBODY, ReturnCode, ShareMode
from vsc.pcsc.connection import Connection
from vsc.pcsc.errors import HangUp, Refused
from vsc.pcsc.messages import Answerable
from vsc.pcsc.negotiation import SPEAKABLE
from vsc.pcsc.requests import Request
from vsc.pcsc.slot import Handle, Slot

if TYPE_CHECKING:
    from vsc.pcsc.engine import Engine

Body = TypeVar("Body", bound=Answerable)


def body_as(request: Request, kind: type[Body]) -> Body:
    assert isinstance(request.body, kind)
    return request.body


def handle_of(connection: Connection, number: int) -> Handle:
    """A handle of this connection. For a foreign one pcscd hangs up, so that nobody can try numbers."""
    handle = connection.handles.get(number)
    if handle is None:
        raise HangUp("a handle that is not this connection's")
    return handle


def usable_slot(connection: Connection, number: int) -> Slot:
    handle = handle_of(connection, number)
    slot = handle.placed()
    slot.check_sharing(handle)
    slot.check_working()
    handle.check_event()
    return slot


def check_mode(share_mode: int, protocols: int) -> None:
    if share_mode != ShareMode.DIRECT and not protocols & SPEAKABLE:
        raise Refused(ReturnCode.PROTO_MISMATCH)
    if share_mode not in list(ShareMode):
        raise Refused(ReturnCode.INVALID_VALUE)


def check_not_exclusive(slot: Slot) -> None:
    if not slot.is_plugged:
        raise Refused(ReturnCode.READER_UNAVAILABLE)
    if slot.sharing == EXCLUSIVE:
        raise Refused(ReturnCode.SHARING_VIOLATION)


def check_may_begin(handle: Handle) -> None:
    handle.placed().check_working()
    handle.check_event()


def new_handle(engine: "Engine", connection: Connection, slot: Slot) -> Handle:
    handle = Handle(engine.new_number(engine.handles), connection, slot)
    engine.handles.add(handle.number)
    connection.handles[handle.number] = handle
    slot.handles.add(handle)
    return handle


def leave_slot(engine: "Engine", slot: Slot, handle: Handle) -> None:
    """Takes a handle off its reader, with its lock and its share."""
    if slot.owner is handle:
        slot.free()
    slot.handles.discard(handle)
    if handle.slot is slot:
        set_sharing(engine, slot, SHARED_BY_NOBODY if slot.sharing == EXCLUSIVE else max(0, slot.sharing - 1))
    handle.slot = None
    engine.wake(slot)


def forget_handle(engine: "Engine", connection: Connection, handle: Handle) -> None:
    connection.handles.pop(handle.number, None)
    engine.handles.discard(handle.number)


def set_sharing(engine: "Engine", slot: Slot, sharing: int) -> None:
    """Who uses a reader shows as INUSE or EXCLUSIVE: clients that wait must hear of it."""
    if slot.sharing != sharing:
        slot.sharing = sharing
        engine.signal()
