"""No client of PC/SC in the process of a test can wait for what it keeps from the service itself (ring.py).

The service is in a process of its own, which ends with the one it is for.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.need import require_module, unavailable
from vsc.errors import VscError
from vsc.testing.user import pkcs11_module

ROOT = Path(__file__).parents[2]
CLIENTS = Path(__file__).with_name("ring.py")
TESTS = 5
WITHIN_S = 300
GONE_WITHIN_S = 5


@pytest.mark.parametrize("times", [pytest.param(1, id="1"), pytest.param(50, id="50", marks=pytest.mark.long)])
def test_clients_in_this_process(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    for module in ("smartcard", "PyKCS11", "pkcs11"):
        require_module(module)
    try:
        pkcs11_module()
    except VscError as missing:
        unavailable(str(missing))
    monkeypatch.setenv("RING_TIMES", str(times))
    monkeypatch.setenv("HOME", str(pytester.path))
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_ADDOPTS", "PCSCLITE_CSOCK_NAME"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(test_ring=CLIENTS.read_text(encoding="utf-8"))
    # OpenSC would keep a copy of the card's files.
    (pytester.path / "opensc.conf").write_text("app default { framework pkcs15 { use_file_caching = no; } }")
    monkeypatch.setenv("OPENSC_CONF", str(pytester.path / "opensc.conf"))
    result = pytester.runpytest_subprocess("-p", "vsc.testing.plugin", "-q", "-n", "4", timeout=WITHIN_S * times)
    result.assert_outcomes(passed=TESTS * times)


OWNER = """
import os, sys, time
from vsc.testing import Lab, SoftCard
lab = Lab()
lab.__enter__()
reader = lab.new_reader()
reader.insert(SoftCard.make())
{work}
print(lab.service.process._process.pid, lab.service.folder, flush=True)
{wait}
"""
FORKED = "if not os.fork(): time.sleep(60)"
SLOW = """
import threading
reader.inject("delay 60s on SELECT")
threading.Thread(target=reader.transmit, args=(bytes.fromhex("00A40400"),), daemon=True).start()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("work", ["", FORKED, SLOW], ids=["idle", "with a child of its own", "while a card computes"])
def test_the_service_ends_with_its_owner(tmp_path: Path, number: signal.Signals, work: str) -> None:
    """However that ends: no process, no socket, no folder is left."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    env.pop("XDG_RUNTIME_DIR", None)
    code = OWNER.format(work=work, wait="time.sleep(60)")
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, process_group=0) as owner:
        assert owner.stdout is not None
        pid, folder = owner.stdout.readline().split()
        service = os.pidfd_open(int(pid))
        assert Path(folder).is_dir()
        owner.send_signal(number)
        owner.wait()
        try:
            assert has_ended(service, GONE_WITHIN_S)
            assert list(tmp_path.iterdir()) == []
        finally:
            os.close(service)
            os.killpg(owner.pid, signal.SIGKILL) if work == FORKED else None


def has_ended(process: int, within_s: float) -> bool:
    import select

    poller = select.poll()
    poller.register(process, select.POLLIN)
    return bool(poller.poll(within_s * 1000))
