"""What a session remembers and what ends it: the table of gids.md 5.9."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from card_os.access import Right
from card_os.apps.gids import Gids
from card_os.card import Card
from card_os.memory import Persistent
from tests.unit.card_os.apps.gids.gids_card import (
    LOGOUT,
    MSE_ADMIN,
    OTHER_PIN,
    PIN,
    SELECT_DF,
    SELECT_GIDS,
    FixedEnv,
    GidsCard,
    card_with_rsa,
    get,
    mse,
    put,
    ready_card,
    ready_state,
)
from vsc.profiles import GIDS

SIGN = "002A9E9A020102"
PUK = b"12341234"


class Other(Gids):
    """Another application beside GIDS."""

    aid = bytes.fromhex("F000000001")


def two_applications(card: GidsCard | None = None) -> GidsCard:
    card = card or card_with_rsa()
    gids, other = Gids(), Other()
    states = Persistent(((gids.aid, card.state), (other.aid, card.state)))
    card.card = Card((gids, other), states, FixedEnv(), atr=GIDS.atr)
    return card


def other_application(card: GidsCard) -> None:
    card.run("00A4040005F000000001", SELECT_GIDS)


def reset(card: GidsCard) -> None:
    card.card.reset()


def wrong_pin(card: GidsCard) -> None:
    assert card.login(b"wrong") == "63C2"


def admin_reset(card: GidsCard) -> None:
    card.run("002C028008" + OTHER_PIN.hex())


def say(*commands: str) -> Callable[[GidsCard], None]:
    def send_all(card: GidsCard) -> None:
        for command in commands:
            card.send(command)

    return send_all


# event: (what happens, PIN still verified, admin still verified, environment still set, tries left)
EVENTS: dict[str, tuple[Callable[[GidsCard], None], bool, bool, bool, int]] = {
    "reset": (reset, False, False, False, 3),
    "power off and on": (lambda card: card.card.power_off(), False, False, False, 3),
    "SELECT of another application": (other_application, False, False, False, 3),
    "SELECT by AID again": (say(SELECT_GIDS), True, True, True, 3),
    "SELECT by shorter AID again": (say("00A4040005A000000397"), True, True, True, 3),
    "SELECT 3FFF": (say(SELECT_DF), True, True, True, 3),
    "SELECT of an unknown AID": (say("00A4040009A00000030800001000"), True, True, True, 3),
    "VERIFY 82": (say(LOGOUT), False, False, False, 3),
    "wrong PIN": (wrong_pin, False, True, True, 2),
    "wrong old PIN": (say("00240080" + "08" + b"wrongabc".hex()), False, True, True, 2),
    "right PIN": (say("0020008008" + PIN.hex()), True, True, True, 3),
    "RESET RETRY COUNTER by admin": (admin_reset, False, False, False, 3),
    "refused RESET RETRY COUNTER": (say("002C02800131"), True, True, True, 3),
    "PSO": (say(SIGN), True, True, True, 3),
    "GET DATA": (say(get(0xA010, 0xDF21)), True, True, True, 3),
    "PUT DATA": (say(put(0xA010, 0xDF21, b"\x01")), True, True, True, 3),
    "refused GET DATA": (say(get(0xA011, 0xDF21)), True, True, True, 3),
    "unknown instruction": (say("00FF0000"), True, True, True, 3),
    "MSE of the admin key": (say(MSE_ADMIN), True, True, True, 3),
    "a new challenge": (say(MSE_ADMIN, "00870000047C02810000"), True, False, True, 3),
    "a new channel": (say("0070000001"), True, True, True, 3),
    "a channel closed": (say("0070000001", "00708001"), True, True, True, 3),
}


@pytest.mark.parametrize("event", EVENTS)
def test_what_an_event_leaves(event: str) -> None:
    happens, user, admin, environment, tries = EVENTS[event]
    card = two_applications()
    card.prove("both")
    card.run(mse("B6", 0x56))
    happens(card)
    assert card.is_admin == admin
    assert card.is_user == user
    assert card.state.pin.tries_left == tries
    pin = OTHER_PIN if "by admin" in event else PIN
    assert card.login(pin) == "9000"
    assert card.send(SIGN)[-4:] == ("9000" if environment else "6985")


def test_the_switch_for_the_reference_applets_way() -> None:
    """A profile can lose what was verified when the application is selected by AID again."""
    card = card_with_rsa()
    gids = Gids(keeps_status_on_reselect=False)
    card.card = Card((gids,), card.card.persistent, FixedEnv(), atr=GIDS.atr)
    card.login()
    card.run(SELECT_DF)
    assert card.is_user
    card.run(SELECT_GIDS)
    assert not card.is_user


def test_channels_do_not_share_what_was_verified() -> None:
    card = card_with_rsa()
    card.login()
    card.run("0070000001")
    assert card.send("01200080") == "63C3"
    assert card.send("0120008008" + PIN.hex()) == "9000"
    card.run("00200082")
    assert card.send("01200080") == "9000"
    assert card.login(b"wrong") == "63C2"
    assert card.send("01200080") == "9000", "what another channel has proved stays proved"
    card.run("00708001", "0070000001")
    assert card.send("01200080") == "63C2", "a channel opened again is a new one"


CHANGE = "0024008010" + PIN.hex() + OTHER_PIN.hex()
REFUSED_CHANGE = "0024008009" + PIN.hex() + "31"
WRONG_PUK = "002000810177"


def refused_change(card: GidsCard) -> None:
    assert card.send(REFUSED_CHANGE) == "6A80"


def last_try(card: GidsCard) -> None:
    for tries_left in (2, 1, 0):
        assert card.login(b"wrong") == f"63C{tries_left}"


def last_try_of_the_puk(card: GidsCard) -> None:
    while card.send(WRONG_PUK) != "6983":
        continue  # Its tries are few, and go down.


def unblocking(card: GidsCard) -> None:
    assert card.send("002C0080" + "10" + PUK.hex() + OTHER_PIN.hex()) == "9000"


def admin_unblocking(card: GidsCard) -> None:
    assert card.admin_login() == "9000"
    admin_reset(card)


def wrong_admin_key(card: GidsCard) -> None:
    assert card.admin_login(bytes(24)) == "6982"


def last_admin_try(card: GidsCard) -> None:
    wrong_admin_key(card)
    wrong_admin_key(card)


def another_admin_key(card: GidsCard) -> None:
    assert card.admin_login() == "9000"
    card.run("00DB3FFF21701F840180A51A8718" + bytes(range(24)).hex())


# What happens on channel 0 ends what was proved on channel 1: who knew the PIN, and who knew the admin key.
ENDS: dict[str, tuple[Callable[[GidsCard], None], bool, bool]] = {
    "the PIN's last try": (last_try, True, False),
    "another PIN": (say(CHANGE), True, False),
    "another PIN by the admin key": (admin_unblocking, True, False),
    "a wrong PIN": (wrong_pin, False, False),
    "a refused new PIN": (refused_change, False, False),
    "log-out": (say(LOGOUT), False, False),
    "reselection": (other_application, False, False),
    "the admin key's last try": (last_admin_try, False, True),
    "another admin key": (another_admin_key, False, True),
    "a wrong admin key": (wrong_admin_key, False, False),
}


@pytest.mark.parametrize("event", ENDS)
def test_what_ends_the_proofs_on_other_channels(event: str) -> None:
    happens, user_ends, admin_ends = ENDS[event]
    card = two_applications(ready_card(admin_try_limit=2))
    card.run("0070000001")
    beside = card.card._volatile.channels[1]
    card.run("01A4040009A0000003974254465900", "0120008008" + PIN.hex())
    beside.volatile.granted = Right.USER | Right.EXTERNAL
    happens(card)
    assert (not beside.volatile.granted & Right.USER) == user_ends
    assert (not beside.volatile.granted & Right.EXTERNAL) == admin_ends


@pytest.mark.parametrize(("happens", "ends"), [(last_try_of_the_puk, False), (unblocking, True)])
def test_a_puk_is_no_proof_but_gives_a_new_pin(happens: Callable[[GidsCard], None], ends: bool) -> None:
    card = ready_card(puk=PUK)
    card.run("0070000001", "0120008008" + PIN.hex())
    happens(card)
    assert card.send("01200080") == ("63C3" if ends else "9000")


def test_whoever_changes_the_pin_has_proved_it() -> None:
    card = card_with_rsa()
    card.run(CHANGE)
    assert card.is_user


def test_a_file_deleted_on_another_channel_is_found_nowhere() -> None:
    card = card_with_rsa()
    card.login()
    card.run("0070000001", "01A4000C02B081", "00A4000C02B081", "00E40000")
    assert card.send("01A400040200" + "00") == "6A82"
    assert card.send("01CB0000025C0000") == "6A82"


@pytest.mark.parametrize(("is_active", "sw"), [(True, "6982"), (False, "9000")])
def test_the_rule_of_a_file_holds_once_it_is_activated(is_active: bool, sw: str) -> None:
    """GIDS section 6.3: until then the file is in its initialisation state, in which everything is free."""
    file = ready_state().file(0xA014)
    assert file is not None
    card = GidsCard(ready_state().with_file(replace(file, is_active=is_active)))
    assert card.send("00CBA014025C0000")[-4:] == sw
