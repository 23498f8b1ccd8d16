"""Logs of real programs, recorded and replayed: OpenSC's debug log, pcscd's, and what `vsc record` writes.

Each replay has a cache of its own: OpenSC keeps what it has read of a card, by serial number.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import pytest

from tests.interop.need import require_tool, unavailable
from tests.interop.pcscd_harness import PcscdUnavailable, PrivatePcscd
from tests.interop.vsc_cards import Vsc as Cards
from tests.interop.vsc_run import BIN, Vsc, ordinary_user
from vsc.replay import read_log
from vsc.trace.entry import EntryKind

PIN, OTHER_PIN = "12345678", "135797531"
ADMIN_KEY = "0102030405060708" * 3
LIST = ("pkcs15-tool", "-D")
ON_CARD = ("Private RSA Key [Ada Lovelace]", "X.509 Certificate [Ada Lovelace]", "Tries left     : 5")


class User(Vsc):
    """An ordinary user with the card `ada`: a key and its certificate."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._caches = count()

    def run(self, *command: str | Path, code: int = 0, env: Mapping[str, str] | None = None) -> tuple[str, str]:
        """Runs any program, with no cache of OpenSC's from before."""
        cache = str(self.folder / f"cache{next(self._caches)}")
        with self.start(*command, **{"XDG_CACHE_HOME": cache, **(env or {})}) as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == code, f"{command}: {process.returncode}\n{out}\n{err}"
        assert "Traceback" not in err
        return out, err

    def replay(self, *words: str | Path, code: int = 0) -> tuple[str, str]:
        return self.run(BIN / "vsc", "replay", *words, code=code)

    def make_card(self) -> None:
        self("create", "ada", "--pin", "default", "--admin-key", "default")
        self("keygen", "ada", "--self-signed", "CN=Ada Lovelace", "--pin", "default")


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    for tool in ("pkcs15-tool", "pkcs11-tool", "gids-tool", "opensc-tool", "openssl"):
        require_tool(tool)
    with ordinary_user(User) as user:
        user.make_card()
        yield user


def sign(user: User, pin: str, signature: str) -> tuple[str, ...]:
    (user.folder / "text").write_text("What is signed.")
    mechanism = ("--sign", "-m", "SHA256-RSA-PKCS", "--id", "00")
    return ("pkcs11-tool", "--login", "--pin", pin, *mechanism, "-i", "text", "-o", signature)


# --- logs of other programs


def test_a_debug_log_of_opensc_becomes_the_card(user: User) -> None:
    out, log = user.run(BIN / "vsc", "run", "--card", "ada", "--", *LIST, env={"OPENSC_DEBUG": "9"})
    assert all(words in out for words in ON_CARD)
    (user.folder / "opensc.log").write_text(log)
    # Whether OpenSC says which reader it connects to hangs on its version and on the level of its log.
    plain = out[out.index("PKCS#15 Card") :]
    for mode in ("strict", "learnt"):
        replayed, said = user.replay("opensc.log", "--mode", mode, "--", *LIST)
        assert replayed[replayed.index("PKCS#15 Card") :] == plain
        assert "vsc:" not in said


def test_debug_logs_with_and_without_the_pin(user: User) -> None:
    """OpenSC writes PINs with 8 and more, and leaves out all of VERIFY with less."""
    for level, has_pin in (("9", True), ("7", False)):
        _, log = user.run(
            BIN / "vsc", "run", "--card", "ada", "--", *sign(user, PIN, "one"), env={"OPENSC_DEBUG": level}
        )
        assert ("00 20 00 80 08 31 32 33 34 35 36 37 38" in log) == has_pin
        (user.folder / "opensc.log").write_text(log)
        user.replay("--mode", "learnt", "opensc.log", "--", *sign(user, OTHER_PIN, "two"))
        assert (user.folder / "one").read_bytes() == (user.folder / "two").read_bytes()
        (user.folder / "two").unlink()


