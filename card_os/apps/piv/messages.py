"""Commands that come through a secure channel: which may, and what ends it (SP 800-73-5 part 2, 4.2 and 4.3).

Plain commands in between do not end it, nor does a SELECT. An error of secure messaging itself does: it is answered in
clear, and the session keys are gone. What PINs have proved stays, also over a new key establishment.
"""

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.apps.piv.secure_messaging import AUTHENTICATED_HEADER
from card_os.apps.piv.session import PivSession, rules_of
from card_os.apps.piv.wire import Ins
from card_os.sw import SW, CardError

_WRAPPED = frozenset({Ins.GET_DATA, Ins.VERIFY, Ins.CHANGE_REFERENCE_DATA, Ins.GENERAL_AUTHENTICATE})
"""Commands that may come through a secure channel (part 2, table 2)."""


def unwrap(session: PivSession, apdu: CommandApdu) -> CommandApdu:
    """Opens a whole wrapped command. 6882, 6982 (there is no session), 6987 and 6988 end the session."""
    volatile = session.volatile
    channel, volatile.channel = volatile.channel, None
    if session.state.sm is None or apdu.cla & AUTHENTICATED_HEADER != AUTHENTICATED_HEADER:
        raise CardError(SW.SECURE_MESSAGING_NOT_SUPPORTED, "no such secure messaging", subject="secure messaging")
    if apdu.ins not in _WRAPPED:
        raise CardError(
            SW.SECURE_MESSAGING_NOT_SUPPORTED, f"instruction {apdu.ins:02X} is not wrapped", subject="secure messaging"
        )
    if channel is None:
        raise CardError(
            SW.SECURITY_STATUS_NOT_SATISFIED, "there is no session", subject="secure messaging", missing="session keys"
        )
    # DEVIATION: OpenSC 0.26 and 0.27 do not pad whole blocks, in practice the 16 bytes of a change of the PIN (piv.md
    # section 11.3). There it cannot be mistaken: a PIN ends in a digit or FF, never in 80 and zeros.
    takes_unpadded = rules_of(session).takes_unpadded and apdu.ins == Ins.CHANGE_REFERENCE_DATA
    plain = channel.unwrap(apdu, takes_unpadded=takes_unpadded)
    volatile.channel = volatile.answering = channel
    return plain


def wrap(session: PivSession, response: ResponseApdu) -> ResponseApdu:
    """Wraps the answer with the session that the command came through, even if there is a newer one by now."""
    channel = session.volatile.answering
    assert channel is not None
    return channel.wrap(response)
