"""The mode learnt: by what is asked for, and by the card's state."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.apdu import CommandApdu
from tests.unit.vsc.replay.samples import ATR, of
from tests.unit.vsc.replay.test_card import send
from vpcd_bridge.port import PoweredCard
from vsc.errors import VscError, WrongAdminResponse
from vsc.host import AdminForm, AdminKeyResponder, Gids
from vsc.host.connection import DirectConnection
from vsc.reader import Reader
from vsc.replay import Log, ReplayCard, parse_log
from vsc.testing import SoftCard
from vsc.trace import Trace


def learnt(*pairs: str) -> ReplayCard:
    return ReplayCard(of(*pairs), "learnt")


# --- forms

LONG = bytes(range(256)) + b"\xee" * 100


@pytest.mark.parametrize(
    "recorded",
    [
        [f"00CB3FFF015C00 {LONG[:256].hex()}6164", f"00C0000064 {LONG[256:].hex()}9000"],
        [f"00CB3FFF0000015C0000 {LONG.hex()}9000"],
        ["00CB3FFF015C 6100", f"00C0000000 {LONG[:256].hex()}6164", f"00C0000064 {LONG[256:].hex()}9000"],
    ],
    ids=["short", "extended", "T=0"],
)
def test_a_long_answer_in_every_form(recorded: list[str]) -> None:
    whole = LONG.hex().upper() + "9000"
    assert send(learnt(*recorded), "00CB3FFF0000015C0000") == [whole]
    card = learnt(*recorded)
    (first,) = send(card, "00CB3FFF015C00")
    collected = first
    while collected[-4:-2] == "61":
        (more,) = send(card, f"00C00000{collected[-2:]}")
        collected = collected[:-4] + more
    assert collected == whole
    assert (card.report, card.unused) == (None, 0)
    # In pieces of 16 bytes.
    card = learnt(*recorded)
    (collected,) = send(card, "00CB3FFF015C10")
    while collected[-4:-2] == "61":
        (more,) = send(card, "00C0000010")
        collected = collected[:-4] + more
    assert collected == whole


def test_a_wrong_le_is_one_answer_and_the_right_one_another() -> None:
    card = learnt("00CA000000 6C02", "00CA000002 AABB9000")
    assert send(card, "00CA000000", "00CA000002", "00CA000000", "00CA0000000000") == ["6C02", "AABB9000"] * 2


def test_a_file_is_read_as_far_as_le_says() -> None:
    card = learnt("00B0000000 AABBCCDD9000", "00B0000401 EE9000")
    assert send(card, "00B0000002", "00B0000000", "00B0000402") == ["AABB9000", "AABBCCDD9000", "EE9000"]


@pytest.mark.parametrize("recorded", ["10CB3FFF02AABB 9000|00CB3FFF01CC00 DD9000", "00CB3FFF000003AABBCC0000 DD9000"])
def test_a_long_command_in_every_form(recorded: str) -> None:
    card = learnt(*recorded.split("|"))
    assert send(card, "00CB3FFF03AABBCC00", "10CB3FFF01AA", "10CB3FFF01BB", "00CB3FFF01CC00") == [
        "DD9000",
        "9000",
        "9000",
        "DD9000",
    ]
    assert card.report is None


def test_a_card_that_takes_no_chains() -> None:
    assert send(learnt("10CB3FFF01AA 6884"), "10CB3FFF01AA") == ["6884"]


def test_no_form_of_an_unknown_command_is_known() -> None:
    card = learnt("00CB3FFF015C00 9000")
    assert send(card, "10CB3FFF015C", "00CB3FFF015D00", "00C0000000") == ["9000", "6F00", "6F00"]


@given(st.data())
def test_any_two_forms_of_a_conversation_agree(data: st.DataObject) -> None:
    """Recorded in one form, asked in another: the same bytes come of it."""
    question = data.draw(st.binary(max_size=700))
    answer = data.draw(st.binary(max_size=700))
    forms = st.tuples(st.integers(1, 255), st.integers(1, 256), st.booleans())
    recorded, asked = data.draw(forms), data.draw(forms)
    pairs: list[str] = []

    def note(command: bytes, response: bytes) -> bytes:
        pairs.append(f"{command.hex()} {response.hex()}")
        return response

    converse(lambda command: note(command, _card(command, answer)), question, *recorded)
    card = learnt(*pairs)
    assert converse(card.transmit, question, *asked) == answer
    assert card.report is None


_rest = b""


def _card(command: bytes, answer: bytes) -> bytes:
    """A card with one answer, which it gives to every command that is no part of a chain."""
    global _rest
    apdu = CommandApdu.parse(command)
    if apdu.cla & 0x10:
        return b"\x90\x00"
    left = _rest if apdu.ins == 0xC0 else answer
    now, _rest = left[: apdu.effective_ne], left[apdu.effective_ne :]
    return now + (bytes((0x61, min(len(_rest), 255))) if _rest else b"\x90\x00")


def converse(transmit: Callable[[bytes], bytes], question: bytes, piece: int, ne: int, extended: bool) -> bytes:
    if extended:
        response = transmit(bytes(CommandApdu(0, 0xCB, 0x3F, 0xFF, question, 65_536, extended=True)))
    else:
        pieces = [question[at : at + piece] for at in range(0, len(question), piece)] or [b""]
        for one in pieces[:-1]:
            assert transmit(bytes(CommandApdu(0x10, 0xCB, 0x3F, 0xFF, one))) == b"\x90\x00"
        response = transmit(bytes(CommandApdu(0, 0xCB, 0x3F, 0xFF, pieces[-1], ne)))
    whole = b""
    while response[-2] == 0x61:
        whole += response[:-2]
        response = transmit(bytes(CommandApdu(0, 0xC0, 0, 0, b"", min(ne, 256))))
    assert response[-2:] == b"\x90\x00"
    return bytes(whole + response[:-2])


# --- states

ONE, TWO = "00A4040005A000000001", "00A4040005A000000002"
LOGIN, ASK_PIN, LOGOUT = "00200080023132", "00200080", "00200082"


def test_what_is_selected_counts() -> None:
    card = learnt(f"{ONE} 9000", "00CA0000 019000", f"{TWO} 9000", "00CA0000 029000")
    assert send(card, TWO, "00CA0000", ONE, "00CA0000", TWO, "00CA0000") == [
        "9000",
        "029000",
        "9000",
        "019000",
        "9000",
        "029000",
    ]


def test_what_is_proven_counts() -> None:
    card = learnt(f"{ASK_PIN} 63C3", "00CA0000 6982", f"{LOGIN} 9000", f"{ASK_PIN} 9000", "00CA0000 019000")
    assert send(card, "00CA0000", "00CA0000", LOGIN, "00CA0000", ASK_PIN) == ["6982", "6982", "9000", "019000", "9000"]
    card.reset()
    assert send(card, ASK_PIN, "00CA0000") == ["63C3", "6982"]


def test_what_came_only_after_a_pin_is_refused_without_it() -> None:
    card = learnt(f"{LOGIN} 9000", "002A9E9A0100 019000", f"{LOGOUT} 9000")
    assert send(card, "002A9E9A0100") == ["6982"]
    assert card.last_outcome is not None
    assert card.last_outcome.reason == "in the log this comes only after a PIN or key was right"
    assert send(card, "0020008004313233", LOGIN, "002A9E9A0100", LOGOUT, "002A9E9A0100")[1:] == [
        "9000",
        "019000",
        "9000",
        "6982",
    ]
    assert card.report is None


def test_what_leads_to_a_proof_is_never_refused() -> None:
    other = "002000810141"
    card = learnt(f"{LOGIN} 9000", f"{other} 9000", f"{TWO} 9000", "00CA0000 9000")
    assert send(card, TWO, other, "00CA0000") == ["9000"] * 3


def test_a_pin_is_told_to_be_verified_if_it_is() -> None:
    card = learnt(f"{LOGIN} 9000")
    assert send(card, LOGIN, ASK_PIN) == ["9000", "9000"]
    card.reset()
    assert send(card, ASK_PIN) == ["6F00"]


def test_wrong_pins_come_as_they_came() -> None:
    card = learnt(f"{LOGIN} 63C4", f"{LOGIN} 63C3", f"{LOGIN} 9000")
    assert send(card, LOGIN, "0020008003313233", "00200080023939") == ["63C4", "63C3", "9000"]


def test_a_log_of_opensc_may_lack_the_pins() -> None:
    """Below OPENSC_DEBUG=8 their commands are not in it."""
    log = replace(of("002A9E9A0100 019000"), format="OpenSC debug log")
    assert send(ReplayCard(log, "learnt"), LOGIN, "002A9E9A0100") == ["9000", "019000"]
    assert send(ReplayCard(log, "command"), LOGIN) == ["6F00"]
    assert send(learnt("002A9E9A0100 019000"), LOGIN) == ["6F00"]


def test_which_key_is_set_counts() -> None:
    set_one, set_two = "002241B603840181", "002241B603840182"
    card = learnt(f"{set_one} 9000", "002A9E9A0100 019000", f"{set_two} 9000", "002A9E9A0100 029000")
    assert send(card, set_two, "002A9E9A0100", set_one, "002A9E9A0100") == ["9000", "029000", "9000", "019000"]


# --- what a reporter has blacked out


def test_what_is_blacked_out_may_be_anything() -> None:
    log = "> 00 A4 04 00 04 A0 00 xx xx\n< 90 00\n> 00 CB 3F FF 05 5C … 00\n< 53 02 xx 01 90 00\n> 00CA0000\n< 01 90 00"
    card = ReplayCard(replace(parse_log(log), atr=ATR), "learnt")
    assert send(card, "00A4040004A0001234", "00CA0000", "00CB3FFF055C035FC10500", "00CA0000") == [
        "9000",
        "019000",
        "530200019000",
        "019000",
    ]
    assert card.report is None
    assert send(card, "00A4040004A0011234", "00A4040003A00012", "00CB3FFF065C045FC1050000") == ["6F00"] * 3


def test_in_every_form() -> None:
    card = ReplayCard(replace(parse_log("> 10CB3FFF02 AA xx\n< 9000\n> 00CB3FFF02 ** DD\n< 9000"), atr=ATR), "learnt")
    assert send(card, "00CB3FFF0000 04AA1122DD") == ["9000"]


def test_a_pin_that_is_blacked_out_is_a_pin() -> None:
    log = replace(parse_log("> 00 20 00 80 04 xx xx xx xx\n< 90 00\n> 002A9E9A0100\n< 01 90 00"), atr=ATR)
    for mode in ("strict", "command", "learnt"):
        assert send(ReplayCard(log, mode), "002000800431323334", "002A9E9A0100") == ["9000", "019000"]


# --- challenges


KEY, WRONG_KEY = bytes(range(24)), bytes(range(24, 48))


def prove(card: PoweredCard, form: AdminForm, key: bytes = KEY) -> None:
    """Our own host proves the admin key, and sets a PIN."""
    host = Gids.connect(DirectConnection(card))
    host.reset_pin(new=b"87654321", respond=AdminKeyResponder(key), form=form)


def recorded(form: AdminForm) -> Log:
    reader, trace = Reader(), Trace()
    trace.follow(reader)
    reader.insert(SoftCard.make(admin_key=KEY))
    prove(reader.as_powered_card(), form)
    return Log(trace.entries, reader.atr)


def test_a_challenge_and_its_response() -> None:
    card = ReplayCard(recorded(AdminForm.EXTERNAL), "learnt")
    prove(card, AdminForm.EXTERNAL)
    # Nobody but the card could tell that this is another key.
    prove(card, AdminForm.EXTERNAL, WRONG_KEY)
    assert card.report is None


def test_a_host_that_has_the_card_prove_the_key_finds_a_log_out() -> None:
    with pytest.raises(VscError, match="could not prove that it has the admin key itself"):
        prove(ReplayCard(recorded(AdminForm.MUTUAL), "learnt"), AdminForm.MUTUAL)


@pytest.mark.parametrize("form", [AdminForm.EXTERNAL, AdminForm.MUTUAL])
def test_with_a_prover_it_does_not(form: AdminForm) -> None:
    card = ReplayCard(recorded(form), "learnt", prover=SoftCard.make(admin_key=KEY))
    prove(card, form)
    prove(card, form)
    with pytest.raises(WrongAdminResponse):
        prove(card, form, WRONG_KEY)
    assert card.report is None
