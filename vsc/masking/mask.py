"""What of a command may be seen: all of it, unless it carries a PIN, a PUK or a key.

The rows of our applications say it of their commands (`Command.hides`); what is here beside that is for cards that are
not ours. Whether a command holds a secret is told by INS and P1-P2 alone, whatever the class, the channel and the
lengths are: a command that the card will refuse carries its secret too. Of such a command the header is seen, and Lc
where it fits the length. All that follows is hidden, so that a host's mistakes (no Lc, a wrong one, one in the wrong
form) are hidden as well.
"""

from collections.abc import Container, Mapping
from functools import lru_cache
from typing import Any

from card_os.apdu import Case
from card_os.application import Application
from card_os.sw import CardError
from vsc.masking import blackout
from vsc.masking.command import MaskedCommand
from vsc.profiles import PROFILES

# PINs and PUKs: VERIFY, CHANGE REFERENCE DATA, DISABLE and ENABLE VERIFICATION REQUIREMENT, RESET RETRY COUNTER, each
# in its BER-TLV form too (ISO/IEC 7816-4 section 7.5; PINs go to cards in proprietary classes in the same way).
_PIN_INSTRUCTIONS = frozenset(range(0x20, 0x22)) | frozenset(range(0x24, 0x2A)) | frozenset({0x2C, 0x2D})
# Keys of cards that are not ours, which `vsc record` meets: PUT KEY (GlobalPlatform), IMPORT ASYMMETRIC KEY and SET
# MANAGEMENT KEY (PIV cards that have more than PIV). ENVELOPE may hold any command whole.
_KEY_INSTRUCTIONS = frozenset({0xC2, 0xC3, 0xD8, 0xFE, 0xFF})
_PUT_DATA = frozenset({0xDA, 0xDB})
# P1-P2 under which cards that are not ours store keys with PUT DATA: an extended header list on 3FFF, and the keys of
# OpenPGP that have tags of their own (D3 is the resetting code, a PIN).
_KEY_STORES = frozenset({0x3FFF, *range(0x00D1, 0x00D6)})

_HEADER_BYTES = 4
_LC_ENDS = {Case.CASE_3S: 5, Case.CASE_4S: 5, Case.CASE_3E: 7, Case.CASE_4E: 7}


def is_secret(command: bytes) -> bool:
    """Tells whether something of a command is hidden."""
    return bool(mask(command).hidden_bytes)


def mask(command: bytes, own: tuple[Application[Any, Any], ...] = ()) -> MaskedCommand:
    """Hides what may be a PIN, a PUK or a key; says the same of any two secrets of one length.

    But for this: what comes without Lc, and by chance reads as a whole command with one, shows that Lc.
    own: the applications of a card that has others than the profiles.
    """
    seen = len(command) if not _may_hold_secret(command, own) else _seen_bytes(command)
    return MaskedCommand(bytes(command[:seen]), len(command) - seen)


def shown(command: bytes) -> str:
    """Returns a command in hexadecimal, with `…` for what is hidden: `0020008008…`."""
    return text(mask(command))


def text(command: MaskedCommand) -> str:
    """The same of a command that is masked already."""
    return blackout.text(command.visible, command.unknown) + "…" * bool(command.hidden_bytes)


def _may_hold_secret(command: bytes, own: tuple[Application[Any, Any], ...]) -> bool:
    if len(command) < 2:
        return False
    ins, p1p2 = command[1], int.from_bytes(command[2:4], "big")
    if ins in _PIN_INSTRUCTIONS or ins in _KEY_INSTRUCTIONS or (ins in _PUT_DATA and p1p2 in _KEY_STORES):
        return True
    hidden = _hidden((*own, *PROFILES.applications))
    # The same command with data in BER-TLV has the next odd instruction (ISO/IEC 7816-4 section 5.4.2).
    return any(p1p2 in values for one in (ins, ins ^ 1) for values in hidden.get(one, ()))


@lru_cache(16)
def _hidden(applications: tuple[Application[Any, Any], ...]) -> Mapping[int, tuple[Container[int], ...]]:
    """What the rows of all applications hide, by instruction."""
    found: dict[int, tuple[Container[int], ...]] = {}
    for ins, row in (pair for application in applications for pair in application.table):
        if row.hides != ():
            found[ins] = (*found.get(ins, ()), row.hides)
    return found


def _seen_bytes(command: bytes) -> int:
    try:
        case = Case.of(command)
    except CardError:
        # No Lc, or a wrong one: what stands in its place may be the secret already.
        return min(_HEADER_BYTES, len(command)) if len(command) >= _HEADER_BYTES else 2
    if case in _LC_ENDS:
        return _LC_ENDS[case]
    # An Le, unless somebody forgot Lc: then it is a secret of one byte, or the part of one that a chain has cut.
    return _HEADER_BYTES if any(command[_HEADER_BYTES:]) else len(command)
