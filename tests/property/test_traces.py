"""Traces keep secrets: whatever a host does with a PIN, a PUK or a key, the trace says nothing of it but its length.

The test is metamorphic: two runs that differ in the secret only must leave the same traces, byte for byte, in every
format. And each refusal has a reason, which the tables can explain.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from card_os.apdu import Case
from card_os.sw import CardError, meaning
from card_os.tlv import Tlv
from tests.property.strategies import commands as any_commands
from vsc.reader import Reader
from vsc.testing import SoftCard
from vsc.trace import jsonl, pcapng, text
from vsc.trace.decoder import Decoder
from vsc.trace.entry import Entry
from vsc.trace.explain import why
from vsc.trace.recorder import Trace

PIN, PUK = b"24681357", b"97531864"

Body = Callable[[bytes], bytes]
Form = Callable[[bytes], list[bytes]]

TARGETS: dict[str, tuple[str, Body]] = {
    "VERIFY": ("20 0080", lambda secret: secret),
    "VERIFY PUK": ("20 0081", lambda secret: secret),
    "VERIFY, no such PIN": ("20 0007", lambda secret: secret),
    "VERIFY, BER-TLV": ("21 0080", lambda secret: bytes(Tlv(0x80, secret))),
    "CHANGE REFERENCE DATA": ("24 0080", lambda secret: secret + b"12345678"),
    "CHANGE REFERENCE DATA, new": ("24 0080", lambda secret: PIN + secret),
    "CHANGE REFERENCE DATA, new only": ("24 0180", lambda secret: secret),
    "DISABLE VERIFICATION REQUIREMENT": ("26 0080", lambda secret: secret),
    "RESET RETRY COUNTER, admin key": ("2C 0280", lambda secret: secret),
    "RESET RETRY COUNTER, PUK": ("2C 0080", lambda secret: secret + b"12345678"),
    "RESET RETRY COUNTER, new": ("2C 0080", lambda secret: PUK + secret),
    "PUT KEY, raw": ("DB 3FFF", lambda secret: secret),
    "PUT KEY, admin key": ("DB 3FFF", lambda secret: _key_import(0x80, secret)),
    "PUT KEY, RSA": ("DB 3FFF", lambda secret: _key_import(0x81, bytes(Tlv(0x30, secret)))),
    "PUT DATA, INS DA": ("DA 3FFF", lambda secret: _key_import(0x80, secret)),
    "PUT DATA on a key file": ("DB B081", lambda secret: secret),
}


def _key_import(key_id: int, value: bytes) -> bytes:
    template = bytes(Tlv(0x84, bytes([key_id]))) + bytes(Tlv(0xA5, bytes(Tlv(0x87, value))))
    return bytes(Tlv(0x70, template))


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """A way to send a secret, right or wrong, as a function of the secret."""
    code, body = TARGETS[draw(st.sampled_from(sorted(TARGETS)))]
    header = bytes.fromhex(code)
    cla = draw(st.sampled_from([0x00, 0x00, 0x00, 0x01, 0x03, 0x0C, 0x40, 0x4F, 0x80, 0xFF]))
    how = draw(
        st.sampled_from(["short", "short Le", "extended", "extended Le", "no Lc", "wrong Lc", "wrong extended Lc"])
    )
    wrong_by = draw(st.integers(1, 20))
    cuts = draw(st.lists(st.integers(1, 30), max_size=3))

    def one(cla: int, data: bytes) -> bytes:
        head, size = bytes([cla]) + header, len(data)
        lc = {
            "no Lc": b"",
            "wrong Lc": bytes([(size + wrong_by) & 0xFF]),
            "wrong extended Lc": b"\0" + (size + wrong_by).to_bytes(2, "big"),
        }.get(how, b"\0" + size.to_bytes(2, "big") if "extended" in how else bytes([size]))
        le = (b"\0\0" if "extended" in how else b"\0") if how.endswith(" Le") else b""
        return head + lc + data + le

    def form(secret: bytes) -> list[bytes]:
        data, parts = body(secret), []
        for cut in cuts:
            parts.append(one(cla | 0x10, data[:cut]))
            data = data[cut:]
        return [*parts, one(cla, data)]

    return form


def traced(commands: list[bytes]) -> tuple[Entry, ...]:
    """What a card leaves in a trace, times fixed."""
    reader, trace = Reader(), Trace()
    trace.follow(reader)
    reader.insert(SoftCard.make(pin=PIN.decode(), puk=PUK.decode(), seed=1))
    for command in (bytes.fromhex("0020008000"), bytes.fromhex("0070000001"), *commands):
        reader.transmit(command)
    return tuple(replace(entry, seconds=float(at), took_s=0.001) for at, entry in enumerate(trace.entries))


def written(entries: tuple[Entry, ...]) -> tuple[bytes, bytes, bytes]:
    said = "\n".join(text.lines(entries)).encode()
    return said, "\n".join(map(jsonl.dump, entries)).encode(), pcapng.dump(entries)


def reads_as(command: bytes) -> tuple[Case | None, bool]:
    """As what a card takes it: which case, and whether an Le of 00 is all that follows the header."""
    try:
        return Case.of(command), not any(command[4:])
    except CardError:
        return None, False


@st.composite
def secrets(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Two secrets of one length that the card does not know, of the characters that PINs or that keys are made of."""
    size = draw(st.integers(4, 40))
    byte = draw(st.sampled_from([st.integers(0x30, 0x39), st.integers(0x21, 0x7E), st.integers(0, 0xFF)]))
    first, second = (bytes(draw(st.lists(byte, min_size=size, max_size=size))) for _ in range(2))
    assume(first not in (PIN, PUK))
    assume(second not in (PIN, PUK))
    return first, second


