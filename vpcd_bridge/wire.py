"""One connected socket with a session behind it, and the loop that serves such wires.

Client and listener share this file: which end made the connection does not matter once it is there.

The reason it is more than recv and send is TCP_QUICKACK. vpcd 3.3 writes the length and the body of a message
in two send() calls with Nagle's algorithm on: its kernel holds the body back until the length is acknowledged,
and ours delays that acknowledgement by some 40 ms, hoping to send it along with data. That makes about 20 APDUs
a second. TCP_QUICKACK asks for acknowledgements at once, but the kernel forgets it after a while, and so it is
set again after every read (tests/unit/vpcd_bridge/test_client.py compares the two ways). Source: tcp(7), which
says of the option that it is not permanent; vpcd joined its two sends in March 2023 (commit 76e2679).
"""

import select
import socket
import time
from collections.abc import Sequence

from vpcd_bridge.errors import ProtocolError
from vpcd_bridge.port import PoweredCard
from vpcd_bridge.session import Session
from vpcd_bridge.stop import Stop, poll_ms

# One recv takes the largest message whole: vpcd has at most one under way.
_RECV_BYTES = 0x10000 + 2

# Linux only. Elsewhere there is no such option and nothing to re-arm.
_TCP_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class Wire:
    """A connected TCP socket and the session that answers on it.

    quickack: False leaves TCP_QUICKACK alone; for the test that shows what it is worth.
    """

    def __init__(self, sock: socket.socket, card: PoweredCard, *, quickack: bool = True) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._quickack = quickack
        self._unsent = b""
        self.session = Session(card)
        self.ended = False
        self.error: ProtocolError | None = None
        self._arm()

    def fileno(self) -> int:
        return self._sock.fileno()

    @property
    def interest(self) -> int:
        """What to poll for. A peer that does not take its answers gets no further ones: no buffer grows."""
        return select.POLLOUT if self._unsent else select.POLLIN

    def turn(self) -> bool:
        """Uses one wake: reads what is there, lets the card act, sends its answers.

        Returns whether something happened that the owner must hear of: the connection `ended` (with `error`
        when the peer sent rubbish), the session became ready, the card raised.
        """
        was_ready = self.session.ready
        try:
            self._unsent = self._unsent or self.session.receive(self._read())
            if self._unsent:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
            if self.session.end is not None and not self._unsent:
                self.ended = True
            self._arm()
        except (BlockingIOError, InterruptedError):
            return False
        except ProtocolError as error:
            self.error = error
            self.ended = True
        except OSError:
            # Reset or broken: to us no different from a peer that closed in good order.
            self.ended = True
        return self.ended or self.session.ready != was_ready or self.session.has_faults

    def close(self) -> None:
        """Closes the connection at once, so that the card leaves the reader, and powers the card off."""
        self._sock.close()
        self.session.close()

    def _read(self) -> bytes:
        data = self._sock.recv(_RECV_BYTES)
        if not data:
            self.ended = True
        return data

    def _arm(self) -> None:
        if self._quickack and _TCP_QUICKACK is not None:
            self._sock.setsockopt(socket.IPPROTO_TCP, _TCP_QUICKACK, 1)


def serve(
    stop: Stop, wires: Sequence[Wire], doors: Sequence[socket.socket] = (), deadline: float | None = None
) -> Wire | socket.socket | None:
    """Serves APDUs until something else happens; says on what.

    deadline: on time.monotonic(), seconds. Returns a wire with news (see `Wire.turn`), a listening socket on
    which somebody calls, or None when `stop` was set or the deadline has passed.
    """
    poller = select.poll()
    poller.register(stop, select.POLLIN)
    for door in doors:
        poller.register(door, select.POLLIN)
    interests = {wire.fileno(): wire.interest for wire in wires}
    for fd, interest in interests.items():
        poller.register(fd, interest)
    ends: list[Wire | socket.socket] = [*wires, *doors]
    by_fd = {end.fileno(): end for end in ends}

    while True:  # Until one of them has something, or time is up.
        woken = poller.poll(None if deadline is None else poll_ms(deadline - time.monotonic()))
        if not woken or stop.is_set():
            return None
        for fd, _ in woken:
            end = by_fd[fd]
            if not isinstance(end, Wire) or end.turn():
                return end
            if end.interest != interests[fd]:
                interests[fd] = end.interest
                poller.modify(fd, end.interest)
