"""What tools print, as people paste it: samples cut from real output (pcsc-tools 1.6.2, OpenSC 0.23.0, yubico-piv-tool
2.2.0 and 2.7, pyscard 2.3).
"""

import pytest

from tests.unit.each import each
from tests.unit.vsc.replay.samples import ATR, commands
from tests.unit.vsc.replay.test_opensc import dump
from vsc.replay import LogError, parse_log
from vsc.trace.entry import EntryKind

SCRIPTOR = """\
Using given card reader: ACME 00 00
Using T=1 protocol
00 A4 04 00 09 A0 00 00 03 97 42 54 46 59 00
> 00 A4 04 00 09 A0 00 00 03 97 42 54 46 59 00
< 61 12 4F 0B A0 00 00 03 97 42 54 46 59 02 01 73 
03 40 01 C0 90 00 : Normal processing.
00 20 00 80 04 31 32 33 34
> 00 20 00 80 04 31 32 33 34
< 63 C4 : State of non-volatile memory changed. Counter: 0x4
reset
> RESET
< OK: 3B 8D 01 80 FB A0 00 00 03 97 42 54 46 59 02 01 C9 
> 00 CB 3F FF 05 4D 03 5C 01 5C 00
< KO: Transaction failed.
"""  # noqa: W291
OPENSC_TOOL = """\
Using reader with a card: ACME 00 00
3b:8d:01:80:fb:a0:00:00:03:97:42:54:46:59:02:01:c9
Sending: 00 A4 04 00 09 A0 00 00 03 97 42 54 46 59 00 
Received (SW1=0x90, SW2=0x00):
61 12 4F 0B A0 00 00 03 97 42 54 46 59 02 01 73 a.O......BTFY..s
03 40 01 C0                                     .@..
Sending: 00 20 00 80 
Received (SW1=0x63, SW2=0xC4)
"""  # noqa: W291
YUBICO = """\
Connect reader 'ACME 00 00' matching 'ACME'.
> 00 a4 04 00 05 a0 00 00 03 08 
< 6a 82 
Failed selecting application: 6a82
Disconnect card #0.
"""  # noqa: W291
NEW_YUBICO = """\
DBG ykpiv.c:1243 (_ykpiv_transmit): > 00a4040005a000000308 (10)
DBG ykpiv.c:1250 (_ykpiv_transmit): < 6a82 (2)
"""
PYSCARD = """\
connecting to ACME 00 00
> 00 A4 04 00 09 A0 00 00 03 97 42 54 46 59 00
< 61 12 4F 0B A0 00 00 03 97 42 54 46 59 02 01 73 03 40 01 C0 90 00
> 00 20 00 80 04 31 32 33 34
<  [] 63 C3
disconnecting from ACME 00 00
"""
SELECT = (
    "00a4040009a0000003974254465900",
    "61124f0ba00000039742544659020173034001c09000",
)


@pytest.mark.parametrize(
    ("text", "reader", "read"),
    [
        (SCRIPTOR, "ACME 00 00", [SELECT, ("0020008004", "63c4"), ("00cb3fff054d035c015c00", "")]),
        (OPENSC_TOOL, "ACME 00 00", [SELECT, ("00200080", "63c4")]),
        (YUBICO, "ACME 00 00", [("00a4040005a000000308", "6a82")]),
        (NEW_YUBICO, "", [("00a4040005a000000308", "6a82")]),
        (PYSCARD, "ACME 00 00", [SELECT, ("0020008004", "63c3")]),
    ],
    ids=["scriptor", "opensc-tool", "yubico-piv-tool", "yubico-piv-tool 2.7", "pyscard"],
)
def test_what_tools_print(text: str, reader: str, read: list[tuple[str, str]]) -> None:
    log = parse_log(text)
    assert (log.format, log.readers, log.warnings) == ("output of a tool", (reader,), ())
    assert commands(text) == read
    assert "1234" not in repr(log)


def test_resets_and_atrs() -> None:
    assert [(one.kind, one.atr) for one in parse_log(SCRIPTOR).entries if one.kind is not EntryKind.APDU] == [
        (EntryKind.RESET, ATR)
    ]
    assert parse_log(OPENSC_TOOL).atr == ATR
    assert parse_log(PYSCARD).entries[-1].kind is EntryKind.RESET


def test_dumps_whose_letters_look_like_bytes() -> None:
    for length in each([0, 1, 2, 12, 15, 16, 17, 31, 32, 33, 255]):
        for letters in each([b"\x00\xcaA0 ", b"41 42 ", b"    ", b"7F7F"]):
            data = (letters * 255)[:length]
            shown = dump("Incoming", data).split("\n", 1)[1].removesuffix("\n") if data else ""
            received = f"Received (SW1=0x90, SW2=0x00){':' * bool(data)}"
            text = f"Using reader with a card: R\nSending: 00 CA 00 00 \n{received}\n{shown}"
            assert commands(f"{text}Sending: 00 CB 00 00 \nReceived (SW1=0x6D, SW2=0x00)\n") == [
                ("00ca0000", data.hex() + "9000"),
                ("00cb0000", "6d00"),
            ]


@pytest.mark.parametrize("length", [14, 15, 16, 30, 31, 33])
def test_answers_of_scriptor_of_every_length(length: int) -> None:
    answer = bytes(range(length)) + b"\x90\x00"
    lines = [answer[at : at + 16].hex(" ").upper() for at in range(0, len(answer), 16)]
    shown = " \n".join(lines) if len(answer) % 16 else " \n".join([*lines, ""])
    text = f"Using T=1 protocol\n> 00 CA 00 00\n< {shown} : Normal processing.\n00 CB 00 00\n"
    assert commands(text) == [("00ca0000", answer.hex())]


def test_what_was_blacked_out() -> None:
    text = OPENSC_TOOL.replace("01 73 a.O......BTFY..s", "** ** a.O......BTFY..").replace("03 40", "xx xx")
    log = parse_log(text)
    assert log.warnings == ("an answer is partly blacked out: 00 stands for what cannot be seen",)
    assert log.entries[1].response.hex() == "61124f0ba00000039742544659020000000001c09000".replace("0173", "0000")


def test_arrows_of_other_tools() -> None:
    assert commands("hello world\n=> 00A40000\n<= 9000\n--> 00 A4 00 01\n<-- 6A 82\n") == [
        ("00a40000", "9000"),
        ("00a40001", "6a82"),
    ]


def test_a_transcript_stays_one() -> None:
    assert parse_log("> 00 A4 00 00\n< 90 00\n").format == "transcript"
    with pytest.raises(LogError, match="line 2: here should be bytes"):
        parse_log("> 00 A4 00 00\n< 90 0\n")


def test_an_answer_without_a_command_is_told_of() -> None:
    log = parse_log("connecting to R\n< 90 00\n> 00 A4 00 00\n< 90 00\n")
    assert log.warnings == ("line 2: an answer whose command is not in the log: left out",)
