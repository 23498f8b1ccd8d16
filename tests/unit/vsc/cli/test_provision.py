"""vsc.cli.provision."""

import uuid

import pytest

from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from vsc.machine import InProcessMachine
from vsc.store.sqlite import SqliteStore
from vsc.store.summary import summarise

STORED = ("--admin-key", "stored")
NEW_ID = "00112233-4455-6677-8899-aabbccddeeff"


def test_a_format_deletes_keys_and_gives_a_new_id(shell: Shell, work: SqliteStore) -> None:
    assert summarise(work.read("work")).containers
    out = shell.ok("provision", "work", "--format", "--yes", *STORED)
    after = summarise(work.read("work"))
    assert out == f"Formatted: {after.card_id}.\n"
    assert (after.containers, after.life_cycle) == ([], "operational")
    assert after.card_id not in (None, samples.UUID_OF_CARD_ID)
    assert after.pin == {"tries_left": 3, "try_limit": 3}


def test_a_format_with_an_id(shell: Shell, work: SqliteStore) -> None:
    shell.ok("provision", "work", "--format", "--yes", "--card-id", NEW_ID, *STORED)
    assert summarise(work.read("work")).card_id == NEW_ID


def test_an_id_alone_keeps_the_keys(shell: Shell, work: SqliteStore) -> None:
    out = shell.ok("provision", "work", "--card-id", f"{{{NEW_ID.upper()}}}", *STORED)
    assert out == f"The card has a new id: {NEW_ID}.\n"
    after = summarise(work.read("work"))
    assert after.card_id == NEW_ID
    assert after.containers == summarise(samples.image("work", samples.state_with_key())).containers


def test_a_card_without_a_file_system_gets_one(shell: Shell, store: SqliteStore) -> None:
    shell.ok("create", "work", "--pin", "default", "--no-file-system")
    shell.ok("provision", "work", "--format", "--yes", *STORED)
    found = summarise(store.read("work")).card_id
    assert found is not None
    assert uuid.UUID(found).version == 4
    shell.ok("pin", "verify", "work", "--pin", "default")


def test_a_card_in_a_reader(
    shell: Shell, work: SqliteStore, machine: InProcessMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", samples.ADMIN_KEY.hex())
    reader = machine.plug("work").name
    shell.ok("provision", "--reader", reader, "--card-id", NEW_ID, "--admin-key", "env:KEY")
    assert summarise(work.read("work")).card_id == NEW_ID


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("work", *STORED), 2, "nothing to do: say --format, --card-id or both"),
        (("work", "--format", *STORED), 2, "no terminal to ask on: say --yes"),
        (("work", "--format", "--yes", "--admin-key", "default"), 5, "that is not the card's admin key"),
        (("work", "--format", "--yes"), 2, "there is no terminal to ask on"),
        (("work", "--card-id", "x", *STORED), 2, "'x' is not a valid UUID"),
        (("gone", "--format", "--yes", *STORED), 4, "there is no card called 'gone'"),
    ],
)
def test_what_changes_nothing(shell: Shell, work: SqliteStore, words: tuple[str, ...], code: int, text: str) -> None:
    before = work.read("work")
    assert text in shell.fails(code, "provision", *words)
    assert work.read("work") == before
