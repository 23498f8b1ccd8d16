"""What a card remembers between commands, as far as a log tells: what is selected, set up and proven."""

from dataclasses import dataclass, replace
from typing import Self

from vsc.replay.ask import Ask, is_success

_VERIFY, _MANAGE_SECURITY, _SELECT = 0x20, 0x22, 0xA4
_CHANGE, _RESET_COUNTER = 0x24, 0x2C
_PROOFS = frozenset({0x20, 0x21, 0x24, 0x82, 0x86, 0x87})
"""VERIFY, CHANGE REFERENCE DATA; EXTERNAL and GENERAL AUTHENTICATE."""
_BY_NAME = 0x04
_WRONG = 0x63

Key = tuple[object, bytes, int]


@dataclass(frozen=True, slots=True)
class State:
    """Of one logical channel. Two moments that are equal in this get equal answers, we take it.

    application, file: the SELECT that succeeded last, by name and otherwise; environment: the last MANAGE SECURITY
    ENVIRONMENT; proven: the references (INS and P2) that a PIN or a key was right for.
    """

    application: Key | None = None
    file: Key | None = None
    environment: Key | None = None
    proven: frozenset[tuple[int, int]] = frozenset()

    def after(self, ask: Ask, sw: int) -> Self:
        """The state once that command was answered so."""
        ins, p1, p2 = ask.header.ins, ask.header.p1, ask.header.p2
        if ins == _SELECT and is_success(sw):
            # P2 says only what is answered.
            selected = (ask.header[:3], ask.data, 0)
            if p1 != _BY_NAME:
                return replace(self, file=selected)
            if selected == self.application:
                return replace(self, file=None)
            return type(self)(application=selected)
        if ins == _MANAGE_SECURITY and is_success(sw):
            return replace(self, environment=ask.key)
        if ins in _PROOFS:
            return self._after_proof((_VERIFY if ins in (0x21, _CHANGE) else ins, p2), ask, sw)
        return self

    def _after_proof(self, reference: tuple[int, int], ask: Ask, sw: int) -> Self:
        if is_success(sw) and ask.data_bytes:
            return replace(self, proven=self.proven | {reference})
        if is_success(sw) and reference not in self.proven:
            # Nothing was proven, and the card says OK all the same: it was told to forget what was (GIDS).
            return replace(self, proven=frozenset())
        if sw >> 8 == _WRONG and ask.data_bytes:
            return replace(self, proven=self.proven - {reference})
        return self
