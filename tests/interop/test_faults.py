"""Faults as real clients see them: libpcsclite through pyscard, OpenSC's tools, pcscd with vpcd.

docs/faults.md has a table of this. The clients of this process are in tests/unit/vsc/faults/test_hosts.py.
"""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.interop.need import require_tool, unavailable
from tests.interop.pcscd_harness import PrivatePcscd
from tests.interop.vsc_cards import Attach, wait_for_ready
from tests.interop.vsc_cards import Vsc as Cards
from tests.interop.vsc_run import Vsc, ordinary_user
from vsc.faults import inject
from vsc.pcsc import Service
from vsc.reader import Reader
from vsc.testing import SoftCard

CLIENTS = Path(__file__).parent / "clients"
Session = Callable[[], dict[str, str]]
PIN = "12345678"

# The fault; what VERIFY returns, what the same command returns once more, and SCardReconnect.
PRIVATE = {
    "sw 6983 on VERIFY": ("6983", "9000", "SUCCESS"),
    "answer 63C1 on VERIFY": ("63C1", "9000", "SUCCESS"),
    "delay 1ms on VERIFY": ("9000", "9000", "SUCCESS"),
    "mute on VERIFY": ("NOT_TRANSACTED", "9000", "SUCCESS"),
    "lose on VERIFY": ("NOT_TRANSACTED", "9000", "SUCCESS"),
    "garble on VERIFY": ("6FFF", "9000", "SUCCESS"),
    "cut on VERIFY": ("COMM_ERROR", "NO_SERVICE", "NO_SERVICE"),
    "close on VERIFY": ("COMM_ERROR", "NO_SERVICE", "NO_SERVICE"),
    "tear before commit 1 on VERIFY": ("REMOVED_CARD", "REMOVED_CARD", "NO_SMARTCARD"),
    "tear after commit 1 on VERIFY and back": ("REMOVED_CARD", "REMOVED_CARD", "SUCCESS"),
    "remove before VERIFY": ("REMOVED_CARD", "REMOVED_CARD", "NO_SMARTCARD"),
    "remove on VERIFY": ("REMOVED_CARD", "REMOVED_CARD", "NO_SMARTCARD"),
    "remove after VERIFY": ("9000", "REMOVED_CARD", "NO_SMARTCARD"),
    "remove after 2": ("9000", "REMOVED_CARD", "NO_SMARTCARD"),
    "remove between SELECT and VERIFY and back": ("REMOVED_CARD", "REMOVED_CARD", "SUCCESS"),
    "swap before VERIFY": ("REMOVED_CARD", "REMOVED_CARD", "SUCCESS"),
    "reset before VERIFY": ("RESET_CARD", "RESET_CARD", "SUCCESS"),
    # libpcsclite takes it for somebody else's transaction, and tries again until it gets through.
    "share before VERIFY": ("9000", "9000", "SUCCESS"),
    "gone before VERIFY": ("COMM_ERROR", "NO_SERVICE", "NO_SERVICE"),
    "gone before VERIFY and back": ("COMM_ERROR", "NO_SERVICE", "NO_SERVICE"),
}

# What VERIFY returns. vpcd 3.3 has no word for "no answer": SCardTransmit succeeds, with no bytes. What the next
# command returns then hangs on who is faster: vpcd that looks every 0.4 s, the client, or the card that calls again.
VPCD = {
    "garble on VERIFY": "6FFF",
    "mute on VERIFY": "",
    "cut on VERIFY": "",
    "remove after VERIFY": "9000",
    "reset before VERIFY": "9000",
    "tear after commit 1 on VERIFY and back": "",
}


def worn() -> SoftCard:
    """A card whose right PIN is a commit: it gives back a try."""
    card = SoftCard.make()
    card.transmit(bytes.fromhex("0020008008") + b"00000000")
    return card


