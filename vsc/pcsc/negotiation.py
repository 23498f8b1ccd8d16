"""Which transmission protocol a connection gets: what the card's ATR offers, and what the client wants.

A software card speaks whichever it is told; what matters is that clients hear the same as from pcscd. Source:
pcsc-lite 1.9.9, `atrhandler.c` (ATRDecodeAtr) and `prothandler.c` (PHSetProtocol).
"""

from functools import lru_cache

from card_os.atr import GROUP
from card_os.wire import WireError
from vsc.pcsc.codes import Protocol, ReturnCode
from vsc.pcsc.errors import Refused

SPEAKABLE = Protocol.T0 | Protocol.T1 | Protocol.RAW | Protocol.ANY_OLD
_BY_T = {0: Protocol.T0, 1: Protocol.T1, 15: Protocol.T15}


@lru_cache(maxsize=64)
def offered(atr: bytes) -> Protocol:
    """The protocols an ATR offers: every TD adds its own, TA2 leaves but one, no TD means T=0.

    Lenient as the original: of a broken ATR what can be read counts.
    """
    found = Protocol.UNDEFINED
    at, number = 1, 1
    while True:  # Each turn takes a byte of the ATR at least.
        try:
            group, used = GROUP.parse_head(atr[at:])
        except WireError:
            break
        if group.td >= 0:
            found |= _BY_T.get(group.td & 0x0F, Protocol.UNDEFINED)
        if number == 2 and group.ta >= 0:
            found = _BY_T.get(group.ta & 0x0F, Protocol.UNDEFINED) & (Protocol.T0 | Protocol.T1)
        if group.td < 0:
            break
        at, number = at + used - 1, number + 1
    return found or Protocol.T0


def negotiate(wanted: int, current: Protocol, atr: bytes) -> Protocol:
    """The protocol in use from now on: RAW for who asks for it, else the current one, else T=1 before T=0.

    Raises Refused (PROTO_MISMATCH) when there is none that both card and client know.
    """
    if wanted & Protocol.RAW:
        return Protocol.RAW
    if current:
        if not wanted & current:
            raise Refused(ReturnCode.PROTO_MISMATCH)
        return current
    if wanted & Protocol.ANY_OLD:
        wanted = Protocol.T0 | Protocol.T1
    both = offered(atr) & wanted
    for protocol in (Protocol.T1, Protocol.T0):
        if both & protocol:
            return protocol
    raise Refused(ReturnCode.PROTO_MISMATCH)
