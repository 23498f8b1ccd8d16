"""The plugin's fixtures and marker, each in a run of pytest of its own."""

import re
import subprocess
import sys

import pytest

from tests.interop.need import require_module
from tests.testing.conftest import INI, RunPytest
from vsc.testing import plugin
from vsc.testing.card_factory import CardOptions

ALL_FIXTURES = """
    import os, subprocess, sys
    import pytest

    SELECT = bytes.fromhex("00A4040009A00000039742544659")
    LIST = "from smartcard.System import readers; print([str(reader) for reader in readers()])"

    def names():
        from smartcard.System import readers
        return [str(reader) for reader in readers()]

    def test_pcsc(pcsc):
        assert names() == []
        one, two = pcsc.reader(), pcsc.reader("Mine")
        assert names() == [one.name, two.name] == ["Virtual Smart Card 00 00", "Mine"]
        pcsc.unplug(one)
        assert names() == ["Mine"]

    def test_virtual_reader(virtual_reader):
        assert names() == [virtual_reader.name]
        assert virtual_reader.card is None

    def test_virtual_card(virtual_card, virtual_reader):
        assert virtual_reader.card is virtual_card
        from smartcard.System import readers
        connection = readers()[0].createConnection()
        connection.connect()
        assert bytes(connection.getATR()) == virtual_card.atr
        assert connection.transmit(list(SELECT))[1] == 0x90
        connection.disconnect()

    def test_fresh_card(virtual_card, virtual_reader):
        assert virtual_card.gids().pin_tries().left == 5
        assert len(virtual_reader.trace.entries) == 1

    def test_card_factory(card_factory, virtual_reader):
        one, two = card_factory(pin="24681357"), card_factory(key="rsa:1024", certificate="ca")
        virtual_reader.insert(one)
        assert virtual_reader.swap(two) is one
        assert virtual_reader.eject() is two

    def test_pcsc_env(virtual_reader, pcsc_env):
        out = subprocess.run([sys.executable, "-c", LIST], env=pcsc_env, capture_output=True, check=True).stdout
        assert virtual_reader.name in out.decode()

    def test_apdu_trace(virtual_card, virtual_reader, apdu_trace):
        virtual_reader.transmit(SELECT)
        assert "SELECT" in apdu_trace.text()
        apdu_trace.clear()
        assert apdu_trace.entries == ()

    @pytest.mark.virtual_card(pin="24681357", key="rsa:1024", name="Grace Hopper")
    def test_card_user_without_certificate(request):
        with pytest.raises(pytest.fail.Exception, match="has a key and a certificate"):
            request.getfixturevalue("virtual_card")
            request.getfixturevalue("card_user")

    @pytest.mark.virtual_card(pin="24681357", name="Grace Hopper")
    def test_card_user(card_user, virtual_card, virtual_reader):
        assert (card_user.name, card_user.pin) == ("Grace Hopper", "24681357")
        assert card_user.card is virtual_card
        assert card_user.reader is virtual_reader
        assert b"BEGIN CERTIFICATE" in card_user.ca_bundle.read_bytes()
        assert card_user.pin not in repr(card_user)

    def test_nothing_is_left(pcsc):
        assert names() == []
"""
ONE = "def test_one(virtual_card, virtual_reader):\n    virtual_reader.transmit(bytes.fromhex('00A4040000'))\n"


def test_with_xdist(run_pytest: RunPytest, pytester: pytest.Pytester) -> None:
    """One service for each worker. A failure brings its trace, and so does junit's XML."""
    require_module("smartcard")
    sockets = """
        import os, pytest
        @pytest.mark.parametrize("n", range(6))
        def test_socket(virtual_card, n):
            print("socket", os.environ["PYTEST_XDIST_WORKER"], os.environ["PCSCLITE_CSOCK_NAME"])
        def test_fails(virtual_card, virtual_reader):
            virtual_reader.transmit(bytes.fromhex("00A4040009A00000039742544659"))
            assert False
    """
    run = run_pytest("-n", "2", "-rP", "--junitxml=report.xml", test_all=ALL_FIXTURES, test_sockets=sockets)
    run.assert_outcomes(passed=16, failed=1)
    pairs = set(re.findall(r"^socket (\w+) (.*)$", run.stdout.str(), re.MULTILINE))
    assert len({worker for worker, _ in pairs}) == len({socket for _, socket in pairs}) == len(pairs) >= 1
    run.stdout.fnmatch_lines(["*APDU trace of Virtual Smart Card 00 00*", "*SELECT GIDS*"])
    assert "APDU trace of Virtual Smart Card 00 00" in (pytester.path / "report.xml").read_text()


