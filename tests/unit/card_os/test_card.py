"""card_os.card: selection, channels, chains and the order of checks, with a small application of our own."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from card_os.apdu import MAX_NE, CommandApdu, ResponseApdu
from card_os.application import Application
from card_os.atr import Atr
from card_os.card import Card
from card_os.command import Access, Command, Session
from card_os.kernel import KernelIns
from card_os.memory import Persistent
from card_os.sw import SW, CardError
from tests.unit.each import each
from vsc.world import SeededEnv

Volatile = dict[str, Any]
NotesSession = Session[bytes, Volatile]

INS_GIVE, INS_UNLOCK, INS_KEEP, INS_LOAD, INS_STATUS, INS_READ = 0x10, 0x20, 0x30, 0xDB, 0x40, 0xB0


def give(session: NotesSession, apdu: CommandApdu) -> bytes:
    """Returns P1-P2 bytes."""
    return bytes(i & 0xFF for i in range(apdu.p1p2))


def unlock(session: NotesSession, apdu: CommandApdu) -> bytes:
    session.volatile["open"] = True
    return b""


def keep(session: NotesSession, apdu: CommandApdu) -> bytes:
    session.commit(apdu.data)
    return b""


def status(session: NotesSession, apdu: CommandApdu) -> bytes:
    """Returns whether this channel is open and what its number is."""
    return bytes([bool(session.volatile.get("open")), session.channel])


def read(session: NotesSession, apdu: CommandApdu) -> bytes:
    return session.state


def must_be_open(session: NotesSession) -> None:
    if not session.volatile.get("open"):
        raise CardError(SW.SECURITY_STATUS_NOT_SATISFIED, "locked", subject="notes", missing="unlock")


ANYBODY = Access("always", lambda session: None)
OPEN = Access("once unlocked", must_be_open)
COMMANDS: Mapping[int, Command] = {
    INS_GIVE: Command("GIVE", range(0x10000), range(0x10000), ANYBODY, give, "this test", chaining=True),
    INS_UNLOCK: Command("UNLOCK", {0}, {0}, ANYBODY, unlock, "this test"),
    INS_KEEP: Command("KEEP", {0}, range(1, 9), OPEN, keep, "this test"),
    INS_LOAD: Command("LOAD", {0, 1}, range(0x10000), ANYBODY, keep, "this test", chaining=True),
    INS_STATUS: Command("STATUS", {0}, {0}, ANYBODY, status, "this test"),
    INS_READ: Command("READ", {0}, {0}, ANYBODY, read, "this test"),
    KernelIns.SELECT: Command("SELECT", {0}, {2}, ANYBODY, read, "this test"),
}


class Notes(Application[bytes, Volatile]):
    """Keeps a few bytes; whoever has sent UNLOCK may change them."""

    commands = COMMANDS

    def __init__(self, aid: bytes, *, refuses_breaks: bool = False, keeps_status: bool = True) -> None:
        self.aid = aid
        self.name = aid.hex()
        self.refuses_broken_chains = refuses_breaks
        self.keeps_status_on_reselect = keeps_status
        self.is_selectable = True
        self.observed: list[int] = []

    def new_volatile(self) -> Volatile:
        return {}

    def select(self, session: NotesSession, apdu: CommandApdu) -> ResponseApdu:
        if not self.is_selectable:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, "not now")
        return ResponseApdu(self.aid[-1:] + bytes([apdu.p2 & 0x0C]))

    def template(self, state: bytes) -> bytes:
        return bytes([0x61, len(state)]) + state

    def encode(self, state: bytes) -> bytes:
        return state

    def decode(self, raw: bytes) -> bytes:
        return raw

    def observe(self, session: NotesSession, ins: int) -> None:
        self.observed.append(ins)


RID = b"\xa0\x00\x00\x09\x99"
AID_A, AID_B, AID_C = RID + b"NOTESA", RID + b"NOTESB", RID + b"NOTESC"
AID_ALONE = b"\xf0ALONE"


def make_card(*applications: Notes, stored: list[Persistent] | None = None) -> Card:
    state = Persistent(tuple((one.aid, b"") for one in applications))
    store = stored.append if stored is not None else (lambda new: None)
    return Card(applications, state, SeededEnv(0), atr=Atr(), store=store)


def four(**options: bool) -> Card:
    return make_card(*(Notes(aid, **options) for aid in (AID_A, AID_B, AID_C, AID_ALONE)))


def send(card: Card, command: str) -> str:
    return card.transmit(bytes.fromhex(command)).hex().upper()


def select(aid: bytes, p2: int = 0, cla: int = 0) -> str:
    return f"{cla:02X}A404{p2:02X}{len(aid):02X}{aid.hex()}"


def selected(card: Card) -> str:
    """The last letter of the AID that is selected on channel 0."""
    (one,) = [one.aid[-1:].decode() for one in card.applications if one is card._volatile.channels[0].application]
    return one


# --- power -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["reset", "power_on", "power_off"])
def test_a_reset_forgets_everything_volatile_and_nothing_else(action: str) -> None:
    card = four()
    for command in (select(AID_B), "00200000", "0030000001AA", "00700001", "10DB000001AA"):
        assert send(card, command).endswith("9000")
    send(card, "0010030000")
    kept = card.persistent
    getattr(card, action)()
    assert card.persistent == kept
    assert send(card, "00C00000") == "6985"
    assert send(card, "00400000") == "00009000"
    assert send(card, "01400000") == "6881"
    assert selected(card) == "A"


def test_the_atr_is_what_the_card_was_made_with() -> None:
    atr = Atr(historical=b"notes")
    card = Card((), Persistent(), SeededEnv(0), atr=atr)
    assert card.atr == card.reset() == card.power_on() == bytes(atr)


def test_a_card_without_applications_answers_all_the_same() -> None:
    card = Card((), Persistent(), SeededEnv(0), atr=Atr())
    assert [send(card, command) for command in (select(AID_A), "00B0000000", "10DB000001AA", "0070000001")] == [
        "6A82",
        "6D00",
        "6D00",
        "019000",
    ]


def test_exchange_says_why_and_transmit_does_not() -> None:
    card = four()
    outcome = card.exchange(bytes.fromhex("0030000001AA"))
    assert outcome.response == ResponseApdu(sw=0x6982)
    assert str(outcome.reason) == "notes: locked (missing: unlock)"
    assert send(card, "0030000001AA") == "6982"
    assert card.exchange(bytes.fromhex("00200000")).reason is None


# --- the order of checks ---------------------------------------------------------------------------------------------

ORDER = [
    ("malformed length, bad class", "8030000002AA", "6700"),
    ("bad class, unknown INS", "80FF0000", "6E00"),
    ("reserved class", "20300000", "6E00"),
    ("class FF", "FFCA000000", "6E00"),
    ("closed channel, secure messaging", "05300000", "6881"),
    ("closed channel, unknown INS", "02FF0000", "6881"),
    ("secure messaging, chaining", "1C300000", "6882"),
    ("secure messaging, unknown INS", "0CFF0000", "6882"),
    ("secure messaging, GET RESPONSE", "0CC00000", "6882"),
    ("chaining unsupported, wrong P1-P2", "10300001", "6884"),
    ("chaining of SELECT", "10A40400", "6884"),
    ("chaining of MANAGE CHANNEL", "10700000", "6884"),
    ("chaining of GET RESPONSE", "10C00001", "6884"),
    ("chaining of an unknown INS", "10FF0000", "6D00"),
    ("unknown INS", "00FF0000", "6D00"),
    ("invalid INS 6x", "00600000", "6D00"),
    ("invalid INS 9x", "00900000", "6D00"),
    ("wrong P1-P2, wrong length", "00300001", "6A86"),
    ("wrong length, access missing", "00300000", "6700"),
    ("access missing", "0030000001AA", "6982"),
]


@pytest.mark.parametrize(("command", "sw"), [row[1:] for row in ORDER], ids=[row[0] for row in ORDER])
def test_the_first_of_several_faults_answers(command: str, sw: str) -> None:
    card = four()
    before = card.persistent
    assert send(card, command) == sw
    assert card.persistent is before


@pytest.mark.parametrize("cla", ["04", "08", "0C", "14", "60", "70"])
def test_secure_messaging_is_not_supported_on_an_open_channel(cla: str) -> None:
    card = four()
    send(card, "00700004")
    assert send(card, f"{cla}400000") == "6882"


@pytest.mark.parametrize("size", range(4))
def test_less_than_a_header_is_a_wrong_length(size: int) -> None:
    assert four().transmit(bytes(size)) == b"\x67\x00"


# --- lengths ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "data_bytes", "sw"),
    [
        ("00100010", 16, "9000"),
        ("0010001000", 16, "9000"),
        ("0010001008", 8, "6108"),
        ("00100100", 256, "9000"),
        ("00100101", 256, "6101"),
        ("0010020000", 256, "6100"),
        ("00100200 01 AA", 256, "6100"),
        ("00100200 000000", 512, "9000"),
        ("00100200 000100", 256, "6100"),
        ("00100200 000001 AA", 512, "9000"),
        ("00100200 000001 AA 0003", 3, "6100"),
        ("0010FFFF 000000", 65535, "9000"),
    ],
)
def test_an_absent_le_is_served_and_ne_is_never_exceeded(command: str, data_bytes: int, sw: str) -> None:
    answer = four().transmit(bytes.fromhex(command))
    assert len(answer) == data_bytes + 2
    assert answer[-2:].hex() == sw


def test_the_longest_command_and_the_longest_answer_go_through() -> None:
    card = four()
    data = bytes(i * 7 & 0xFF for i in range(65_535))
    longest = bytes(CommandApdu(0, INS_LOAD, 0, 0, data, MAX_NE, extended=True))
    assert len(longest) == 65_544
    assert card.transmit(longest) == b"\x90\x00"
    assert card.transmit(bytes.fromhex("00B00000 000000")) == data + b"\x90\x00"


# --- chains ----------------------------------------------------------------------------------------------------------


def test_the_application_sees_a_chain_as_one_command() -> None:
    stored: list[Persistent] = []
    card = make_card(Notes(AID_A), stored=stored)
    assert [send(card, command) for command in ("10DB000002AABB", "10DB0000", "10DB000001CC00")] == ["9000"] * 3
    assert stored == []
    assert send(card, "00DB000001DD") == "9000"
    assert send(card, "00B00000") == "AABBCCDD9000"
    assert len(stored) == 1


def test_the_last_part_of_a_chain_says_how_much_is_wanted() -> None:
    card = four()
    part = "10100200 FF" + "11" * 255
    # Two short parts are more than 255 bytes of data; the host is a short one all the same.
    for last, data_bytes, sw in (("0010020001AA", 256, "6100"), ("0010020001AA10", 16, "6100")):
        assert send(card, part) == "9000"
        answer = send(card, last)
        assert (len(answer) // 2 - 2, answer[-4:]) == (data_bytes, sw)
    assert send(card, part) == "9000"
    assert len(send(card, "00100200 000001 AA 0000")) == 2 * 514


@pytest.mark.parametrize(
    "other", ["00B00000", "00DB000101AA", "00A4040005A000000999", "00FF0000", "00300000", "0CDB0000"]
)
def test_another_command_drops_a_chain(other: str) -> None:
    card = four()
    send(card, "10DB000001AA")
    send(card, other)
    assert send(card, "00DB000001BB") == "9000"
    assert send(card, "00B00000") == "BB9000"


@pytest.mark.parametrize("other", ["10300000", "10A40400", "10FF0000", "00C00000", "10C00000"])
def test_a_refused_chain_or_a_get_response_drops_a_chain_too(other: str) -> None:
    card = four()
    send(card, "10DB000001AA")
    assert send(card, other) in ("6884", "6D00", "6985")
    send(card, "00DB000001BB")
    assert send(card, "00B00000") == "BB9000"


def test_a_chain_that_grows_too_long_is_dropped_whole() -> None:
    card = four()
    part = bytes(CommandApdu(0x10, INS_LOAD, 0, 0, bytes(40_000), extended=True))
    assert card.transmit(part) == b"\x90\x00"
    before = card.persistent
    assert card.transmit(part) == b"\x67\x00"
    assert card.persistent is before
    assert send(card, "00DB000001BB") == "9000"
    assert send(card, "00B00000") == "BB9000"


@pytest.mark.parametrize("other", ["00B00000", "00DB000101AA", "00FF0000"])
def test_an_application_may_want_the_last_command_of_the_chain(other: str) -> None:
    card = four(refuses_breaks=True)
    before = card.persistent
    send(card, "10DB000001AA")
    assert send(card, other) == "6883"
    assert card.persistent is before
    assert send(card, "00DB000001BB") == "9000"
    assert send(card, "00B00000") == "BB9000"


def test_chains_of_two_channels_do_not_mix() -> None:
    card = four(refuses_breaks=True)
    send(card, "00700001")
    assert send(card, "10DB000001AA") == "9000"
    assert send(card, "11DB000001BB") == "9000"
    assert send(card, "01DB000001CC") == "9000"
    assert send(card, "01B00000") == "BBCC9000"
    assert send(card, "00DB000001DD") == "9000"
    assert send(card, "00B00000") == "AADD9000"


# --- answers in parts ------------------------------------------------------------------------------------------------


def test_a_long_answer_is_fetched_on() -> None:
    card = four()
    first = card.transmit(bytes.fromhex("0010021000"))
    second = card.transmit(bytes.fromhex("00C0000000"))
    third = card.transmit(bytes.fromhex("00C0000008"))
    last = card.transmit(bytes.fromhex("00C0000000"))
    assert [part[-2:].hex() for part in (first, second, third, last)] == ["6100", "6110", "6108", "9000"]
    assert first[:-2] + second[:-2] + third[:-2] + last[:-2] == bytes(i & 0xFF for i in range(0x210))


@pytest.mark.parametrize("other", ["00400000", "00FF0000", "00300000", "10DB000001AA", "00700001", "0CC00000"])
def test_any_other_command_drops_what_is_left(other: str) -> None:
    card = four()
    assert send(card, "0010020000").endswith("6100")
    send(card, other)
    assert send(card, "00C0000000") == "6985"


def test_an_answer_waits_on_its_own_channel() -> None:
    card = four()
    send(card, "00700001")
    assert send(card, "0110020000").endswith("6100")
    assert send(card, "00C0000000") == "6985"
    assert send(card, "00400000") == "00009000"
    assert send(card, "01C0000000").endswith("9000")


# --- logical channels ------------------------------------------------------------------------------------------------

CLA_OF_CHANNEL = {**{n: n for n in range(4)}, **{n: 0x40 + n - 4 for n in range(4, 20)}}


def test_every_channel_is_reached_by_its_class_byte() -> None:
    for number, cla in each(CLA_OF_CHANNEL.items()):
        card = four()
        if number:
            assert send(card, f"{cla:02X}400000") == "6881"
            assert send(card, f"007000{number:02X}") == "9000"
        assert send(card, f"{cla:02X}400000") == f"00{number:02X}9000"
        assert send(card, f"{cla | 0x10:02X}DB000001AA") == "9000"
        assert send(card, f"{cla:02X}DB000001BB") == "9000"
        assert send(card, "00B00000") == "AABB9000"


def test_the_card_opens_all_twenty_channels_and_no_more() -> None:
    card = four()
    assert [send(card, "0070000001") for _ in range(19)] == [f"{n:02X}9000" for n in range(1, 20)]
    assert send(card, "0070000001") == "6A81"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("0070000001", "029000"),
        ("0070000000", "029000"),
        ("00700000", "029000"),
        ("0170000001", "029000"),
        ("00700002", "9000"),
        ("00700001", "6A86"),
        ("00700014", "6A86"),
        ("01708000", "9000"),
        ("00708001", "9000"),
        ("00708002", "6881"),
        ("00708000", "6A86"),
        ("00704000", "6A86"),
        ("0070000001AA", "6700"),
        ("02700000", "6881"),
    ],
)
def test_manage_channel_with_channel_1_open(command: str, answer: str) -> None:
    card = four()
    send(card, "00700001")
    assert send(card, command) == answer


def test_each_channel_has_its_own_selection_and_security_status() -> None:
    card = four()
    send(card, "00200000")
    send(card, "00700001")
    assert send(card, "01400000") == "00019000"
    send(card, select(AID_B, cla=1))
    assert send(card, "0130000001AA") == "6982"
    send(card, "01200000")
    assert send(card, "0130000001AA") == "9000"
    assert send(card, "00400000") == "01009000"
    assert (card.persistent.state(AID_A), card.persistent.state(AID_B)) == (b"", b"\xaa")


def test_a_channel_opened_from_another_inherits_the_application_but_no_rights() -> None:
    card = four()
    for command in ("00700001", select(AID_B, cla=1), "01200000", "01700002", "00700003"):
        assert send(card, command).endswith("9000")
    assert [card._volatile.channels[n].application for n in (2, 3)] == [card.applications[1], card.applications[0]]
    assert send(card, "02400000") == "00029000"


def test_a_channel_closed_and_opened_again_has_forgotten_its_rights() -> None:
    card = four()
    for command in ("00700001", "01200000", "01708000", "00700001"):
        assert send(card, command) == "9000"
    assert send(card, "01400000") == "00019000"


# --- selection -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(5, 12))
def test_any_prefix_from_5_to_11_bytes_selects(size: int) -> None:
    card = four()
    assert send(card, select(AID_A[:size])) == "41009000"
    assert selected(card) == "A"


@pytest.mark.parametrize(
    "name", [AID_A[:4], b"\xa0", AID_A + b"\x00", AID_A + bytes(5), AID_A + bytes(6), RID + b"X", b"\xf1ALONE"]
)
def test_an_unknown_name_is_6a82_and_keeps_everything(name: bytes) -> None:
    card = four()
    for command in (select(AID_B), "00200000"):
        send(card, command)
    before = card.persistent
    assert send(card, select(name)) == "6A82"
    assert selected(card) == "B"
    assert send(card, "00400000") == "01009000"
    assert card.persistent is before


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00A40400", "6A87"),
        ("00A4040000", "6A87"),
        ("00A4041005" + RID.hex(), "6A86"),
        ("00A404F005" + RID.hex(), "6A86"),
        ("00A4081002AABB", "6A86"),
    ],
)
def test_a_malformed_selection_is_refused_and_keeps_everything(command: str, sw: str) -> None:
    card = four()
    send(card, select(AID_B))
    assert send(card, command) == sw
    assert selected(card) == "B"


@pytest.mark.parametrize("p2", [0x00, 0x04, 0x08, 0x0C])
def test_the_application_hears_which_information_is_wanted(p2: int) -> None:
    assert send(four(), select(AID_A, p2)) == f"41{p2:02X}9000"


def test_select_by_anything_but_a_name_is_the_applications_own() -> None:
    card = four()
    send(card, "00DB000001AA")
    assert send(card, "00A40000023FFF") == "AA9000"


@pytest.mark.parametrize(
    ("start", "occurrences", "path"),
    [
        ("ALONE", "first", ["A"]),
        ("ALONE", "last", ["C"]),
        ("ALONE", "next next next next", ["A", "B", "C", "6A82"]),
        ("ALONE", "previous previous previous previous", ["C", "B", "A", "6A82"]),
        ("NOTESA", "next", ["B"]),
        ("NOTESA", "previous", ["6A82"]),
        ("NOTESC", "previous", ["B"]),
        ("NOTESC", "next", ["6A82"]),
        ("NOTESB", "first", ["A"]),
        ("NOTESB", "last next previous", ["C", "6A82", "B"]),
    ],
)
def test_occurrences_of_a_partial_name(start: str, occurrences: str, path: list[str]) -> None:
    card = four()
    send(card, select(AID_ALONE if start == "ALONE" else RID + start.encode()))
    p2 = {"first": 0, "last": 1, "next": 2, "previous": 3}
    answers = [send(card, select(RID, p2[word])) for word in occurrences.split()]
    assert [bytes.fromhex(a[:2]).decode() if a.endswith("9000") else a for a in answers] == path


def test_selecting_another_application_forgets_what_was_verified() -> None:
    card = four()
    for command in ("00200000", select(AID_B), select(AID_A)):
        send(card, command)
    assert send(card, "00400000") == "00009000"


@pytest.mark.parametrize(("keeps", "answer"), [(True, "01009000"), (False, "00009000")])
def test_selecting_the_same_application_again_is_its_own_choice(keeps: bool, answer: str) -> None:
    card = four(keeps_status=keeps)
    for command in ("00200000", select(AID_A)):
        send(card, command)
    assert send(card, "00400000") == answer


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("refusing", [0, 1])
def test_an_application_that_refuses_to_be_selected_leaves_the_one_before(keeps: bool, refusing: int) -> None:
    card = four(keeps_status=keeps)
    send(card, "00200000")
    application = card.applications[refusing]
    assert isinstance(application, Notes)
    application.is_selectable = False
    assert send(card, select(application.aid)) == "6985"
    assert selected(card) == "A"
    assert send(card, "00400000") == "01009000"


# --- what applications hear and what is kept -------------------------------------------------------------------------


def test_an_application_observes_every_command_on_its_channel() -> None:
    application = Notes(AID_A)
    card = make_card(application)
    for command in ("00400000", "00FF0000", "10DB000001AA", "00700001", "00A40000"):
        send(card, command)
    assert application.observed == [0x40, 0xFF, 0xDB, 0x70, 0xA4]


def test_the_directory_holds_the_template_of_every_application() -> None:
    directories: list[bytes] = []

    def list_directory(session: NotesSession, apdu: CommandApdu) -> bytes:
        directories.append(session.directory())
        return b""

    class Listing(Notes):
        commands: Mapping[int, Command] = {1: Command("LIST", {0}, {0}, ANYBODY, list_directory, "this test")}

    card = make_card(Listing(AID_A), Notes(AID_B))
    for command in ("00010000", select(AID_B), "00DB000001AA", select(AID_A), "00010000"):
        assert send(card, command).endswith("9000")
    assert directories == [bytes.fromhex("6100 6100"), bytes.fromhex("6100 6101AA")]


def test_the_state_is_stored_before_the_answer_leaves() -> None:
    stored: list[Persistent] = []
    card = make_card(Notes(AID_A), stored=stored)
    assert send(card, "00DB000001AA") == "9000"
    assert stored == [card.persistent] == [Persistent(((AID_A, b"\xaa"),))]
    assert send(card, "00DB000001AA") == "9000"
    assert len(stored) == 1


def test_a_store_that_fails_is_6581_and_nothing_has_changed() -> None:
    def fail(new: Persistent) -> None:
        raise OSError("disk full")

    start = Persistent(((AID_A, b"old"),))
    card = Card((Notes(AID_A),), start, SeededEnv(0), atr=Atr(), store=fail)
    assert send(card, "00DB000001AA") == "6581"
    assert card.persistent is start
    assert send(card, "00B00000") == b"old".hex().upper() + "9000"


# --- who looks on


def test_the_last_outcome_has_the_reason_until_the_next_reset() -> None:
    card = make_card(Notes(AID_A))
    reasons = []
    for command in ("00300000 01 01", "00200000"):
        send(card, command)
        reasons.append(str(card.last_outcome.reason) if card.last_outcome else "nothing")
    assert reasons == ["notes: locked (missing: unlock)", "None"]
    card.reset()
    assert card.last_outcome is None


def test_who_watches_commits_makes_them() -> None:
    card = make_card(Notes(AID_A))
    send(card, "00200000")
    before, made = card.persistent, list[bool]()

    def around(commit: Callable[[], None]) -> None:
        made.append(card.persistent == before)
        commit()
        made.append(card.persistent == before)

    card.watch_commits(around)
    assert send(card, "00300000 01 01") == "9000"
    assert made == [True, False]
    card.watch_commits(None)
    assert send(card, "00300000 01 02") == "9000"
    assert len(made) == 2


@pytest.mark.parametrize("is_made", [False, True])
def test_a_power_cut_at_a_commit_goes_through_and_leaves_nothing_between(is_made: bool) -> None:
    card = make_card(Notes(AID_A))
    send(card, "00200000")
    before = card.persistent

    def cut(commit: Callable[[], None]) -> None:
        if is_made:
            commit()
        raise KeyboardInterrupt

    card.watch_commits(cut)
    with pytest.raises(KeyboardInterrupt):
        send(card, "00300000 01 01")
    assert (card.persistent != before) == is_made


# --- names, and what is selected after a reset -----------------------------------------------------------------------


class Named(Notes):
    """Can be selected by other names beside its AID, one of which is in its state; or by none."""

    def __init__(self, aid: bytes, *names: bytes) -> None:
        super().__init__(aid)
        self._names = names
        self.selected_by = b""

    @property
    def names(self) -> tuple[bytes, ...]:
        return self._names

    def is_named(self, name: bytes, state: bytes | None = None) -> bool:
        return super().is_named(name, state) or (bool(state) and name == state)

    def select(self, session: NotesSession, apdu: CommandApdu) -> ResponseApdu:
        self.selected_by = apdu.data
        return ResponseApdu()


OTHER = b"\xf0OTHER"


@pytest.mark.parametrize(("name", "found"), [(AID_A, True), (OTHER, True), (OTHER[:5], True), (OTHER + b"1", False)])
def test_an_application_may_have_several_names(name: bytes, found: bool) -> None:
    application = Named(AID_A, AID_A, OTHER)
    card = make_card(Notes(AID_B), application)
    assert send(card, select(name)) == ("9000" if found else "6A82")
    assert application.selected_by == (name if found else b"")


def test_a_name_may_be_in_the_state() -> None:
    card = Card((Named(AID_A),), Persistent(((AID_A, b"\xf0STATE"),)), SeededEnv(0), atr=Atr())
    assert send(card, select(b"\xf0STATE")) == "9000"
    assert send(card, select(AID_A)) == "6A82"


def test_an_mf_has_no_name_and_is_selected_after_a_reset() -> None:
    mf, other = Named(b"\x3f\x00"), Notes(AID_A)
    card = make_card(mf, other)
    assert card.default_application is mf
    assert send(card, "00A4040007" + "3F000000000000") == "6A82"
    assert send(card, "00400000") == "00009000"
    assert send(card, select(AID_A)) == "41009000"
    card.reset()
    assert card._volatile.channels[0].application is mf


def test_a_profile_says_what_is_selected_after_a_reset() -> None:
    applications = Notes(AID_A), Notes(AID_B)
    state = Persistent(((AID_A, b""), (AID_B, b"")))
    card = Card(applications, state, SeededEnv(0), atr=Atr(), default=AID_B)
    assert selected(card) == "B"
    none = Card(applications, state, SeededEnv(0), atr=Atr(), default=b"")
    assert none.default_application is None
    assert send(none, "00400000") == "6D00"
    assert send(none, select(AID_A)) == "41009000"
    assert send(none, "00700001") == "9000"
    assert send(none, "01400000") == "6D00"
    with pytest.raises(ValueError, match="carries no application"):
        Card(applications, state, SeededEnv(0), atr=Atr(), default=AID_C)


# --- secure messaging ------------------------------------------------------------------------------------------------


IS_WRAPPED = Command("IS WRAPPED", {0}, {0}, ANYBODY, lambda session, apdu: bytes([session.is_wrapped]), "this test")


class Guarded(Notes):
    """Protected commands end with a lock of one byte, and so do their answers; `status` says whether one came so."""

    has_secure_messaging = True
    commands: Mapping[int, Command] = {**COMMANDS, 0x41: IS_WRAPPED}

    def unwrap(self, session: NotesSession, apdu: CommandApdu) -> CommandApdu:
        if not apdu.data.endswith(b"L"):
            session.volatile["open"] = False
            raise CardError(SW.SM_OBJECT_WRONG, "no lock")
        return CommandApdu(0, apdu.ins, apdu.p1, apdu.p2, apdu.data[:-1], extended=len(apdu.data) > 256)

    def wrap(self, session: NotesSession, response: ResponseApdu) -> ResponseApdu:
        return ResponseApdu(bytes(response) + b"L")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("0C41000001 4C", "019000" + "4C9000"),
        ("0841000001 4C", "019000" + "4C9000"),
        ("00410000", "009000"),
        # An error comes out protected, with its reason.
        ("0C41000101 4C", "6A864C9000"),
        ("0C99000001 4C", "6D004C9000"),
        # What cannot be opened is answered plain.
        ("0C41000001 4D", "6988"),
        ("0C410000", "6988"),
        # A protected command may be too long for one part whatever its row says.
        ("1C41000000", "9000"),
        # SELECT too.
        ("0CA4040007 F0414C4F4E45 4C", "6A824C9000"),
    ],
)
def test_a_protected_command_is_opened_and_its_answer_protected(command: str, answer: str) -> None:
    card = make_card(Guarded(AID_A))
    assert send(card, command.replace(" ", "")) == answer
    outcome = card.last_outcome
    assert outcome is not None
    assert (outcome.reason is None) == (answer[:2] not in ("6A", "6D", "69"))


def test_a_protected_chain_is_opened_when_it_is_whole() -> None:
    card = make_card(Guarded(AID_A))
    assert send(card, "1CDB000002AABB") == "9000"
    assert send(card, "0CDB000002CC4C") == "90004C9000"
    assert send(card, "00B00000") == "AABBCC9000"


def test_a_long_protected_answer_is_fetched_in_parts() -> None:
    card = make_card(Guarded(AID_A))
    assert send(card, "0C10000A014C05") == "00010203046108"
    assert send(card, "00C0000000") == "05060708099000" + "4C9000"


def test_an_application_without_it_is_asked_nothing() -> None:
    card = make_card(Notes(AID_A))
    for command in ("0C400000", "1CDB000001AA", "0CC00000"):
        assert send(card, command) == "6882"
    with pytest.raises(CardError) as refused:
        Notes(AID_A).unwrap(None, CommandApdu(0x0C, 0x40, 0, 0))  # type: ignore[arg-type]
    assert refused.value.sw == SW.SECURE_MESSAGING_NOT_SUPPORTED
    assert Notes(AID_A).wrap(None, ResponseApdu(b"a")) == ResponseApdu(b"a")  # type: ignore[arg-type]
