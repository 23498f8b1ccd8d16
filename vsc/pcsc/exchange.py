"""Commands that talk to the card and to the reader."""

from collections.abc import Generator
from dataclasses import replace
from functools import partial
from typing import Any

from vpcd_bridge.errors import NoAnswer
from vsc.pcsc.attributes import attribute_of
from vsc.pcsc.card_work import call_reader, compute
from vsc.pcsc.checks import body_as, handle_of, usable_slot
from vsc.pcsc.codes import MAX_PAYLOAD_BYTES, Protocol, ReturnCode
from vsc.pcsc.connection import Connection
from vsc.pcsc.errors import HangUp, Refused
from vsc.pcsc.messages import Control, GetSetAttribute, Transmit
from vsc.pcsc.port import ResourceManager
from vsc.pcsc.requests import Request
from vsc.pcsc.slot import Slot
from vsc.pcsc.todo import Task, Todo
from vsc.reader import BrokenWireError, CardRemovedError, Reader, ServiceGoneError, SharedError
from vsc.reader.part10 import FEATURE_REQUEST

_NO_PRECISE_DIAGNOSIS = b"\x6f\x00"


def transmit(manager: ResourceManager, connection: Connection, request: Request) -> Task:
    asked = body_as(request, Transmit)
    handle = handle_of(manager, connection, asked.card)
    if handle.placed().reader.line is not None:
        yield from _announce(manager, handle.placed(), request.payload)
    slot = handle.placed()
    slot.check_sharing(handle)
    slot.check_working()
    handle.check_event()
    if asked.send_protocol != Protocol.RAW:
        if not slot.is_present:
            raise Refused(ReturnCode.NO_SMARTCARD)
        if asked.send_protocol not in (Protocol.ANY_OLD, slot.protocol):
            raise Refused(ReturnCode.PROTO_MISMATCH)
    call = partial(_exchange, slot.reader, request.payload, slot.insertion)
    try:
        response: bytes = yield from compute(manager, slot, handle, call)
    except CardRemovedError:
        manager.catch_up(slot)
        raise Refused(ReturnCode.NOT_TRANSACTED if handle.event is ReturnCode.SUCCESS else handle.event) from None
    except BrokenWireError as broken:
        if broken.cut_answer:
            frame = _answer(asked, broken.cut_answer)
            connection.send(frame[: len(frame) // 2])
        raise HangUp("a fault of the wire") from None
    except NoAnswer as failure:
        raise _refusal(manager, failure) from None
    except Exception as fault:
        manager.fault(fault)
        response = _NO_PRECISE_DIAGNOSIS
    return _answer(asked, response)


def _announce(manager: ResourceManager, slot: Slot, command: bytes) -> Generator[Todo, Any, None]:
    """Lets what stands in the reader's line act before the handle is looked at, and takes over what it did."""
    try:
        yield from call_reader(manager, slot, None, partial(slot.reader.announce, command))
    except NoAnswer as failure:
        raise _refusal(manager, failure) from None
    except Exception as fault:
        manager.fault(fault)


def _refusal(manager: ResourceManager, failure: NoAnswer) -> Refused | HangUp:
    """What a client gets that gets no answer from the card."""
    if isinstance(failure, ServiceGoneError):
        manager.go_away(comes_back=failure.comes_back)
        return HangUp("the service is gone")
    return Refused(ReturnCode.SHARING_VIOLATION if isinstance(failure, SharedError) else ReturnCode.NOT_TRANSACTED)


def _answer(asked: Transmit, response: bytes) -> bytes:
    if len(response) > asked.receive_bytes:
        return bytes(replace(asked, receive_bytes=len(response), rv=ReturnCode.INSUFFICIENT_BUFFER))
    return bytes(replace(asked, receive_bytes=len(response), rv=ReturnCode.SUCCESS)) + response


def _exchange(reader: Reader, command: bytes, insertion: int) -> bytes:
    """Runs without the engine's lock."""
    response = reader.transmit(command, insertion=insertion, announced=True)
    if not 2 <= len(response) <= MAX_PAYLOAD_BYTES:
        raise ValueError(f"an R-APDU of {len(response)} bytes; it has 2 to {MAX_PAYLOAD_BYTES}")
    return response


def control(manager: ResourceManager, connection: Connection, request: Request) -> Task:
    """SCardControl. Event flags do not matter here: it is the reader that is spoken to.

    A reader that does not know FEATURE_REQUEST has no features: no bytes, and no error. Those of ours have some.
    """
    asked = body_as(request, Control)
    handle = handle_of(manager, connection, asked.card)
    slot = handle.placed()
    slot.check_sharing(handle)
    slot.check_working()
    try:
        answer: bytes | None = yield from call_reader(
            manager, slot, handle, partial(slot.reader.control, asked.code, request.payload)
        )
    except Exception as fault:
        if not isinstance(fault, NoAnswer):
            manager.fault(fault)
        raise Refused(ReturnCode.NOT_TRANSACTED) from None
    if answer is None:
        if asked.code != FEATURE_REQUEST:
            raise Refused(ReturnCode.UNSUPPORTED_FEATURE)
        answer = b""
    if len(answer) > min(asked.receive_bytes, MAX_PAYLOAD_BYTES):
        return bytes(replace(asked, returned_bytes=len(answer), rv=ReturnCode.INSUFFICIENT_BUFFER))
    return bytes(replace(asked, returned_bytes=len(answer), rv=ReturnCode.SUCCESS)) + answer


def get_attribute(manager: ResourceManager, connection: Connection, request: Request) -> bytes:
    asked = body_as(request, GetSetAttribute)
    slot = usable_slot(manager, connection, asked.card)
    value = attribute_of(slot, asked.attribute)
    if value is None:
        raise Refused(ReturnCode.UNSUPPORTED_FEATURE)
    if len(value) > asked.value_bytes:
        return bytes(replace(asked, value_bytes=len(value), rv=ReturnCode.INSUFFICIENT_BUFFER))
    padded = value.ljust(len(asked.value), b"\0")
    return bytes(replace(asked, value=padded, value_bytes=len(value), rv=ReturnCode.SUCCESS))


def set_attribute(manager: ResourceManager, connection: Connection, request: Request) -> bytes:
    """No attribute can be set; in the words of pcscd with the drivers that are in use (CCID, vpcd)."""
    asked = body_as(request, GetSetAttribute)
    usable_slot(manager, connection, asked.card)
    raise Refused(ReturnCode.NOT_TRANSACTED)
