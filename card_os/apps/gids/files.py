"""CREATE FILE, ACTIVATE FILE, DELETE FILE, TERMINATE DF (GIDS sections 6 and 12)."""

from dataclasses import replace

from card_os.apdu import CommandApdu
from card_os.apps.gids.fcp import parse_file
from card_os.apps.gids.session import GidsSession, current_file, file_name, find_file, require_admin, require_on_df
from card_os.apps.gids.state import KeyFile, LifeCycle
from card_os.apps.gids.wire import MAX_FILES, DfOperation
from card_os.sw import SW, CardError


def create_file(session: GidsSession, apdu: CommandApdu) -> bytes:
    """Makes an EF from its FCP (62) and selects it; it has to be activated before its rule holds.

    A key that can act as admin key needs the admin key besides the rule of the DF (GIDS section 10.3).
    6982, 6A80, 6A81; 6A89: it exists; 6A84: too many files. Spec: GIDS section 12.2.
    """
    require_on_df(session, DfOperation.CREATE_FILE)
    state = session.state
    file = parse_file(apdu.data, born_operational=state.is_operational)
    if state.is_operational and isinstance(file, KeyFile) and file.is_admin:
        require_admin(session, "creating an admin key")
    if state.file(file.efid) is not None:
        raise CardError(SW.FILE_EXISTS, "exists already", subject=file_name(file.efid))
    if len(state.files) >= MAX_FILES:
        raise CardError(SW.NOT_ENOUGH_MEMORY, f"at most {MAX_FILES} files", subject="application DF")
    session.commit(state.with_file(file))
    session.volatile.current_ef = file.efid
    return b""


def activate_file(session: GidsSession, apdu: CommandApdu) -> bytes:
    """Activates the current EF or, if none is selected, the application; always free. Twice changes nothing.

    When the application becomes operational everything that was verified is forgotten. Spec: GIDS section 12.1.
    """
    state = session.state
    if session.volatile.current_ef is not None:
        session.commit(state.with_file(replace(find_file(session, session.volatile.current_ef), is_active=True)))
    elif not state.is_operational:
        session.commit(replace(state, life_cycle=LifeCycle.OPERATIONAL))
        session.volatile.clear_security()
    return b""


def delete_file(session: GidsSession, apdu: CommandApdu) -> bytes:
    """Deletes the current EF, a key with it; the DF is current afterwards. 6986: no EF is selected.

    Spec: GIDS section 12.4.
    """
    require_on_df(session, DfOperation.DELETE_FILE)
    file = current_file(session)
    session.commit(session.state.without_file(file.efid))
    session.volatile.current_ef = None
    return b""


def terminate_df(session: GidsSession, apdu: CommandApdu) -> bytes:
    """Ends the application for good: only freely readable objects can still be read. Spec: GIDS section 12.16."""
    require_on_df(session, DfOperation.TERMINATE)
    session.commit(replace(session.state, life_cycle=LifeCycle.TERMINATED))
    session.volatile.clear_security()
    return b""
