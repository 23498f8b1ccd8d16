"""Making a virtual card: a PIN is asked for, the card is made, and plugged in."""

import uuid
import warnings
from contextlib import ExitStack

from card_os.pin import PinPolicy
from vsc import machine
from vsc.api import provisioning
from vsc.api.asking import Asker
from vsc.api.card import VirtualCard
from vsc.errors import Cancelled, CardExistsError, VscError
from vsc.machine import Machine, MachineReader
from vsc.store import Image
from vsc.store.name import check_name
from vsc.store.summary import summarise
from vsc.winrt.attestation import add_attestation_key
from vsc.winrt.facade import asking
from vsc.winrt.operations import checkpoint
from vsc.winrt.simulation import current_simulation


def create(
    label: str, admin_key: bytes, policy: PinPolicy, card_id: uuid.UUID | None, *, is_attested: bool
) -> MachineReader | None:
    """Returns the reader with the new card; None if the person cancels. Whatever fails, nothing is left."""
    place = machine.current()
    current_simulation().check_creation(cards=sum(reader.insertion is not None for reader in place.readers()))
    if card_id is not None:
        _warn_of_a_twin(card_id, place)
    try:
        with asking():
            pin = Asker(label, None).new_pin(policy)
    except Cancelled:
        return None
    checkpoint()
    with ExitStack() as undo:
        card = _made(label, place, pin=pin, admin_key=admin_key, policy=policy, card_id=card_id or uuid.uuid4())
        undo.callback(card.delete)
        if is_attested:
            add_attestation_key(card, pin)
        reader = place.plug(card.name)
        undo.pop_all()
        return reader


def _made(
    label: str, place: Machine, *, pin: bytes, admin_key: bytes, policy: PinPolicy, card_id: uuid.UUID
) -> VirtualCard:
    """The card, called like its label if that can be a name and is free, else by its id, else by a random number."""
    names = [*_as_name(label), f"card-{card_id}", f"card-{uuid.uuid4()}"]
    for name in names:
        try:
            return provisioning.create(
                name, pin=pin, admin_key=admin_key, policy=policy, card_id=card_id, label=label, store=place.store
            )
        except CardExistsError:
            continue
    raise CardExistsError(f"there are cards called {' and '.join(map(repr, names))} already")


def _as_name(label: str) -> list[str]:
    try:
        return [check_name(label)]
    except VscError:
        return []


def _warn_of_a_twin(card_id: uuid.UUID, place: Machine) -> None:
    """Two cards of one id are allowed, but hosts may take one for the other: they cache what they read by it."""
    images = (one for one in place.store.images() if isinstance(one, Image))
    if any(summarise(image).card_id == str(card_id) for image in images):
        warnings.warn(f"there is a card with the id {card_id} already", stacklevel=2)
