"""A GIDS card as its host sees it: any card, over any connection.

    with reader.connect() as connection:
        gids = Gids.connect(connection)
        gids.verify_pin(b"12345678")
        number = gids.generate_key(2048, name="Alice")

These are the words of GIDS, whose one PIN needs no name; all else is in `host`, which answers the ports of every card.
"""

from card_os.pin import PinPolicy
from vsc.host.challenge import Responder
from vsc.host.gids.application import AdminForm
from vsc.host.gids.containers import Container
from vsc.host.gids.host import PIN, PUK, GidsHost
from vsc.host.gids.keys import algorithm_of
from vsc.host.port import KeyUse, Tries
from vsc.host.private_key import CardPrivateKey, private_key


class Gids(GidsHost):
    """The GIDS application of a card, selected. Make it with `connect`.

    Every method raises what the connection does (LostCardError and its kinds), UnexpectedStatus for a refusal without
    a meaning of its own, and AuthenticationRequired where PIN or admin key is needed and has not been verified.
    """

    def pin_tries(self) -> Tries | None:
        """Returns the tries of the PIN; None if the card does not say. Nothing is counted."""
        return self.tries(PIN)

    def puk_tries(self) -> Tries | None:
        """Returns the tries of the PUK; None: there is none, the admin key resets the PIN."""
        return self.tries(PUK)

    def pin_policy(self) -> PinPolicy | None:
        """Returns the policy for new PINs; None if the card has none, or does not show it."""
        return self.policy(PIN)

    def verify_pin(self, pin: bytes) -> None:
        """WrongPin, PinBlocked. RefusedError for a PIN without bytes."""
        self.verify(PIN, pin)

    def change_pin(self, *, old: bytes, new: bytes) -> None:
        """Changes the PIN; it is verified afterwards. WrongPin, PinBlocked, PinPolicyViolation."""
        self.change(PIN, old=old, new=new)

    def reset_pin(self, *, new: bytes, respond: Responder, form: AdminForm = AdminForm.AUTO) -> None:
        """Sets a new PIN and gives back its tries by the admin key; nothing is verified afterwards.

        WrongAdminResponse, AdminKeyBlocked, PinPolicyViolation; UnsupportedCard if a PUK does it on this card.
        """
        with self._administering():
            self.authenticate(respond, form=form)
            self._pins.reset_by_admin(new)

    def reset_pin_with_puk(self, *, puk: bytes, new: bytes) -> None:
        """WrongPin and PinBlocked, of the PUK; PinPolicyViolation; UnsupportedCard if there is no PUK."""
        self.unblock(PIN, new=new, proof=puk)

    def change_admin_key(self, new: bytes) -> None:
        """Replaces the admin key, which has been proved. new: 24 bytes, else ValueError."""
        self.change_key(new)

    def containers(self) -> tuple[Container, ...]:
        """Returns the key containers, by number. Neither PIN nor admin key is needed."""
        return self.slots()

    def generate_key(
        self, bits: int, *, number: int | None = None, name: str | None = None, use: KeyUse = KeyUse.EXCHANGE
    ) -> int:
        """Has the card make a key of 1024, 2048, 3072 or 4096 bits in a new container; returns its number.

        number: a free one, None for the first. name: 1 to 39 characters, None for a GUID as Windows does it.
        """
        algorithm_of(bits)
        return self.generate(f"rsa:{bits}", number=number, name=name, use=use)

    def delete_container(self, number: int) -> None:
        """Deletes a container, its key and its certificate. PIN or admin key is verified."""
        self.delete_key(number)

    def private_key(self, number: int) -> CardPrivateKey:
        """Returns the key of a container in the shape of `cryptography`, for whatever signs with such."""
        key = private_key(self, number)
        assert isinstance(key, CardPrivateKey)
        return key
