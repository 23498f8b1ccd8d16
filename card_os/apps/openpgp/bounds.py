"""How much an OpenPGP card holds, for states that come in by another way than its commands."""

from card_os.apps.openpgp.rules import Rules
from card_os.apps.openpgp.state import HOLDER_OBJECTS, OpenPgpState
from card_os.apps.openpgp.wire import object_words


def check_bounds(state: OpenPgpState, rules: Rules) -> None:
    """ValueError, naming the object, for a state that the commands could not have made that large."""
    for tag, name in HOLDER_OBJECTS.items():
        if len(getattr(state.holder, name)) > rules.max_object_bytes:
            raise ValueError(f"{object_words(tag)}: more than {rules.max_object_bytes} bytes")
    for slot in state.slots:
        if len(slot.certificate) > rules.max_certificate_bytes:
            raise ValueError(f"certificate of {slot.name}: more than {rules.max_certificate_bytes} bytes")
    if tuple(slot.reference for slot in state.slots) != rules.keys:
        raise ValueError("other places for keys than this kind of card has")