@contextmanager
def client(env: dict[str, str]) -> Iterator[Session]:
    """A client that makes one session after the other."""
    if importlib.util.find_spec("smartcard") is None:
        unavailable("pyscard is not installed")
    command = [sys.executable, str(CLIENTS / "pyscard_faults.py")]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def session() -> dict[str, str]:
            print(file=stdin, flush=True)
            steps: dict[str, str] = json.loads(stdout.readline())
            return steps

        yield session
        stdin.close()


def test_over_the_private_pcsc() -> None:
    reader = Reader()
    service = Service([reader])
    seen = {}
    with service as env, client(env) as session:
        for text in PRIVATE:
            plan = inject(reader)
            plan.clear()
            (reader.insert if reader.card is None else reader.swap)(worn())
            plan.add(text)
            steps = session()
            seen[text] = (steps["verify"], steps["later"], steps["reconnect"])
            plan.check()
            assert steps["anew"] == ("NO_SERVICE" if service.is_away else "SUCCESS"), text
            assert service.is_away is (text == "gone before VERIFY")
            service.come_back()
    assert seen == PRIVATE
    assert service.faults == ()


STALLING = """
import sys, time
from smartcard.scard import *
_, context = SCardEstablishContext(SCARD_SCOPE_USER)
_, card, protocol = SCardConnect(context, SCardListReaders(context, [])[1][0], SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY)
pci = SCARD_PCI_T1 if protocol == SCARD_PROTOCOL_T1 else SCARD_PCI_T0
def select():
    return SCardTransmit(card, pci, list(bytes.fromhex("00A4040009A00000039742544659")))[0] & 0xFFFFFFFF
time.sleep(0.01)
codes = [select(), SCardBeginTransaction(card), select()]
time.sleep(0.01)
codes += [select(), SCardEndTransaction(card, SCARD_LEAVE_CARD) & 0xFFFFFFFF]
codes += [SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, SCARD_LEAVE_CARD)[0], select()]
print(*(f"{code:X}" for code in codes))
"""


def test_a_transaction_that_stalls_over_the_private_pcsc() -> None:
    """The wait is what is tested: without one in a transaction nothing happens, however long it is."""
    reader = Reader()
    reader.insert(SoftCard.make())
    with Service([reader]) as env:
        plan = inject(reader, "stall 10ms")
        run = subprocess.run(
            [sys.executable, "-c", STALLING], env={**os.environ, **env}, capture_output=True, text=True, check=True
        )
        plan.check()
    *before, stalled, end, reconnected, after = run.stdout.split()
    assert (before[:2], stalled, end) == (["0", "0"], "80100068", "80100068")
    assert (reconnected, after) == ("0", "0")


def test_an_atr_over_the_private_pcsc() -> None:
    reader = Reader()
    reader.insert(SoftCard.make())
    with Service([reader]) as env, client(env) as session:
        inject(reader, "atr 3B00 on reset")
        assert session()["atr"] == "3B00"
        reader.swap(SoftCard.make())
        inject(reader, "mute on reset")
        assert session()["connect"] == "UNPOWERED_CARD"
        reader.swap(SoftCard.make())
        assert session()["verify"] == "9000"


def test_a_sharing_violation_is_seen_by_clients_that_do_not_wait() -> None:
    reader = Reader()
    reader.insert(SoftCard.make())
    inject(reader, "share before VERIFY")
    with Service([reader]) as env, client({**env, "PCSCLITE_NO_BLOCKING": "1"}) as session:
        steps = session()
    assert (steps["verify"], steps["later"]) == ("SHARING_VIOLATION", "9000")


OWN_HOST = """
import sys
from vsc.errors import VscError
from vsc.machine.pcsc import PcscConnection
with PcscConnection(sys.argv[1]) as connection:
    try:
        print(connection.transmit(bytes.fromhex("0020008008") + b"12345678").hex())
    except VscError as error:
        print(type(error).__name__)
"""