def test_what_tools_print_is_read_as_what_passed(user: User) -> None:
    """As people paste it into issues: the same commands and answers as in our own trace."""
    select, card_id, ask_pin = "00A4040009A0000003974254465900", "00CBA012045C02DF2000", "00200080"
    (user.folder / "commands").write_text(f"{select}\nreset\n{card_id}\n{ask_pin}\n")
    (user.folder / "observe.py").write_text(
        "from smartcard.CardConnectionObserver import ConsoleCardConnectionObserver\n"
        "from smartcard.System import readers\n"
        "connection = readers()[0].createConnection()\n"
        "connection.addObserver(ConsoleCardConnectionObserver())\n"
        "connection.connect()\n"
        f"for command in {[select, card_id, ask_pin]}:\n    connection.transmit(list(bytes.fromhex(command)))\n"
        "connection.disconnect()\n"
    )
    sends = [word for command in (select, card_id, ask_pin) for word in ("-s", command)]
    for tool in (
        (require_tool("scriptor"), "commands"),
        ("opensc-tool", "-c", "default", *sends),
        (sys.executable, "observe.py"),
    ):
        out, _ = user.run(BIN / "vsc", "run", "--card", "ada", "--trace", "trace.jsonl", "--", *tool)
        (user.folder / "pasted").write_text(out)
        pasted, trace = read_log(user.folder / "pasted"), read_log(user.folder / "trace.jsonl")
        assert pasted.format == "output of a tool"
        passed = [(one.command, one.response) for one in pasted.entries if one.kind is EntryKind.APDU]
        assert passed == [(one.command, one.response) for one in trace.entries if one.kind is EntryKind.APDU][-3:]


class LoggingPcscd(PrivatePcscd):
    """A pcscd that writes down every APDU."""

    def popen_inside(self, command: Sequence[str | Path], **options: object) -> subprocess.Popen[str]:
        more = ["--debug", "--apdu"] if Path(command[0]).name == "pcscd" else []
        return super().popen_inside([*command, *more], **options)  # type: ignore[arg-type]


def test_pcscd_and_a_record_of_a_card_behind_it(user: User, tmp_path: Path) -> None:
    cards = Cards(tmp_path / "cards")
    cards("create", "ada", "--pin", "default", "--admin-key", "default")
    cards("keygen", "ada", "--self-signed", "CN=Ada Lovelace", "--pin", "default")
    try:
        pcscd = LoggingPcscd()
    except PcscdUnavailable as reason:
        unavailable(str(reason))
    vsc = BIN / "vsc"
    with pcscd:
        record: list[str | Path] = [vsc, "record", "-o", tmp_path / "record", "--reader"]
        assert (
            "there is no card in 'Virtual PCD 00 00'"
            in pcscd.run(*record, pcscd.slots[0].reader, "--", "true", check=False).stderr
        )
        pcscd.popen_inside([vsc, "attach", "ada", "--vpcd", pcscd.slots[0].vpcd], env=cards.env)
        pcscd.wait_for_card()
        out = pcscd.run(*LIST).stdout
        assert all(words in out for words in ON_CARD)
        log = next(iter(pcscd.folder.glob("log/pcscd"))).read_text()
        assert pcscd.run(*record, pcscd.slots[0].reader, "--", *LIST).stdout == out
        absent = pcscd.run(*record, "no such", "--", "true", check=False)
        assert (absent.returncode, absent.stderr) == (
            4,
            "vsc: there is no PC/SC reader 'no such'; there is: 'Virtual PCD 00 00', 'Virtual PCD 00 01'\n",
        )
        # It is everybody's again.
        assert pcscd.run(*LIST).stdout == out
    (user.folder / "pcscd.log").write_text(log)
    (user.folder / "record").write_bytes((tmp_path / "record").read_bytes())
    for name in ("pcscd.log", "record"):
        assert read_log(user.folder / name).readers == ("Virtual PCD 00 00",)
        assert user.replay(name, "--", *LIST)[0] == out


# --- records


def test_a_record_of_a_card_in_a_service_around_us(user: User) -> None:
    with user.serving("--card", "ada") as around:
        out, _ = user.run(BIN / "vsc", "record", "-o", "list", "--", *LIST, env=around)
        user.run(BIN / "vsc", "record", "-o", "sign", "--", *sign(user, PIN, "one"), env=around)
    assert all(words in out for words in ON_CARD)
    assert user.replay("list", "--", *LIST)[0] == out
    record = (user.folder / "sign").read_text()
    assert PIN.encode().hex() not in record
    assert os.stat(user.folder / "sign").st_mode & 0o777 == 0o600
    user.replay("sign", "--", *sign(user, PIN, "two"))
    assert (user.folder / "one").read_bytes() == (user.folder / "two").read_bytes()
    (user.folder / "text2").write_text("What was never signed.")
    other = [word.replace("text", "text2") for word in sign(user, PIN, "two")]
    _, said = user.replay("sign", "--mode", "learnt", "--", *other, code=1)
    assert re.search(r"^vsc: the log has no answer to PERFORM SECURITY OPERATION", said, re.MULTILINE)
    # Without the PIN there is no signature, as on the card.
    unproven = [word for word in sign(user, PIN, "two") if word not in ("--login", "--pin", PIN)]
    _, said = user.replay("sign", "--mode", "learnt", "--", *unproven, code=1)
    assert "no answer" not in said


