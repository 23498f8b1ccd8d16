"""CREATE FILE, ACTIVATE FILE, DELETE FILE, TERMINATE DF (GIDS sections 6 and 12)."""

from dataclasses import replace

from card_os.apdu import CommandApdu
from card_os.apps.gids import gate
from card_os.apps.gids.fcp import parse_file
from card_os.apps.gids.session import GidsSession, current_file, file_name, find_file, require_admin, require_on_df
from card_os.apps.gids.state import KeyFile, LifeCycle
from card_os.apps.gids.wire import KEY_FILES, MAX_FILES, DfOperation, FileDescriptor, Tag
from card_os.command import Command
from card_os.sw import SW, CardError
from card_os.words import inside, value


def create_file(session: GidsSession, apdu: CommandApdu) -> bytes:
    """Makes an EF from its FCP (62) and selects it; it has to be activated before its rule holds.

    A key that can act as admin key needs the admin key besides the rule of the DF (GIDS section 10.3).
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

    When the application becomes operational everything that was verified is forgotten.
    """
    state = session.state
    if session.volatile.current_ef is not None:
        session.commit(state.with_file(replace(find_file(session, session.volatile.current_ef), is_active=True)))
    elif not state.is_operational:
        session.commit(replace(state, life_cycle=LifeCycle.OPERATIONAL))
        session.volatile.clear_security()
    return b""


def delete_file(session: GidsSession, apdu: CommandApdu) -> bytes:
    """Deletes the current EF, a key with it; the DF is current afterwards."""
    require_on_df(session, DfOperation.DELETE_FILE)
    file = current_file(session)
    session.commit(session.state.without_file(file.efid))
    session.volatile.current_ef = None
    return b""


def terminate_df(session: GidsSession, apdu: CommandApdu) -> bytes:
    """Ends the application for good: only freely readable objects can still be read."""
    require_on_df(session, DfOperation.TERMINATE)
    session.commit(replace(session.state, life_cycle=LifeCycle.TERMINATED))
    session.volatile.clear_security()
    return b""


# --- the rows


def _create_words(apdu: CommandApdu, _: int) -> str:
    objects = inside(apdu.data, Tag.FCP)
    raw = value(objects, Tag.FILE_ID)
    if raw is None:
        return ""
    is_key = value(objects, Tag.FILE_DESCRIPTOR) == bytes([FileDescriptor.KEY_FILE])
    efid = int.from_bytes(raw, "big")
    key = f" for key {efid & 0xFF:02X}" if is_key and efid in KEY_FILES else ""
    return f"{'key file' if is_key else 'file'} {raw.hex().upper()}{key}"


_FCPS = (
    "620C 820139 8302A014 8C03033000",
    "620C 820139 8302A0FF 8C030300FF",
    "620D 820118 8302B080 8C04870020FF",
    "621B 820118 8302B081 8C058F10101000 A50B B609 800157 830181 950140",
    "621B 820118 8302B083 8C058F00000000 A50B A409 80010C 830183 9501C0",
)

# Rows are read across: what is accepted and who answers, then what people are told.
# fmt: off
ACTIVATE_FILE = Command(
    "ACTIVATE FILE", gate.P1P2_0000, gate.NO_BYTES, gate.LIVING, activate_file, "GIDS 2.0, 12.1", changes=True,
    refusals={SW.FILE_NOT_FOUND: "the current file has been deleted"},
)
CREATE_FILE = Command(
    "CREATE FILE", gate.P1P2_0000, gate.SOME_BYTES, gate.DF_RULE, create_file, "GIDS 2.0, 12.2", changes=True,
    words=_create_words, samples=tuple((0, bytes.fromhex(fcp)) for fcp in _FCPS), is_tlv=True,
    refusals={
        SW.SECURITY_STATUS_NOT_SATISFIED: "an admin key is made with the admin key only",
        SW.FILE_EXISTS: "there is a file with this identifier",
        SW.NOT_ENOUGH_MEMORY: "the application is full of files",
        SW.FUNCTION_NOT_SUPPORTED: "this card has no such algorithm",
        SW.WRONG_DATA: "the data are not the control parameters (62) of a file that can be made",
    },
)
DELETE_FILE = Command(
    "DELETE FILE", gate.P1P2_0000, gate.NO_BYTES, gate.DF_RULE_OPERATIONAL, delete_file, "GIDS 2.0, 12.4", changes=True,
    refusals={
        SW.FILE_NOT_FOUND: "the current file has been deleted already",
        SW.COMMAND_NOT_ALLOWED: gate.NO_CURRENT,
    },
)
TERMINATE_DF = Command(
    "TERMINATE DF", gate.P1P2_0000, gate.NO_BYTES, gate.DF_RULE_OPERATIONAL, terminate_df, "GIDS 2.0, 12.16",
    changes=True,
    refusals={SW.SECURITY_STATUS_NOT_SATISFIED: "a card of ours gives it to nobody"},
)
# fmt: on
