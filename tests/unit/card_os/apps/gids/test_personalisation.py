"""Cards as they leave the factory, against what gids-tool makes of a blank one (gids.md 2 and 9.1)."""

from typing import Any

import pytest

from card_os.apps.gids.personalisation import blank, card_id, personalised
from card_os.apps.gids.state import GidsState, LifeCycle
from card_os.pin import PinPolicy
from tests.unit.card_os.apps.gids.gids_card import ADMIN_KEY, CARD_ID, PIN, GidsCard, get, ready_card, ready_state

# 01 and records of 28 bytes: directory, name, 0000, tag and EF in little-endian (gids.md 2.4), as OpenSC wrote it.
DF1F = (
    "DF1F818D016D736370000000000000000000000000000000000000000000A00000000000000000000000636172646964000000000020DF0000"
    "12A00000000000000000000000636172646170707300000021DF000010A00000000000000000000000636172646366000000000022DF0000"
    "10A000006D7363700000000000636D617066696C6500000023DF000010A00000"
)

FCPS = [
    "620C8201398302A0008C03033000",
    "620C8201398302A0108C03033000",
    "620C8201398302A0118C030330FF",
    "620C8201398302A0128C03032000",
    "620C8201398302A0138C03033030",
    "620C8201398302A0148C03032020",
]


def gids_tool(pin: str, puk: str | None = None) -> list[str]:
    """What `gids-tool -X` sends, as in shared trace gids-02-initialize; with the PUK form of S in front."""
    commands = ["00A4040009A0000003974254465900", "00A4040C09A00000039742544659"]
    commands += [f"00240181{len(puk) // 2:02X}{puk}"] if puk else []
    commands += [f"00240180{len(pin) // 2:02X}{pin}"]
    for fcp in FCPS:
        commands += [f"00E000000E{fcp}", "00440000"]
    return [
        *commands,
        "00E000001C621A8201188302B0808C04870020FFA50BA4098001028301809501C0",
        "00440000",
        f"00DB3FFF267024840180A51F8718{ADMIN_KEY.hex()}8803B073DC",
        f"00DBA00091{DF1F}",
        "00DBA0100BDF21086D73637000000000",
        "00DBA01009DF2206000000000000",
        "00DBA01003DF2300",
        f"00DBA01213DF2010{CARD_ID.hex()}",
        "00A4000C023FFF",
        "00440000",
    ]


SETTINGS: list[dict[str, Any]] = [
    {},
    {"admin_try_limit": 7},
    {"pin_policy": PinPolicy(min_length=4)},
    {"puk": b"99998888"},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_gids_tool_makes_of_a_blank_card_exactly_what_we_call_personalised(settings: dict[str, Any]) -> None:
    puk = settings.get("puk")
    card = GidsCard(blank(tries=4, **{name: value for name, value in settings.items() if name != "puk"}))
    assert card.send("00CBA000045C02DF1F00") == "6A82", "gids-tool takes this for a blank card"
    card.run(*gids_tool(PIN.hex(), puk.hex() if puk else None))
    expected = personalised(pin=PIN, admin_key=ADMIN_KEY, card_id=CARD_ID, tries=4, **settings)
    assert card.state == expected


def test_a_blank_card_has_no_files_and_no_pin() -> None:
    state = blank(tries=5)
    assert state.life_cycle == LifeCycle.INITIALISATION
    assert state.files == ()
    assert state.pin.value is None
    assert (state.pin.try_limit, state.puk.try_limit) == (5, 5)


@pytest.mark.parametrize(
    ("efid", "tag", "answer"),
    [
        (0xA000, 0xDF1F, DF1F),
        (0xA010, 0xDF21, "DF21086D73637000000000"),
        (0xA010, 0xDF22, "DF2206000000000000"),
        (0xA010, 0xDF23, "DF2300"),
        (0xA012, 0xDF20, "DF2010" + CARD_ID.hex().upper()),
    ],
)
def test_the_objects_of_the_minidriver(efid: int, tag: int, answer: str) -> None:
    assert ready_card().send(get(efid, tag)) == answer + "9000"


def test_the_card_id_can_be_asked_for() -> None:
    assert card_id(ready_state()) == CARD_ID
    assert card_id(GidsState()) is None
    assert card_id(ready_state().without_file(0xA012)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"pin": b"123"},
        {"pin": b"1" * 128},
        {"pin": b"12345678", "pin_policy": PinPolicy(min_length=9)},
        {"admin_key": bytes(16)},
        {"admin_key": b""},
        {"card_id": bytes(15)},
        {"tries": 0},
        {"tries": 16},
        {"admin_try_limit": 0},
        {"admin_try_limit": 256},
    ],
)
def test_impossible_cards_are_a_value_error(change: dict[str, Any]) -> None:
    settings: dict[str, Any] = {"pin": PIN, "admin_key": ADMIN_KEY, "card_id": CARD_ID, "tries": 3}
    with pytest.raises(ValueError):
        personalised(**settings | change)
