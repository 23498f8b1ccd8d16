"""vsc.trace.decoder: names, details, applications and channels, as a reader's entries come in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.application import Application
from card_os.apps.gids.wire import Ins
from tests.unit.vsc.trace.sample import INSERTED, apdu, event
from vsc.masking.command import MaskedCommand
from vsc.masking.mask import mask
from vsc.profiles import GIDS
from vsc.trace.decoder import Decoder, Line, command_name
from vsc.trace.entry import Entry, EntryKind

CLASSES = (0x00, 0x01, 0x03, 0x10, 0x11, 0x40, 0x4F, 0x50, 0x5F, 0x0C, 0x80, 0xFF)
SELECT = "00A4040009A00000039742544659"


def decoded(*entries: Entry) -> list[Line]:
    decoder = Decoder()
    return [decoder.decode(entry) for entry in entries]


def said(command: str, response: str = "9000") -> str:
    """One command to a GIDS card that has just been inserted."""
    return decoded(INSERTED, apdu(command, response))[-1].sentence.removeprefix("GIDS: ")


@pytest.mark.parametrize("application", GIDS.applications, ids=lambda one: one.name)
def test_each_command_of_a_table_has_the_name_of_its_row(application: Application[object, object]) -> None:
    assert set(application.commands) == set(Ins)
    for ins, row in application.table:
        for cla in CLASSES:
            assert command_name(bytes([cla, ins, 0, 0]), GIDS.applications) == row.name


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("00700000", "MANAGE CHANNEL"),
        ("00C00000", "GET RESPONSE"),
        ("00A40400", "SELECT"),
        ("00B00000", "READ BINARY"),
        ("00FC0000", "INS FC"),
        ("80B00000", "INS B0"),
        ("0002000005", "INS 02"),
        ("", "?"),
        ("002000", "?"),
    ],
)
def test_the_names_of_the_others(command: str, name: str) -> None:
    assert command_name(bytes.fromhex(command)) == name
    assert command_name(bytes.fromhex(command), ()) == name


@pytest.mark.parametrize(
    ("command", "response", "words"),
    [
        ("0020008000", "63C5", "VERIFY PIN 80, tries left? -> 63C5 not verified, 5 tries left"),
        ("002000810431323334", "9000", "VERIFY PUK 81, 4 bytes -> 9000 done"),
        ("0020008004313233", "6700", "VERIFY 00200080…, 8 bytes: lengths do not fit -> 6700 wrong length"),
        ("00200082", "9000", "VERIFY log out -> 9000 done"),
        ("00200005", "6A88", "VERIFY reference 05, tries left? -> 6A88 data object, key or PIN not found"),
        ("002400800831323334 35363738", "9000", "CHANGE REFERENCE DATA PIN 80, old and new 8 bytes -> 9000 done"),
        ("002401800431323334", "9000", "CHANGE REFERENCE DATA PIN 80, new 4 bytes -> 9000 done"),
        ("002C02800431323334", "9000", "RESET RETRY COUNTER PIN 80 by the admin key, 4 bytes -> 9000 done"),
        ("002C00800431323334", "9000", "RESET RETRY COUNTER PIN 80 by the PUK, 4 bytes -> 9000 done"),
        (SELECT, "6104 4F02A000 9000", "SELECT GIDS -> 9000 done, 61, 6 bytes"),
        ("00A4040008A000000308000010", "6A82", "SELECT PIV -> 6A82 file or application not found"),
        ("00A4040C05D276000001", "6A82", "SELECT AID D276000001 -> 6A82 file or application not found"),
        ("00A4000C02A010", "9000", "SELECT EF A010, no data -> 9000 done"),
        ("00A40000023FFF", "9000", "SELECT application DF -> 9000 done"),
        ("00A40002", "6A82", "SELECT next EF -> 6A82 file or application not found"),
        ("00CBA010045C02DF2200", "DF22020102 9000", "GET DATA A010 DF22 (cardcf) -> 9000 done, DF22, 5 bytes"),
        ("00CB3FFF055C037F717200", "9000", "GET DATA 3FFF 7F71 (PIN status) 72 -> 9000 done"),
        (
            "00CB3FFF045C027F7100",
            "7F7106970104930105 9000",
            "GET DATA 3FFF 7F71 (PIN status) -> 9000 done, PIN: 4 of 5 tries left",
        ),
        ("00CB2F00025C0000", "9000", "GET DATA EF.DIR all objects -> 9000 done"),
        ("00CB3FFF0A7008840181A5037F498000", "9000", "GET DATA public key, key 81 -> 9000 done"),
        ("00DBA01205DF20024142", "9000", "PUT DATA A012 DF20 (cardid), 2 bytes -> 9000 done"),
        ("00DBA01003DF2200", "9000", "PUT DATA A010 DF22 (cardcf), delete -> 9000 done"),
        ("00DB3FFF047002A500", "9000", "PUT DATA key import, 4 bytes -> 9000 done"),
        ("002241B606800157840181", "9000", "MANAGE SECURITY ENVIRONMENT key 81, sign, RSA-2048, PKCS#1 -> 9000 done"),
        ("0022 41B8 06 80010C 830182", "9000", "MANAGE SECURITY ENVIRONMENT key 82, decipher, P-256 -> 9000 done"),
        ("0022 81A4 06 800102 830180", "9000", "MANAGE SECURITY ENVIRONMENT key 80, authenticate, 3DES -> 9000 done"),
        ("002A9E9A0341424300", "0102 9000", "PERFORM SECURITY OPERATION sign 3 bytes -> 9000 done, signature, 2 bytes"),
        ("002A808603414243", "01 9000", "PERFORM SECURITY OPERATION decipher 3 bytes -> 9000 done, plaintext, 1 byte"),
        ("00470000 08 AC06800107830181", "9000", "GENERATE ASYMMETRIC KEY PAIR key 81, RSA-2048 -> 9000 done"),
        ("00870000047C02810000", "7C0281009000", "GENERAL AUTHENTICATE ask for a challenge -> 9000 done, challenge"),
        ("00870000067C0482020102", "9000", "GENERAL AUTHENTICATE answer the challenge, 2 bytes -> 9000 done"),
        ("00880000067C0481020102", "9000", "INTERNAL AUTHENTICATE sign 2 bytes -> 9000 done"),
        ("00E60000", "6982", "TERMINATE DF -> 6982 security status not satisfied"),
        ("00CA0101", "6D00", "GET DATA P1-P2 0101 -> 6D00 instruction not supported"),
        ("00FF0102", "6D00", "INS FF P1-P2 0102 -> 6D00 instruction not supported"),
        ("00840000 08", "", "GET CHALLENGE -> no answer"),
        ("", "6700", "? no bytes -> 6700 wrong length"),
        ("00", "6700", "? 00, 1 byte: lengths do not fit -> 6700 wrong length"),
    ],
)  # fmt: skip
def test_one_command_in_words(command: str, response: str, words: str) -> None:
    assert said(command, response) == words


def test_a_file_is_created_by_its_control_parameters() -> None:
    assert said("00E00000 0B 6209 820139 8302A014 8C00") == "CREATE FILE file A014 -> 9000 done"
    assert said("00E00000 0B 6209 820118 8302B081 8C00") == "CREATE FILE key file B081 for key 81 -> 9000 done"


def test_a_card_is_known_by_its_answer_to_reset() -> None:
    lines = decoded(INSERTED, apdu("00CA0000", "6D00"), event(EntryKind.EJECTED), apdu("00CA0000", ""))
    assert lines[0].sentence.startswith("card inserted: GIDS 2.0 smart card, ATR 3B")
    # What is told of after the ejection was sent before.
    assert [line.application for line in lines] == ["", "GIDS", "", "GIDS"]
    assert lines[2].sentence == "card ejected"
    assert decoded(event(EntryKind.INSERTED, atr=b"\x3b\x00"))[0].sentence == "card inserted: ATR 3B00"
    assert decoded(event(EntryKind.INSERTED))[0].sentence == "card inserted"


def test_applications_are_followed_on_each_channel_until_a_reset() -> None:
    piv = "00A4040008A000000308000010"
    lines = decoded(
        apdu("00CB3FFF035C01 7E00", "6A82"),
        apdu(SELECT, "9000"),
        apdu("0070000001", "019000"),
        apdu("01CB3FFF035C017E00", "6A82"),
        apdu("01" + piv[2:], "9000"),
        apdu("01CB3FFF035C017E00", "6A82"),
        apdu("00CB3FFF035C017E00", "6A82"),
        apdu("01A4040005F000000001", "6A82"),
        apdu("01700002", "9000"),
        apdu("02CB3FFF035C017E00", "6A82"),
        apdu("00708001", "9000"),
        apdu("01CB3FFF035C017E00", "6881"),
        event(EntryKind.RESET),
        apdu("00CB3FFF035C017E00", "6A82"),
    )
    assert [(line.application, line.channel) for line in lines] == [
        ("", 0),
        ("GIDS", 0),
        ("GIDS", 0),
        # Opened from channel 0, it is as after a reset, which is not known here.
        ("", 1),
        ("PIV", 1),
        ("PIV", 1),
        ("GIDS", 0),
        ("PIV", 1),
        ("PIV", 1),
        ("PIV", 2),
        ("GIDS", 0),
        ("", 1),
        ("", 0),
        ("", 0),
    ]
    assert lines[5].sentence == "PIV: channel 1: GET DATA discovery object -> 6A82 file or application not found"


def test_a_refused_part_ends_its_chain() -> None:
    lines = decoded(INSERTED, apdu("10DBA01005DF22063132", "6982"), apdu("00DBA01005DF22023132", "9000"))
    assert [line.details for line in lines[1:]] == ["A010 DF22, part 1, 5 bytes", "A010 DF22 (cardcf), 2 bytes"]


def test_a_chain_is_told_part_by_part_and_then_as_a_whole() -> None:
    lines = decoded(
        INSERTED,
        apdu("10DBA01005DF22063132", "9000"),
        apdu("10DBA0100233 34".replace(" ", ""), "9000"),
        apdu("00DBA010023536", "9000"),
        apdu("10DB3FFF0431323334", "9000"),
        apdu("00DB3FFF023536", "6982"),
        apdu("00DBA01005DF22023132", "9000"),
    )
    assert [line.details for line in lines[1:]] == [
        "A010 DF22, part 1, 5 bytes",
        "A010 DF22, part 2, 2 bytes",
        "A010 DF22 (cardcf), 6 bytes, 3 parts",
        "part 1, 4 bytes",
        "key import, 6 bytes, 2 parts",
        "A010 DF22 (cardcf), 2 bytes",
    ]


def test_an_answer_in_pieces_is_told_when_it_is_whole() -> None:
    lines = decoded(
        INSERTED,
        apdu("00CBA010045C02DF2205", "DF22060102 6104"),
        apdu("00C0000002", "0304 6102"),
        apdu("00C0000002", "0506 9000"),
        apdu("00C0000002", "6985"),
    )
    assert [line.sentence for line in lines[1:]] == [
        "GIDS: GET DATA A010 DF22 (cardcf) -> 6104 done, 4 bytes still to fetch",
        "GIDS: GET RESPONSE for GET DATA -> 6102 done, 2 bytes still to fetch",
        "GIDS: GET RESPONSE for GET DATA -> 9000 done, DF22, 9 bytes",
        "GIDS: GET RESPONSE -> 6985 conditions of use not satisfied",
    ]


def test_what_is_a_refusal() -> None:
    assert not decoded(INSERTED)[0].is_refusal
    for response, refused in (
        ("9000", False),
        ("6105", False),
        ("63C3", True),
        ("6982", True),
        ("", True),
        ("90", True),
    ):
        assert decoded(apdu("00200080", response))[0].is_refusal is refused


SECRETS = st.binary(max_size=20).map(lambda data: bytes.fromhex("00200080") + data)
HEADERS = st.tuples(
    st.sampled_from(CLASSES), st.sampled_from([*Ins, 0x70, 0xC0, 0xCA, 0xB0]), st.integers(0, 255), st.integers(0, 255)
).map(bytes)
TLVS = st.sampled_from(
    [
        bytes.fromhex(one)
        for one in ("5C02DF22", "7C028100", "62098201398302A0148C00", "AC06800107830181", "70", "DF2205")
    ]
)
BODIES = (st.binary(max_size=30) | TLVS).map(lambda data: bytes([len(data)]) + data if data else data)
COMMANDS = (
    st.binary(max_size=300).map(mask)
    | SECRETS.map(mask)
    | st.builds(lambda head, body: mask(head + body), HEADERS, BODIES)
    | st.builds(MaskedCommand, st.binary(max_size=9), st.integers(0, 70_000))
)
ENTRIES = st.builds(
    Entry,
    st.sampled_from([EntryKind.APDU] * 5 + list(EntryKind)),
    command=COMMANDS,
    response=st.binary(max_size=40) | st.sampled_from([b"\x90\x00", b"\x61\x04", b"\x01\x90\x00"]),
    atr=st.sampled_from([b"", bytes(GIDS.atr), b"\x3b\x00"]),
)


@given(st.lists(ENTRIES, max_size=8))
def test_any_entries_are_put_into_words(entries: list[Entry]) -> None:
    for line in decoded(INSERTED, *entries):
        assert line.sentence
        assert line.name
