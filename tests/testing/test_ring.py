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
from tests.testing.conftest import RunPytest
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
print(lab.service.process.pid, lab.service.folder, flush=True)
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


SHORT = """
    import pytest
    import vsc.serving.owner as owner
    owner.SILENT_S, owner._LOOK_S = 1, 0.1
"""
SILENT = """
    import os, signal
    import pytest
    from smartcard.System import readers

    def test_silent(pcsc, virtual_card):
        os.kill(pcsc.lab.service.process.pid, signal.SIGSTOP)
        readers()

    def test_later(virtual_card):
        pass
"""


@pytest.mark.parametrize("words", [(), ("-n", "1")], ids=["here", "in a worker"])
def test_a_service_that_is_silent_ends_the_run(run_pytest: RunPytest, words: tuple[str, ...]) -> None:
    """With all stacks and one sentence, wherever pytest captures what tests write."""
    require_module("smartcard")
    run = run_pytest("-q", *words, conftest=SHORT, test_it=SILENT)
    run.assert_outcomes(failed=1, errors=run.parseoutcomes().get("errors", 0))
    told = run.stderr.str() + run.stdout.str()
    assert told.count("silent for 1 s, and was ended") >= 1
    assert "most recent call first" in told
    assert "test_silent" in told.partition("the stacks of this one")[2].partition("its own")[0]
    assert "Interrupted: the process that serves PC/SC is gone" in told


STUCK = """
    import ctypes
    import pytest

    def stick():
        import gc
        import vsc.serving.process
        from vsc.pcsc import Service
        vsc.serving.process.SILENT_S = 1
        for one in gc.get_objects():
            if isinstance(one, Service):
                one._lock.acquire()

    class Sticky:
        def __reduce__(self):
            return stick, ()

    def test_stuck(pcsc, virtual_card):
        pcsc.lab.service.process._over.set()  # Nobody watches from here: this test holds the interpreter's lock.
        service = ctypes.PyDLL("libpcsclite.so.1")
        with pytest.raises(Exception):
            pcsc.lab.service.process.call("lay", 0, Sticky())
        assert service.SCardEstablishContext(2, None, None, ctypes.byref(ctypes.c_long())) != 0
"""


def test_a_service_that_is_stuck_lets_its_clients_go(run_pytest: RunPytest) -> None:
    require_module("cloudpickle")
    run = run_pytest("-q", conftest="import vsc.serving.process as p\n", test_it=STUCK)
    told = run.stderr.str() + run.stdout.str()
    assert "the PC/SC service was silent for 1 s; its stacks are above" in told
    assert "most recent call first" in told
