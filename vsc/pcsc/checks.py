"""Handles: finding, checking, making and giving back; what several commands share."""

from typing import TypeVar

from vsc.pcsc.codes import EXCLUSIVE, SHARED_BY_NOBODY, ReturnCode, ShareMode
from vsc.pcsc.connection import Connection
from vsc.pcsc.errors import HangUp, Refused
from vsc.pcsc.messages import Answerable
from vsc.pcsc.negotiation import SPEAKABLE
from vsc.pcsc.port import ResourceManager
from vsc.pcsc.requests import Request
from vsc.pcsc.slot import Handle, Slot

Body = TypeVar("Body", bound=Answerable)


def body_as(request: Request, kind: type[Body]) -> Body:
    assert isinstance(request.body, kind)
    return request.body


def handle_of(manager: ResourceManager, connection: Connection, number: int) -> Handle:
    """A handle of this connection. For a foreign one pcscd hangs up, so that nobody can try numbers."""
    handle = manager.handles.get(number)
    if handle is None or handle.connection is not connection:
        raise HangUp("a handle that is not this connection's")
    return handle


def usable_slot(manager: ResourceManager, connection: Connection, number: int) -> Slot:
    handle = handle_of(manager, connection, number)
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


def new_handle(manager: ResourceManager, connection: Connection, slot: Slot) -> Handle:
    handle = Handle(manager.new_number(manager.handles), connection, slot)
    manager.handles[handle.number] = handle
    slot.handles.add(handle)
    return handle


def leave_slot(manager: ResourceManager, slot: Slot, handle: Handle) -> None:
    """Takes a handle off its reader, with its lock and its share."""
    if slot.owner is handle:
        slot.free()
    slot.handles.discard(handle)
    if handle.slot is slot:
        set_sharing(manager, slot, SHARED_BY_NOBODY if slot.sharing == EXCLUSIVE else max(0, slot.sharing - 1))
    handle.slot = None
    manager.wake(slot)


def handles_of(manager: ResourceManager, connection: Connection) -> list[Handle]:
    return [handle for handle in manager.handles.values() if handle.connection is connection]


def forget_handle(manager: ResourceManager, handle: Handle) -> None:
    manager.handles.pop(handle.number, None)


def set_sharing(manager: ResourceManager, slot: Slot, sharing: int) -> None:
    """Who uses a reader shows as INUSE or EXCLUSIVE: clients that wait must hear of it."""
    if slot.sharing != sharing:
        slot.sharing = sharing
        manager.signal()
