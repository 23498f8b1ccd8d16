"""What a program for Windows does in a live world, step by step, with the names of PyWinRT alone.

`player.py` calls these by name in a process of its own. What one step made, the next ones find in `KEPT`.
"""

from typing import Any

from tests.rows import app
from vsc.interaction import PinScript, user_interaction
from vsc.winrt.enums import SmartCardReaderKind
from vsc.winrt.provisioning import SmartCardProvisioning

KEPT: dict[str, Any] = {}


def create(name: str, *pins: str) -> str:
    """Returns the reader's name."""
    made, _ = app.request(name, pins=pins or (app.PIN,))
    assert made is not None
    KEPT["made"] = made
    return made.smart_card.reader.name


def create_cancelled(name: str) -> bool:
    return app.request(name, pins=[None])[0] is None


def listed(kind: str = "ANY") -> list[list[str]]:
    """Name, kind and name of the card for each reader; no card name for what cannot be managed, or is not there."""
    rows = []
    for reader in app.readers(SmartCardReaderKind[kind]):
        cards = reader.find_all_cards_async().get()
        rows.append([reader.name, reader.kind.name, _name_of(cards[0]) if cards else ""])
    return rows


def _name_of(card: Any) -> str:
    try:
        return SmartCardProvisioning.from_smart_card_async(card).get().get_name_async().get()
    except OSError:
        return ""


def take(reader_name: str) -> str:
    """Goes on with the card in that reader; returns its ATR."""
    (reader,) = (reader for reader in app.readers() if reader.name == reader_name)
    (card,) = reader.find_all_cards_async().get()
    KEPT["card"] = card
    return bytes(card.get_answer_to_reset_async().get()).hex()


def manage() -> str:
    """Manages the card that was taken; returns its id."""
    KEPT["made"] = SmartCardProvisioning.from_smart_card_async(KEPT["card"]).get()
    return str(KEPT["made"].get_id_async().get())


def verify_key(key: str = "") -> bool:
    return app.verify_key(KEPT["made"], bytes.fromhex(key) or app.KEY)


def change_pin(old: str, new: str) -> bool:
    with user_interaction(PinScript([old, new])):
        return bool(KEPT["made"].request_pin_change_async().get())


def reset_pin(new: str) -> bool:
    with user_interaction(PinScript([new])):
        return bool(KEPT["made"].request_pin_reset_async(app.answers()).get())


def verify_pin(pin: str) -> str:
    return app.verify_pin(KEPT["made"].smart_card, pin).hex()


def transmit(command: str) -> str:
    return app.transmit(KEPT["made"].smart_card, bytes.fromhex(command)).hex()


def hear() -> None:
    """From now on cards that come to the reader of the card, or go, are heard."""
    reader = KEPT["made"].smart_card.reader
    KEPT["reader"], KEPT["added"], KEPT["removed"] = reader, app.Heard(), app.Heard()
    reader.add_card_added(KEPT["added"])
    reader.add_card_removed(KEPT["removed"])


def heard(which: str) -> bool:
    """Waits for the next event; whether its sender is the reader and its card is in that reader."""
    sender, args = KEPT[which].next()
    return sender is KEPT["reader"] and args.smart_card.reader is sender


def is_silent(which: str) -> bool:
    return bool(KEPT[which].is_silent)


def statuses() -> list[str]:
    card = KEPT["made"].smart_card
    return [card.get_status_async().get().name, card.reader.get_status_async().get().name]


def delete(consent: bool = True) -> bool:
    return app.delete(KEPT["made"].smart_card, consent=consent)