def test_admin_authentication(user: User) -> None:
    """One where the host alone proves the key, and one where the card must, too: the page shows more of that one."""
    reader = ("--reader", "Virtual Smart Card 00 00")
    ours = (BIN / "vsc", "admin-key", "verify", *reader, "--admin-key", "default")
    theirs = ("gids-tool", "--unblock", "--pin", OTHER_PIN, "--admin-key")
    user("create", "bob", "--pin", "default", "--admin-key", "default")
    with user.serving("--card", "bob") as around:
        user.run(BIN / "vsc", "record", "-o", "ours", "--", *ours, env=around)
        user.run(BIN / "vsc", "record", "-o", "theirs", "--", *theirs, ADMIN_KEY, env=around)
    assert OTHER_PIN.encode().hex() not in (user.folder / "theirs").read_text()
    assert user.replay("ours", "--mode", "learnt", "--", *ours)[0] == "That is the card's admin key.\n"
    proven = ("theirs", "--mode", "learnt", "--admin-key", "default", "--")
    assert "Unblock PIN done successfully" in user.replay(*proven, *theirs, ADMIN_KEY)[0]
    assert "Security status not satisfied" in user.replay(*proven, *theirs, ADMIN_KEY[::-1], code=1)[1]


def test_a_card_that_leaves_while_it_is_recorded(user: User) -> None:
    """What happens to the card there happens to it here: the program waits for just that."""
    program = """
import sys
from smartcard.scard import *
_, context = SCardEstablishContext(SCARD_SCOPE_USER)
def wait(flag, known=SCARD_STATE_UNAWARE):
    while True:  # Until it is so; the run has a time limit.
        _, ((_, known, _),) = SCardGetStatusChange(context, INFINITE, [(NAME, known)])
        if known & flag:
            return known
NAME = "Virtual Smart Card 00 00"
known = wait(SCARD_STATE_PRESENT)
print("in", flush=True)
known = wait(SCARD_STATE_EMPTY, known)
print("out", flush=True)
wait(SCARD_STATE_PRESENT, known)
_, card, protocol = SCardConnect(context, NAME, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1)
print(SCardTransmit(card, SCARD_PCI_T1, [0, 0xA4, 4, 0, 0])[0], flush=True)
"""
    with (
        user.serving("--card", "ada") as around,
        user.popen("record", "-o", "record", "--", BIN / "python", "-c", program, **around) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        user.run(BIN / "vsc", "eject", "ada", env=around)
        assert process.stdout.readline() == "out\n"
        user.run(BIN / "vsc", "insert", "ada", env=around)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "0\n"), err
    kinds = [json.loads(line).get("kind") for line in (user.folder / "record").read_text().splitlines()]
    assert [kind for kind in kinds[1:] if kind in ("inserted", "ejected")] == [
        "inserted",
        "ejected",
        "inserted",
        "ejected",
    ]


