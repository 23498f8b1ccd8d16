"""`vsc attach` against a real pcscd: cards come, stay, are used at once, and leave; what it says on the way."""

import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.interop.conftest import PlugIn, StartPcscd
from tests.interop.pcscd_harness import PrivatePcscd
from tests.interop.vsc_cards import (
    PIN,
    VSC,
    Attach,
    PluggedIn,
    Vsc,
    colons,
    initialise,
    wait_for_ready,
    wait_for_words,
)

HUNG_UP = "hung up; calling again"
IN_READER = "the card is in the reader"


@pytest.fixture
def two_cards(pcscd: PrivatePcscd, vsc: Vsc, attach: Attach, tmp_path: Path) -> tuple[PluggedIn, PluggedIn]:
    """One of either kind in one `vsc attach`, each with a key."""
    vsc.create("one")
    vsc.create("two", "--blank")
    attached = attach(pcscd, "one", "two")
    cards = []
    for slot, name in enumerate(("one", "two")):
        folder = tmp_path / f"files of {name}"
        folder.mkdir()
        cards.append(PluggedIn(pcscd, vsc, attach, name, folder, slot=slot, attached=attached))
    initialise(cards[1])
    for card in cards:
        card.generate(2048, label=f"key of {card.name}")
    return cards[0], cards[1]


