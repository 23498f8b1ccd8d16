"""EF.ATR: what this card can, as data objects in the interindustry template (ISO/IEC 7816-4 section 12.1.1).

It is the kernel that can it: selection by name, chaining, extended length, logical channels.
"""

from card_os.apdu import MAX_NC
from card_os.tlv import Tlv, join

EF_ATR = (
    # Card service data: selection by full and partial DF name, data objects in EF.DIR and EF.ATR, GET DATA.
    Tlv(0x43, b"\xf4"),
    # Capabilities: selection by full and partial name, FID, implicit; one byte data units; chaining, extended
    # length, channels assigned by card and host, eight or more of them (ISO/IEC 7816-4 section 12.1.1.9).
    Tlv(0x47, b"\xd8\x01\xdf"),
    Tlv(0x46, b"virtual"),
    # Largest command and response, header and status word included: Nc 65 535, Ne 65 536.
    Tlv(0x7F66, join([Tlv(0x02, (MAX_NC + 9).to_bytes(3, "big")), Tlv(0x02, b"\x01\x00\x02")])),
)
