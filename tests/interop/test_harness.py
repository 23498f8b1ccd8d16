"""The ground the other interop tests stand on: a pcscd of one's own, with a card that can do nothing."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.conftest import RunTool, StartPcscd
from tests.interop.need import require_tool
from tests.interop.null_card import ATR
from tests.interop.pcscd_harness import PrivatePcscd, ReaderState, Slot, ToolFailed, run

HERE = Path(__file__).parent
COLON_ATR = ":".join(ATR[at : at + 2] for at in range(0, len(ATR), 2)).lower()


def plug_in(pcscd: PrivatePcscd, slot: int = 0, atr: str = ATR) -> subprocess.Popen[str]:
    script = str(HERE / "null_card.py")
    return pcscd.popen_inside([sys.executable, "-I", script, str(pcscd.slots[slot].port), atr])


def neighbours(pid: int) -> set[int]:
    """Every process in the network namespace of this one."""
    space = os.stat(f"/proc/{pid}/ns/net").st_ino
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and os.stat(entry / "ns" / "net").st_ino == space:
                found.add(int(entry.name))
    return found


@contextlib.contextmanager
def all_must_end(pids: set[int]) -> Iterator[None]:
    """Inside the block these processes end."""
    handles = [os.pidfd_open(pid) for pid in pids]
    try:
        yield
        for handle in handles:
            assert select.select([handle], [], [], 10)[0], f"one of {pids} is still there"
    finally:
        for handle in handles:
            os.close(handle)


def test_empty_reader_has_two_slots(pcscd: PrivatePcscd, opensc: RunTool) -> None:
    listed = opensc("opensc-tool", "--list-readers").stdout.splitlines()
    assert [line.split(maxsplit=2)[1:] for line in listed[2:]] == [["No", slot.reader] for slot in pcscd.slots]
    assert pcscd.slots == [Slot("Virtual PCD 00 00", 35963), Slot("Virtual PCD 00 01", 35964)]
    assert pcscd.reader_state() == ReaderState("Virtual PCD 00 00", present=False, events=0, atr=b"")


def test_opensc_sees_the_card(pcscd: PrivatePcscd, opensc: RunTool) -> None:
    plug_in(pcscd)
    assert pcscd.wait_for_card().atr == bytes.fromhex(ATR)
    assert "0    Yes             Virtual PCD 00 00" in opensc("opensc-tool", "--list-readers").stdout
    assert opensc("opensc-tool", "--atr").stdout.strip() == COLON_ATR
    answer = opensc("opensc-tool", "--card-driver", "default", "--send-apdu", "00A4040000").stdout
    assert "SW1=0x6D, SW2=0x00" in answer


def test_pcsc_scan_sees_the_readers(opensc: RunTool) -> None:
    assert "0: Virtual PCD 00 00" in opensc("pcsc_scan", "-r").stdout


def test_cards_come_and_go(pcscd: PrivatePcscd) -> None:
    first = plug_in(pcscd)
    plugged = pcscd.wait_for_card()
    first.kill()
    assert pcscd.wait_for_no_card().events == plugged.events + 1
    plug_in(pcscd)
    assert pcscd.wait_for_card(after=plugged).events == plugged.events + 2


def test_two_slots_two_cards(pcscd: PrivatePcscd, opensc: RunTool) -> None:
    plug_in(pcscd, slot=0)
    plug_in(pcscd, slot=1, atr="3B800181")
    pcscd.wait_for_card(0)
    pcscd.wait_for_card(1)
    assert opensc("opensc-tool", "--reader", "0", "--atr").stdout.strip() == COLON_ATR
    assert opensc("opensc-tool", "--reader", "1", "--atr").stdout.strip() == "3b:80:01:81"


def test_pcscd_restarts_in_the_same_namespace(pcscd: PrivatePcscd, opensc: RunTool) -> None:
    card = plug_in(pcscd)
    pcscd.wait_for_card()
    before = pcscd.pid
    pcscd.kill()
    card.wait(10)  # this card does not come back; a bridge must
    assert opensc("opensc-tool", "--list-readers").stdout == "No smart card readers found.\n"
    pcscd.restart()
    assert pcscd.pid != before
    plug_in(pcscd)
    assert pcscd.wait_for_card().atr == bytes.fromhex(ATR)


def test_two_namespaces_at_the_same_time(start_pcscd: StartPcscd) -> None:
    """The same ports and the same socket path, twice."""
    one = start_pcscd()
    two = start_pcscd(["Acme Reader", "Other Reader"])
    plug_in(one, slot=0)
    plug_in(two, slot=3)
    one.wait_for_card(0)
    two.wait_for_card(3)
    assert [slot.reader for slot in two.slots] == [
        f"{name} 00 {slot:02}" for name in ("Acme Reader", "Other Reader") for slot in (0, 1)
    ]
    assert [one.reader_state(slot).present for slot in range(2)] == [True, False]
    assert [two.reader_state(slot).present for slot in range(4)] == [False, False, False, True]


def test_vpcd_calls_the_card(start_pcscd: StartPcscd) -> None:
    pcscd = start_pcscd(vpcd_calls=True)
    program = (
        "import sys, socket, threading, null_card\n"
        "for port in sys.argv[1:]:\n"
        "    door = socket.create_server(('127.0.0.1', int(port)))\n"
        "    serve = lambda door=door: null_card.serve(door.accept()[0], bytes.fromhex(null_card.ATR))\n"
        "    threading.Thread(target=serve).start()\n"
    )
    pcscd.popen_inside(
        [sys.executable, "-c", program, *(str(slot.port) for slot in pcscd.slots)], env={"PYTHONPATH": str(HERE)}
    )
    pcscd.start()
    assert [pcscd.wait_for_card(slot).atr for slot in range(2)] == 2 * [bytes.fromhex(ATR)]


def test_the_environment_is_private(start_pcscd: StartPcscd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSC_CONF", "/nowhere")
    pcscd, other = start_pcscd(), start_pcscd()
    assert "OPENSC_CONF" not in pcscd.env
    assert pcscd.env["XDG_CACHE_HOME"] != other.env["XDG_CACHE_HOME"]
    shown = pcscd.run_inside("sh", "-c", "pwd; echo $GREETING; ls /usr/lib/pcsc/drivers", env={"GREETING": "hello"})
    assert shown.stdout.splitlines() == [str(Path.cwd()), "hello"]


def test_a_failing_tool_says_all(pcscd: PrivatePcscd) -> None:
    with pytest.raises(ToolFailed) as failure:
        pcscd.run("sh", "-c", "read word; echo out $word; echo err >&2; exit 3", stdin="in\n")
    assert all(part in str(failure.value) for part in ("$ sh -c", "exit code 3", "out in", "err"))
    with pytest.raises(ToolFailed, match=r"no end after 0\.2 s"):
        pcscd.run_inside("sleep", "1000", timeout_s=0.2)


def test_nothing_is_left_behind(start_pcscd: StartPcscd) -> None:
    pcscd = start_pcscd()
    plug_in(pcscd)
    # A child of a child, which ignores polite requests and belongs to no one.
    pcscd.run_inside("sh", "-c", "trap '' TERM HUP; sleep 1000 >/dev/null 2>&1 &")
    pcscd.wait_for_card()
    alive = neighbours(pcscd.pid)
    assert len(alive) == 4  # holder, pcscd, card, sleep
    with all_must_end(alive):
        pcscd.close()
    assert not pcscd.folder.exists()
    pcscd.close()  # a second time does no harm


def test_nothing_outlives_a_killed_owner(start_pcscd: StartPcscd) -> None:
    start_pcscd().close()  # skips where there can be none
    program = (
        "from tests.interop.pcscd_harness import *\n"
        "pcscd = PrivatePcscd(); print(pcscd.folder, pcscd.pid, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=HERE.parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        folder, pcscd = owner.stdout.readline().split()
        with all_must_end(neighbours(int(pcscd))):
            owner.send_signal(signal.SIGKILL)
    shutil.rmtree(folder)


ORDINARY = """
import sys
from tests.interop.pcscd_harness import PcscdUnavailable, PrivatePcscd
try:
    with PrivatePcscd() as pcscd:
        pcscd.popen_inside([sys.executable, "tests/interop/null_card.py", str(pcscd.slots[0].port)])
        pcscd.wait_for_card()
        pcscd.restart()
        pcscd.popen_inside([sys.executable, "tests/interop/null_card.py", str(pcscd.slots[0].port)])
        pcscd.wait_for_card()
        print(pcscd.run("opensc-tool", "--atr").stdout)
except PcscdUnavailable as reason:
    print("unavailable:", reason)
"""


def test_ordinary_user() -> None:
    """Without root everything is the same, inside a user namespace, where the system allows one."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else: all the other tests ran as an ordinary user")
    # Root's checkout and root's Python may be in folders that only root may enter.
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(HERE, Path(folder, "tests", "interop"), ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        nobody = [require_tool("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"]
        done = run(
            [*nobody, "/usr/bin/python3", "-c", ORDINARY],
            check=True,
            stdin="",
            timeout_s=60,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=Path(folder),
        )
    if done.stdout.startswith("unavailable:"):
        pytest.skip(done.stdout)
    assert done.stdout.strip() == COLON_ATR
