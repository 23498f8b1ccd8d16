"""Unmodified programs, with no pcscd: they find the card, make a key on it and sign with it."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.attached import gids_card
from bench.null_card import NullCard
from tests.interop.need import require_tool
from tests.interop.pcsc.conftest import Tool, client_env
from vsc.pcsc import Service
from vsc.reader import DEFAULT_NAME, Reader

ROOT = Path(__file__).resolve().parents[3]
NOBODY = 65_534


def test_opensc_sees_readers_and_cards(reader: Reader, service: Service, tool: Tool) -> None:
    assert "No  " in tool("opensc-tool", "-l")
    reader.insert(gids_card())
    assert "Yes " in tool("opensc-tool", "-l")
    assert tool("opensc-tool", "-a").strip().replace(":", "") == NullCard.atr.hex()
    assert tool("opensc-tool", "-n").strip() == "GIDS Smart Card"
    service.add_reader(Reader("Second 00 00"))
    assert [DEFAULT_NAME in line or "Second 00 00" in line for line in tool("opensc-tool", "-l").splitlines()[2:]]
    reader.eject()
    assert "No  " in tool("opensc-tool", "-l")


def test_opensc_learns_how_much_an_apdu_may_carry(reader: Reader, service: Service, tool: Tool) -> None:
    """Without it `openpgp-tool -G` cuts a public key short and says nothing."""
    reader.insert(gids_card())
    said = tool("sh", "-c", "OPENSC_DEBUG=9 opensc-tool -n 2>&1")
    assert "dwMaxAPDUDataSize property returned 65536" in said


def test_pcsc_scan_lists_readers(tool: Tool) -> None:
    assert tool("pcsc_scan", "-r").strip() == f"0: {DEFAULT_NAME}"


def test_pcsc_scan_sees_a_card_come_and_go(reader: Reader, env: Mapping[str, str]) -> None:
    command = ["stdbuf", "-oL", require_tool("pcsc_scan"), "-n"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    with process, process.stdout:
        for words, act in (("Card removed", lambda: reader.insert(gids_card())), ("Card inserted", reader.eject)):
            assert any(words in line for line in process.stdout)
            act()
        assert any("Card removed" in line for line in process.stdout)
        process.terminate()


def test_a_key_made_on_the_card_signs(reader: Reader, tool: Tool, tmp_path: Path) -> None:
    reader.insert(gids_card())
    message, signature, key = tmp_path / "message", tmp_path / "signature", tmp_path / "key.der"
    message.write_bytes(b"a message")
    login = ["pkcs11-tool", "--login", "--pin", "12345678"]
    tool(*login, "--keypairgen", "--key-type", "rsa:2048", "--id", "00", "--label", "k")
    tool(*login, "--sign", "--id", "00", "-m", "SHA256-RSA-PKCS", "-i", str(message), "-o", str(signature))
    tool("pkcs11-tool", "--read-object", "--type", "pubkey", "--id", "00", "-o", str(key))
    verify = ["openssl", "dgst", "-sha256", "-verify", str(key), "-keyform", "DER", "-signature", str(signature)]
    assert "Verified OK" in tool(*verify, str(message))


def test_eight_services_at_once(tmp_path: Path) -> None:
    """Each client sees its own card and no other."""
    tool = require_tool("opensc-tool")
    with ExitStack() as undo:
        jobs = {}
        for number in range(8):
            reader = Reader(f"Reader {number}")
            reader.insert(NullCard())
            service = Service([reader])
            undo.enter_context(service)
            jobs[reader.name] = client_env(service, tmp_path)

        def names(env: Mapping[str, str]) -> list[str]:
            done = subprocess.run([tool, "-l"], env=env, capture_output=True, text=True, check=True)
            return re.findall(r"Yes +(Reader \d)\n", done.stdout)

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(names, [*jobs.values()] * 3)) == [[name] for name in jobs] * 3


@pytest.mark.skipif(os.geteuid() != 0, reason="changes the user, which only root can")
def test_an_ordinary_user_needs_nothing(tmp_path: Path) -> None:
    """The service and the program both run as nobody, with a home of their own."""
    home = Path("/tmp") / f"vsc-test-{os.getpid()}"
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY, NOBODY)
    code = (
        "import subprocess, sys, pathlib\n"
        "from bench.attached import gids_card\nfrom vsc.pcsc import Service\nfrom vsc.reader import Reader\n"
        "reader = Reader(); reader.insert(gids_card()); service = Service([reader])\n"
        "with service as env:\n"
        "    status = service.socket_path.stat(); assert status.st_uid == 65534, status\n"
        "    assert service.folder.stat().st_mode & 0o777 == 0o700\n"
        "    done = subprocess.run([sys.argv[1], '-n'], env=env, capture_output=True, text=True)\n"
        "folder = service._folder; assert folder is None\n"
        "print(done.stdout, done.stderr)\n"
    )
    try:
        done = subprocess.run(
            [
                *(require_tool("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"),
                *(sys.executable, "-c", code, require_tool("opensc-tool")),
            ],
            env={"HOME": str(home), "TMPDIR": str(home), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "GIDS Smart Card" in done.stdout, done.stderr
        assert list(home.glob("vsc-*")) == []
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)