def our_own_host(reader_name: str, env: Mapping[str, str]) -> str:
    """What our own host's half makes of it over PC/SC."""
    command = [sys.executable, "-c", OWN_HOST, reader_name]
    env = {**env, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("mute on VERIFY", "LostCardError"),
        ("close on VERIFY", "CardRemoved"),
        ("remove before VERIFY", "CardRemoved"),
        ("reset before VERIFY", "CardWasReset"),
        ("gone before VERIFY", "CardRemoved"),
        ("garble on VERIFY", "6fff"),
    ],
)
def test_with_our_own_host_over_pcsc(text: str, error: str) -> None:
    reader = Reader()
    reader.insert(SoftCard.make())
    inject(reader, text)
    with Service([reader]) as env:
        assert our_own_host(reader.name, env) == error


def test_over_pcscd_and_vpcd(pcscd: PrivatePcscd) -> None:
    command = [sys.executable, str(CLIENTS / "vpcd_faults.py"), str(pcscd.slots[0].port)]
    root = {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = pcscd.popen_inside(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=root)
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None

    def say(text: str) -> None:
        print(text, file=stdin, flush=True)
        assert stdout.readline() == f"{text}\n", pcscd.log()

    seen = {}
    with client(pcscd.env) as session:
        for text in VPCD:
            say("")
            before = pcscd.wait_for_no_card()
            say(text)
            pcscd.wait_for_card(after=before)
            seen[text] = session()["verify"]
    say("")
    before = pcscd.wait_for_no_card()
    say("mute on VERIFY")
    pcscd.wait_for_card(after=before)
    assert our_own_host(pcscd.slots[0].reader, pcscd.env) == "LostCardError"
    stdin.close()
    assert process.wait(timeout=20) == 0, pcscd.log()
    assert seen == VPCD


# --- on the command line


@pytest.fixture
def run() -> Iterator[Vsc]:
    for tool in ("opensc-tool", "pkcs11-tool"):
        require_tool(tool)
    with ordinary_user(Vsc) as vsc:
        yield vsc


LOGIN = ("pkcs11-tool", "--login", "--pin", PIN, "--list-objects")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sw 6983 on VERIFY", "CKR_PIN_LOCKED"),
        ("answer 63C1 on VERIFY", "CKR_PIN_INCORRECT"),
        ("mute on VERIFY", "CKR_GENERAL_ERROR"),
        ("remove before VERIFY", "CKR_DEVICE_REMOVED"),
        ("remove between SELECT and VERIFY and back", "CKR_DEVICE_REMOVED"),
        ("gone before VERIFY", "CKR_GENERAL_ERROR"),
    ],
)
def test_what_pkcs11_tool_makes_of_it(run: Vsc, text: str, words: str) -> None:
    assert words in run("run", "--fault", text, "--", *LOGIN, code=1)[1]
    assert run.left() == []


def test_a_slow_card_logs_in_and_is_slow_in_the_trace(run: Vsc) -> None:
    run("run", "--trace", "trace", "--fault", "delay 20ms on VERIFY", "--", *LOGIN)
    entries = [json.loads(line) for line in (run.folder / "trace").read_text().splitlines()]
    slow = next(one for one in entries if one.get("reason") == "fault: delay 20ms on VERIFY")
    assert slow["took"] >= 0.02


def test_a_fault_that_never_struck_is_no_success(run: Vsc) -> None:
    _, err = run("run", "--fault", "sw 6983 on VERIFY", "--", "opensc-tool", "-n", code=1)
    last = err.splitlines()[-1]
    assert last.startswith("vsc: in 'Virtual Smart Card 00 00' 'sw 6983 on VERIFY' never struck: what came was SELECT")
    run("run", "--fault", "sw 6983 on VERIFY optional", "--", "opensc-tool", "-n")
    assert "never struck" in run("run", "--fault", "mute on VERIFY", "--", "sh", "-c", "exit 3", code=3)[1]


