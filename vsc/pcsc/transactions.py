"""Commands that lock a card for one handle."""

from dataclasses import replace

from vsc.pcsc.card_work import check_owner_can_act, reset_card
from vsc.pcsc.checks import body_as, check_may_begin, handle_of
from vsc.pcsc.codes import Disposition, ReturnCode
from vsc.pcsc.connection import Connection
from vsc.pcsc.errors import Refused
from vsc.pcsc.messages import BeginTransaction, EndTransaction
from vsc.pcsc.port import ResourceManager
from vsc.pcsc.requests import Request
from vsc.pcsc.slot import Handle
from vsc.pcsc.todo import Answer, HoldBack, Task

HOLD_BACK_S = 1.0
"""How long BEGIN_TRANSACTION waits for the lock before the client is told to ask again.

While a reply is outstanding, libpcsclite lets no other thread use the context. So a request must not be held back for
ever: another thread of that client may have to do something before the lock becomes free.
"""


def begin_transaction(manager: ResourceManager, connection: Connection, request: Request) -> Answer:
    asked = body_as(request, BeginTransaction)
    handle = handle_of(manager, connection, asked.card)
    check_may_begin(handle)
    slot = handle.placed()
    if slot.owner is not handle and (slot.queue or not slot.is_free_for(handle)):
        return _begin_later(manager, handle, asked)
    slot.lock(handle)
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))


def _begin_later(manager: ResourceManager, handle: Handle, asked: BeginTransaction) -> Task:
    connection, slot = handle.connection, handle.placed()
    check_owner_can_act(slot, connection)
    slot.queue.append(connection)
    try:
        while slot.queue[0] is not connection or not slot.is_free_for(handle):
            out_of_time = yield HoldBack(HOLD_BACK_S)
            check_may_begin(handle)
            if out_of_time and not slot.is_free_for(handle):
                raise Refused(ReturnCode.SHARING_VIOLATION)
        slot.lock(handle)
    finally:
        slot.queue.remove(connection)
        manager.wake(slot)
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))


def end_transaction(manager: ResourceManager, connection: Connection, request: Request) -> Task:
    asked = body_as(request, EndTransaction)
    handle = handle_of(manager, connection, asked.card)
    if asked.disposition not in list(Disposition):
        raise Refused(ReturnCode.INVALID_VALUE)
    slot = handle.placed()
    handle.check_event()
    if asked.disposition != Disposition.LEAVE:
        slot.check_sharing(handle)
    rv = ReturnCode.SUCCESS
    if asked.disposition in (Disposition.RESET, Disposition.UNPOWER):
        rv = yield from reset_card(manager, slot, handle, Disposition(asked.disposition), again=True)
        slot = handle.placed()
    elif asked.disposition == Disposition.EJECT:
        rv = ReturnCode.UNSUPPORTED_FEATURE  # No motor. A DISCONNECT that asks for it does not say so.
    try:
        slot.unlock(handle)
    except Refused as refusal:
        rv = rv or refusal.rv
    manager.wake(slot)
    return bytes(replace(asked, rv=rv))
