"""Commands that say what the readers are like, and when that changes."""

from vsc.pcsc.codes import MAX_READERS_OLD, NEWEST_MINOR
from vsc.pcsc.connection import Connection
from vsc.pcsc.messages import ArraySize, Notification, ReaderEvents
from vsc.pcsc.port import ResourceManager
from vsc.pcsc.requests import Request


def get_readers_state(manager: ResourceManager, connection: Connection, request: Request) -> bytes:
    return manager.array(MAX_READERS_OLD)


def get_readers_state_size(manager: ResourceManager, connection: Connection, request: Request) -> bytes:
    connection.announced_entries = manager.entries
    return bytes(ArraySize(connection.announced_entries))


def get_readers_state_array(manager: ResourceManager, connection: Connection, request: Request) -> bytes:
    entries = connection.announced_entries or manager.entries
    connection.announced_entries = None
    connection.send(manager.array(entries))
    connection.array_sent()
    return b""


def wait_reader_state_change(manager: ResourceManager, connection: Connection, request: Request) -> bytes:
    """Registers for the next change. Up to 4:5 the array comes back; a 4:6 client asks for it next."""
    connection.is_waiting = True
    if connection.minor >= NEWEST_MINOR:
        connection.awaits_array = True
        return b""
    return manager.array(MAX_READERS_OLD)


def stop_waiting(manager: ResourceManager, connection: Connection, request: Request) -> bytes:
    """Answered only if nothing was notified: the client reads 8 bytes, and the notification is 8 bytes."""
    was_waiting = connection.is_waiting
    connection.is_waiting = False
    connection.array_sent()
    return bytes(Notification()) if was_waiting else b""


def get_reader_events(manager: ResourceManager, connection: Connection, request: Request) -> bytes:
    return bytes(ReaderEvents(manager.reader_events))
