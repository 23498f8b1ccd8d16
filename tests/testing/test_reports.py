"""What pytest says when a test with virtual cards goes wrong: traces, faults that never struck, cards with bugs."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.interop.need import require_module
from tests.testing.conftest import RunPytest

PIN = "97531864"
CONFTEST = f"""
    import pytest

    SELECT = bytes.fromhex("00A4040009A00000039742544659")
    VERIFY = bytes.fromhex("0020008008") + b"{PIN}"

    @pytest.fixture
    def virtual_card_options():
        return {{"pin": "{PIN}"}}

    @pytest.fixture
    def verify(virtual_card, virtual_reader):
        def run():
            virtual_reader.transmit(SELECT)
            return virtual_reader.transmit(VERIFY).hex().upper()
        return run

    class BadCard:
        atr = bytes.fromhex("3B00")
        def power_on(self): return self.atr
        def power_off(self): pass
        def reset(self): return self.atr
        def transmit(self, command): raise ZeroDivisionError("a bug of the card")
"""
TRACE = ["*APDU trace of Virtual Smart Card 00 00*", "*SELECT GIDS*", "*VERIFY PIN*9000*"]


def test_a_failure_has_the_trace_and_no_pin(run_pytest: RunPytest, pytester: pytest.Pytester) -> None:
    test = """
        import pytest
        def test_it(verify):
            assert verify() == "63C4"
        def test_without_traceback(verify):
            verify()
            pytest.fail("on purpose", pytrace=False)
        @pytest.fixture
        def broken(verify):
            verify()
            raise ValueError("broken")
        def test_setup(broken): pass
        @pytest.fixture
        def broken_later(verify):
            yield
            verify()
            raise ValueError("broken")
        def test_teardown(broken_later): pass
        def test_good(verify): assert verify() == "9000"
        @pytest.mark.xfail(strict=True)
        def test_bad_as_expected(verify): assert verify() == "63C4"
    """
    for words in ((), ("-n", "2", "--tb=native", "--show-capture=no")):
        run = run_pytest("--junitxml=report.xml", *words, conftest=CONFTEST, test_it=test)
        run.assert_outcomes(failed=2, passed=2, errors=2, xfailed=1)
        run.stdout.fnmatch_lines(TRACE)
        written = (pytester.path / "report.xml").read_text()
        for text in (run.stdout.str() + run.stderr.str(), written):
            assert text.count("APDU trace of Virtual Smart Card 00 00") == 4
            for secret in (PIN, PIN.encode().hex(), PIN.encode().hex().upper()):
                assert secret not in text


def test_subtests_that_fail_have_the_trace_and_the_test_goes_on(run_pytest: RunPytest) -> None:
    if not hasattr(pytest, "Subtests"):
        pytest.skip("this pytest has no subtests")
    test = """
        import pytest

        @pytest.mark.virtual_card(fault="sw 6F00 on VERIFY")
        def test_it(verify, subtests):
            for wanted in ("6F00", "63C4", "6F00"):
                with subtests.test(wanted):
                    assert verify() == wanted

        @pytest.mark.virtual_card(fault="sw 6F00 on VERIFY")
        def test_never(virtual_card, subtests):
            with subtests.test("one"):
                assert False
    """
    run = run_pytest("-rA", conftest=CONFTEST, test_it=test)
    told = run.stdout.str()
    assert "cannot strike" not in told
    run.stdout.fnmatch_lines(["FAILED test_it.py::test_never - *'sw 6F00 on VERIFY' never struck*"])
    sections = told.split("APDU trace of Virtual Smart Card 00 00")
    assert sections[1].count("VERIFY PIN") < sections[2].count("VERIFY PIN")


def test_each_reader_has_its_trace(run_pytest: RunPytest) -> None:
    test = """
        def test_it(pcsc, card_factory):
            one, two = pcsc.reader("one"), pcsc.reader("two")
            one.insert(card_factory())
            pcsc.unplug(one)
            assert False
    """
    run = run_pytest(test_it=test)
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(["*APDU trace of one*", "*card inserted*", "*APDU trace of two*", "nothing has happened"])


def test_a_fault_that_never_struck_fails_the_test(run_pytest: RunPytest) -> None:
    test = """
        import pytest
        fault = "sw 6F00 on VERIFY"

        @pytest.mark.virtual_card(fault=fault)
        def test_strikes(verify):
            assert verify() == "6F00"

        @pytest.mark.virtual_card(fault=fault)
        def test_never(virtual_card): pass

        @pytest.mark.virtual_card(fault=[fault, "mute on VERIFY nth 2"])
        def test_second_never(verify):
            assert verify() == "6F00"

        def test_injected(virtual_reader, virtual_card):
            virtual_reader.inject(fault)

        @pytest.mark.virtual_card(fault=fault)
        def test_fails_anyway(virtual_card):
            raise ValueError("first")

        @pytest.mark.virtual_card(fault=fault)
        def test_skips(virtual_card):
            pytest.skip("for another reason")

        @pytest.mark.virtual_card(fault=fault + " optional")
        def test_optional(virtual_card): pass

        @pytest.mark.virtual_card(fault=fault)
        def test_no_reader(): pass

        @pytest.mark.virtual_card(fault=fault)
        def test_another_reader(pcsc):
            pcsc.reader()
    """
    run = run_pytest("-rA", conftest=CONFTEST, test_it=test)
    run.assert_outcomes(passed=2, failed=6, skipped=1)
    run.stdout.fnmatch_lines_random(
        [
            "FAILED test_it.py::test_never - Failed: in 'Virtual Smart Card 00 00' 'sw 6F00 on VERIFY' never struck*",
            "FAILED test_it.py::test_second_never - Failed: *'mute on VERIFY nth 2' never struck*",
            "FAILED test_it.py::test_injected - *never struck*",
            "FAILED test_it.py::test_fails_anyway - ValueError: first",
            "FAILED test_it.py::test_no_reader - *cannot strike*",
            "FAILED test_it.py::test_another_reader - *cannot strike*",
        ]
    )
    assert "/vsc/faults/" not in run.stdout.str()


def test_an_exception_of_a_card_is_a_bug(run_pytest: RunPytest) -> None:
    require_module("smartcard")
    test = """
        import pytest
        from conftest import BadCard
        from smartcard.System import readers

        @pytest.fixture
        def use(virtual_reader):
            virtual_reader.insert(BadCard())
            def run():
                connection = readers()[0].createConnection()
                connection.connect()
                assert connection.transmit([0, 0, 0, 0]) == ([], 0x6F, 0)
                connection.disconnect()
            return run

        @pytest.fixture
        def use_later(use):
            yield
            use()

        def test_would_pass(use): use()
        def test_fails(use):
            use()
            raise ValueError("something else")
        def test_teardown(use_later): pass
        def test_fresh(virtual_card): pass
    """
    run = run_pytest("-rA", conftest=CONFTEST, test_it=test)
    run.assert_outcomes(passed=2, failed=2, errors=1)
    bug = "*CardBugError: a card has raised ZeroDivisionError, and its client was given 6F00"
    run.stdout.fnmatch_lines(["*ZeroDivisionError: a bug of the card", bug])
    run.stdout.fnmatch_lines(["*exception of a card*", "*ZeroDivisionError: a bug of the card"])
    assert "something else" in run.stdout.str()


def test_wrong_markers_say_what_is_wrong(run_pytest: RunPytest) -> None:
    test = """
        import pytest
        from vsc import PinPolicy

        @pytest.mark.virtual_card(colour="red")
        def test_option(virtual_card): pass
        @pytest.mark.virtual_card("24681357")
        def test_position(virtual_card): pass
        @pytest.mark.virtual_card(pin="1234", policy=PinPolicy(min_length=6))
        def test_policy(virtual_card): pass
        @pytest.mark.virtual_card(profile="bank")
        def test_profile(virtual_card): pass
        @pytest.mark.virtual_card(tries=99)
        def test_tries(virtual_card): pass
        @pytest.mark.virtual_card(key="no such file")
        def test_key(virtual_card): pass
        @pytest.mark.virtual_card(key="rsa:17")
        def test_size(virtual_card): pass
        @pytest.mark.virtual_card(fault="explode on VERIFY")
        def test_fault(virtual_card): pass
        @pytest.mark.virtual_card(colour="red")
        def test_option_of_user(card_user): pass
    """
    run = run_pytest("-rA", test_it=test)
    run.assert_outcomes(errors=9)
    run.stdout.fnmatch_lines_random(
        [
            "ERROR *::test_option - Failed: a card has no option 'colour'; there is: profile, pin, *",
            "ERROR *::test_position - Failed: the marker virtual_card takes options by name*",
            "ERROR *::test_policy - Failed: *refused*",
            "ERROR *::test_profile - Failed: there is no profile 'bank'; there is: gids*",
            "ERROR *::test_key - Failed: the key file 'no such file' cannot be read*",
            "ERROR *::test_size - Failed: 'rsa:17' is not a kind of key*",
            "ERROR *::test_fault - Failed: *explode*",
        ]
    )
    assert "Traceback" not in run.stdout.str()
    assert "24681357" not in run.stdout.str()


def test_settings_and_overrides(run_pytest: RunPytest) -> None:
    test = """
        import pytest
        from vsc.testing import SoftCard

        pytestmark = pytest.mark.virtual_card(tries=7)

        def test_fixture_and_module(virtual_card):
            assert (virtual_card.pin, virtual_card.gids().pin_tries().left) == ("97531864", 7)

        @pytest.mark.virtual_card(tries=3)
        class TestClass:
            def test_class(self, virtual_card):
                assert (virtual_card.pin, virtual_card.gids().pin_tries().left) == ("97531864", 3)

            @pytest.mark.virtual_card(pin="11223344", seed=1)
            def test_function(self, virtual_card, request):
                assert (virtual_card.pin, virtual_card.gids().pin_tries().left) == ("11223344", 3)
                same = SoftCard.make(pin="11223344", tries=3, seed=1)
                assert same.persistent == virtual_card.persistent

        class TestOwnCard:
            @pytest.fixture
            def virtual_card(self, virtual_reader, card_factory):
                card = card_factory(pin="55667788", key="rsa:2048", certificate="self-signed", name="Mine")
                virtual_reader.insert(card)
                return card

            def test_own_card(self, card_user):
                assert (card_user.pin, card_user.name) == ("55667788", "Mine")
                assert card_user.certificate.issuer == card_user.certificate.subject

        class TestOwnCertificate:
            @pytest.fixture
            def virtual_card_options(self, tmp_path):
                from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
                from vsc.testing.identity import Authority, Stock
                key = Stock().key(1024, 0)
                certificate = Authority("Elsewhere").issue("Joan Clarke", key.public_key())
                secret = BestAvailableEncryption(b"secret")
                pfx = pkcs12.serialize_key_and_certificates(b"Joan", key, certificate, None, secret)
                (tmp_path / "joan.pfx").write_bytes(pfx)
                return {"key": tmp_path / "joan.pfx", "password": "secret"}

            def test_own_certificate(self, card_user):
                assert card_user.name == "Joan Clarke"
    """
    run_pytest(conftest=CONFTEST, test_it=test).assert_outcomes(passed=5)


def kept(page: Path) -> dict[str, Any]:
    _, _, rest = page.read_text(encoding="utf-8").partition('<script type="application/json" id="data">')
    made: dict[str, Any] = json.loads(rest.partition("</script>")[0])
    return made


def test_a_page_is_kept_of_each_test_that_failed(run_pytest: RunPytest, pytester: pytest.Pytester) -> None:
    test = """
        import pytest
        @pytest.mark.virtual_card(fault="sw 6F00 on VERIFY")
        def test_it(verify, pcsc, capsys):
            other = pcsc.reader("Other")
            other.insert(__import__("vsc.testing").testing.SoftCard.make())
            print("what it printed")
            assert verify() == "9000"
            other.reset()
        @pytest.mark.parametrize("word", ["a/b", "a:b"])
        def test_good(verify, word): assert verify() == "9000"
        @pytest.fixture
        def broken_later(verify):
            yield
            verify()
            raise ValueError("broken")
        def test_teardown(broken_later): print("also this")
        def test_without_cards(): assert 0
    """
    for words in ((), ("-n", "2")):
        run = run_pytest("--vsc-trace", "pages", *words, conftest=CONFTEST, test_it=test)
        run.assert_outcomes(passed=3, failed=2, errors=1)
        pages = sorted((pytester.path / "pages").iterdir())
        assert [page.name.rpartition("-")[0] for page in pages] == ["test_it.py-test_it", "test_it.py-test_teardown"]
        run.stdout.fnmatch_lines([f"*{pages[0].name}*"])
        first, second = map(kept, pages)
        assert first["title"] == "test_it.py::test_it"
        assert first["readers"] == ["Virtual Smart Card 00 00", "Other"]
        notes = dict(first["notes"])
        assert "6F00" in notes["call failed"]
        assert notes["faults that struck"] == "Virtual Smart Card 00 00: sw 6F00 on VERIFY"
        assert second["notes"][0][0] == "teardown failed"
        assert "also this" in dict(second["notes"])["Captured stdout call"]
        for page in pages:
            assert PIN not in page.read_text(encoding="utf-8").replace("0020008008", "")
            page.unlink()
    run_pytest("--vsc-trace", "pages", "--vsc-trace-of", "all", "-k", "good", conftest=CONFTEST, test_it=test)
    assert len(list((pytester.path / "pages").iterdir())) == 2
    run = run_pytest("--vsc-trace", "test_it.py/pages", conftest=CONFTEST, test_it=test)
    run.stderr.fnmatch_lines(["*--vsc-trace: *pages cannot be made: Not a directory*"])