@given(forms(), secrets())
def test_a_trace_says_the_same_of_any_secret(form: Form, pair: tuple[bytes, bytes]) -> None:
    one, other = (form(secret) for secret in pair)
    # What has no Lc may by chance be read as if it had: a byte of the secret that is the length of the rest, exactly.
    assume(list(map(reads_as, one)) == list(map(reads_as, other)))
    assert written(traced(one)) == written(traced(other))


@given(forms(), st.text("0123456789abcXYZ!", min_size=8, max_size=40).map(str.encode))
def test_a_secret_is_nowhere_in_a_trace(form: Form, secret: bytes) -> None:
    raw = b"".join(written(traced(form(secret)))).lower()
    # What a chain has cut is looked for in pieces of four; the header of a capture could hold shorter ones by chance.
    for at in range(len(secret) - 7):
        piece = secret[at : at + 8].lower()
        assert piece not in raw
        assert piece.hex().encode() not in raw


CLASSES = ("00", "01", "10", "0C", "80")
INSTRUCTIONS = bytes.fromhex("20 22 24 2A 2C 44 47 70 87 88 A4 C0 CA CB DB E0 E4 E6")
PARAMETERS = [
    *("0000", "0080", "0280", "0081", "3FFF", "A012", "A014", "A010", "B080", "41B6", "81A4", "9E9A", "8086", "0400"),
]
DATA = [
    *("", "00", "045C02DF2000", "02A012", "047C028100", "067C0482020102", "05DF20024142", "0431323334", "0180"),
    *("09A00000039742544659", "06800102830180", "06800157830181", "08AC06800107830181", "0A7008840181A5037F4980"),
    "0D620B8201398302A0158C020330",
]


def hexadecimal(texts: Iterable[str]) -> st.SearchStrategy[bytes]:
    return st.sampled_from([bytes.fromhex(text) for text in texts])


NEAR_MISSES = st.builds(
    lambda *parts: b"".join(parts),
    hexadecimal(CLASSES),
    st.sampled_from(INSTRUCTIONS).map(lambda ins: bytes([ins])),
    hexadecimal(PARAMETERS) | st.binary(min_size=2, max_size=2),
    hexadecimal(DATA) | st.binary(max_size=12),
)


@given(st.lists(any_commands().map(bytes) | NEAR_MISSES, min_size=1, max_size=12), st.booleans())
def test_each_refusal_has_a_reason_and_can_be_explained_without_it(commands: list[bytes], blank: bool) -> None:
    card, decoder = SoftCard.make_blank() if blank else SoftCard.make(), Decoder()
    reader, trace = Reader(), Trace()
    trace.follow(reader)
    reader.insert(card)
    for command in commands:
        reader.transmit(command)
    for entry in trace.entries:
        line = decoder.decode(entry)
        if not line.is_refusal:
            continue
        if line.sw != 0x6285:
            assert line.why
            assert meaning(line.sw or 0) != line.why, line.sentence
        # Without the reason the tables say more than the status word does.
        guess = why(replace(line, why=""))
        assert guess
        assert guess != meaning(line.sw or 0), line.sentence
