"""The same client against pcscd + vpcd and against the service: line by line the same, but for what is listed here.

What differs is what vpcd's driver cannot do and others can (it knows no attributes, no features and no properties), and
nothing else.
"""

import re
import subprocess
import sys
from collections.abc import Callable

from bench.attached import gids_card
from tests.interop.conftest import StartPcscd
from tests.interop.pcsc.worlds import play
from vsc.pcsc import Service
from vsc.reader import Reader

NAMES = ("Virtual PCD 00 00", "Virtual PCD 00 01")

INTENDED = {
    # A reader of ours has properties, as with the CCID driver; vpcd does not know the question.
    r".*features: UNSUPPORTED_FEATURE - 0 => .*features: SUCCESS 120442330012 6",
    r"control 42000D48: UNSUPPORTED_FEATURE - 0 => control 42000D48: SUCCESS 120442330012 6",
    r"control, no room: UNSUPPORTED_FEATURE - 0 => control, no room: INSUFFICIENT_BUFFER - 6",
    # vpcd sets the length to 0 for what it does not know, so that pcscd's own answer, the name, never fits.
    r".*attribute: INSUFFICIENT_BUFFER - 108 => .*attribute: SUCCESS 5669727475616c20[0-9a-f]+00 12",
    r"attribute 7FFF000[34]: INSUFFICIENT_BUFFER - 108 => attribute 7FFF000[34]: SUCCESS 56697274[0-9a-f]+00 12",
    r"attribute, room 3: INSUFFICIENT_BUFFER - 3 => attribute, room 3: INSUFFICIENT_BUFFER - 12",
    # Vendor, version, serial number, channel and ATR, which the CCID driver knows and vpcd does not.
    r"attribute 00010100: UNSUPPORTED_FEATURE - 108 => attribute 00010100: SUCCESS 767363 3",
    r"attribute (0001010[23]|00020110|0009030[01]): UNSUPPORTED_FEATURE - 108 => attribute \1: SUCCESS [0-9a-f]+ [14B]",
    r"attribute 00090303: UNSUPPORTED_FEATURE - 108 => attribute 00090303: SUCCESS [0-9a-f-]+ [0-9A-F]+",
}

SINCE_2_0 = {
    # pcscd counts the readers that it starts with, from 0. We begin at 1: a client that was told 0 is never woken.
    r"states(?: again)?: \w+ [0-9A-F]+ 1[02] 20000 => states(?: again)?: \w+ [0-9A-F]+ 1[02] 30000",
}
"""What differs as well where a newer libpcsclite asks for the count of readers that came or went (Debian 13)."""


def test_service_answers_as_pcscd_does(start_pcscd: StartPcscd) -> None:
    theirs = play_against_pcscd(start_pcscd)
    ours = play_against_service()
    assert len(ours) == len(theirs)
    pairs = [f"{one} => {other}" for one, other in zip(theirs, ours, strict=True) if one != other]
    assert [pair for pair in pairs if not any(re.fullmatch(rule, pair) for rule in INTENDED | SINCE_2_0)] == []
    assert [rule for rule in INTENDED if not any(re.fullmatch(rule, pair) for pair in pairs)] == []


def play_against_service() -> list[str]:
    readers = [Reader(name) for name in NAMES]
    service = Service(readers)
    with service as env:
        readers[0].insert(gids_card())
        actions: dict[str, Callable[[], object]] = {
            "eject": readers[0].eject,
            "insert": lambda: readers[0].insert(gids_card()),
        }
        said = play(env, actions, *NAMES)
    assert service.faults == ()
    return said


def play_against_pcscd(start_pcscd: StartPcscd) -> list[str]:
    pcscd = start_pcscd()
    bridges: list[subprocess.Popen[str]] = []

    def insert() -> None:
        command = [sys.executable, "-m", "bench.attached", "gids", str(pcscd.slots[0].port)]
        bridges.append(pcscd.popen_inside(command, stdout=subprocess.PIPE))
        assert bridges[-1].stdout is not None
        bridges[-1].stdout.readline()

    def eject() -> None:
        bridges[-1].terminate()
        bridges[-1].communicate(timeout=10)

    insert()
    pcscd.wait_for_card(0)
    return play(pcscd.env, {"eject": eject, "insert": insert}, *NAMES)
