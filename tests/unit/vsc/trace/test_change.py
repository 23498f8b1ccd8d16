"""vsc.trace.change: what a command has changed, and no secret in it. `vsc.testing.diff` has more of it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from vsc.reader import Reader
from vsc.testing import SoftCard
from vsc.trace.change import changes


@settings(max_examples=20)
@given(st.text("0123456789", min_size=6, max_size=12), st.text("0123456789", min_size=6, max_size=12))
def test_no_digit_of_a_pin_is_told(old: str, new: str) -> None:
    card = SoftCard.make(pin=old, seed=1)
    before = card.persistent
    reader = Reader()
    reader.insert(card)
    assert reader.transmit(bytes((0, 0x24, 0, 0x80, len(old + new))) + (old + new).encode()) == b"\x90\x00"
    assert list(changes(card.card.applications, before, card.persistent)) == ["PIN changed"] * (old != new)
