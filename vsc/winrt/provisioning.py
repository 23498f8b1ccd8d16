"""`SmartCardProvisioning`: making cards, managing them, and deleting them."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeAlias
from uuid import UUID

from card_os.pin import PinPolicy
from vsc.api.card import Card
from vsc.errors import CardRemoved
from vsc.winrt import creation, facade
from vsc.winrt.attestation import attestation_name
from vsc.winrt.buffers import ReadableBuffer
from vsc.winrt.challenge import SmartCardChallengeContext, admin_key
from vsc.winrt.deletion import delete
from vsc.winrt.operations import IAsyncOperation, checkpoint, operation
from vsc.winrt.pin_policy import SmartCardPinPolicy, card_policy
from vsc.winrt.pin_reset import SmartCardPinResetRequest, ask_handler
from vsc.winrt.projection import ABSENT, Absent, Object, RuntimeClass, handler, make, needed, renamed
from vsc.winrt.readers import SmartCard, cards_in, reader_for
from vsc.winrt.simulation import current_simulation

SmartCardPinResetHandler: TypeAlias = Callable[["SmartCardProvisioning", SmartCardPinResetRequest], object]
Creation: TypeAlias = "IAsyncOperation[SmartCardProvisioning | None]"


class _SmartCardProvisioningStatics(RuntimeClass):
    def from_smart_card_async(cls, card: SmartCard, /) -> "IAsyncOperation[SmartCardProvisioning]":
        """For a card in any reader. SCARD_E_UNSUPPORTED_FEATURE if it has no GIDS application."""
        current_simulation().check_capability()
        wanted = needed(card, SmartCard, "card")

        def from_smart_card() -> SmartCardProvisioning:
            return _provisioning_of(wanted)

        return operation(from_smart_card)

    def request_virtual_smart_card_creation_async(
        cls,
        friendly_name: str,
        administrative_key: ReadableBuffer,
        pin_policy: SmartCardPinPolicy,
        card_id: UUID | Absent = ABSENT,
        /,
    ) -> Creation:
        """Asks for a PIN, makes a card and plugs it in. None if the person cancels.

        administrative_key: 24 bytes. E_INVALIDARG for another length, or for a policy that no PIN can meet.
        """
        return _create(friendly_name, administrative_key, pin_policy, card_id, is_attested=False)

    @property
    def request_virtual_smart_card_creation_async_with_card_id(cls) -> Callable[..., Creation]:
        """As in PyWinRT 3.x."""
        new = cls.request_virtual_smart_card_creation_async
        return renamed(_with_card_id(new), "request_virtual_smart_card_creation_async_with_card_id")

    def request_attested_virtual_smart_card_creation_async(
        cls,
        friendly_name: str,
        administrative_key: ReadableBuffer,
        pin_policy: SmartCardPinPolicy,
        card_id: UUID | Absent = ABSENT,
        /,
    ) -> Creation:
        """The same, with an attestation key on the card. It is software: it attests nothing."""
        return _create(friendly_name, administrative_key, pin_policy, card_id, is_attested=True)

    @property
    def request_attested_virtual_smart_card_creation_async_with_card_id(cls) -> Callable[..., Creation]:
        """As in PyWinRT 3.x."""
        new = cls.request_attested_virtual_smart_card_creation_async
        return renamed(_with_card_id(new), "request_attested_virtual_smart_card_creation_async_with_card_id")

    def request_virtual_smart_card_deletion_async(cls, card: SmartCard, /) -> IAsyncOperation[bool]:
        """Asks for consent, then deletes the card for good, its reader too. False if the person cancels.

        SCARD_E_UNSUPPORTED_FEATURE for a card that is not ours.
        """
        current_simulation().check_capability()
        wanted = needed(card, SmartCard, "card")

        def request_virtual_smart_card_deletion() -> None:
            current_simulation().check_administrator()
            delete(wanted._place, wanted._insertion)

        return operation(facade.cancellable(request_virtual_smart_card_deletion))


class SmartCardProvisioning(Object, metaclass=_SmartCardProvisioningStatics):
    """A card, to be managed. It keeps no connection: each call makes its own."""

    def __init__(self, smart_card: SmartCard, card: Card) -> None:
        self._smart_card = smart_card
        self._card = card

    @property
    def smart_card(self) -> SmartCard:
        return self._smart_card

    def get_id_async(self, /) -> IAsyncOperation[UUID]:
        """SCARD_E_UNSUPPORTED_FEATURE if the card has none, as it has no file system."""
        return operation(lambda: facade.id_of(self._card))

    def get_name_async(self, /) -> IAsyncOperation[str]:
        """The friendly name of a card of ours; of another card what its reader is called."""
        return operation(lambda: facade.card_name(self._smart_card._place))

    def get_challenge_context_async(self, /) -> IAsyncOperation[SmartCardChallengeContext]:
        """Asks the card for a challenge, and holds the card until it is answered. Waits while another context does."""

        def get_challenge_context() -> SmartCardChallengeContext:
            with ExitStack() as undo:
                challenge = undo.enter_context(self._card.challenge())
                checkpoint()
                undo.pop_all()
                return make(SmartCardChallengeContext, challenge)

        return operation(get_challenge_context)

    def request_pin_change_async(self, /) -> IAsyncOperation[bool]:
        """Asks for the old and the new PIN. False if the person cancels."""
        return operation(facade.cancellable(self._card.change_pin))

    def request_pin_reset_async(self, handler_: SmartCardPinResetHandler, /) -> IAsyncOperation[bool]:
        """Asks for the new PIN, then has the handler answer the card's challenge. False if the person cancels."""
        call = handler(handler_)

        def respond(challenge: bytes) -> bytes:
            response = ask_handler(call, self, challenge)
            checkpoint()
            return response

        return operation(facade.cancellable(lambda: self._card.reset_pin(respond=respond)))

    def get_authority_key_container_name_async(self, /) -> IAsyncOperation[str]:
        """The container of the attestation key. SCARD_E_UNSUPPORTED_FEATURE for a card without one."""
        return operation(lambda: attestation_name(self._card))


def _create(
    friendly_name: object, administrative_key: object, pin_policy: object, card_id: object, *, is_attested: bool
) -> Creation:
    current_simulation().check_capability()
    name = needed(friendly_name, str, "friendly_name")
    key = admin_key(administrative_key, "administrative_key")
    policy: PinPolicy = card_policy(needed(pin_policy, SmartCardPinPolicy, "pin_policy"))
    chosen_id = None if isinstance(card_id, Absent) else needed(card_id, UUID, "card_id")

    def request_virtual_smart_card_creation() -> SmartCardProvisioning | None:
        place = creation.create(name, key, policy, chosen_id, is_attested=is_attested)
        if place is None:
            return None
        for card in cards_in(reader_for(place)):
            return _provisioning_of(card)
        raise CardRemoved(f"the new card was taken out of {place.name!r} at once")

    return operation(request_virtual_smart_card_creation)


def _provisioning_of(smart_card: SmartCard) -> SmartCardProvisioning:
    return make(SmartCardProvisioning, smart_card, facade.card_at(smart_card._place, smart_card._insertion))


def _with_card_id(new: Callable[..., Creation]) -> Callable[..., Creation]:
    def create(
        friendly_name: str, administrative_key: ReadableBuffer, pin_policy: SmartCardPinPolicy, card_id: UUID, /
    ) -> Creation:
        return new(friendly_name, administrative_key, pin_policy, card_id)

    create.__name__ = new.__name__
    return create