def test_a_fault_in_another_reader(run: Vsc) -> None:
    two = ("--new", "gids", "--new", "gids", "--reader", "One", "--reader", "Two")
    command = ("pkcs11-tool", "--slot-index", "1", *LOGIN[1:])
    assert "CKR_PIN_LOCKED" in run("run", *two, "--fault", "Two: sw 6983 on VERIFY", "--", *command, code=1)[1]
    _, err = run("run", *two, "--fault", "Three: mute", "--", "false", code=2)
    assert "nothing here is called 'Three'; there is: 'One', 'Two'" in err


def test_a_bad_fault_ends_it_before_anything_starts(run: Vsc) -> None:
    for command in (("run", "--", "touch", "begun"), ("serve",), ("attach", "card")):
        _, err = run(command[0], "--fault", "sw 69 on VERIFY", *command[1:], code=2)
        assert "column 4: the status word has 1 bytes in place of 2" in err
        assert "fresh" not in err
    assert not (run.folder / "begun").exists()
    _, err = run("attach", "--listen", "127.0.0.1:35963", "--fault", "mute", "card", code=2)
    assert "--listen and --fault exclude each other" in err


def test_a_torn_write_is_before_or_after_in_the_store(run: Vsc) -> None:
    run("create", "work", "--pin", "default", "--tries", "3")
    wrong = ("pkcs11-tool", "--login", "--pin", "00000000", "--list-objects")
    for moment, left in (("before", 3), ("after", 2)):
        run("run", "--card", "work", "--fault", f"tear {moment} commit 1 on VERIFY", "--", *wrong, code=1)
        assert json.loads(run("show", "work", "--json")[0])["pin"]["tries_left"] == left


def test_serve(run: Vsc) -> None:
    run("create", "work", "--pin", "default")
    with run.serving("--card", "work", "--fault", "sw 6983 on VERIFY") as env, run.start(*LOGIN, **env) as login:
        assert "CKR_PIN_LOCKED" in login.communicate(timeout=60)[1]


def test_attach(pcscd: PrivatePcscd, vsc: Cards, attach: Attach) -> None:
    vsc.create("card")
    pcscd.wait_for_no_card()
    attached = attach.start(pcscd, "card", "--vpcd", pcscd.slots[0].vpcd, "--fault", "sw 6983 on VERIFY")
    wait_for_ready(attached)
    pcscd.wait_for_card()
    assert "CKR_PIN_LOCKED" in pcscd.run(*LOGIN, check=False).stderr
    assert "Profile object" in pcscd.run(*LOGIN).stdout, "once"
    assert attached.signal(signal.SIGTERM) == 0


def test_attach_tells_of_a_fault_that_never_struck(pcscd: PrivatePcscd, vsc: Cards, attach: Attach) -> None:
    vsc.create("card")
    pcscd.wait_for_no_card()
    attached = attach.start(pcscd, "card", "--vpcd", pcscd.slots[0].vpcd, "--fault", "card: mute on VERIFY")
    wait_for_ready(attached)
    assert attached.signal(signal.SIGTERM) == 1
    assert "'mute on VERIFY' never struck: no command came at all" in attached.said


# --- the page

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
BLOCKS = re.findall(r"^```(bash|python)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_shell_of_the_page(run: Vsc) -> None:
    shell = "".join(block for language, block in BLOCKS if language == "bash")
    with run.start("bash", "-euo", "pipefail", "-c", shell) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    assert "it says: PIN locked\nno VERIFY came" in out
    assert "CKR_PIN_LOCKED" in err


@pytest.mark.parametrize("block", [block for language, block in BLOCKS if language == "python"], ids=range(3))
def test_the_python_of_the_page(block: str, tmp_path: Path) -> None:
    root = {**os.environ, "PYTHONPATH": str(PAGE.parents[1])}
    command = [sys.executable, "-c", block]
    done = subprocess.run(command, cwd=tmp_path, env=root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
