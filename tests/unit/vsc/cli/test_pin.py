"""vsc.cli.pin: verify, change, reset; by NAME and by reader, and with every kind of right."""

import sys
from pathlib import Path

import pytest

from card_os.pin import PinPolicy
from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from tests.unit.vsc.samples import gids_state
from vsc.factory import create
from vsc.interaction import PinScript, QuestionKind, user_interaction
from vsc.machine import InProcessMachine
from vsc.store.sqlite import SqliteStore

PIN, WRONG, NEW = samples.PIN.decode(), "11111111", "n3w-s3cr3t"
RESPONDER = """
import sys
import vsc
challenge = bytes.fromhex(sys.argv[1])
print(vsc.calculate_response(challenge, bytes.fromhex(open(sys.argv[0] + ".key").read())).hex())
"""


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"PIN": PIN, "WRONG": WRONG, "NEW": NEW, "KEY": samples.ADMIN_KEY.hex(), "WRONG_KEY": "00" * 24}
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def pin_of(store: SqliteStore, name: str = "work") -> bytes:
    value = gids_state(store.read(name)).pin.value
    assert value is not None
    return value.reveal()


def tries_left(store: SqliteStore) -> int:
    return gids_state(store.read("work")).pin.tries_left


class TestVerify:
    def test_right_and_wrong(self, shell: Shell, work: SqliteStore) -> None:
        assert shell.ok("pin", "verify", "work", "--pin", "env:PIN") == "The PIN is right.\n"
        assert shell.fails(5, "pin", "verify", "work", "--pin", "env:WRONG") == "vsc: wrong PIN, 2 tries left\n"
        assert shell.fails(5, "pin", "verify", "work", "--pin", "env:WRONG") == "vsc: wrong PIN, 1 try left\n"
        shell.ok("pin", "verify", "work", "--pin", "env:PIN")
        assert tries_left(work) == 3

    def test_blocked(self, shell: Shell, work: SqliteStore) -> None:
        for _ in range(3):
            shell.fails(5, "pin", "verify", "work", "--pin", "env:WRONG")
        error = shell.fails(5, "pin", "verify", "work", "--pin", "env:PIN")
        assert error.startswith("vsc: the PIN is blocked: 'vsc pin reset' gives it its tries back")

    def test_a_card_in_a_reader_by_its_name_or_a_part_of_it(
        self, shell: Shell, work: SqliteStore, machine: InProcessMachine
    ) -> None:
        reader = machine.plug("work")
        for name in (reader.name, "Smart Card 00"):
            assert shell.ok("pin", "verify", "--reader", name, "--pin", "env:PIN") == "The PIN is right.\n"
        assert shell.ok("pin", "verify", "work", "--pin", "env:PIN")
        error = shell.fails(4, "pin", "verify", "--reader", "other", "--pin", "env:PIN")
        assert error == f"vsc: there is no reader 'other'; there is: {reader.name}\n"

    def test_a_person_is_asked(self, shell: Shell, work: SqliteStore) -> None:
        for options in ((), ("--pin", "prompt")):
            with user_interaction(PinScript([WRONG, PIN])) as script:
                assert shell.ok("pin", "verify", "work", *options) == "The PIN is right.\n"
            assert [(one.kind, one.tries_left) for one in script.questions] == [  # type: ignore[attr-defined]
                (QuestionKind.CURRENT_PIN, 3),
                (QuestionKind.CURRENT_PIN, 2),
            ]

    def test_a_person_who_cancels(self, shell: Shell, work: SqliteStore) -> None:
        with user_interaction(PinScript([None])):
            assert shell.fails(3, "pin", "verify", "work") == "cancelled\n"
        assert tries_left(work) == 3


