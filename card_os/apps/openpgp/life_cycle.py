"""TERMINATE DF and ACTIVATE FILE: together they make a card as new (OpenPGP card 3.4, 7.2.16 and 7.2.17).

Neither half loses the other: a card whose power fails between them is terminated, and ACTIVATE FILE makes it new.
"""

from dataclasses import replace

from card_os.apdu import CommandApdu
from card_os.apps.openpgp.personalisation import factory_state
from card_os.apps.openpgp.session import OpenPgpSession, rules_of, withdraw
from card_os.apps.openpgp.state import LifeCycle
from card_os.apps.openpgp.wire import Key, Password
from card_os.command import ANYBODY, Command
from card_os.sw import SW, CardError


def _terminate(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """TERMINATE DF: needs the admin PIN, or that it is blocked."""
    state = session.state
    if state.life_cycle == LifeCycle.TERMINATED:
        return b""
    if not (Password.ADMIN in session.volatile.verified or state.admin.is_blocked):
        raise CardError(SW.SECURITY_STATUS_NOT_SATISFIED, "not allowed", subject="TERMINATE DF", missing="admin PIN")
    session.commit(replace(state, life_cycle=LifeCycle.TERMINATED))
    withdraw(session, *Password)
    return b""


def _activate(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """ACTIVATE FILE: a terminated card is as new; of one in operation nothing changes."""
    state = session.state
    if state.life_cycle == LifeCycle.TERMINATED:
        new = factory_state(rules_of(session), state.serial)
        attestation = state.slot(Key.ATTESTATION)
        # The attestation key is the maker's.
        session.commit(new if attestation is None else new.with_slot(attestation))
        for volatile in (session.volatile, *session.others()):
            volatile.forget_choices()
    return b""


def _not_here(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """SELECT of a file: there is none. GnuPG asks for the master file first, and takes other errors for a YubiKey."""
    raise CardError(SW.FILE_NOT_FOUND, "there are no files", subject="SELECT")


_NOTHING = range(1)
_SPEC = "OpenPGP card 3.4, 7.2."
_ANY_LENGTH = range(0x10000)

TERMINATE = Command(
    "TERMINATE DF",
    _NOTHING,
    _NOTHING,
    ANYBODY,
    _terminate,
    _SPEC + "16",
    changes=True,
    refusals={SW.SECURITY_STATUS_NOT_SATISFIED: "the admin PIN is neither verified nor blocked"},
    samples=((0, b""),),
)
ACTIVATE = Command(
    "ACTIVATE FILE",
    _NOTHING,
    _NOTHING,
    ANYBODY,
    _activate,
    _SPEC + "17",
    changes=True,
    samples=((0, b""),),
    renews=True,
)
SELECT_FILE = Command(
    "SELECT",
    frozenset(p1p2 for p1p2 in range(0x10000) if p1p2 >> 8 != 0x04),
    _ANY_LENGTH,
    ANYBODY,
    _not_here,
    "ISO 7816-4, 7.1.1",
    refusals={SW.FILE_NOT_FOUND: "there are no files"},
    samples=((0x000C, b"\x3f\x00"),),
)
