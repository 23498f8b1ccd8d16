"""The live rows: real PC/SC programs see what this API does, over `vsc serve` and over pcscd with vpcd."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.interop.need import require_tool, unavailable
from tests.rows import app
from tests.rows.worlds import PYSCARD, ROOT, PrivateService, Vpcd, World, private_service, vpcd

pytestmark = pytest.mark.interop


@pytest.fixture
def served() -> Iterator[PrivateService]:
    with private_service() as world:
        yield world


@pytest.fixture
def plugged(tmp_path: Path) -> Iterator[Vpcd]:
    with vpcd(tmp_path / "cards") as world:
        yield world


@pytest.fixture(params=["private service", "vpcd"])
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue({"private service": "served", "vpcd": "plugged"}[request.param])
    return found


def readers_of(world: World) -> list[str]:
    """The readers' names, as pyscard has them."""
    return world.tool(sys.executable, "-c", PYSCARD).splitlines()


def card_readers(world: World) -> list[str]:
    """The names of the readers with a card, as OpenSC lists them."""
    rows = [line.split(maxsplit=2) for line in world.tool("opensc-tool", "-l").splitlines()[2:]]
    return [name for _, has_card, name in rows if has_card == "Yes"]


def test_row_01_one_package_does_all_of_the_page(world: World) -> None:
    play = world.play
    assert [row for row in play("listed") if row[2]] == []
    name = play("create", app.NAME)
    assert [row for row in play("listed") if row[2]] == [[name, "TPM", app.NAME]]
    assert card_readers(world) == [name]
    assert play("take", name) == play("take", name) != ""
    play("manage")
    assert play("verify_key") is True
    assert play("verify_key", app.OTHER_KEY.hex()) is False
    assert play("change_pin", app.PIN, "246801") is True
    assert play("verify_pin", "246801") == "9000"
    assert play("reset_pin", "975310") is True
    assert play("verify_pin", "975310") == "9000"
    assert play("transmit", app.EF_ATR.hex()).endswith("9000")
    play("hear")
    assert play("heard", "added")
    assert play("delete") is True
    assert play("heard", "removed")
    assert play("statuses")[0] == "DISCONNECTED"
    assert card_readers(world) == []


def test_row_02_a_card_of_other_software_is_listed_beside_ours(plugged: Vpcd, tmp_path: Path) -> None:
    ours = plugged.play("create", app.NAME)
    with vicc(plugged, slot=2, folder=tmp_path):
        foreign = plugged.pcscd.slots[2].reader
        atr = plugged.pcscd.wait_for_card(2).atr
        listed = {row[0]: row[1:] for row in plugged.play("listed") if row[0] in (ours, foreign)}
        assert listed == {ours: ["TPM", app.NAME], foreign: ["GENERIC", ""]}
        assert [row[0] for row in plugged.play("listed", "TPM")] == [ours]
        assert plugged.play("take", foreign) == atr.hex() != ""


VICC_MODULES = ("/usr/lib/python3/site-packages/virtualsmartcard", "/usr/lib/python3/dist-packages")
"""Where Debian puts vicc's own module, and the cryptography that it knows by another name."""


@contextmanager
def vicc(world: Vpcd, *, slot: int, folder: Path) -> Iterator[None]:
    """vsmartcard's own card in a slot (Debian: vsmartcard-vpicc, python3-virtualsmartcard, python3-pycryptodome)."""
    program = require_tool("vicc")
    ours, theirs = map(Path, VICC_MODULES)
    # vicc imports `Crypto`; Debian's package calls it `Cryptodome`.
    (folder / "Crypto").symlink_to(theirs / "Cryptodome")
    env = {"PYTHONPATH": f"{ours}:{folder}", "PYTHONDONTWRITEBYTECODE": "1"}
    python = require_tool("/usr/bin/python3")
    probe = [python, "-c", "import virtualsmartcard.VirtualSmartcard"]
    if subprocess.run(probe, env=env, capture_output=True, check=False).returncode != 0:
        unavailable(
            "vicc cannot be started: vsmartcard-vpicc, python3-virtualsmartcard or python3-pycryptodome is missing"
        )
    port = str(world.pcscd.slots[slot].port)
    process = world.pcscd.popen_inside([python, program, "--hostname", "127.0.0.1", "--port", port], env=env)
    try:
        yield
    finally:
        process.kill()
        process.wait(30)


def test_row_09_cards_are_found_in_their_readers(world: World) -> None:
    names = {world.play("create", name): name for name in ("one", "two")}
    assert {row[0]: row[2] for row in world.play("listed") if row[2]} == names
    assert sorted(card_readers(world)) == sorted(names)


def test_row_25_pcsc_programs_see_the_new_card(world: World) -> None:
    before = readers_of(world)
    name = world.play("create", app.NAME)
    assert name in readers_of(world)
    assert card_readers(world) == [name]
    if name not in before:  # In vpcd the slot was there.
        assert readers_of(world) == [*before, name]


def test_row_26_cancelled_pcsc_programs_see_nothing(world: World) -> None:
    before = readers_of(world)
    assert world.play("create_cancelled", app.NAME) is True
    assert readers_of(world) == before
    assert card_readers(world) == []