def test_the_plugin_costs_nothing_until_it_is_used() -> None:
    code = (
        "import os, sys, pytest\n"
        "before = set(sys.modules)\n"
        "import vsc.testing.plugin\n"
        "print(*sorted(set(sys.modules) - before))\n"
        "print('PCSCLITE_CSOCK_NAME' in os.environ)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "vsc vsc.testing vsc.testing.plugin\nFalse\n"


def test_a_run_that_does_not_use_it(run_pytest: RunPytest) -> None:
    conftest = """
        import os, sys
        def pytest_unconfigure():
            packages = ("vsc", "card_os", "vpcd_bridge", "smartcard")
            ours = [name for name in sys.modules if name.split(".")[0] in packages]
            print("ours:", *sorted(ours), os.environ.get("PCSCLITE_CSOCK_NAME"))
    """
    run = run_pytest("-q", conftest=conftest, test_none="def test_none(): pass\n")
    run.assert_outcomes(passed=1)
    run.stdout.fnmatch_lines(["ours: vsc vsc.testing vsc.testing.plugin None"])


def test_the_variable_is_set_at_first_use_and_taken_back(run_pytest: RunPytest) -> None:
    conftest = """
        import os
        def pytest_sessionstart(): print("before:", os.environ.get("PCSCLITE_CSOCK_NAME"))
        def pytest_unconfigure(): print("after:", os.environ.get("PCSCLITE_CSOCK_NAME"))
    """
    test = """
        import os
        def test_unset(): assert "PCSCLITE_CSOCK_NAME" not in os.environ
        def test_set(pcsc, pcsc_env): assert os.environ["PCSCLITE_CSOCK_NAME"] == pcsc_env["PCSCLITE_CSOCK_NAME"]
        def test_stays(): assert "PCSCLITE_CSOCK_NAME" in os.environ
    """
    run = run_pytest("-q", "-s", conftest=conftest, test_it=test)
    run.assert_outcomes(passed=3)
    run.stdout.fnmatch_lines(["before: None", "after: None"])


def test_libpcsclite_connected_elsewhere_is_an_error_with_its_reason(run_pytest: RunPytest) -> None:
    """Never a reader that nobody sees. Who does not need this process to see it says so."""
    conftest = """
        import ctypes, os
        from vsc.serving.owner import ServiceProcess
        elsewhere = ServiceProcess()
        os.environ["PCSCLITE_CSOCK_NAME"] = elsewhere.start() or str(elsewhere.socket_path)
        assert ctypes.CDLL("libpcsclite.so.1").SCardEstablishContext(2, None, None, ctypes.byref(ctypes.c_long())) == 0
    """
    run = run_pytest("-q", conftest=conftest, test_one=ONE)
    run.assert_outcomes(errors=1)
    run.stdout.fnmatch_lines(["*libpcsclite*of this process talks to another PC/SC service already*"])
    override = """
        import pytest
        from vsc.testing import Lab

        @pytest.fixture(scope="session")
        def pcsc_lab():
            with Lab(in_this_process=False) as lab:
                yield lab

        def test_one(virtual_card, virtual_reader):
            virtual_reader.transmit(bytes.fromhex("00A4040000"))
    """
    run_pytest("-q", test_one=override).assert_outcomes(passed=1)


def test_without_hypothesis_pyscard_and_libpcsclite(run_pytest: RunPytest) -> None:
    conftest = """
        import sys
        class Blocker:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in ("smartcard", "hypothesis"):
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        sys.meta_path.insert(0, Blocker())
    """
    test = """
        from pathlib import Path
        def test_it(virtual_card, virtual_reader, card_user, pcsc_env, apdu_trace):
            virtual_reader.power_on()
            assert virtual_reader.transmit(bytes.fromhex("00A4040009A00000039742544659"))[-2] == 0x90
            try:
                import vsc.pyscard
            except ImportError as error:
                assert "virtual-smart-card[pcsc]" in str(error)
            assert "libpcsclite" not in Path("/proc/self/maps").read_text()
            raise ValueError("on purpose")
    """
    run = run_pytest("-q", "-p", "no:hypothesispytest", "-p", "no:xdist", conftest=conftest, test_it=test)
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(["*ValueError: on purpose", "*APDU trace of*"])


def test_beside_other_plugins_or_none(run_pytest: RunPytest, pytester: pytest.Pytester) -> None:
    fewer = ("junitxml", "logging", "faulthandler", "unraisableexception", "threadexception", "xdist", "doctest")
    run_pytest("-q", *(word for name in fewer for word in ("-p", f"no:{name}")), test_one=ONE).assert_outcomes(passed=1)
    run = pytester.runpytest_subprocess("-q", "-p", "no:vsc.testing.plugin")
    run.assert_outcomes(errors=1)
    run.stdout.fnmatch_lines(["*fixture 'virtual_card' not found"])


def test_every_fixture_and_two_runs_in_one_process(pytester: pytest.Pytester) -> None:
    """libpcsclite of the second run still talks to the service of the first."""
    require_module("smartcard")
    pytester.makeini(INI)
    pytester.makepyfile(test_all=ALL_FIXTURES)
    code = "import pytest; print([int(pytest.main(['-q', '-p', 'vsc.testing.plugin', 'test_all.py'])) for _ in 'ab'])"
    done = pytester.run(sys.executable, "-c", code)
    assert done.stdout.lines[-1] == "[0, 0]"
    assert done.stdout.str().count("10 passed") == 2
    assert done.stderr.str() == ""


def test_the_marker_explains_itself(run_pytest: RunPytest) -> None:
    run = run_pytest("--markers")
    run.stdout.fnmatch_lines(["@pytest.mark.virtual_card(profile, pin, *fault): *"])
    assert set(plugin.OPTIONS.split(", ")) == {*CardOptions.__annotations__, "fault"}


def test_connections_that_nobody_closed(run_pytest: RunPytest) -> None:
    """The garbage collector closes them, wherever it is at work, and at the very end."""
    require_module("smartcard")
    test = """
        import gc
        from smartcard.System import readers
        def test_it(virtual_card, virtual_reader):
            gc.set_threshold(50)
            for _ in range(200):
                connection = readers()[0].createConnection()
                connection.connect(disposition=0)
                connection.transmit([0, 0xA4, 4, 0, 0])
                cycle = [connection]
                cycle.append(cycle)
                virtual_reader.insert(virtual_reader.eject())
        def test_fails(virtual_card):
            connection = readers()[0].createConnection()
            connection.connect()
            raise ValueError("pytest keeps the connection")
    """
    run = run_pytest("-q", test_it=test)
    run.assert_outcomes(passed=1, failed=1)
    assert "unraisable" not in run.stdout.str().lower()
    assert run.stderr.str() == ""
