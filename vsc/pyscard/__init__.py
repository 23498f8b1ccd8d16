"""pyscard's way to a card, without PC/SC: a connection to a `Reader` of this process.

    connection = Connection(reader)
    connection.connect()
    data, sw1, sw2 = connection.transmit([0x00, 0xA4, 0x04, 0x00])

It needs pyscard (the extra `virtual-smart-card[pcsc]`), and no PC/SC. A `Connection` is a `smartcard.CardConnection`
and raises pyscard's exceptions, which are ours, too: CardRemovedError where the card is gone, ReaderError for the rest.

    with registered(reader):
        smartcard.System.readers()

Existing pyscard code finds its cards through `readers()`, `CardRequest` and `CardMonitor`. While `registered` runs it
finds ours, in this process, and only ours: pyscard's own list of readers needs a PC/SC service to be there. For the
readers pyscard has a hook (`ReaderFactory.factorymethods`). For requests it has none, so the one name that
`CardRequest` looks up, `smartcard.CardRequest.PCSCCardRequest`, stands for ours meanwhile. `CardMonitor` keeps one
thread for the whole process; a block has its own, which ends with it. When the last block ends all is as before.

Sharing is between the connections of this module: a connection opened through the private PC/SC service to the same
reader has its own bookkeeping.
"""

from vsc.pcsc.codes import Disposition
from vsc.pcsc.codes import ShareMode as Share
from vsc.pyscard.connection import Attribute, Connection
from vsc.pyscard.failure import (
    CardGoneError,
    ConnectionRefusedByCardError,
    Failure,
    HeldByAnotherError,
    NoCardError,
    NoServiceError,
    NotAnsweredError,
)
from vsc.pyscard.installation import registered
from vsc.pyscard.library import RAW, T0, T1
from vsc.pyscard.request import InProcessCardRequest, InProcessReader

__all__ = [
    "RAW",
    "T0",
    "T1",
    "Attribute",
    "CardGoneError",
    "Connection",
    "ConnectionRefusedByCardError",
    "Disposition",
    "Failure",
    "HeldByAnotherError",
    "InProcessCardRequest",
    "InProcessReader",
    "NoCardError",
    "NoServiceError",
    "NotAnsweredError",
    "Share",
    "registered",
]
