"""What happens to a card between commands: it is taken out, swapped, reset."""

from vpcd_bridge.port import PoweredCard
from vsc.factory import fresh
from vsc.faults.effect import Effect
from vsc.faults.fault import Fault
from vsc.profiles import GIDS, PROFILES
from vsc.reader import CardRemovedError, Reader


def move(fault: Fault, reader: Reader) -> bool:
    """Removes, swaps or resets the card, with nobody's turn. False if there is none."""
    card = reader.card
    if card is None:
        return False
    try:
        if fault.effect in (Effect.RESET, Effect.STALL):
            reader.reset()
        elif fault.effect is Effect.SWAP:
            reader.swap(_replacement(fault, reader))
        elif fault.back:
            reader.swap(card)
        else:
            reader.eject()
    except CardRemovedError:
        return False
    return True


def _replacement(fault: Fault, reader: Reader) -> PoweredCard:
    """What the fault was given, else a fresh card of the same profile as the one in the reader."""
    if fault.card is None:
        alike = next((name for name, profile in PROFILES.items() if bytes(profile.atr) == reader.atr), GIDS.name)
        return fresh(alike)
    return fault.card(reader) if callable(fault.card) else fault.card
