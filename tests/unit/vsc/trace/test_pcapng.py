"""vsc.trace.pcapng: the blocks of a capture; tests/interop/test_trace.py has Wireshark read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vsc.trace.sample import ENTRIES, INSERTED, READER, apdu
from vsc.masking.command import MaskedCommand
from vsc.trace.entry import Entry, EntryKind
from vsc.trace.pcapng import LINK_TYPE, dump

PDU_HEAD = bytes.fromhex("000C0008") + b"gsm_sim\0" + bytes(4)


def little(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


def blocks(raw: bytes) -> list[tuple[int, bytes]]:
    found = []
    while raw:
        kind, length = little(raw[:4]), little(raw[4:8])
        assert length % 4 == 0
        assert raw[length - 4 : length] == raw[4:8]
        found.append((kind, raw[8 : length - 4]))
        raw = raw[length:]
    return found


def test_a_capture_has_a_section_an_interface_a_reader_and_a_packet_a_command() -> None:
    entries = (
        INSERTED,
        apdu("00A40400", "9000", seconds=0.25),
        apdu("0020008004 31323334", "63C4", reason="PIN: wrong"),
    )
    section, interface, first, second = blocks(dump(entries, 1_700_000_000))
    assert (section[0], section[1][:4]) == (0x0A0D0D0A, bytes.fromhex("4D3C2B1A"))
    assert (interface[0], little(interface[1][:2])) == (1, LINK_TYPE)
    assert READER.encode() in interface[1]
    for (kind, body), data, seconds, comment in (
        (first, "00A40400009000", 1_700_000_000.25, b"card inserted; SELECT -> 9000 done"),
        (second, "00200080042A2A2A2A63C4", 1_700_000_000, b"; why: PIN: wrong"),
    ):
        assert kind == 6
        assert (little(body[4:8]) << 32 | little(body[8:12])) / 1e6 == seconds
        size = little(body[12:16])
        assert body[20 : 20 + size] == PDU_HEAD + bytes.fromhex(data)
        assert comment in body
    assert blocks(dump(()))[1:] == []


@pytest.mark.parametrize("shift", ["", "x", "xx"])
def test_a_long_comment_is_cut_between_two_characters(shift: str) -> None:
    (_, body) = blocks(dump((apdu("00A40400", "6A82", reason=shift + "☂" * 1000),)))[2]
    comment = body[20 + little(body[12:16]) :].lstrip(b"\0")
    assert comment[:2] == b"\x01\0"
    assert 0 <= 1000 - little(comment[2:4]) < 3
    assert comment[4 : 4 + little(comment[2:4])].decode().endswith("☂")


@pytest.mark.parametrize(
    ("command", "response", "data"),
    [
        ("00CADF3005", "6D00", "00CADF30006D00"),
        ("00CADF3005", "0102036282", "00CADF30030102036282"),
        ("00CADF3002", "01029000", "00CADF300201029000"),
        ("00CADF3000", "01029000", "00CADF300001029000"),
        ("00E60000", "6982", "00E60000006982"),
        ("0020008031", "63C5", "002000802A63C5"),
        ("00CA", "", "00CA"),
    ],
)
def test_an_le_says_how_much_came(command: str, response: str, data: str) -> None:
    """As on a card with T=0: Wireshark's dissector would wait for more, and take the status word for it."""
    (*_, (_, body)) = blocks(dump((apdu(command, response),)))
    assert body[20 : 20 + little(body[12:16])].removeprefix(PDU_HEAD).hex().upper() == data


@given(
    st.lists(
        st.builds(
            Entry,
            st.sampled_from(EntryKind),
            st.floats(0, 4e9),
            st.text(max_size=3),
            st.builds(MaskedCommand, st.binary(max_size=9), st.integers(0, 300)),
            st.binary(max_size=9),
            st.text(max_size=2000),
        ),
        max_size=4,
    ),
    st.floats(0, 4e9),
)
def test_any_entries_make_whole_blocks(entries: list[Entry], started: float) -> None:
    kinds = [kind for kind, _ in blocks(dump(entries, started))]
    assert kinds.count(6) == sum(entry.kind is EntryKind.APDU for entry in entries)
    assert kinds.count(1) == len({entry.reader for entry in entries})
    assert dump(ENTRIES)
