"""What the parts of a reader there know of it."""

from typing import Any, Protocol

from vpcd_bridge.port import PoweredCard


class ReaderThere(Protocol):
    """A reader in the process that serves."""

    name: str

    def call(self, name: str, *args: object, **options: object) -> Any:
        """Calls the desk there, about this reader."""
        ...

    def saw(self, number: int, card: PoweredCard) -> None:
        """A card that may be in it one day."""
        ...
