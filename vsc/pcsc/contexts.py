"""Commands about a client as such: its version of the protocol, its context, the end of another one's wait."""

from dataclasses import replace

from vsc.pcsc.card_work import reset_card
from vsc.pcsc.checks import body_as, forget_handle, handles_of, leave_slot
from vsc.pcsc.codes import NEWEST_MINOR, OLDEST_MINOR, PROTOCOL_MAJOR, Disposition, ReaderStateBit, ReturnCode, Scope
from vsc.pcsc.connection import Connection
from vsc.pcsc.errors import Refused
from vsc.pcsc.messages import Cancel, EstablishContext, ReleaseContext, Version
from vsc.pcsc.port import ResourceManager
from vsc.pcsc.requests import Request
from vsc.pcsc.todo import Task


def version(manager: ResourceManager, connection: Connection, request: Request) -> bytes:
    """Speaks whatever the client speaks, 4:4 to 4:6: clients before 2.4.1 cannot fall back."""
    asked = body_as(request, Version)
    if asked.major != PROTOCOL_MAJOR or not OLDEST_MINOR <= asked.minor <= NEWEST_MINOR:
        # Newer clients come again with the numbers given here.
        return bytes(Version(PROTOCOL_MAJOR, NEWEST_MINOR, ReturnCode.SERVICE_STOPPED))
    connection.minor = asked.minor
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))


def establish_context(manager: ResourceManager, connection: Connection, request: Request) -> bytes:
    asked = body_as(request, EstablishContext)
    if asked.scope not in list(Scope):
        raise Refused(ReturnCode.INVALID_VALUE)
    if connection.context is not None:
        del manager.contexts[connection.context]
    connection.context = manager.new_number(manager.contexts)
    manager.contexts[connection.context] = connection
    return bytes(replace(asked, context=connection.context, rv=ReturnCode.SUCCESS))


def release_context(manager: ResourceManager, connection: Connection, request: Request) -> Task:
    asked = body_as(request, ReleaseContext)
    if connection.context is None:
        raise Refused(ReturnCode.INVALID_HANDLE)
    if connection.context != asked.context:
        raise Refused(ReturnCode.INVALID_VALUE)
    yield from release_all(manager, connection)
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))


def release_all(manager: ResourceManager, connection: Connection) -> Task:
    """Gives back whatever a connection has. A card it has locked is reset, unless it has been already."""
    if connection.context is not None:
        manager.contexts.pop(connection.context, None)
        connection.context = None
    for handle in handles_of(manager, connection):
        slot = handle.slot
        if slot is not None:
            if slot.owner is handle and handle.event is ReturnCode.SUCCESS and not slot.state & ReaderStateBit.UNKNOWN:
                yield from reset_card(manager, slot, handle, Disposition.RESET)
            leave_slot(manager, slot, handle)
        forget_handle(manager, handle)
    return b""


def cancel(manager: ResourceManager, connection: Connection, request: Request) -> bytes:
    """Ends the wait of another connection. One that does not wait is no error, as from pcsc-lite 2.0.1 on."""
    asked = body_as(request, Cancel)
    target = manager.contexts.get(asked.context)
    if target is None:
        raise Refused(ReturnCode.INVALID_HANDLE)
    if target.is_waiting:
        target.notify(ReturnCode.CANCELLED)
        manager.news_of(target)
    return bytes(replace(asked, rv=ReturnCode.SUCCESS))
