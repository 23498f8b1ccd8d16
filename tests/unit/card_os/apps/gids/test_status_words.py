"""Every status word of gids.md section 8, each provoked once."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from card_os.apps.gids.state import LifeCycle
from card_os.memory import Persistent
from card_os.pin import Pin
from card_os.secret import Secret
from card_os.sw import SW
from tests.unit.card_os.apps.gids.gids_card import (
    ADMIN_KEY,
    DELETE,
    MSE_ADMIN,
    PIN,
    SELECT_GIDS,
    FixedEnv,
    GidsCard,
    card_with_ec,
    card_with_rsa,
    create,
    crt,
    exchange_crts,
    get,
    key_fcp,
    mse,
    put,
    ready_card,
    ready_state,
)
from vsc.profiles import GIDS

Make = Callable[[], GidsCard]


def user() -> GidsCard:
    card = card_with_rsa()
    card.login()
    return card


def both() -> GidsCard:
    card = card_with_rsa()
    card.prove("both")
    return card


def terminated() -> GidsCard:
    return GidsCard(replace(ready_state(), life_cycle=LifeCycle.TERMINATED))


def initialising() -> GidsCard:
    return GidsCard(replace(ready_state(), life_cycle=LifeCycle.INITIALISATION))


def blocked() -> GidsCard:
    return GidsCard(replace(ready_state(), pin=Pin(Secret(PIN), 3, 0)))


def admin_blocked() -> GidsCard:
    card = ready_card(admin_try_limit=1)
    card.ask_challenge()
    card.respond(bytes(8))
    card.run(MSE_ADMIN)
    return card


def challenged() -> GidsCard:
    card = ready_card()
    card.ask_challenge()
    return card


def admin_chosen() -> GidsCard:
    card = ready_card()
    card.run(MSE_ADMIN)
    return card


def signing() -> GidsCard:
    card = user()
    card.run(mse("B6", 0x56))
    return card


def erased() -> GidsCard:
    card = signing()
    card.run("00DB3FFF077005840181A500")
    return card


def deleted() -> GidsCard:
    card = signing()
    card.run("00A4000C02B081", DELETE)
    return card


def deciphering() -> GidsCard:
    card = user()
    card.run(mse("B8", 0x46))
    return card


def curve() -> GidsCard:
    card = card_with_ec()
    card.login()
    card.run("002241A403840181")
    return card


def full() -> GidsCard:
    card = both()
    for number in range(64 - len(card.state.files)):
        card.run(create(f"620C8201398302C0{number:02X}8C03033000"))
    return card


def broken_store() -> GidsCard:
    def fail(_: Persistent) -> None:
        raise OSError("disk full")

    card = ready_card()
    card.card = GIDS.card(GIDS.persistent(ready_state()), FixedEnv(), store=fail)
    return card


NEW = create("620C8201398302A0208C03033000")
VERIFY = "0020008008" + PIN.hex()
WRONG = "0020008008" + b"00000000".hex()
RESET = "002C028008" + PIN.hex()
SIGN = "002A9E9A020102"

CASES: list[tuple[str, Make, str]] = [
    ("9000", ready_card, VERIFY),
    ("9000", user, "00200080"),
    ("6131", lambda: card_with_rsa(2048), "00CB3FFF0A7008840181A5037F4980DD"),
    ("610E", lambda: card_with_rsa(2048), "00CB3FFF0A7008840181A5037F498000"),
    ("6285", terminated, SELECT_GIDS),
    ("63C2", ready_card, WRONG),
    ("63C3", ready_card, "00200080"),
    ("63C2", ready_card, "0024008010" + b"0000000012345678".hex()),
    ("63C2", lambda: ready_card(puk=b"99998888"), "002C008010" + b"0000000012345678".hex()),
    ("6581", broken_store, VERIFY),
    ("6700", user, DELETE + "0100"),
    ("6700", signing, "002A9E9AFF" + "00" * 255),
    ("6700", deciphering, "002A808602" + "0102"),
    ("6700", ready_card, "00CB"),
    ("6881", ready_card, "01200080"),
    ("6881", ready_card, "40200080"),
    ("6882", ready_card, "0C200080"),
    ("6882", ready_card, "04CBA010045C02DF2100"),
    ("6884", ready_card, "10CBA010045C02DF21"),
    ("6884", user, "1024008004" + "31323334"),
    ("6981", ready_card, get(0xB080, 0xDF21)),
    ("6981", user, put(0xB080, 0xDF21, b"")),
    ("6982", ready_card, get(0xA014, 0xDF21)),
    ("6982", ready_card, put(0xA010, 0xDF21, b"")),
    ("6982", ready_card, NEW),
    ("6982", both, "00E60000"),
    ("6982", card_with_rsa, mse("B6", 0x56)),
    ("6982", user, RESET),
    ("6982", challenged, "008700000C7C0A8208" + "00" * 8),
    ("6983", blocked, VERIFY),
    ("6983", blocked, "00200080"),
    ("6983", blocked, "0024008010" + PIN.hex() * 2),
    ("6983", admin_blocked, "00870000047C02810000"),
    ("6984", erased, SIGN),
    ("6985", ready_card, "00C0000000"),
    ("6985", ready_card, "00870000047C02810000"),
    ("6985", admin_chosen, "008700000C7C0A8208" + "00" * 8),
    ("6985", user, SIGN),
    ("6985", terminated, VERIFY),
    ("6986", initialising, RESET),
    ("6986", initialising, VERIFY),
    ("6986", ready_card, "0024018008" + PIN.hex()),
    ("6986", both, DELETE),
    ("6A80", ready_card, "00CBA010025D00"),
    ("6A80", user, "0024008009" + PIN.hex() + "31"),
    ("6A80", user, create("620C8201398302FFFF8C03033000")),
    ("6A80", admin_chosen, "00870000028100"),
    ("6A80", both, put(0xA012, 0xDF7E, b"\x01")),
    ("6A80", user, mse("B6", 0x57)),
    ("6A81", user, create(key_fcp([crt("B6", 0x1A, 0x82)], 0xB082))),
    ("6A81", user, "0047000008AC0680010A830181"),
    ("6A81", curve, "00880000047C028500"),
    ("6A82", ready_card, "00A4040009A00000030800001000"),
    ("6A82", ready_card, "00A4000C02A099"),
    ("6A82", ready_card, "00A40004020000"),
    ("6A82", ready_card, get(0xA099, 0xDF21)),
    ("6A84", full, NEW),
    ("6A85", user, "00DBA01004DF240201"),
    ("6A86", ready_card, "00A40800023F00"),
    ("6A86", ready_card, "00200180"),
    ("6A87", ready_card, "00A40400"),
    ("6A88", ready_card, get(0xA010, 0xDF70)),
    ("6A88", ready_card, "00200081"),
    ("6A88", user, mse("B6", 0x56, 0x99)),
    ("6A88", deleted, SIGN),
    ("6A89", user, create(key_fcp(exchange_crts(6)))),
    ("6D00", ready_card, "00CA7F6800"),
    ("6E00", ready_card, "80200080"),
    ("6E00", ready_card, "20200080"),
    ("6E00", ready_card, "FF200080"),
]

NOT_SENT = {
    "6883": "a broken chain is forgotten and the new command carried out, as GIDS wants (section 14.3.2)",
    "6900": "GidsApplet's word for a broken chain; GIDS has none",
}


@pytest.mark.parametrize(("sw", "make", "command"), CASES, ids=[f"{sw} {command[:12]}" for sw, _, command in CASES])
def test_a_status_word_and_what_provokes_it(sw: str, make: Make, command: str) -> None:
    card = make()
    before = card.state
    outcome = card.exchange(command)
    assert f"{outcome.response.sw:04X}" == sw
    is_error = sw[:2] in ("64", "65", "67", "68", "69", "6A", "6D", "6E")
    assert (outcome.reason is not None) == (is_error or sw.startswith("63"))
    if is_error:
        assert not outcome.response.data
    if is_error and not command.startswith(("0087", VERIFY)):
        assert card.state == before


def test_none_is_forgotten() -> None:
    provoked = {sw for sw, _, _ in CASES}
    # 6300, a touch that does not come and what secure messaging is answered with are other applications'.
    assert {f"{one:04X}" for one in SW} - provoked == {"6300", "6600", "6883", "6987", "6988"}
    assert not provoked & set(NOT_SENT)


def test_a_broken_chain_is_neither_6883_nor_6900() -> None:
    card = user()
    card.run("10DBA01004DF240401")
    assert card.send(get(0xA010, 0xDF23)) == "DF23009000"


def test_no_reason_tells_a_secret() -> None:
    for _, make, command in CASES:
        reason = str(make().exchange(command).reason)
        assert "12345678" not in reason
        assert ADMIN_KEY.hex() not in reason.lower()
