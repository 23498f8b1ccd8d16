"""vsc.cli.key, and `vsc cert delete`."""

import pytest

from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from vsc.factory import home_store
from vsc.store.sqlite import SqliteStore
from vsc.store.summary import summarise

PIN = samples.PIN.decode()


@pytest.fixture
def card(shell: Shell, work: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """With one key and its certificate."""
    monkeypatch.setenv("PIN", PIN)
    monkeypatch.setenv("WRONG", "00000000")
    return "work"


def containers() -> list[tuple[int, list[str]]]:
    return [(one.number, one.certificates) for one in summarise(home_store().read("work")).containers]


def test_a_key_goes_with_its_certificate(shell: Shell, card: str) -> None:
    (before,) = summarise(home_store().read(card)).containers
    out = shell.ok("key", "delete", card, "0", "--yes", "--pin", "env:PIN")
    assert out == f"Deleted {before.name!r} from container 0.\n"
    assert containers() == []
    assert "the card has no key container 0" in shell.fails(1, "key", "delete", card, "0", "--yes", "--pin", "env:PIN")


def test_a_certificate_goes_and_its_key_stays(shell: Shell, card: str) -> None:
    assert shell.ok("cert", "delete", card, "0", "--pin", "env:PIN") == "Deleted the certificate of container 0.\n"
    assert containers() == [(0, [])]
    assert "container 0 has no certificate" in shell.fails(1, "cert", "delete", card, "0", "--pin", "env:PIN")


REFUSED = [
    (1, ("key", "delete", "work", "7", "--yes", "--pin", "env:PIN"), "the card has no key container 7"),
    (1, ("cert", "delete", "work", "7", "--pin", "env:PIN"), "the card has no key container 7"),
    (2, ("key", "delete", "work", "0", "--pin", "env:PIN"), "no terminal to ask on: say --yes"),
    (2, ("key", "delete", "work"), "say the NAME of a card and the number N"),
    (2, ("key", "delete", "work", "0", "1"), "say the NAME of a card and the number N"),
    (2, ("key", "delete", "--reader", "Reader", "work", "0"), "say the NAME of a card and the number N"),
    (2, ("key", "delete", "work", "x"), "'x' is no number of a container"),
    (2, ("cert", "delete", "work", "\u00b2"), "is no number of a container"),
    (4, ("key", "delete", "nobody", "0", "--yes", "--pin", "env:PIN"), "there is no card called 'nobody'"),
]


@pytest.mark.parametrize(("code", "words", "sentence"), REFUSED, ids=[" ".join(words) for _, words, _ in REFUSED])
def test_what_is_refused_leaves_the_card_as_it_is(
    shell: Shell, card: str, code: int, words: tuple[str, ...], sentence: str
) -> None:
    before = home_store().read(card)
    assert sentence in shell.fails(code, *words)
    assert home_store().read(card) == before


@pytest.mark.parametrize("words", [("key", "delete", "work", "0", "--yes"), ("cert", "delete", "work", "0")])
def test_a_wrong_pin_costs_a_try_and_nothing_else(shell: Shell, card: str, words: tuple[str, ...]) -> None:
    before = containers()
    assert "wrong PIN" in shell.fails(5, *words, "--pin", "env:WRONG")
    assert containers() == before
