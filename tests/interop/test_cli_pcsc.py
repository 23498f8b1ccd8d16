"""`vsc readers`, `watch`, `pin`, `admin-key`, `provision` and `transmit --reader` by PC/SC, private and pcscd's."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.interop.conftest import PlugIn, RunTool
from tests.interop.vsc_cards import ADMIN_KEY
from tests.interop.vsc_run import Vsc, ordinary_user
from vsc.pcsc import Service
from vsc.reader import Reader
from vsc.testing import SoftCard

VSC = Path(sys.executable).with_name("vsc")
READER = "Virtual Smart Card 00 00"
ATR = "3B8D0180FBA000000397425446590201C9"
SELECT = "00A4040009A00000039742544659"


@pytest.fixture
def user() -> Iterator[Vsc]:
    with ordinary_user(Vsc) as vsc:
        vsc("create", "work", "--pin", "default", "--admin-key", "default")
        vsc("create", "other", "--pin", "default")
        yield vsc


def test_events_come_as_they_happen(user: Vsc) -> None:
    """Each line is waited for before the next thing is done: one that stayed in a buffer would hold the test up."""
    script = """
        mkfifo events
        vsc watch "$@" > events & watch=$!
        exec 3< events
        line() { read -r line <&3 && echo "$line"; }
        line; line
        vsc eject work >&2; line
        vsc insert other >&2; line
        vsc swap other work >&2; line; line
        kill -INT $watch; wait $watch; echo "ended with $?"
    """
    out, _ = user("run", "--card", "work", "--", "sh", "-c", script, "sh")
    assert out.splitlines() == [
        f"reader added    {READER}",
        f"card added      {READER}  work  {ATR}",
        f"card removed    {READER}  work",
        f"card added      {READER}  other  {ATR}",
        f"card removed    {READER}  other",
        f"card added      {READER}  work  {ATR}",
        "ended with 0",
    ]


def test_a_card_is_used_where_it_is(user: Vsc) -> None:
    """By its name, though the service has it, and by its reader."""
    script = f"""set -e
        vsc readers
        vsc pin verify work --pin default
        vsc pin verify --reader '{READER}' --pin default
        vsc admin-key verify work --admin-key stored
        vsc pin reset --reader 'Card 00' --admin-key default --new-pin default
        vsc transmit --reader '{READER}' {SELECT} 00200080
        vsc transmit --reader '{READER}' --json 00200080
    """
    out, err = user("run", "--card", "work", "--", "sh", "-c", script)
    assert err == ""
    assert out.splitlines() == [
        f"{'name':{len(READER)}}  kind     card  ATR",
        f"{READER}  virtual  work  {ATR}",
        "The PIN is right.",
        "The PIN is right.",
        "That is the card's admin key.",
        "The PIN is reset.",
        f"> {SELECT}  SELECT",
        "< 61124F0BA00000039742544659020173034001C0 9000  done",
        "> 00200080  VERIFY",
        "< 63C5  not verified, 5 tries left",
        json.dumps([{"data": "", "sw": "63C5"}]),
    ]


def test_a_reader_whose_name_is_not_ascii(tmp_path: Path) -> None:
    """It is listed and used as by any other program; pyscard alone cannot ask what it looks like."""
    reader = Reader("Lecteur à puce 中 00")
    reader.insert(SoftCard.make())
    with Service([reader, Reader("ACME 00")]) as env:
        run = partial(
            subprocess.run, env={**os.environ, **env, "VSC_HOME": str(tmp_path)}, capture_output=True, text=True
        )
        listed = json.loads(run([VSC, "readers", "--json"]).stdout)
        assert [(one["name"], one["atr"]) for one in listed] == [(reader.name, ATR), ("ACME 00", None)]
        used = run([VSC, "transmit", "--reader", reader.name, f"{SELECT}00"])
        assert used.stdout.splitlines()[-1].endswith("9000  done"), used.stderr
        watch = subprocess.Popen(
            [VSC, "watch"], env={**os.environ, **env, "VSC_HOME": str(tmp_path)}, stdout=subprocess.PIPE, text=True
        )
        with watch as watching:
            assert watching.stdout is not None
            begun = [watching.stdout.readline() for _ in range(3)]
            assert f"card added      {reader.name}  {ATR}\n" in begun
            reader.eject()
            assert watching.stdout.readline() == f"card removed    {reader.name}\n"
            watching.send_signal(signal.SIGINT)


def test_what_goes_wrong_in_a_service(user: Vsc) -> None:
    for script, code, text in (
        ("vsc eject work >&2; vsc pin verify --reader Card --pin default", 1, f"vsc: there is no card in '{READER}'\n"),
        ("vsc pin verify --reader other --pin default", 4, f"vsc: there is no reader 'other'; there is: {READER}\n"),
        ("vsc admin-key verify work --admin-key env:WRONG", 5, "that is not the card's admin key\n"),
    ):
        out, err = user("run", "--card", "work", "--", "sh", "-c", script, code=code, WRONG="AA" * 24)
        assert out == ""
        assert err.endswith(text)


def test_a_card_in_pcscd(plug_in: PlugIn, opensc: RunTool, tmp_path: Path) -> None:
    """From outside our processes: any GIDS card in any reader of the machine's PC/SC."""
    plug_in()
    listed = json.loads(opensc(VSC, "readers", "--json").stdout)
    assert [(one["name"], one["card"], one["atr"]) for one in listed] == [
        ("Virtual PCD 00 00", None, ATR),
        ("Virtual PCD 00 01", None, None),
    ]
    reader = ("--reader", "PCD 00 00")
    assert opensc(VSC, "pin", "verify", *reader, "--pin", "default").stdout == "The PIN is right.\n"
    (tmp_path / "key").write_text(ADMIN_KEY)
    key = ("--admin-key", f"file:{tmp_path / 'key'}")
    assert opensc(VSC, "admin-key", "verify", *reader, *key).stdout == "That is the card's admin key.\n"
    new_id = "00112233-4455-6677-8899-aabbccddeeff"
    done = opensc(VSC, "provision", *reader, *key, "--card-id", new_id)
    assert done.stdout == f"The card has a new id: {new_id}.\n"
    assert "< 63C5  not verified, 5 tries left" in opensc(VSC, "transmit", *reader, SELECT, "00200080").stdout
    assert opensc(VSC, "pin", "reset", *reader, *key, "--new-pin", "default").stdout == "The PIN is reset.\n"
