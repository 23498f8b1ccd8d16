"""SELECT, and what a host can read before anything else: FCI, FCP, FMD, EF.ATR (GIDS sections 2.2, 2.6, 12.15)."""

from collections.abc import Mapping

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.apps.gids import gate
from card_os.apps.gids.session import GidsSession, find_file
from card_os.apps.gids.state import (
    DEFAULT_FMD,
    DEFAULT_TEMPLATE,
    File,
    GidsState,
    KeyFile,
    LifeCycle,
    file_life_cycle,
)
from card_os.apps.gids.wire import AID, EfId, FileDescriptor, Tag
from card_os.command import Command
from card_os.sw import SW, CardError
from card_os.tlv import Tlv, join
from card_os.words import either, joined

# P2 b4 b3 (ISO/IEC 7816-4 table 40).
FCI, FCP, FMD, NO_DATA = 0x00, 0x04, 0x08, 0x0C
NEXT_OCCURRENCE = 0x02


def application_template(state: GidsState) -> bytes:
    """Tag 61: the AID and what else the template holds."""
    return bytes(Tlv(Tag.APPLICATION_TEMPLATE, state.template or DEFAULT_TEMPLATE))


def _df_information(state: GidsState, form: int) -> bytes:
    if form == NO_DATA:
        return b""
    if form == FMD:
        return bytes(Tlv(Tag.FMD, state.fmd or DEFAULT_FMD))
    if form == FCI:
        return application_template(state)
    objects = [
        Tlv(Tag.FILE_DESCRIPTOR, bytes([FileDescriptor.DF])),
        Tlv(Tag.DF_NAME, AID),
        Tlv(Tag.LIFE_CYCLE, bytes([state.life_cycle])),
        Tlv(Tag.ACCESS_RULE, bytes(state.rule)),
    ]
    return bytes(Tlv(Tag.FCP, join(objects)))


def _ef_information(file: File, form: int) -> bytes:
    if form == NO_DATA:
        return b""
    if form == FMD:
        return bytes(Tlv(Tag.FMD))
    is_key = isinstance(file, KeyFile)
    objects = [
        Tlv(Tag.FILE_DESCRIPTOR, bytes([FileDescriptor.KEY_FILE if is_key else FileDescriptor.DATA_FILE])),
        Tlv(Tag.FILE_ID, file.efid.to_bytes(2, "big")),
        Tlv(Tag.LIFE_CYCLE, bytes([file_life_cycle(file)])),
        Tlv(Tag.ACCESS_RULE, bytes(file.rule)),
    ]
    if isinstance(file, KeyFile):
        objects.append(Tlv(Tag.KEY_TEMPLATE, join(use.tlv(file.key_id) for use in file.uses)))
    # On an EF, P2 = 00 gives the FCP too (GIDS section 12.15.6).
    return bytes(Tlv(Tag.FCP, join(objects)))


def select_df(session: GidsSession, p2: int) -> ResponseApdu:
    """Makes the DF current; what was verified stays. 6285, with the same data, once terminated (GIDS 12.15.8)."""
    session.volatile.current_ef = None
    state = session.state
    terminated = state.life_cycle == LifeCycle.TERMINATED
    return ResponseApdu(_df_information(state, p2 & 0x0C), SW.WARNING_TERMINATED if terminated else SW.OK)


def select(session: GidsSession, apdu: CommandApdu) -> bytes | ResponseApdu:
    """SELECT by file identifier: an EF, 3FFF for the DF, 0000 for the current EF; without data the next EF.

    The next occurrence walks all files in order of creation (GIDS section 5.4).
    """
    form = apdu.p2 & 0x0C
    if apdu.p2 & NEXT_OCCURRENCE:
        return _ef_information(_select_next(session, apdu), form)
    if not apdu.data:
        raise CardError(SW.FILE_NOT_FOUND, "the MF cannot be selected", subject="SELECT")
    efid = int.from_bytes(apdu.data, "big")
    if efid == EfId.ADF:
        return select_df(session, apdu.p2)
    if efid == EfId.NONE:
        if session.volatile.current_ef is None:
            raise CardError(SW.FILE_NOT_FOUND, "no file is selected", subject="SELECT")
        efid = session.volatile.current_ef
    file = find_file(session, efid)
    session.volatile.current_ef = efid
    return _ef_information(file, form)


def _select_next(session: GidsSession, apdu: CommandApdu) -> File:
    if apdu.data:
        raise CardError(SW.WRONG_LENGTH, "no data belongs to next occurrence", subject="SELECT")
    files = session.state.files
    index = next((i + 1 for i, file in enumerate(files) if file.efid == session.volatile.current_ef), 0)
    if index >= len(files):
        raise CardError(SW.FILE_NOT_FOUND, "no more files", subject="SELECT")
    session.volatile.current_ef = files[index].efid
    return files[index]


_FORMS = {FCP: "FCP", FMD: "FMD", NO_DATA: "no data"}
_FILES: Mapping[int, str] = {EfId.ADF: "application DF", EfId.NONE: "current EF", EfId.MF: "MF"}


def _select_words(apdu: CommandApdu, _: int) -> str:
    form = _FORMS.get(apdu.p2 & 0x0C, "")
    if apdu.p2 & NEXT_OCCURRENCE:
        return joined("next EF", form)
    if len(apdu.data) != 2:
        return ""
    efid = int.from_bytes(apdu.data, "big")
    return joined(_FILES.get(efid, f"EF {efid:04X}"), form)


# Rows are read across: what is accepted and who answers, then what people are told.
# fmt: off
SELECT = Command(
    "SELECT", frozenset(form | next_one for form in (FCI, FCP, FMD, NO_DATA) for next_one in (0, NEXT_OCCURRENCE)),
    frozenset({0, 2}), gate.ALWAYS, select, "GIDS 2.0, 12.15", words=_select_words,
    refusals={
        SW.FILE_NOT_FOUND: either(gate.NO_FILE, "there are no more files"),
        SW.WARNING_TERMINATED: "it is selected, and it is terminated: only what anybody may read can be read",
    },
    samples=tuple(
        (p2, efid.to_bytes(2, "big"))
        for p2 in (FCI, FCP, NO_DATA, NEXT_OCCURRENCE)
        for efid in (0xA000, 0xA012, 0xB080, EfId.ADF, EfId.NONE, 0xA0FF)
    ),
)
# fmt: on
