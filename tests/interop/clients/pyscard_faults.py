"""A PC/SC client that goes on whatever happens: for each line on stdin a line of return codes, as JSON.

Run with pyscard, against the PC/SC service that its environment names.
"""

import json
import sys

from smartcard import scard  # type: ignore[import-untyped]

SELECT = bytes.fromhex("00A4040009A00000039742544659")
VERIFY = bytes.fromhex("0020008008") + b"12345678"
CODES = {
    getattr(scard, name) & 0xFFFF_FFFF: name.removeprefix("SCARD_").partition("_")[2]
    for name in dir(scard)
    if name.startswith(("SCARD_E_", "SCARD_W_", "SCARD_F_", "SCARD_S_"))
}
BOTH = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1


def word(code: int) -> str:
    return CODES.get(code & 0xFFFF_FFFF, f"{code & 0xFFFF_FFFF:08X}")


def transmit(card: int, protocol: int, command: bytes) -> str:
    """The status word, or the return code of a call that failed; empty if it succeeded without any answer."""
    pci = scard.SCARD_PCI_T1 if protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0
    code, answer = scard.SCardTransmit(card, pci, list(command))
    return word(code) if code else bytes(byte & 0xFF for byte in answer)[-2:].hex().upper()


def session() -> dict[str, str]:
    """What each step of one session has come to."""
    steps = {}
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    steps["establish"] = word(code)
    if code:
        return steps
    _, readers = scard.SCardListReaders(context, [])
    code, card, protocol = scard.SCardConnect(context, readers[0], scard.SCARD_SHARE_SHARED, BOTH)
    steps["connect"] = word(code)
    if not code:
        steps["atr"] = bytes(byte & 0xFF for byte in scard.SCardStatus(card)[4]).hex().upper()
        transmit(card, protocol, SELECT)
        steps["verify"] = transmit(card, protocol, VERIFY)
        steps["later"] = transmit(card, protocol, VERIFY)
        steps["reconnect"] = word(scard.SCardReconnect(card, scard.SCARD_SHARE_SHARED, BOTH, scard.SCARD_LEAVE_CARD)[0])
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
    code, anew = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    steps["anew"] = word(code)
    for one in (context, anew):
        scard.SCardReleaseContext(one)
    return steps


for _ in sys.stdin:
    print(json.dumps(session()), flush=True)  # noqa: T201
