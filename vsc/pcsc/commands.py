"""The table of commands: one function for each, in the modules beside.

A handler makes its checks in the order that pcscd has. It returns the reply's bytes (none: empty), raises Refused with
the return code, or is a generator (todo.py).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from vsc.pcsc.codes import Command
from vsc.pcsc.connection import Connection
from vsc.pcsc.contexts import cancel, establish_context, release_context, version
from vsc.pcsc.exchange import control, get_attribute, set_attribute, transmit
from vsc.pcsc.handles import connect, disconnect, reconnect, status
from vsc.pcsc.listing import (
    get_reader_events,
    get_readers_state,
    get_readers_state_array,
    get_readers_state_size,
    stop_waiting,
    wait_reader_state_change,
)
from vsc.pcsc.port import ResourceManager
from vsc.pcsc.requests import Request
from vsc.pcsc.todo import Answer
from vsc.pcsc.transactions import begin_transaction, end_transaction

Handler = Callable[[ResourceManager, Connection, Request], Answer]

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
