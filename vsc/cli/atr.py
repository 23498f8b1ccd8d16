"""An ATR on the command line."""

import re

import click

from card_os.atr import Atr, Interface
from card_os.wire import WireError

_PROTOCOLS = re.compile(r"T=([01])(?:,T=([01]))?", re.IGNORECASE)


class AtrType(click.ParamType["Atr | tuple[int, ...]"]):
    """Hexadecimal, or the protocols that the ATR shall offer."""

    name = "hex|T=0|T=1|T=0,T=1"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Atr | tuple[int, ...]:
        if not isinstance(value, str):
            assert isinstance(value, Atr | tuple)
            return value
        if match := _PROTOCOLS.fullmatch(value):
            return tuple(dict.fromkeys(int(number) for number in match.groups() if number is not None))
        try:
            raw = bytes.fromhex(value.replace(":", " "))
        except ValueError:
            self.fail("an ATR is in hexadecimal, or the protocols that it offers: T=0, T=1, or T=0,T=1", param, ctx)
        try:
            return Atr.parse(raw)
        except WireError as error:
            self.fail(f"this is no answer to reset (ISO/IEC 7816-3 section 8): {error}", param, ctx)


def atr_of(said: Atr | tuple[int, ...] | None, usual: Atr) -> Atr | None:
    """The ATR that was asked for. usual: the profile's, whose historical bytes stay where only protocols were said."""
    if said is None or isinstance(said, Atr):
        return said
    groups = tuple(Interface(protocol=number) for number in said)
    # T=0 alone is what is offered where nothing is said.
    return Atr((Interface(), *(groups if said != (0,) else ())), usual.historical)