def attach_inside(pcscd: PrivatePcscd, vsc: Vsc, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `vsc attach` to its own end."""
    return pcscd.run_inside(VSC, "attach", *arguments, env=vsc.env, check=False)


def verified(card: PluggedIn, data: Path, public: Path) -> str:
    return card.openssl("dgst", "-sha256", "-verify", public, "-signature", card.sign(data), data)


def serial(card: PluggedIn) -> str:
    lines = card.tool("pkcs15-tool", "--dump").stdout.splitlines()
    return next(line.split(":")[1].strip().upper() for line in lines if "Serial number" in line)


def test_two_cards_are_two(two_cards: tuple[PluggedIn, PluggedIn]) -> None:
    one, two = two_cards
    assert [serial(card) for card in two_cards] == [card.vsc.show(card.name)["serial"] for card in two_cards]
    assert serial(one) != serial(two)
    slots = one.pkcs11("--list-token-slots", login=False).stdout
    assert slots.count("token label        : GIDS card") == 2  # OpenSC 0.23 has the name of the PIN behind it.
    assert len({line for line in slots.splitlines() if "serial num" in line}) == 2
    assert "key of one" in one.objects()
    assert "key of two" not in one.objects()
    assert "key of two" in two.objects()
    one.tool("pkcs15-tool", "--verify-pin", "--pin", "wrong", check=False)
    assert (one.tries_left(), two.tries_left()) == (4, 5)


def test_two_cards_are_used_at_once(two_cards: tuple[PluggedIn, PluggedIn]) -> None:
    """Two programs sign in a loop, each with its card, and in the end each has what only its card can make."""
    publics = [card.public_key() for card in two_cards]
    assert publics[0].read_text() != publics[1].read_text()

    def sign_all(card: PluggedIn, public: Path) -> list[str]:
        return [verified(card, card.file(f"data{n}", bytes([n]) * 99), public) for n in range(8)]

    with ThreadPoolExecutor() as pool:
        results = list(pool.map(sign_all, two_cards, publics))
    assert results == [8 * ["Verified OK\n"]] * 2


def test_two_processes_two_slots(pcscd: PrivatePcscd, vsc: Vsc, attach: Attach, tmp_path: Path) -> None:
    """The second slot may be filled first and alone."""
    vsc.create("one")
    vsc.create("two")
    two = PluggedIn(pcscd, vsc, attach, "two", tmp_path, slot=1)
    assert not pcscd.reader_state(0).present
    two.generate(1024)
    attach(pcscd, "one")
    assert "key" in two.objects()
    assert two.attached.signal(signal.SIGTERM) == 0
    pcscd.wait_for_no_card(1)
    assert pcscd.reader_state(0).present


def test_pcscd_restarts_under_a_card(plug_in: PlugIn) -> None:
    card = plug_in()
    card.generate(2048)
    public, data = card.public_key(), card.file("data", b"x" * 99)
    assert card.attached.said.count(IN_READER) == 1
    for times in (1, 2):
        card.pcscd.kill()
        wait_for_words(card.attached, HUNG_UP, times)
        card.pcscd.start()
        card.pcscd.wait_for_card()
        assert verified(card, data, public) == "Verified OK\n"
        wait_for_words(card.attached, IN_READER, 1 + times)
    where = card.pcscd.slots[0].vpcd
    there, gone = f"card: {IN_READER} at {where}", f"card: {where} {HUNG_UP}"
    # Each thing once, though it called many times in between.
    assert card.attached.said.splitlines() == [there, gone, there, gone, there]
    assert card.attached.signal(signal.SIGINT) == 0


def test_a_restart_of_pcscd_is_a_reset(plug_in: PlugIn) -> None:
    """No PIN stays verified, and no wrong one is forgotten."""
    card = plug_in()
    card.tool("pkcs15-tool", "--verify-pin", "--pin", "wrong", check=False)
    card.pcscd.restart()
    card.pcscd.wait_for_card()
    assert card.tries_left() == 4
    card.tool("pkcs15-tool", "--verify-pin", "--pin", PIN)
    card.pcscd.restart()
    card.pcscd.wait_for_card()
    refused = card.pkcs11("--keypairgen", "--key-type", "rsa:1024", login=False, check=False)
    assert refused.returncode == 1
    assert card.vsc.containers("card") == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_takes_the_card_out(plug_in: PlugIn, number: signal.Signals) -> None:
    card = plug_in("--tries", "3")
    card.generate(1024)
    card.tool("pkcs15-tool", "--verify-pin", "--pin", "wrong", check=False)
    assert card.attached.signal(number) == 0
    card.pcscd.wait_for_no_card()
    assert card.vsc.tries_left("card") == 2
    assert card.vsc.containers("card") == [(0, "key exchange", "RSA 1024")]
    assert "Traceback" not in card.attached.said


def test_a_card_leaves_in_the_middle_of_a_transaction(plug_in: PlugIn) -> None:
    """A program that holds the card for long gets an error, and does not hang."""
    card = plug_in()
    verify = ["--send-apdu", "0020008008" + PIN.encode().hex()]
    query = ["opensc-tool", "--reader", "0", *20_000 * verify]
    program = subprocess.Popen(query, env=card.pcscd.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with program:
        assert program.stdout is not None
        for line in program.stdout:
            if "SW1=0x6" in line or "SW1=0x9" in line:
                break
        assert card.attached.signal(signal.SIGTERM) == 0
        _, said = program.communicate(timeout=30)
    assert program.returncode == 1
    assert "APDU transmit failed" in said
    card.pcscd.wait_for_no_card()
    card.plug_in()
    assert card.tries_left() == 5


def test_a_taken_slot_is_said(plug_in: PlugIn, attach: Attach) -> None:
    card = plug_in()
    card.vsc.create("late")
    started = time.monotonic()
    late = attach.start(card.pcscd, "late")
    wait_for_words(late, "late: 127.0.0.1:35963 says nothing: another card is in that slot")
    assert time.monotonic() - started > 2
    assert late.process.poll() is None
    assert serial(card) == card.vsc.show("card")["serial"]
    # It gets the slot when the other one leaves.
    assert card.attached.signal(signal.SIGINT) == 0
    wait_for_ready(late)
    card.pcscd.wait_for_card()
    assert serial(card) == card.vsc.show("late")["serial"]
    assert late.said.count("says nothing") == 1
    assert late.signal(signal.SIGINT) == 0


def test_nothing_listens(pcscd: PrivatePcscd, vsc: Vsc) -> None:
    """One line at once, so that a person need not wonder, and one sentence at the end."""
    vsc.create("card")
    started = time.monotonic()
    done = attach_inside(pcscd, vsc, "card", "--vpcd", "127.0.0.1:9")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "card: nothing answers at 127.0.0.1:9 (Connection refused); trying again",
        "vsc: nothing answers at 127.0.0.1:9 (Connection refused): is pcscd running, with vpcd?",
    ]
    assert time.monotonic() - started > 4


def test_pcscd_may_come_a_little_later(pcscd: PrivatePcscd, vsc: Vsc, attach: Attach) -> None:
    vsc.create("card")
    pcscd.kill()
    attached = attach.start(pcscd, "card")
    wait_for_words(attached, "nothing answers")
    pcscd.start()
    wait_for_ready(attached)
    pcscd.wait_for_card()


def test_a_card_is_attached_once(plug_in: PlugIn) -> None:
    card = plug_in()
    second = attach_inside(card.pcscd, card.vsc, "card", "--vpcd", card.pcscd.slots[1].vpcd)
    in_use = (1, "", "vsc: card 'card' is in use by another process\n")
    assert (second.returncode, second.stdout, second.stderr) == in_use
    sent = card.vsc("transmit", "card", "00A40000023FFF", check=False)
    assert (sent.returncode, sent.stdout, sent.stderr) == in_use
    assert not card.pcscd.reader_state(1).present
    card.tool("pkcs15-tool", "--verify-pin", "--pin", PIN)
    # A lock of a killed process is no lock.
    assert card.attached.signal(signal.SIGKILL) == -signal.SIGKILL
    card.plug_in()


def test_list_and_show_read_beside_an_attached_card(plug_in: PlugIn) -> None:
    card = plug_in()
    card.vsc.create("other")
    card.tool("pkcs15-tool", "--verify-pin", "--pin", "wrong", check=False)
    card.generate(1024, label="fresh")
    shown = card.vsc("show", "card").stdout
    assert "fresh (key exchange, default)" in shown
    assert "5 of 5 tries left" in shown
    card.tool("pkcs15-tool", "--verify-pin", "--pin", "wrong", check=False)
    listed = card.vsc("list").stdout.splitlines()
    assert [line.split()[0] for line in listed[1:]] == ["card", "other"]
    assert "4 of 5" in listed[1]
    assert card.tries_left() == 4


def test_attach_for_a_time(pcscd: PrivatePcscd, vsc: Vsc) -> None:
    vsc.create("card")
    done = attach_inside(pcscd, vsc, "card", "--for", "3")
    assert (done.returncode, done.stdout, done.stderr) == (0, "ready\n", f"card: {IN_READER} at 127.0.0.1:35963\n")
    pcscd.wait_for_no_card()


def test_vpcd_may_call_two_cards(start_pcscd: StartPcscd, vsc: Vsc, attach: Attach, tmp_path: Path) -> None:
    pcscd = start_pcscd(vpcd_calls=True)
    for name in ("one", "two"):
        vsc.create(name)
    attached = attach.start(pcscd, "one", "two", "--listen", pcscd.slots[0].vpcd)
    pcscd.start()
    wait_for_ready(attached)
    for slot, name in enumerate(("one", "two")):
        pcscd.wait_for_card(slot)
        card = PluggedIn(pcscd, vsc, attach, name, tmp_path, slot=slot, attached=attached)
        assert serial(card) == vsc.show(name)["serial"]
        card.generate(1024, label=name)
        assert name in card.objects()
    assert attached.signal(signal.SIGTERM) == 0
    # vpcd 3.3 does not survive that, which is why listening is the lesser way; see vpcd_bridge/server.py.


def test_vpcd_may_call_one_card(start_pcscd: StartPcscd, vsc: Vsc, attach: Attach, tmp_path: Path) -> None:
    """The other slot of the reader shows a card that is mute, which harms nobody."""
    pcscd = start_pcscd(vpcd_calls=True)
    atr = vsc.create("card")["atr"]
    attached = attach.start(pcscd, "card", "--listen", pcscd.slots[0].vpcd)
    pcscd.start()
    wait_for_ready(attached)
    pcscd.wait_for_card()
    card = PluggedIn(pcscd, vsc, attach, "card", tmp_path, attached=attached)
    assert card.tool("opensc-tool", "--atr").stdout.strip() == colons(atr)
    card.tool("pkcs15-tool", "--verify-pin", "--pin", PIN)
    assert attached.signal(signal.SIGINT) == 0