def test_row_27_opensc_finds_a_gids_card_that_is_ready(world: World) -> None:
    name = world.play("create", app.NAME)
    assert "GIDS" in world.tool("opensc-tool", "--reader", name, "-n")
    pins = world.tool("pkcs15-tool", "--reader", name, "--list-pins")
    assert "UserPIN" in pins
    assert "Tries left" in pins
    verify = ("pkcs15-tool", "--reader", name, "--verify-pin", "--pin", app.PIN)
    world.tool(*verify)
    world.tool("opensc-tool", "--reader", name, "-s", app.SELECT.hex(":"), "-s", app.MASTER_FILE.hex(":"))
    assert world.play("verify_pin", app.PIN) == "9000"


def test_row_38_a_card_that_another_process_serves_is_managed_as_physical(plugged: Vpcd) -> None:
    plugged.home.mkdir(exist_ok=True)
    other_home = plugged.home.parent / "other"
    vsc = [sys.executable, "-m", "vsc.cli"]
    env = {"PYTHONPATH": str(ROOT), "VSC_HOME": str(other_home), "KEY": app.KEY.hex()}
    subprocess.run(
        [*vsc, "create", "theirs", "--pin", "default", "--admin-key", "env:KEY"],
        env={**os.environ, **env},
        check=True,
        capture_output=True,
        timeout=60,
    )
    slot = plugged.pcscd.slots[2]
    plugged.pcscd.popen_inside([*vsc, "attach", "theirs", "--vpcd", slot.vpcd], env=env)
    plugged.pcscd.wait_for_card(2)
    assert [row for row in plugged.play("listed", "GENERIC") if row[2]] == [[slot.reader, "GENERIC", slot.reader]]
    plugged.play("take", slot.reader)
    plugged.play("manage")
    assert plugged.play("verify_key") is True
    assert plugged.play("verify_key", app.OTHER_KEY.hex()) is False
    assert plugged.play("change_pin", "12345678", "87654321") is True
    assert plugged.play("reset_pin", "13572468") is True
    assert plugged.play("verify_pin", "13572468") == "9000"


def test_row_54_taking_the_card_out_is_told_of(served: PrivateService) -> None:
    name = served.play("create", app.NAME)
    served.play("hear")
    assert served.play("heard", "added")
    served.tool("vsc", "eject", name)
    assert served.play("heard", "removed")
    assert served.play("statuses") == ["DISCONNECTED", "READY"]
    served.tool("vsc", "insert", name)
    assert served.play("heard", "added")
    assert served.play("is_silent", "removed")


def test_row_54_a_physical_card_that_loses_its_plug_is_told_of(plugged: Vpcd) -> None:
    slot = plugged.pcscd.slots[2]
    env = {"PYTHONPATH": str(ROOT), "VSC_HOME": str(plugged.home)}
    command = [sys.executable, "-m", "vsc.cli"]
    subprocess.run(
        [*command, "create", "card", "--pin", "default"],
        env={**os.environ, **env},
        check=True,
        capture_output=True,
        timeout=60,
    )
    bridge = plugged.pcscd.popen_inside([*command, "attach", "card", "--vpcd", slot.vpcd], env=env)
    plugged.pcscd.wait_for_card(2)
    plugged.play("take", slot.reader)
    plugged.play("manage")
    plugged.play("hear")
    assert plugged.play("heard", "added")
    bridge.kill()
    assert plugged.play("heard", "removed")
    assert plugged.play("statuses")[0] == "DISCONNECTED"


def test_row_55_vsc_watch_prints_a_line_for_each_event(served: PrivateService) -> None:
    with served.vsc.popen("watch", **served.variables) as watching:
        assert watching.stdout is not None
        name = served.play("create", app.NAME)
        lines = iter(watching.stdout.readline, "")
        assert next(line for line in lines if name in line)
        served.play("delete")
        assert next(line for line in lines if name in line and "remov" in line.lower())
        watching.terminate()


def test_row_56_a_deleted_card_is_told_of_once(served: PrivateService) -> None:
    served.play("create", app.NAME)
    served.play("hear")
    assert served.play("heard", "added")
    assert served.play("delete") is True
    assert served.play("heard", "removed")
    served.play("create", "another")
    assert served.play("is_silent", "removed")


def test_row_59_a_deleted_card_is_gone_from_pcsc_and_from_disk(world: World) -> None:
    before = readers_of(world)
    world.play("create", "row fifty-nine")
    assert world.play("delete", False) is False
    assert len(card_readers(world)) == 1
    assert world.play("delete") is True
    assert card_readers(world) == []
    assert readers_of(world) == before
    for path in world.home.rglob("*"):
        assert not path.is_file() or b"row fifty-nine" not in path.read_bytes()


def test_row_60_deletion_is_told_of_and_what_pointed_there_is_dead(world: World) -> None:
    world.play("create", app.NAME)
    world.play("hear")
    assert world.play("heard", "added")
    world.play("delete")
    assert world.play("heard", "removed")
    assert world.play("statuses")[0] == "DISCONNECTED"
