"""APDUs in words: the name of a command, read from the tables of the card's applications, and what must be hidden."""

from collections.abc import Iterable
from typing import Any

from card_os.application import Application
from card_os.card import KernelIns

# Commands whose data are a PIN or a PUK (ISO/IEC 7816-4 section 7.5), and those that may carry a key.
_PIN_INSTRUCTIONS = frozenset({0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D})
_PUT_DATA = frozenset({0xDA, 0xDB})
_KEY_STORE = 0x3FFF


def command_name(command: bytes, applications: Iterable[Application[Any, Any]]) -> str:
    """Names a command by its INS; `INS xx` if no table knows it, `?` if there is none."""
    if len(command) < 4:
        return "?"
    for application in applications:
        if row := application.commands.get(command[1]):
            return row.name
    if command[1] in list(KernelIns):
        return KernelIns(command[1]).name.replace("_", " ")
    return f"INS {command[1]:02X}"


def is_secret(command: bytes) -> bool:
    """Tells whether a command carries a PIN or a key in its data, on any channel, also as a part of a chain."""
    if len(command) < 6:
        return False
    ins, p1p2 = command[1], int.from_bytes(command[2:4], "big")
    return ins in _PIN_INSTRUCTIONS or (ins in _PUT_DATA and p1p2 == _KEY_STORE)


def shown(command: bytes) -> str:
    """Returns a command in hexadecimal, the data of a secret one hidden."""
    if is_secret(command):
        return f"{command[:5].hex().upper()}…"
    return command.hex().upper()
