"""The link layer of one logical channel: command chaining and response chaining, outside the applications.

Parts of a chain have the chaining bit in CLA and otherwise the same header; their data are collected, and the
application sees one whole command. A failed or interrupted chain leaves nothing behind. An answer longer than Ne is
cut: `61xx` says how much is left, GET RESPONSE fetches on, any other command drops the rest.
Spec: ISO/IEC 7816-4 sections 5.3.3 and 5.3.4.
"""

from dataclasses import dataclass, replace

from card_os.apdu import MAX_NC, MAX_NE, CommandApdu, ResponseApdu
from card_os.sw import SW, CardError

MAX_CHAIN_BYTES = MAX_NC
"""Most data that a chain may add up to, bytes; EF.ATR states it as the size of an extended command."""


@dataclass(slots=True)
class Link:
    """The open chain and the unfetched answer of a channel."""

    chain: CommandApdu | None = None
    pending: ResponseApdu | None = None

    def collect(self, apdu: CommandApdu, *, is_last: bool, refuses_breaks: bool = False) -> CommandApdu | None:
        """Adds a command to the chain; returns the whole command once `is_last`, None before.

        A command that does not belong to the open chain ends it: 6883 with `refuses_breaks`, else it starts afresh.
        6700, and the chain is dropped, if it grows beyond MAX_CHAIN_BYTES.
        """
        before, self.chain = self.chain, None
        if before is not None and not _same_chain(before, apdu):
            if refuses_breaks:
                raise CardError(SW.LAST_COMMAND_OF_CHAIN_EXPECTED, "another command interrupted a chain")
            before = None
        if before is None:
            whole = apdu
        else:
            data = before.data + apdu.data
            if len(data) > MAX_CHAIN_BYTES:
                raise CardError(SW.WRONG_LENGTH, f"a chain holds at most {MAX_CHAIN_BYTES} bytes")
            whole = replace(apdu, data=data, extended=apdu.extended or len(data) > 255)
        if is_last:
            return whole
        self.chain = replace(whole, ne=0, extended=bool(whole.data) and whole.extended)
        return None

    def cut(self, response: ResponseApdu, ne: int) -> ResponseApdu:
        """Returns the first `ne` bytes of an answer; keeps the rest for GET RESPONSE."""
        if len(response.data) <= ne:
            return response
        self.pending = ResponseApdu(response.data[ne:], response.sw)
        left = len(self.pending.data)
        return ResponseApdu(response.data[:ne], 0x6100 | (left if left < 256 else 0))

    def get_response(self, apdu: CommandApdu) -> ResponseApdu:
        """GET RESPONSE: fetches up to Ne bytes of what is left; 6985 if nothing is.

        Spec: ISO/IEC 7816-4 section 7.6.1.
        """
        pending, self.pending = self.pending, None
        if pending is None:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, "nothing is left to fetch", subject="GET RESPONSE")
        return self.cut(pending, min(apdu.effective_ne, MAX_NE))


def _same_chain(a: CommandApdu, b: CommandApdu) -> bool:
    # Only the chaining bit (10) of CLA may differ: channel and secure messaging bits belong to the chain.
    return (a.cla & 0xEF, a.ins, a.p1p2) == (b.cla & 0xEF, b.ins, b.p1p2)
