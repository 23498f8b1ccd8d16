"""Deleting a virtual card: consent, then reader and card go, and nothing is left."""

from vsc import machine
from vsc.api.card import VirtualCard
from vsc.errors import CardRemoved, UnsupportedCard
from vsc.machine import MachineReader
from vsc.winrt.facade import asking, image_in


def delete(reader: MachineReader, insertion: int) -> None:
    """Cancelled if the person says no. UnsupportedCard for a card that no store of ours has, CardRemoved if gone."""
    if reader.insertion != insertion:
        raise CardRemoved(f"the card is no longer in {reader.name!r}")
    image = image_in(reader)
    if image is None:
        raise UnsupportedCard("only virtual smart cards of the store can be deleted")
    with asking() as interaction:
        VirtualCard(image.name, store=machine.current().store).delete(interaction=interaction)
