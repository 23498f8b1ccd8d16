"""Reading what others have made, no more of it than anybody can use: a file may have no end, as /dev/zero has none."""

from pathlib import Path
from typing import IO

from vsc.errors import VscError

MAX_SECRET_BYTES = 4096
"""Of a file with a PIN, a key, a password or a passphrase. All are far shorter."""
MAX_LOG_BYTES = 128 * 1024 * 1024


class TooLargeError(VscError):
    """There is more in a file than can be used."""


def read_file(path: Path, max_bytes: int) -> bytes:
    """Returns the content. TooLargeError if there is more; OSError."""
    with path.open("rb") as file:
        return read_stream(file, max_bytes, name=str(path))


def read_stream(stream: IO[bytes], max_bytes: int, *, name: str) -> bytes:
    """The same of what is open. name: for the error."""
    raw = stream.read(max_bytes + 1)
    if len(raw) > max_bytes:
        raise TooLargeError(f"{name} has more than {amount(max_bytes)}: that is not what is meant to be read")
    return raw


def amount(count: int) -> str:
    """A number of bytes in words."""
    return f"{count // 2**20} MiB" if count >= 2**20 else f"{count} bytes"
