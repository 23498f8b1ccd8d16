"""What must be refused as long as nobody has proved anything, for tests of the card."""

from collections.abc import Sequence

from card_os.apdu import CommandApdu
from card_os.apps.openpgp.objects import OBJECTS
from card_os.apps.openpgp.session import Right
from card_os.apps.openpgp.state import OpenPgpState
from card_os.apps.openpgp.wire import Ins, Password

_DIGEST = bytes(32)


def protected(state: OpenPgpState) -> Sequence[bytes]:
    """Asks whether passwords are verified, reads and writes objects that want one, makes, imports and uses keys."""
    commands = [bytes([0, Ins.VERIFY, 0, reference]) for reference in Password]
    for tag, row in OBJECTS.items():
        if row.read != Right.ALWAYS:
            commands.append(_command(Ins.GET_DATA, tag, b""))
        commands.append(_command(Ins.PUT_DATA, tag, b"\x01"))
    commands.append(_command(Ins.GENERATE_ASYMMETRIC_KEY_PAIR, 0x8000, b"\xb6\x00"))
    commands.append(_command(Ins.PUT_DATA_ODD, 0x3FFF, bytes.fromhex("4D2AB6007F480292205F4820") + bytes(range(32))))
    commands.append(_command(Ins.PERFORM_SECURITY_OPERATION, 0x9E9A, _DIGEST))
    commands.append(_command(Ins.PERFORM_SECURITY_OPERATION, 0x8086, b"\x00" + bytes(254)))
    commands.append(_command(Ins.PERFORM_SECURITY_OPERATION, 0x8680, bytes(16)))
    commands.append(_command(Ins.INTERNAL_AUTHENTICATE, 0, _DIGEST))
    commands.append(_command(Ins.RESET_RETRY_COUNTER, 0x0281, b"123456"))
    return commands


def _command(ins: int, p1p2: int, data: bytes) -> bytes:
    return bytes(CommandApdu(0, ins, p1p2 >> 8, p1p2 & 0xFF, data))
