"""Waiting for a card and having it do something: what several commands share."""

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from vsc.pcsc.codes import CARD_OFF, Disposition, Protocol, ReaderStateBit, ReturnCode
from vsc.pcsc.connection import Connection
from vsc.pcsc.errors import Refused
from vsc.pcsc.port import ResourceManager
from vsc.pcsc.slot import Handle, Slot
from vsc.pcsc.todo import CardCall, HoldBack, Todo
from vsc.reader import CardRemovedError, Reader


def await_release(manager: ResourceManager, slot: Slot, connection: Connection) -> Generator[Todo, Any, None]:
    """Waits until nobody has the lock, or the reader is gone."""
    check_owner_can_act(slot, connection)
    slot.queue.append(connection)
    try:
        while slot.is_plugged and (slot.queue[0] is not connection or slot.owner is not None):
            yield HoldBack()
    finally:
        slot.queue.remove(connection)
        manager.wake(slot)


def call_reader(
    manager: ResourceManager, slot: Slot, handle: Handle | None, run: Callable[[], Any]
) -> Generator[Todo, Any, Any]:
    """Has the reader do something, and takes over what that has changed."""
    try:
        return (yield from compute(manager, slot, handle, run))
    finally:
        manager.catch_up(slot)


def compute(
    manager: ResourceManager, slot: Slot, handle: Handle | None, run: Callable[[], Any]
) -> Generator[Todo, Any, Any]:
    """Has the card compute. Meanwhile nobody else gets the lock: commands of others would come between ours."""
    if handle is not None:
        slot.calls.append(handle)
    try:
        return (yield CardCall(run))
    finally:
        if handle is not None:
            slot.calls.remove(handle)
        manager.wake(slot)


def power_up(manager: ResourceManager, slot: Slot) -> Generator[Todo, Any, None]:
    """Makes sure that there is a card with power, for CONNECT."""
    if not slot.is_present:
        raise Refused(ReturnCode.NO_SMARTCARD)
    if not slot.reader.is_powered or not slot.state & ReaderStateBit.POWERED:
        power_on = partial(slot.reader.power_on, only_if_off=True, insertion=slot.insertion)
        try:
            yield from call_reader(manager, slot, None, power_on)
        except CardRemovedError:
            raise Refused(ReturnCode.NO_SMARTCARD) from None
        except Exception as fault:
            manager.fault(fault)
            slot.card_is_mute()
        if not slot.is_present:
            raise Refused(ReturnCode.NO_SMARTCARD)
    if not slot.state & ReaderStateBit.POWERED:
        raise Refused(ReturnCode.UNPOWERED_CARD)


def reset_card(
    manager: ResourceManager, slot: Slot, handle: Handle, how: Disposition, *, again: bool = False
) -> Generator[Todo, Any, ReturnCode]:
    """Resets the card, or switches it off (again: and on); all handles are flagged, whatever comes of it."""
    if how is Disposition.RESET:
        run: Callable[[], Any] = partial(slot.reader.reset, insertion=slot.insertion)
    else:
        run = partial(_power_cycle, slot.reader, slot.insertion, again)
    slot.flag(ReturnCode.RESET_CARD)
    slot.protocol = Protocol.UNDEFINED
    try:
        yield from call_reader(manager, slot, handle, run)
    except CardRemovedError:
        return ReturnCode.REMOVED_CARD
    except Exception as fault:
        manager.fault(fault)
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


def check_owner_can_act(slot: Slot, connection: Connection) -> None:
    """Refuses to wait for a handle of the same connection: the client sends nothing while it waits for a reply."""
    if slot.owner is not None and slot.owner.connection is connection:
        raise Refused(ReturnCode.SHARING_VIOLATION)
