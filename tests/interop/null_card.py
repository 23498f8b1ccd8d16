"""The smallest card there is: an ATR, and 6D00 to everything. It proves the harness without any code of ours.

    null_card.py PORT [ATR]

Speaks vpcd's protocol: two bytes of length, then the body; a body of one byte is a control message.
"""

import socket
import sys

ATR = "3B8D0180FBA000000397425446590201C9"
GET_ATR = b"\x04"


def serve(vpcd: socket.socket, atr: bytes) -> None:
    stream = vpcd.makefile("rb")
    while len(length := stream.read(2)) == 2:
        message = stream.read(int.from_bytes(length, "big"))
        if message == GET_ATR:
            answer = atr
        elif len(message) == 1:  # power off, power on, reset: no answer
            continue
        else:
            answer = b"\x6d\x00"
        vpcd.sendall(len(answer).to_bytes(2, "big") + answer)


def main(port: str, atr: str = ATR) -> None:
    """Ends when vpcd goes away."""
    with socket.create_connection(("127.0.0.1", int(port))) as vpcd:
        serve(vpcd, bytes.fromhex(atr))


if __name__ == "__main__":
    main(*sys.argv[1:])
