"""How much a GIDS application holds, for states that come in by another way than its commands.

The commands refuse what is too much as they come (6A84, 6700); what they can make is what an archive may bring.
"""

from card_os.apdu import MAX_NC
from card_os.apps.gids.state import DataFile, File, GidsState
from card_os.apps.gids.wire import MAX_FILES, MAX_OBJECT_BYTES, MAX_OBJECTS


def check_bounds(state: GidsState) -> None:
    """ValueError, naming the file, for a state that the commands could not have made that large."""
    if len(state.files) > MAX_FILES:
        raise ValueError(f"{len(state.files)} files, and the card holds {MAX_FILES}")
    if max(len(state.template), len(state.fmd)) > MAX_NC:
        raise ValueError(f"a template of more than {MAX_NC} bytes")
    for file in state.files:
        _check_file(file)


def _check_file(file: File) -> None:
    if not isinstance(file, DataFile):
        if sum(len(bytes(use.tlv(file.key_id))) for use in file.uses) > MAX_NC:
            raise ValueError(f"file {file.efid:04X}: more than one FCP says of a key")
        return
    if len(file.objects) > MAX_OBJECTS:
        raise ValueError(f"file {file.efid:04X}: {len(file.objects)} objects, and a file holds {MAX_OBJECTS}")
    for one in file.objects:
        if len(one.value) > MAX_OBJECT_BYTES:
            size = f"{len(one.value)} bytes, and an object holds {MAX_OBJECT_BYTES}"
            raise ValueError(f"file {file.efid:04X}, object {one.tag:X}: {size}")
