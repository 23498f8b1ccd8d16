"""What every GIDS handler shares: the typed session, and the access check."""

from card_os.access import Right, not_allowed
from card_os.apps.gids.state import File, GidsState, GidsVolatile, KeyFile, LifeCycle
from card_os.apps.gids.wire import DfOperation, FileOperation
from card_os.command import Session
from card_os.sw import SW, CardError

GidsSession = Session[GidsState, GidsVolatile]


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
    file.rule.require(operation, granted, subject=file_name(file.efid))


def require_on_df(session: GidsSession, operation: DfOperation) -> None:
    """Refuses (6982) what the rule of the application DF does not allow; free before it is operational."""
    if session.state.is_operational:
        session.state.rule.require(operation, session.volatile.granted, subject="application DF")


def require_admin(session: GidsSession, action: str) -> None:
    """Refuses (6982) without an admin authentication."""
    if not session.volatile.granted & Right.EXTERNAL:
        raise not_allowed(action, session.volatile.granted, missing="admin key")


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