class TestChange:
    def test_it(self, shell: Shell, work: SqliteStore) -> None:
        out = shell.ok("pin", "change", "work", "--old-pin", "env:PIN", "--new-pin", "env:NEW")
        assert out == "The PIN is changed.\n"
        assert pin_of(work) == NEW.encode()

    def test_a_wrong_old_one(self, shell: Shell, work: SqliteStore) -> None:
        error = shell.fails(5, "pin", "change", "work", "--old-pin", "env:WRONG", "--new-pin", "env:NEW")
        assert error == "vsc: wrong PIN, 2 tries left\n"
        assert pin_of(work) == samples.PIN

    def test_a_new_one_against_the_policy_costs_no_try(
        self, shell: Shell, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create("work", pin=samples.PIN, policy=PinPolicy(min_length=6), store=store)
        monkeypatch.setenv("NEW", "12345")
        error = shell.fails(5, "pin", "change", "work", "--old-pin", "env:PIN", "--new-pin", "env:NEW")
        assert error == "vsc: the new PIN is refused: a PIN has 6 to 127 characters\n"
        assert (pin_of(store), tries_left(store)) == (samples.PIN, 5)

    def test_a_person_is_asked_for_what_is_not_said(self, shell: Shell, work: SqliteStore) -> None:
        with user_interaction(PinScript([PIN, NEW])):
            shell.ok("pin", "change", "work")
        with user_interaction(PinScript([PIN])):
            shell.ok("pin", "change", "work", "--old-pin", "env:NEW")
        assert pin_of(work) == samples.PIN


class TestReset:
    WAYS = (("--admin-key", "env:KEY"), ("--admin-key", "stored"))

    @pytest.mark.parametrize("way", WAYS)
    def test_with_the_admin_key(self, shell: Shell, work: SqliteStore, way: tuple[str, str]) -> None:
        for _ in range(3):
            shell.fails(5, "pin", "verify", "work", "--pin", "env:WRONG")
        assert shell.ok("pin", "reset", "work", *way, "--new-pin", "env:NEW") == "The PIN is reset.\n"
        assert (pin_of(work), tries_left(work)) == (NEW.encode(), 3)

    def test_with_a_wrong_admin_key(self, shell: Shell, work: SqliteStore) -> None:
        error = shell.fails(5, "pin", "reset", "work", "--admin-key", "env:WRONG_KEY", "--new-pin", "env:NEW")
        assert "that is not the card's admin key" in error
        assert pin_of(work) == samples.PIN

    def test_without_anything_no_key_is_taken_from_the_store(self, shell: Shell, work: SqliteStore) -> None:
        error = shell.fails(2, "pin", "reset", "work", "--new-pin", "env:NEW")
        assert "Invalid value for --admin-key: there is no terminal to ask on" in error
        assert pin_of(work) == samples.PIN

    def test_with_a_program_that_answers_the_challenge(self, shell: Shell, work: SqliteStore, tmp_path: Path) -> None:
        program = tmp_path / "answer it.py"
        program.write_text(RESPONDER)
        (tmp_path / "answer it.py.key").write_text(samples.ADMIN_KEY.hex())
        command = f"'{sys.executable}' '{program}'"
        assert shell.ok("pin", "reset", "work", "--respond", command, "--new-pin", "env:NEW") == "The PIN is reset.\n"
        assert pin_of(work) == NEW.encode()

    @pytest.mark.parametrize(
        ("command", "code", "text"),
        [
            ("false", 1, "false gave no response: it ended with 1"),
            ("echo", 5, "that is not the card's admin key"),
            ("echo no", 1, "what echo printed is no response in hexadecimal"),
            ("/no/such/program", 1, "/no/such/program cannot be started: No such file or directory"),
            ("'", 2, "no closing quotation"),
            ("", 2, "say a command"),
        ],
    )
    def test_with_a_program_that_does_not(
        self, shell: Shell, work: SqliteStore, command: str, code: int, text: str
    ) -> None:
        assert text in shell.fails(code, "pin", "reset", "work", "--respond", command, "--new-pin", "env:NEW")
        assert pin_of(work) == samples.PIN

    def test_with_the_puk(self, shell: Shell, store: SqliteStore) -> None:
        create("work", pin=samples.PIN, puk=b"87654321", store=store)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PUK", "87654321")
            shell.ok("pin", "reset", "work", "--puk", "env:PUK", "--new-pin", "env:NEW")
        assert pin_of(store) == NEW.encode()
        wrong = shell.fails(5, "pin", "reset", "work", "--puk", "default", "--new-pin", "env:PIN")
        assert wrong == "vsc: wrong PUK, 4 tries left\n"
        other = shell.fails(1, "pin", "reset", "work", "--admin-key", "stored", "--new-pin", "env:PIN")
        assert "with its PUK, not with the admin key" in other
        assert pin_of(store) == NEW.encode()

    @pytest.mark.parametrize(
        ("options", "text"),
        [
            (("--puk", "default", "--admin-key", "stored"), "--puk excludes --admin-key and --respond"),
            (("--puk", "default", "--respond", "x"), "--puk excludes --admin-key and --respond"),
            (("--respond", "x", "--admin-key", "stored"), "--admin-key and --respond exclude each other"),
            (("--admin-key", "random"), "say stored|prompt|default|env:VAR|file:PATH"),
        ],
    )
    def test_what_excludes_each_other(
        self, shell: Shell, work: SqliteStore, options: tuple[str, ...], text: str
    ) -> None:
        assert text in shell.fails(2, "pin", "reset", "work", "--new-pin", "env:NEW", *options)

    def test_a_card_in_a_reader_has_no_stored_key(
        self, shell: Shell, work: SqliteStore, machine: InProcessMachine
    ) -> None:
        name = machine.plug("work").name
        error = shell.fails(2, "pin", "reset", "--reader", name, "--admin-key", "stored", "--new-pin", "env:NEW")
        assert "the key of a card in a reader is not stored here" in error
        shell.ok("pin", "reset", "--reader", name, "--admin-key", "env:KEY", "--new-pin", "env:NEW")
        assert pin_of(work) == NEW.encode()


@pytest.mark.parametrize("verb", ["verify", "change", "reset"])
class TestUsage:
    def test_which_card_must_be_said_once(self, shell: Shell, home: Path, verb: str) -> None:
        assert "say the NAME of a card, or --reader READER\n" in shell.fails(2, "pin", verb)
        assert "not both" in shell.fails(2, "pin", verb, "work", "--reader", "x")

    def test_an_encrypted_card(self, shell: Shell, home: Path, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
        SqliteStore(home, passphrase=b"open", scrypt_cost=2).create(samples.image())
        options = {
            "verify": ("--pin", "env:PIN"),
            "change": ("--old-pin", "env:PIN", "--new-pin", "env:NEW"),
            "reset": ("--admin-key", "env:KEY", "--new-pin", "env:NEW"),
        }[verb]
        assert "card 'work' is locked: say --passphrase" in shell.fails(5, "pin", verb, "work", *options)
        monkeypatch.setenv("PASS", "open")
        shell.ok("pin", verb, "work", "--passphrase", "env:PASS", *options)
        monkeypatch.setenv("PASS", "wrong")
        assert "wrong passphrase" in shell.fails(5, "pin", verb, "work", "--passphrase", "env:PASS", *options)
