"""How much a PIV application holds, for states that come in by another way than its commands."""

from card_os.apdu import MAX_NC
from card_os.apps.piv.rules import Rules
from card_os.apps.piv.state import PivState


def check_bounds(state: PivState, rules: Rules) -> None:
    """ValueError, naming the object, for a state that the commands could not have made that large."""
    for one in state.objects:
        if len(one.value) > rules.max_object_bytes:
            raise ValueError(f"{one.name}: {len(one.value)} bytes, and an object holds {rules.max_object_bytes}")
    if sum(len(one.value) for one in state.objects) > rules.max_bytes:
        raise ValueError(f"more than {rules.max_bytes} bytes in all objects together")
    if state.sm is not None and len(state.sm.cvc) > MAX_NC:
        raise ValueError(f"a card verifiable certificate of more than {MAX_NC} bytes")
