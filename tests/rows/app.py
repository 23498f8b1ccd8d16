"""What the rows' tests do again and again, with the names that a script for Windows uses."""

import os
import queue
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from vsc.interaction import PinScript, user_interaction
from vsc.winrt.devices_enumeration import DeviceInformation
from vsc.winrt.enums import SmartCardReaderKind
from vsc.winrt.pin_policy import SmartCardPinPolicy
from vsc.winrt.provisioning import SmartCardProvisioning
from vsc.winrt.readers import SmartCard, SmartCardReader

NAME = "Card friendly name"
PIN = "135790"
KEY = bytes.fromhex("101112131415161718191A1B1C1D1E1F2021222324252627")
OTHER_KEY = bytes.fromhex("303132333435363738393A3B3C3D3E3F4041424344454647")
WAIT_S = float(os.environ.get("VSC_ROWS_WAIT_S", "30"))
"""A deadline for what takes milliseconds; shorter where it is to be missed (test_mutants.py)."""

SELECT = bytes.fromhex("00A4040009A00000039742544659")
MASTER_FILE = bytes.fromhex("00CBA000045C02DF1F00")
EF_ATR = bytes.fromhex("00CB2F01025C0000")
OK = b"\x90\x00"


def policy(**values: int) -> SmartCardPinPolicy:
    """The page's policy, at least 6 characters, or another one."""
    made = SmartCardPinPolicy()
    for name, value in {"min_length": 6, **values}.items():
        setattr(made, name, value)
    return made


def request(
    name: str = NAME,
    *,
    key: bytes = KEY,
    pins: Iterable[str | None] = (PIN,),
    rules: SmartCardPinPolicy | None = None,
    card_id: UUID | None = None,
) -> tuple[SmartCardProvisioning | None, PinScript]:
    """Asks for a card; what the person was asked comes along."""
    script = PinScript(pins)
    extra = () if card_id is None else (card_id,)
    with user_interaction(script):
        made = SmartCardProvisioning.request_virtual_smart_card_creation_async(name, key, rules or policy(), *extra)
        return made.get(), script


def create(name: str = NAME, **options: Any) -> SmartCardProvisioning:
    made, _ = request(name, **options)
    assert made is not None
    return made


def delete(card: SmartCard, *, consent: bool = True) -> bool:
    with user_interaction(PinScript(consent=consent)):
        return SmartCardProvisioning.request_virtual_smart_card_deletion_async(card).get()


def readers(kind: SmartCardReaderKind = SmartCardReaderKind.ANY) -> list[SmartCardReader]:
    selector = SmartCardReader.get_device_selector(kind)
    devices = DeviceInformation.find_all_async_aqs_filter(selector).get()
    return [SmartCardReader.from_id_async(device.id).get() for device in devices]


def transmit(card: SmartCard, *commands: bytes) -> bytes:
    """Selects the application and sends the commands over one connection; returns the last answer."""
    with card.connect_async().get() as connection:
        answers = [bytes(connection.transmit_async(command).get()) for command in (SELECT, *commands)]
    assert answers[0][-2:] == OK
    return answers[-1]


def verify_pin(card: SmartCard, pin: str) -> bytes:
    """The status word of VERIFY."""
    raw = pin.encode()
    return transmit(card, bytes([0x00, 0x20, 0x00, 0x80, len(raw)]) + raw)


def tries_left(card: SmartCard) -> int:
    """Without counting: VERIFY without data says 63Cx, or 6983."""
    status = int.from_bytes(transmit(card, bytes.fromhex("00200080")), "big")
    return status & 0x0F if status >> 4 == 0x63C else 0


def answers(key: bytes = KEY, *, response: bytes | None = None) -> Callable[[Any, Any], None]:
    """A handler for PIN resets, as the page writes it."""
    from vsc.host import calculate_response

    def handler(sender: Any, asked: Any) -> None:
        deferral = asked.get_deferral()
        try:
            asked.set_response(response or calculate_response(asked.challenge, key))
        finally:
            deferral.complete()

    return handler


def verify_key(provisioning: SmartCardProvisioning, key: bytes) -> bool:
    from vsc.host import calculate_response

    with provisioning.get_challenge_context_async().get() as context:
        return context.verify_response_async(calculate_response(context.challenge, key)).get()


class Heard:
    """An event handler that keeps what it was called with."""

    def __init__(self) -> None:
        self._calls: queue.Queue[tuple[Any, Any]] = queue.Queue()

    def __call__(self, sender: Any, args: Any) -> None:
        self._calls.put((sender, args))

    def next(self) -> tuple[Any, Any]:
        """The next call; waits for it."""
        return self._calls.get(timeout=WAIT_S)

    @property
    def is_silent(self) -> bool:
        """Nothing more has been told. Only sure after something else was, as events come in order."""
        return self._calls.empty()
