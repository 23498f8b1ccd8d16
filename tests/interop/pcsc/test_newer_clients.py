"""Programs with a newer libpcsclite than Debian 12's: trixie's, which speaks 4:5, and forky's, which speaks 4:6."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.attached import gids_card
from bench.null_card import NullCard
from tests.interop.need import require_tool
from tests.interop.pcsc import winscard as w
from tests.interop.pcsc.newer import PROTOCOL_MINOR, Library, LoaderLog, loaded_by
from tests.interop.pcsc.puppet import Puppet
from tests.interop.pcsc.test_differential import play_against_service
from vsc.pcsc import Service
from vsc.reader import DEFAULT_NAME as NAME
from vsc.reader import Reader

SILENCE_S = 0.3
COUNTER = 0xFFFF0000
"""The part of a reader's state that counts its events."""

EXPLAINED = {
    # From 4:5 on the state of the PnP reader counts readers that came or went: 1, and the 2 of the script.
    r"states: SUCCESS 10022 12 0 => states: SUCCESS 10022 12 30000",
    r"states again: TIMEOUT 10020 10 0 => states again: TIMEOUT 10020 10 30000",
}


@pytest.fixture(params=PROTOCOL_MINOR)
def library(request: pytest.FixtureRequest) -> Library:
    return Library(request.param)


@pytest.fixture
def log(tmp_path: Path) -> LoaderLog:
    return LoaderLog(tmp_path)


def started(env: Mapping[str, str], library: Library) -> Puppet:
    puppet = Puppet({**env, **library.env}, *library.prefix)
    assert loaded_by(puppet.process.pid) == library.files, f"libpcsclite {library.version} is not what is used"
    return puppet


def test_a_newer_library_is_answered_as_the_installed_one_is(
    library: Library, log: LoaderLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = play_against_service()
    for name, value in log.env.items():
        monkeypatch.setenv(name, value)
    with library.used_by_worlds(monkeypatch):
        newer = play_against_service()
    assert log.libpcsclite() == library.files
    assert len(newer) == len(installed)
    pairs = [f"{one} => {other}" for one, other in zip(installed, newer, strict=True) if one != other]
    assert [pair for pair in pairs if not any(re.fullmatch(rule, pair) for rule in EXPLAINED)] == []
    # Where the installed library is new itself (Debian 13), there is nothing to explain.
    wanted = [rule for rule in EXPLAINED if any(re.fullmatch(rule.split(" => ")[0], one) for one in installed)]
    assert [rule for rule in wanted if not any(re.fullmatch(rule, pair) for pair in pairs)] == []
    assert {"woken by eject: SUCCESS", "cancelled: CANCELLED"} <= {" ".join(line.split()[:4]) for line in newer}


def test_opensc_makes_a_key(
    library: Library, log: LoaderLog, reader: Reader, env: Mapping[str, str], tmp_path: Path
) -> None:
    reader.insert(gids_card())

    def tool(name: str, *words: str) -> str:
        command = [*library.prefix, require_tool(name), *words]
        done = subprocess.run(
            command, env={**env, **library.env, **log.env}, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        assert log.libpcsclite() == library.files
        return done.stdout

    listed = tool("opensc-tool", "-l")
    assert re.search(rf"Yes +{NAME}\n", listed), listed
    assert tool("opensc-tool", "-n").strip() == "GIDS Smart Card"
    login = ("--login", "--pin", "12345678")
    tool("pkcs11-tool", *login, "--keypairgen", "--key-type", "rsa:2048", "--id", "00", "--label", "made here")
    assert "made here" in tool("pkcs11-tool", *login, "--list-objects", "--type", "privkey")


def test_cards_and_readers_come_and_go_under_a_wait(
    library: Library, service: Service, reader: Reader, env: Mapping[str, str]
) -> None:
    with started(env, library) as one:
        for number in range(1, 5):
            flag = w.PRESENT if number % 2 else w.EMPTY
            one.tell("wait_for", "$context", NAME, flag, flag)
            assert one.is_silent(SILENCE_S)
            if number % 2:
                reader.insert(NullCard())
            else:
                reader.eject()
            assert one.hear()[0] & (COUNTER | flag) == number << 16 | flag

        second, count = Reader("Second 00 00"), []
        for change, names in ((service.add_reader, [NAME, second.name]), (service.remove_reader, [NAME])):
            one.tell("wait_for", "$context", w.PNP, w.CHANGED, w.CHANGED)
            assert one.is_silent(SILENCE_S)
            change(second)
            count.append(one.hear()[0] >> 16)
            assert one("list_readers", "$context") == ["SUCCESS", names]
        assert count == [count[0], count[0] + 1]
        assert count[0] > 1


def test_64_readers_with_4_6_and_16_before(library: Library) -> None:
    readers = [Reader(f"Reader {number:02}") for number in range(64)]
    names = [reader.name for reader in readers]
    seen = names if library.minor >= 6 else names[:16]
    service = Service(readers)
    with service as env, Puppet(env) as old, started(env, library) as one:
        assert old("list_readers", "$context") == ["SUCCESS", names[:16]]
        assert one("list_readers", "$context") == ["SUCCESS", seen]
        one.tell("wait_for", "$context", seen[-1], w.PRESENT, w.PRESENT)
        assert one.is_silent(SILENCE_S)
        readers[len(seen) - 1].insert(NullCard())
        assert one.hear()[0] & w.PRESENT
        assert one("connect", "$context", seen[-1], keep="card")[0] == "SUCCESS"
        assert one("transmit", "$card", "hex:00a40400")[:2] == ["SUCCESS", "9000"]
        assert one("status", "$card")[:2] == ["SUCCESS", seen[-1]]
    assert service.faults == ()
