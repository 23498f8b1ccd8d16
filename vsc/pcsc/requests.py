"""Cuts a client's byte stream into requests, however the bytes are split.

libpcsclite sends header, struct and payload each on their own, and a stream may join or split them anyway. What it
never sends (an unknown command, a size that is not the command's, a payload beyond 65 548 bytes) ends the connection:
replies carry no number, so there is no way to get back in step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from vsc.pcsc.codes import MAX_ATTRIBUTE_BYTES, MAX_PAYLOAD_BYTES, Command
from vsc.pcsc.errors import HangUp
from vsc.pcsc.messages import REQUESTS, Answerable, Control, GetSetAttribute, Header, Transmit

MAX_REQUEST_BYTES = Header.SIZE + GetSetAttribute.SIZE + MAX_PAYLOAD_BYTES


@dataclass(frozen=True, slots=True)
class Request:
    command: Command
    body: Answerable | None
    payload: bytes = b""


class RequestParser:
    """Takes bytes, gives requests. It keeps what `feed` was given and has not been taken as requests yet."""

    def __init__(self) -> None:
        self._pending = bytearray()

    @property
    def pending_bytes(self) -> int:
        """How many bytes wait for the rest of their request, or for somebody to take it."""
        return len(self._pending)

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the stream."""
        self._pending += data

    def next(self) -> Request | None:
        """Takes the next whole request out; None if there is none yet. Raises HangUp as soon as it is seen wrong."""
        pending = self._pending
        if len(pending) < Header.SIZE:
            return None
        command, kind = _known(bytes(pending[: Header.SIZE]))
        body_end = Header.SIZE + (kind.SIZE if kind else 0)
        if len(pending) < body_end:
            return None
        body = kind.parse(bytes(pending[Header.SIZE : body_end])) if kind else None
        end = body_end + _payload_bytes(body)
        if len(pending) < end:
            return None
        payload = bytes(pending[body_end:end])
        del pending[:end]
        return Request(command, body, payload)

    def __iter__(self) -> Iterator[Request]:
        return iter(self.next, None)


@lru_cache(maxsize=64)
def _known(raw: bytes) -> tuple[Command, type[Answerable] | None]:
    """The command and the struct that comes with it. There are twenty good headers."""
    header = Header.parse(raw)
    try:
        command = Command(header.command)
    except ValueError:
        raise HangUp(f"unknown command {header.command:#x}") from None
    kind = REQUESTS[command]
    if header.size != (kind.SIZE if kind else 0):
        raise HangUp(f"{command.name} with a struct of {header.size} bytes")
    return command, kind


def _payload_bytes(body: Answerable | None) -> int:
    match body:
        case Transmit() | Control():
            if body.send_bytes > MAX_PAYLOAD_BYTES:
                raise HangUp(f"a payload of {body.send_bytes} bytes")
            return body.send_bytes
        case GetSetAttribute() if body.value_bytes > MAX_ATTRIBUTE_BYTES:
            raise HangUp(f"an attribute of {body.value_bytes} bytes")
    return 0
