"""Commands that get, change and give back a handle to a card."""

from dataclasses import replace

from vsc.pcsc.card_work import await_release, power_up, reset_card
from vsc.pcsc.checks import (
    body_as,
    check_mode,
    check_not_exclusive,
    forget_handle,
    handle_of,
    handles_of,
    leave_slot,
    new_handle,
    set_sharing,
)
from vsc.pcsc.codes import (
    EXCLUSIVE,
    SHARED_BY_NOBODY,
    SHARED_BY_ONE,
    Disposition,
    Protocol,
    ReaderStateBit,
    ReturnCode,
    ShareMode,
)
from vsc.pcsc.connection import Connection
from vsc.pcsc.errors import Refused
from vsc.pcsc.messages import Connect, Disconnect, Reconnect, Status
from vsc.pcsc.negotiation import negotiate
from vsc.pcsc.port import ResourceManager
from vsc.pcsc.requests import Request
from vsc.pcsc.slot import Slot
from vsc.pcsc.todo import Task

MAX_HANDLES = 200
"""Per connection and per reader, as pcscd has it by default."""
_INITIALIZATIONS = frozenset((Disposition.LEAVE, Disposition.RESET, Disposition.UNPOWER))


def connect(manager: ResourceManager, connection: Connection, request: Request) -> Task:
    asked = body_as(request, Connect)
    check_mode(asked.share_mode, asked.preferred_protocols)
    slot = manager.slot_named(asked.name)
    if slot is None:
        raise Refused(ReturnCode.UNKNOWN_READER)
    slot.check_working()
    check_not_exclusive(slot)
    if slot.owner is not None:
        yield from await_release(manager, slot, connection)
        check_not_exclusive(slot)
    if asked.share_mode != ShareMode.DIRECT:
        yield from power_up(manager, slot)
        check_not_exclusive(slot)
    protocol = _protocol_for(asked, slot)
    if asked.share_mode == ShareMode.EXCLUSIVE and slot.sharing != SHARED_BY_NOBODY:
        raise Refused(ReturnCode.SHARING_VIOLATION)
    if connection.context != asked.context:
        raise Refused(ReturnCode.INVALID_HANDLE if connection.context is None else ReturnCode.INVALID_VALUE)
    if len(handles_of(manager, connection)) >= MAX_HANDLES or len(slot.handles) >= MAX_HANDLES:
        raise Refused(ReturnCode.NO_MEMORY)
    # DEVIATION: pcscd (SCardConnect) sets it before it refuses exclusive use, and whoever is connected is left with it.
    slot.protocol = protocol
    handle = new_handle(manager, connection, slot)
    if asked.share_mode == ShareMode.EXCLUSIVE:
        slot.lock(handle)
    set_sharing(manager, slot, EXCLUSIVE if asked.share_mode == ShareMode.EXCLUSIVE else slot.sharing + 1)
    return bytes(replace(asked, card=handle.number, active_protocol=int(slot.protocol), rv=ReturnCode.SUCCESS))


def reconnect(manager: ResourceManager, connection: Connection, request: Request) -> Task:
    asked = body_as(request, Reconnect)
    handle = handle_of(manager, connection, asked.card)
    if asked.initialization not in _INITIALIZATIONS:
        raise Refused(ReturnCode.INVALID_VALUE)
    if asked.share_mode not in list(ShareMode):
        raise Refused(ReturnCode.INVALID_VALUE)
    check_mode(asked.share_mode, asked.preferred_protocols)
    slot = handle.placed()
    slot.check_working()
    slot.check_sharing(handle)
    if asked.initialization == Disposition.LEAVE:
        if not slot.is_present:
            raise Refused(ReturnCode.NO_SMARTCARD)
        if slot.state & ReaderStateBit.SWALLOWED:
            raise Refused(ReturnCode.UNRESPONSIVE_CARD)
    else:
        yield from reset_card(manager, slot, handle, Disposition(asked.initialization), again=True)
        slot = handle.placed()
        if not slot.is_present:
            raise Refused(ReturnCode.NO_SMARTCARD)
        if slot.state & ReaderStateBit.SWALLOWED:
            raise Refused(ReturnCode.UNRESPONSIVE_CARD)
    protocol = _protocol_for(asked, slot)
    if asked.share_mode == ShareMode.EXCLUSIVE and slot.sharing not in (EXCLUSIVE, SHARED_BY_ONE):
        return bytes(replace(asked, active_protocol=int(protocol), rv=ReturnCode.SHARING_VIOLATION))
    slot.protocol = protocol  # Only now, as in connect.
    if asked.share_mode == ShareMode.EXCLUSIVE:
        if slot.sharing != EXCLUSIVE:
            slot.lock(handle)
            set_sharing(manager, slot, EXCLUSIVE)
    elif slot.sharing == EXCLUSIVE:
        if slot.depth > 1:
            slot.depth -= 1
        set_sharing(manager, slot, SHARED_BY_ONE)
        manager.wake(slot)
    handle.event = ReturnCode.SUCCESS
    return bytes(replace(asked, active_protocol=int(slot.protocol), rv=ReturnCode.SUCCESS))


def _protocol_for(asked: Connect | Reconnect, slot: Slot) -> Protocol:
    """The protocol that the reader will have if nothing refuses. DIRECT leaves it as it is, unless RAW is asked for.

    Raises Refused (PROTO_MISMATCH).
    """
    if asked.share_mode == ShareMode.DIRECT and not asked.preferred_protocols & Protocol.RAW:
        return slot.protocol
    return negotiate(asked.preferred_protocols, slot.protocol, slot.atr)


def disconnect(manager: ResourceManager, connection: Connection, request: Request) -> Task:
    asked = body_as(request, Disconnect)
    handle = handle_of(manager, connection, asked.card)
    if asked.disposition not in list(Disposition):
        raise Refused(ReturnCode.INVALID_VALUE)
    slot = handle.slot
    if slot is not None and asked.disposition != Disposition.LEAVE and slot.owner not in (None, handle):
        yield from await_release(manager, slot, connection)
        slot = handle.slot
    if slot is not None:
        if asked.disposition in (Disposition.RESET, Disposition.UNPOWER):
            yield from reset_card(manager, slot, handle, Disposition(asked.disposition))
        leave_slot(manager, slot, handle)
    forget_handle(manager, handle)
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))


def status(manager: ResourceManager, connection: Connection, request: Request) -> bytes:
    """Only the return code counts; the rest the client reads from the array."""
    asked = body_as(request, Status)
    handle = handle_of(manager, connection, asked.card)
    slot = handle.placed()
    slot.check_sharing(handle)
    handle.check_event()
    slot.check_working()
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))