def test_one_card_for_two(user: User) -> None:
    """Somebody else has a connection: the card is shared with him. With one for himself alone nobody gets it."""
    holder = """
import sys
from smartcard.scard import *
_, context = SCardEstablishContext(SCARD_SCOPE_USER)
mode = SCARD_SHARE_EXCLUSIVE if sys.argv[1] == "alone" else SCARD_SHARE_SHARED
print(SCardConnect(context, "Virtual Smart Card 00 00", mode, SCARD_PROTOCOL_T1)[0], flush=True)
sys.stdin.read()
"""
    select = ("opensc-tool", "-s", "00A4040009A0000003974254465900")
    for how, answer in (("shared", "Received (SW1=0x90, SW2=0x00)"), ("alone", "")):
        with (
            user.serving("--card", "ada") as around,
            subprocess.Popen(
                [*user.become, BIN / "python", "-c", holder, how],
                env={**user.env, **around},
                cwd=user.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as process,
        ):
            assert process.stdout is not None
            assert process.stdout.readline() == "0\n"
            command = (BIN / "vsc", "record", "-o", "record", "--", *select)
            out, _ = user.run(*command, code=0 if answer else 1, env=around)
            process.communicate()
        assert answer in out


# --- the commands


def test_the_status_is_the_commands(user: User) -> None:
    (user.folder / "log").write_text("@ atr 3B8001\n> 00A40400\n< 9000\n")
    user.replay("log", "--", "sh", "-c", "exit 7", code=7)
    user.replay("log", "sh", "-c", "exit 7", code=7)
    user.replay("log", "--", "sh", "-c", "kill -TERM $$", code=-signal.SIGTERM)
    assert "nowhere cannot be started: not found" in user.replay("log", "--", "nowhere", code=127)[1]
    _, said = user.replay("log", "--", "true")
    assert said == "vsc: the last APDU of the log was not asked for\n"
    assert user.replay("log", "--mode", "command", "--", "true")[1] == ""


def test_a_success_with_an_unknown_command_is_none(user: User) -> None:
    (user.folder / "log").write_text("@ atr 3B8001\n> 00A40400\n< 9000\n")
    send = ("opensc-tool", "-c", "default", "-s", "00B0000000")
    out, said = user.replay("log", "--", *send, code=1)
    assert "Received (SW1=0x6F, SW2=0x00)" in out
    unknown, where, following = said.splitlines()[-3:]
    assert re.fullmatch(r"vsc: the log has no answer to READ BINARY.* \(00B0000000\)", unknown)
    assert where == "  where: at APDU 1 of 1"
    assert re.fullmatch(r"  next in the log: SELECT.* \(00A40400\)", following)
    user.replay("log", "--", "sh", "-c", f"{' '.join(send)}; exit 9", code=9)


def test_several_readers(user: User) -> None:
    record = [{"format": "vsc trace", "version": 2}]
    for name, sw in (("ACME 00 00", "6A81"), ("ACME 01 00", "6A82")):
        record.append({"kind": "inserted", "reader": name, "atr": "3B8001"})
        record.append({"kind": "apdu", "reader": name, "command": "00A40400", "response": sw})
    (user.folder / "record").write_text("".join(json.dumps(line) + "\n" for line in record))
    send = ("opensc-tool", "-c", "default", "-s", "00A40400", "--reader")
    out, _ = user.replay("record", "--", "sh", "-c", "opensc-tool -l; " + " ".join((*send, "1")))
    assert "ACME 00 00" in out
    assert "Received (SW1=0x6A, SW2=0x82)" in out
    out, _ = user.replay(
        "record", "--reader", "ACME 01 00", "--", "sh", "-c", "opensc-tool -l; " + " ".join((*send, "0"))
    )
    assert "ACME 00 00" not in out
    assert "Received (SW1=0x6A, SW2=0x82)" in out


def test_what_cannot_be_recorded(user: User) -> None:
    assert user("record", "-o", "x", "--", "true", code=1, PCSCLITE_CSOCK_NAME="/nowhere")[1] == (
        "vsc: no PC/SC service answers: is pcscd running? (Service not available)\n"
    )
    assert not (user.folder / "x").exists()
    record = (BIN / "vsc", "record", "-o", "x", "--", "true")
    with user.serving("--reader", "A") as around:
        assert "there is no card in any PC/SC reader" in user.run(*record, code=1, env=around)[1]
    user("create", "eve", "--pin", "default")
    with user.serving("--card", "ada", "--card", "eve") as around:
        assert "several readers have a card" in user.run(*record, code=1, env=around)[1]


def test_a_record_needs_no_pyscard(user: User) -> None:
    (user.folder / "smartcard.py").write_text("raise ImportError('none')")
    with user.serving("--card", "ada") as around:
        user.run(BIN / "vsc", "record", "-o", "x", "--", *LIST, env={**around, "PYTHONPATH": str(user.folder)})
    assert (user.folder / "x").exists()


# --- the page

PAGE = Path(__file__).parents[2] / "docs" / "replay.md"
BLOCKS = re.findall(r"^```(bash|python)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page(user: User) -> None:
    """docs/replay.md: its blocks, in order, in a folder with no card yet."""
    folder = user.folder / "page"
    shell = f"mkdir {folder}; cd {folder}; export VSC_HOME={folder}\n"
    for language, block in BLOCKS:
        shell += block if language == "bash" else f"python - <<'END'\n{block}END\n"
    out, _ = user.run("bash", "-euc", shell.replace("&& exit 1", "&& exit 99"))
    assert "vsc: the log has no answer to READ BINARY" in out
    assert "Unblock PIN done successfully" in out
    assert "trace of vsc ('Virtual Smart Card 00 00',) ()" in out
    assert "\nthe log has no answer to READ BINARY" in out
