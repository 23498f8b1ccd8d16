"""`vsc run` and `vsc serve` with unmodified PC/SC programs: no pcscd, no driver, no root."""

import json
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.need import require_tool
from tests.interop.vsc_run import Vsc, ordinary_user

PIN = "12345678"


@pytest.fixture
def vsc() -> Iterator[Vsc]:
    for tool in ("opensc-tool", "pkcs11-tool", "openssl"):
        require_tool(tool)
    with ordinary_user(Vsc) as vsc:
        yield vsc


def test_a_card_that_speaks_t0_alone(vsc: Vsc) -> None:
    """OpenSC sends T=0 commands to it: no Le where there are data."""
    for tool in ("opensc-tool", "pkcs11-tool", "openssl"):
        require_tool(tool)
    vsc("create", "slow", "--pin", "default", "--admin-key", "default", "--atr", "T=0")
    script = """set -e
        opensc-tool --atr
        pkcs11-tool --login --pin 12345678 --keypairgen --key-type rsa:2048 --id 00
        echo text > text
        pkcs11-tool --login --pin 12345678 --sign -m SHA256-RSA-PKCS --id 00 -i text -o signature
        pkcs11-tool --read-object --type pubkey --id 00 -o key.der
        openssl dgst -sha256 -verify key.der -keyform DER -signature signature text
        python -c 'from smartcard.System import readers
connection = readers()[0].createConnection()
connection.connect()
print(connection.getProtocol())'
    """.replace("python", sys.executable)
    out, _ = vsc("run", "--card", "slow", "--", "sh", "-c", script)
    lines = out.splitlines()
    assert lines[0] == "3b:0d:80:fb:a0:00:00:03:97:42:54:46:59:02:01"
    assert lines[-2:] == ["Verified OK", "1"]  # SCARD_PROTOCOL_T0


def test_without_options_there_is_one_fresh_card_and_that_is_said(vsc: Vsc) -> None:
    out, err = vsc("run", "--", "opensc-tool", "-n")
    assert out == "GIDS Smart Card\n"
    assert "PIN 12345678, default admin key" in err.splitlines()[0]
    assert vsc.left() == []


def test_a_key_is_made_and_signs(vsc: Vsc) -> None:
    login = f"pkcs11-tool --login --pin {PIN}"
    (vsc.folder / "letter").write_text("hello")
    script = f"""set -e
        {login} --keypairgen --key-type rsa:2048 --id 00
        {login} --sign --id 00 --mechanism SHA256-RSA-PKCS --input-file letter --output-file letter.sig
        pkcs11-tool --read-object --type pubkey --id 00 --output-file key.der
        openssl dgst -sha256 -verify key.der -keyform DER -signature letter.sig letter"""
    assert "Verified OK" in vsc("run", "sh", "-c", script)[0]


def test_a_card_of_the_store_keeps_what_was_done_to_it(vsc: Vsc) -> None:
    vsc("create", "work", "--pin", "default")
    change = ("pkcs15-tool", "--change-pin", "--pin", PIN, "--new-pin", "87654321")
    assert "fresh" not in vsc("run", "--card", "work", "--", *change)[1]
    vsc("run", "--card", "work", "--", "pkcs15-tool", "--verify-pin", "--pin", "87654321")


def test_cards_and_readers_by_name(vsc: Vsc) -> None:
    vsc("create", "work", "--pin", "default")
    words = ("--card", "work", "--new", "gids", "--reader", "First ☂", "--reader", "Second", "--reader", "Third")
    out, _ = vsc("run", *words, "--", "opensc-tool", "-l")
    rows = [line.split(maxsplit=2) for line in out.splitlines()[2:]]
    assert [(row[1], row[2]) for row in rows] == [("Yes", "First ☂"), ("Yes", "Second"), ("No", "Third")]


@pytest.mark.parametrize("status", [0, 3, 127])
def test_the_exit_status_passes_through(vsc: Vsc, status: int) -> None:
    vsc("run", "sh", "-c", f"exit {status}", code=status)


