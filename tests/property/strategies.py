"""Values of the card's formats, for properties of ours. `vsc.testing.strategies` has the public ones."""

from hypothesis import strategies as st

from card_os.access import MAX_ALTERNATIVES, AccessRule
from card_os.apdu import MAX_NC, MAX_NE, CommandApdu
from card_os.atr import MAX_BYTES, Atr, Interface
from card_os.tlv import Tlv

BYTE = st.integers(0, 0xFF)


# --- APDUs -----------------------------------------------------------------------------------------------------------


@st.composite
def commands(draw: st.DrawFn) -> CommandApdu:
    """Any command of any case; long data is cheap filler, so that examples stay small."""
    extended = draw(st.booleans())
    limit = MAX_NC if extended else 255
    data = draw(st.binary(max_size=40))
    if draw(st.booleans()):
        size = draw(st.sampled_from([255, 256, 257, 1000, MAX_NC]) | st.integers(0, MAX_NC))
        data = data.ljust(min(size, limit), b"\x5a")
    ne = draw(st.sampled_from([0, 1, 255, 256, 257, MAX_NE]) | st.integers(0, MAX_NE))
    ne = min(ne, MAX_NE if extended else 256)
    cla, ins, p1, p2 = (draw(BYTE) for _ in range(4))
    return CommandApdu(cla, ins, p1, p2, data, ne, extended and bool(data or ne))


# --- BER-TLV ---------------------------------------------------------------------------------------------------------

ONE_BYTE_TAGS = BYTE.filter(lambda tag: tag & 0x1F != 0x1F)
LEADING = st.integers(0, 7).map(lambda high: high << 5 | 0x1F)
TWO_BYTE_TAGS = st.builds(lambda first, last: first << 8 | last, LEADING, st.integers(0, 0x7F))
THREE_BYTE_TAGS = st.builds(
    lambda first, middle, last: first << 16 | middle << 8 | last, LEADING, st.integers(0x80, 0xFF), st.integers(0, 0x7F)
)
TAGS = ONE_BYTE_TAGS | TWO_BYTE_TAGS | THREE_BYTE_TAGS
VALUES = st.binary(max_size=300) | st.sampled_from([0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000]).map(bytes)
TLVS = st.builds(Tlv, TAGS, VALUES)


# --- ATR -------------------------------------------------------------------------------------------------------------

OPTIONAL_BYTE = st.none() | BYTE


@st.composite
def atrs(draw: st.DrawFn) -> Atr:
    """Any answer to reset that fits into 33 bytes."""
    first = Interface(draw(OPTIONAL_BYTE), draw(OPTIONAL_BYTE), draw(OPTIONAL_BYTE))
    later = st.builds(Interface, OPTIONAL_BYTE, OPTIONAL_BYTE, OPTIONAL_BYTE, st.integers(0, 15))
    others = draw(st.lists(later, max_size=4))
    # TS, T0 and TCK, then four bytes a group at most: what is left is for historical bytes.
    room = MAX_BYTES - 3 - 4 * (1 + len(others))
    historical = draw(st.binary(max_size=min(15, room)))
    return Atr((first, *others), historical, draw(st.sampled_from([0x3B, 0x3F])))


# --- access rules ---------------------------------------------------------------------------------------------------


@st.composite
def _alternatives(draw: st.DrawFn) -> tuple[int, bytes]:
    amb = draw(BYTE)
    count = (amb & 0x7F).bit_count()
    return amb, draw(st.binary(min_size=count, max_size=count))


RULES = st.lists(_alternatives(), min_size=1, max_size=MAX_ALTERNATIVES).map(lambda them: AccessRule(tuple(them)))


# --- bytes that are nearly right -------------------------------------------------------------------------------------


@st.composite
def damaged(draw: st.DrawFn, wholes: st.SearchStrategy[bytes]) -> bytes:
    """A right string of bytes with one byte changed, some cut off, or some put behind; or left as it is."""
    raw = draw(wholes)
    how = draw(st.sampled_from(["as it is", "changed", "cut", "longer"]))
    if how == "changed" and raw:
        place = draw(st.integers(0, len(raw) - 1))
        return raw[:place] + bytes([draw(BYTE)]) + raw[place + 1 :]
    if how == "cut":
        return raw[: draw(st.integers(0, len(raw)))]
    return raw + draw(st.binary(min_size=1, max_size=4)) if how == "longer" else raw
