"""A command as it may be shown and kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MaskedCommand:
    """A C-APDU whose secret part is known by its length only.

    visible: the bytes that may be seen, from the first on; hidden_bytes: how many follow that may not. unknown: the
    places of visible bytes that whoever gave us the log has blacked out; there is 00 in their stead.
    """

    visible: bytes
    hidden_bytes: int = 0
    unknown: frozenset[int] = frozenset()

    def matches(self, other: "MaskedCommand") -> bool:
        """Whether it may have been that command: what is unknown may be anything."""
        return self == other or (
            (len(self.visible), self.hidden_bytes) == (len(other.visible), other.hidden_bytes)
            and agree(self.visible, other.visible, self.unknown | other.unknown)
        )


def agree(one: bytes, other: bytes, unknown: frozenset[int]) -> bool:
    """Whether two of one length are the same but in those places."""
    return all(a == b or place in unknown for place, (a, b) in enumerate(zip(one, other, strict=True)))