def test_a_command_that_a_signal_ends_ends_us_the_same_way(vsc: Vsc) -> None:
    vsc("run", "sh", "-c", "kill -TERM $$", code=-signal.SIGTERM)
    assert vsc.left() == []


def test_a_command_that_is_not_there(vsc: Vsc) -> None:
    assert "no-such-command cannot be started" in vsc("run", "no-such-command", code=127)[1]


def test_a_card_that_is_not_there_or_in_use(vsc: Vsc) -> None:
    assert "no card called 'nobody'" in vsc("run", "--card", "nobody", "--", "true", code=4)[1]
    vsc("create", "work", "--pin", "default")
    assert "in use" in vsc("run", "--card", "work", "--", "vsc", "run", "--card", "work", "--", "true", code=1)[1]


def test_usage(vsc: Vsc) -> None:
    vsc("run", code=2)
    assert "no profile 'plastic'" in vsc("run", "--new", "plastic", "--", "true", code=1)[1]


def test_inside_cards_come_and_go_and_clients_see_it_at_once(vsc: Vsc) -> None:
    vsc("create", "work", "--pin", "default")
    vsc("create", "home", "--pin", "default")
    script = """set -e
        serial() { pkcs15-tool --list-info 2>/dev/null | grep -i serial; }
        serial; vsc swap work home >/dev/null; serial; vsc reset home --cold >/dev/null
        vsc eject home >/dev/null; opensc-tool -l | tail -n 1; vsc insert work >/dev/null; serial"""
    lines = vsc("run", "--card", "work", "--", "sh", "-c", script)[0].splitlines()
    work, home = (
        f"Serial number  : {json.loads(vsc('show', name, '--json')[0])['serial'].lower()}" for name in ("work", "home")
    )
    assert [" ".join(line.split()) for line in lines] == [
        " ".join(text.split()) for text in (work, home, "0 No Virtual Smart Card 00 00", work)
    ]


def test_eject_of_nothing_is_a_sentence(vsc: Vsc) -> None:
    _, err = vsc("run", "sh", "-c", "vsc eject nobody; echo $? >&2; vsc insert nobody; echo $? >&2")
    assert [line for line in err.splitlines() if line.isdigit()] == ["1", "4"]
    assert "which vsc?" in vsc("eject", "work", code=1)[1]


def test_a_trace_has_every_apdu_but_no_pin(vsc: Vsc) -> None:
    vsc("run", "--trace", "trace.jsonl", "--", "pkcs15-tool", "--verify-pin", "--pin", PIN)
    text = (vsc.folder / "trace.jsonl").read_text()
    head, *entries = map(json.loads, text.splitlines())
    assert (head["format"], head["version"]) == ("vsc trace", 2)
    assert [entry["response"] for entry in entries if entry.get("name") == "VERIFY"] == ["9000"]
    assert PIN.encode().hex() not in text


def test_isolate_gives_private_folders_that_go(vsc: Vsc) -> None:
    out, _ = vsc("run", "--isolate", "sh", "-c", "ls -ld $GNUPGHOME $XDG_RUNTIME_DIR; echo $GNUPGHOME")
    *folders, home = out.splitlines()
    assert [line.split()[0] for line in folders] == ["drwx------", "drwx------"]
    assert not Path(home).exists()


def test_gpg_finds_the_card_of_a_run_in_a_folder_of_its_own(vsc: Vsc) -> None:
    require_tool("gpg")
    out, _ = vsc("run", "--new", "openpgp", "--gpg", "--", "sh", "-c", "gpg --card-status; echo $GNUPGHOME")
    assert "Manufacturer .....: unmanaged S/N range" in out
    assert not Path(out.splitlines()[-1]).exists()


