"""What a GIDS card must refuse as long as nobody has proved anything: for tests of the card."""

from collections.abc import Iterator, Sequence

from card_os.access import Right
from card_os.apdu import CommandApdu
from card_os.apps.gids.state import DataFile, File, GidsState, LifeCycle
from card_os.apps.gids.wire import DfOperation, FileOperation, Ins, Reference, Tag
from card_os.tlv import Tlv, join


def protected(state: GidsState) -> Sequence[bytes]:
    """Asks whether the PIN is verified, resets it, reads and writes files, ends the application, chooses keys."""
    if state.life_cycle < LifeCycle.OPERATIONAL:
        return ()
    commands = [bytes([0, Ins.VERIFY, 0, Reference.PIN]), _command(Ins.RESET_RETRY_COUNTER, 0x0280, b"00000000")]
    for file in state.files:
        if file.is_active:
            commands += _protected_file(file)
    if not state.rule.allows(DfOperation.TERMINATE, Right.NONE):
        commands.append(bytes([0, Ins.TERMINATE_DF, 0, 0]))
    return commands


def _protected_file(file: File) -> Iterator[bytes]:
    def is_closed(operation: FileOperation) -> bool:
        return not file.rule.allows(operation, Right.NONE)

    if isinstance(file, DataFile):
        if is_closed(FileOperation.GET):
            yield _command(Ins.GET_DATA, file.efid, bytes(Tlv(Tag.TAG_LIST)))
        if is_closed(FileOperation.PUT):
            yield _command(Ins.PUT_DATA, file.efid, bytes(Tlv(0xDF7D, b"\x00")))
    elif file.key is not None and is_closed(FileOperation.USE_KEY):
        for use in file.uses:
            environment = join([Tlv(0x80, bytes([use.algorithm])), Tlv(0x84, bytes([file.key_id]))])
            yield _command(Ins.MANAGE_SECURITY_ENVIRONMENT, 0x4100 | use.crt, environment)


def _command(ins: int, p1p2: int, data: bytes) -> bytes:
    return bytes(CommandApdu(0, ins, p1p2 >> 8, p1p2 & 0xFF, data))
