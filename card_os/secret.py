"""A secret value: never shown, compared in constant time."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.constant_time import bytes_eq


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """Bytes of a PIN or a key. `reveal()` is the one way to them; repr and str show only that there is one."""

    _value: bytes

    def reveal(self) -> bytes:
        return self._value

    def matches(self, guess: bytes) -> bool:
        """Compares in a time that depends on the lengths alone."""
        return bytes_eq(self._value, guess)

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"