def test_eight_runs_at_once_have_a_card_each(vsc: Vsc) -> None:
    outputs: list[str] = []
    script = "pkcs15-tool --list-info 2>/dev/null | grep -i serial"
    threads = [threading.Thread(target=lambda: outputs.append(vsc("run", "sh", "-c", script)[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(outputs)) == 8


def test_what_a_killed_run_left_the_next_one_removes(vsc: Vsc) -> None:
    with vsc.popen("run", "sh", "-c", "echo up; exec sleep 1000") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        ends = [os.pidfd_open(int(child)) for child in children]
        process.kill()
    for end in ends:  # The kernel ends the command with us.
        assert select.select([end], [], [], 30)[0]
        os.close(end)
    (left,) = vsc.left()
    vsc("run", "true")
    assert left not in vsc.left()


def test_a_home_among_what_is_stale_keeps_its_cards(vsc: Vsc) -> None:
    """VSC_HOME as one of the private folders might be called, a service in it that is killed, and then a run."""
    home = vsc.folder / "vsc-home_123"
    here = str(home)
    vsc("create", "work", "--pin", "default", VSC_HOME=here)
    with vsc.popen("serve", "--socket", home / "pcsc", "--card", "work", VSC_HOME=here) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("export ")
        process.kill()
    vsc("run", "true")
    assert "work" in vsc("list", VSC_HOME=here)[0]
    vsc("run", "--card", "work", "--", "true", VSC_HOME=here)


def test_serve_until_told_to_stop(vsc: Vsc) -> None:
    vsc("create", "work", "--pin", "default")
    with vsc.serving() as variables:
        vsc("insert", "work", VSC_SOCKET=variables["VSC_SOCKET"])
        with vsc.start("opensc-tool", "-n", **variables) as client:
            assert client.communicate(timeout=60)[0] == "GIDS Smart Card\n"
        assert "in use" in vsc("run", "--card", "work", "--", "true", code=1)[1]
        vsc("eject", "work", "--socket", variables["PCSCLITE_CSOCK_NAME"])
    assert vsc.left() == []


def test_serve_where_one_wants_it(vsc: Vsc) -> None:
    folder = vsc.runtime / "mine"
    with vsc.serving("--socket", folder / "pcsc") as variables:
        assert variables["PCSCLITE_CSOCK_NAME"] == str(folder / "pcsc")
        assert "another vsc serves" in vsc("serve", "--socket", folder / "other", code=1)[1]
    assert list(folder.iterdir()) == []
    folder.chmod(0o755)
    assert "0700" in vsc("serve", "--socket", folder / "pcsc", code=1)[1]


@pytest.mark.parametrize(
    ("pinpad", "code", "text"),
    [
        ("env:CARD_PIN", 0, "logged in"),
        ("env:WRONG", 1, "CKR_PIN_INCORRECT"),
        ("cancel", 1, "CKR_FUNCTION_CANCELED"),
        ("timeout", 1, "CKR_FUNCTION_CANCELED"),
    ],
)
def test_a_pin_pad_types_the_pin(vsc: Vsc, pinpad: str, code: int, text: str) -> None:
    script = "pkcs11-tool --login --list-objects && echo logged in"
    out, err = vsc("run", "--pinpad", pinpad, "sh", "-c", script, code=code, CARD_PIN=PIN, WRONG="87654321")
    assert text in out + err
    assert "Please enter" not in out + err


def test_the_command_does_not_see_what_is_typed(vsc: Vsc) -> None:
    assert PIN not in vsc("run", "--pinpad", "env:CARD_PIN", "env", CARD_PIN=PIN)[0]


def test_a_pin_pad_that_makes_no_sense_is_refused(vsc: Vsc) -> None:
    vsc("run", "--pinpad", "telepathy", "--", "true", code=2)


def test_no_root_is_needed(vsc: Vsc) -> None:
    uid, name = vsc("run", "sh", "-c", "id -u; opensc-tool -n")[0].splitlines()
    assert uid != "0"
    assert name == "GIDS Smart Card"
