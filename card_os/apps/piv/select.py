"""SELECT: the application property template (SP 800-73-5 part 2, table 3; piv.md section 1)."""

from card_os.apps.piv.rules import Rules
from card_os.apps.piv.secure_messaging import SUITES
from card_os.apps.piv.state import PivState
from card_os.apps.piv.wire import AID, PIX, RID, Tag
from card_os.tlv import Tlv, join


def application_properties(state: PivState, rules: Rules) -> bytes:
    """The template 61: which application this is and, if it has secure messaging, with which cipher suite."""
    objects = [
        Tlv(Tag.AID, PIX if rules.short_aid else AID),
        Tlv(Tag.AUTHORITY, bytes(Tlv(Tag.AID, RID))),
    ]
    if rules.label:
        objects.append(Tlv(Tag.LABEL, rules.label.encode()))
    if state.sm is not None:
        suite = SUITES[state.sm.key.kind]
        # An AC of its own: OpenSC 0.26 and 0.27 read only the first 80 of each (piv.md section 14).
        algorithms = [Tlv(Tag.ALGORITHM, bytes([suite.algorithm])), Tlv(Tag.OBJECT_IDENTIFIER, b"\x00")]
        objects.append(Tlv(Tag.ALGORITHMS, join(algorithms)))
    return bytes(Tlv(Tag.APPLICATION_PROPERTIES, join(objects)))
