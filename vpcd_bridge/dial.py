"""Making a TCP connection that can be given up at any moment.

Neither connect() nor its timeout can be woken by a `Stop`, so the connection is made without blocking and
awaited in the same poll() as the stop. IPv4 only: vpcd listens on 0.0.0.0 and knows no other family (vpcd.c,
opensock). A host *name* is looked up by the system, and that part cannot be interrupted.
"""

import errno
import os
import select
import socket

from vpcd_bridge.event import Address
from vpcd_bridge.stop import Stop, poll_ms


def dial(address: Address, stop: Stop, *, timeout_s: float) -> socket.socket | None:
    """Connects; None when stopped before it came to that.

    Raises OSError when nobody listens, TimeoutError when nothing was heard for timeout_s. On Linux the latter
    is what a third caller gets from vpcd, whose backlog of 0 queues one connection besides the one in use.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if not _connected(sock, address, stop, timeout_s):
            sock.close()
            return None
        if is_own_echo(sock):
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
    except BaseException:
        sock.close()
        raise
    return sock


def is_own_echo(sock: socket.socket) -> bool:
    """Whether the socket is connected to itself.

    vpcd's ports (35963 and up) lie among those Linux gives to outgoing connections. Whoever keeps calling a
    local port on which nobody listens is sooner or later given that very port to call from, and TCP then joins
    the two ends of the one socket. Kept open it would also keep vpcd from ever listening there.
    """
    return bool(sock.getsockname() == sock.getpeername())


def _connected(sock: socket.socket, address: Address, stop: Stop, timeout_s: float) -> bool:
    """Connects the non-blocking socket. False when stopped; raises as `dial` does."""
    code = sock.connect_ex(address)
    if code == errno.EINPROGRESS:
        poller = select.poll()
        poller.register(stop, select.POLLIN)
        poller.register(sock, select.POLLOUT)
        woken = poller.poll(poll_ms(timeout_s))
        if stop.is_set():
            return False
        if not woken:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
    return True
