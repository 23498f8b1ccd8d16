"""What every GIDS handler shares: the typed session, the gate of the life cycle, and the access check."""

from card_os.access import Right, proved_words
from card_os.apdu import MAX_NC
from card_os.apps.gids.state import File, GidsState, GidsVolatile, KeyFile, LifeCycle
from card_os.apps.gids.wire import DfOperation, FileOperation
from card_os.command import Access, Session
from card_os.sw import SW, CardError

GidsSession = Session[GidsState, GidsVolatile]


TERMINATED_WORDS = "the application is terminated"
NO_KEY_FILE = "there is no such key file"
NO_FILE = "there is no such file"
NOT_ACTIVE = "the key file is not activated"
NO_CURRENT = "no file is selected"
NOT_TLV = "the data are not the data objects that belong here"
RULE = "the access rule wants a right (PIN, admin key) that is not proved now"
"""Cases of refusals that several commands have."""


def _in(*allowed: LifeCycle, words: str) -> Access:
    """Who is in these states of the life cycle; 6986 before them, 6985 once terminated."""

    def check(session: GidsSession) -> None:
        life_cycle = session.state.life_cycle
        if life_cycle in allowed:
            return
        if life_cycle == LifeCycle.TERMINATED:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, TERMINATED_WORDS)
        raise CardError(SW.COMMAND_NOT_ALLOWED, f"not allowed in the {life_cycle.name.lower()} state")

    refusals: dict[int, str] = {}
    if LifeCycle.TERMINATED not in allowed:
        refusals[SW.CONDITIONS_NOT_SATISFIED] = TERMINATED_WORDS
    if LifeCycle.INITIALISATION not in allowed:
        refusals[SW.COMMAND_NOT_ALLOWED] = "the application is not operational yet"
    elif LifeCycle.CREATION not in allowed:
        refusals[SW.COMMAND_NOT_ALLOWED] = "the application is still being made (creation state)"
    return Access(words, check, refusals)


_CREATION, _INITIALISATION, _OPERATIONAL, _TERMINATED = LifeCycle
_BY_RULE = "the rule of the file (free before the card is operational)"

ALWAYS = _in(*LifeCycle, words="always")
LIVING = _in(_INITIALISATION, _OPERATIONAL, words="always, until terminated")
OLD_VALUE = _in(_INITIALISATION, _OPERATIONAL, words="the old value (none while initialising)")
READ_RULE = _in(_INITIALISATION, _OPERATIONAL, _TERMINATED, words=_BY_RULE)
WRITE_RULE = _in(_CREATION, _INITIALISATION, _OPERATIONAL, words=_BY_RULE)
FILE_RULE = _in(_INITIALISATION, _OPERATIONAL, words=_BY_RULE)
OPERATIONAL = _in(_OPERATIONAL, words="always, once operational")
ADMIN_OR_PUK = _in(_OPERATIONAL, words="admin key or PUK, once operational")
DF_RULE = _in(_INITIALISATION, _OPERATIONAL, words="the rule of the DF (free before the card is operational)")
DF_RULE_OPERATIONAL = _in(_OPERATIONAL, words="the rule of the DF, once operational")
USE_RULE = _in(_OPERATIONAL, words="the rule of the key, once operational")

ANY_BYTES = range(MAX_NC + 1)
SOME_BYTES = range(1, MAX_NC + 1)
NO_BYTES = range(1)
P1P2_0000 = range(1)


def file_name(efid: int) -> str:
    return f"EF {efid:04X}"


def require(session: GidsSession, file: File, operation: FileOperation) -> None:
    """Refuses (6982) what the rule of a file does not allow.

    Rules hold once the application and the file are operational (GIDS sections 2.5.1 and 6.3). On a terminated
    application nothing that was proved counts any more.
    """
    life_cycle = session.state.life_cycle
    if life_cycle < LifeCycle.OPERATIONAL or not file.is_active:
        return
    granted = Right.NONE if life_cycle == LifeCycle.TERMINATED else session.volatile.granted
    if not file.rule.allows(operation, granted):
        raise CardError(
            SW.SECURITY_STATUS_NOT_SATISFIED,
            f"{(operation.name or '').replace('_', ' ')} is not allowed",
            subject=file_name(file.efid),
            missing=file.rule.missing(operation),
            proved=proved_words(granted),
        )


def require_on_df(session: GidsSession, operation: DfOperation) -> None:
    """Refuses (6982) what the rule of the application DF does not allow; free before it is operational."""
    state = session.state
    if state.is_operational and not state.rule.allows(operation, session.volatile.granted):
        raise CardError(
            SW.SECURITY_STATUS_NOT_SATISFIED,
            f"{(operation.name or '').replace('_', ' ')} is not allowed",
            subject="application DF",
            missing=state.rule.missing(operation),
            proved=proved_words(session.volatile.granted),
        )


def require_admin(session: GidsSession, action: str) -> None:
    """Refuses (6982) without an admin authentication."""
    granted = session.volatile.granted
    if not granted & Right.EXTERNAL:
        raise CardError(
            SW.SECURITY_STATUS_NOT_SATISFIED,
            f"{action} is not allowed",
            missing="admin key",
            proved=proved_words(granted),
        )


def withdraw_elsewhere(session: GidsSession, right: Right) -> None:
    """Ends on all other logical channels what was proved with a secret that is blocked, or another one, from now on."""
    for volatile in session.others():
        volatile.granted &= ~right


def find_file(session: GidsSession, efid: int) -> File:
    """Returns a file; 6A82 if there is none."""
    file = session.state.file(efid)
    if file is None:
        raise CardError(SW.FILE_NOT_FOUND, "no such file", subject=file_name(efid))
    return file


def current_file(session: GidsSession) -> File:
    """Returns the current file; 6986 if none is selected, 6A82 if it has been deleted on another channel."""
    if session.volatile.current_ef is None:
        raise CardError(SW.COMMAND_NOT_ALLOWED, "no file is selected")
    return find_file(session, session.volatile.current_ef)


def find_key_file(session: GidsSession, key_id: int) -> KeyFile:
    """Returns the file of a key; 6A88 if there is none."""
    file = session.state.key_file(key_id)
    if file is None:
        raise CardError(SW.REFERENCE_NOT_FOUND, "no such key", subject=f"key {key_id:02X}")
    return file


def one_byte(value: bytes, words: str) -> int:
    """Reads a value of one byte, `words` in the reason; 6A80 for another length."""
    if len(value) != 1:
        raise CardError(SW.WRONG_DATA, f"{words} is one byte")
    return value[0]


def key_id_byte(value: bytes) -> int:
    """Reads a key reference, one byte; 6A80 otherwise."""
    return one_byte(value, "a key reference")
