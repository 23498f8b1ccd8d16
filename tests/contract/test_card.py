"""What a card of every profile keeps to, whatever its applications are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.fuzz.run import run
from card_os.command import TRIES_LEFT
from card_os.fact import Kind
from card_os.schema import MIN_PART_BYTES, Group, Known, Piece
from vsc.errors import UnsupportedOption
from vsc.profiles import CardOptions, Profile
from vsc.profiles.options import NAMES
from vsc.store import Image
from vsc.store.archive import read_archive, write_archive
from vsc.store.summary import outline_of, summarise
from vsc.testing import SoftCard, tear_everywhere
from vsc.testing.diff import facts_of
from vsc.testing.strategies import apdus, cards

FEW = settings(max_examples=10)
_SUCCESS = (0x90, 0x61, 0x62, 0x63)


def image_of(card: SoftCard) -> Image:
    return Image("card", card.profile, card.persistent)


def selected(card: SoftCard, aid: bytes) -> None:
    card.power_on()
    assert card.transmit(bytes([0x00, 0xA4, 0x04, 0x00, len(aid)]) + aid + b"\x00")[-2] in _SUCCESS


# --- what it is made of


def bytes_of(piece: Piece) -> bytes:
    """Of a piece of a state; a part is as long as it says."""
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, Group):
        raw = b"".join(map(bytes_of, piece.pieces))
        assert len(raw) == piece.size
        return raw
    raw = piece.encode()
    assert len(raw) == piece.size >= MIN_PART_BYTES
    return raw


@FEW
@given(data=st.data())
def test_a_state_is_kept_and_described_whole(made: Profile, data: st.DataObject) -> None:
    card = data.draw(cards(made.name))
    known = Known()
    for application in (*made.applications, *made.applications):
        state = card.persistent.state(application.aid)
        assert application.decode(application.encode(state)) == state
        assert b"".join(map(bytes_of, application.pieces(state, known))) == application.encode(state)
        assert application.read_description(application.describe(state)) == state
    image = image_of(card)
    assert Image.parse(bytes(image)) == image
    assert read_archive(write_archive(image)) == image


def test_the_same_seed_is_the_same_card(made: Profile) -> None:
    assert SoftCard.make(made.name, seed=1).persistent == SoftCard.make(made.name, seed=1).persistent


def test_each_has_its_own_identity(made: Profile) -> None:
    made_twice = (outline_of(image_of(SoftCard.make(made.name))) for _ in range(2))
    for one, other in zip(*made_twice, strict=True):
        assert one.identity is None or one.identity != other.identity


def test_an_option_that_it_has_not_is_refused_by_its_name(made: Profile) -> None:
    values = dict.fromkeys(NAMES, 1)
    for name in NAMES:
        if not made.takes(name):
            with pytest.raises(UnsupportedOption, match=f"takes no {name};"):
                made.completed(CardOptions(**{name: values[name]}))  # type: ignore[arg-type]


def test_it_is_listed(made: Profile) -> None:
    summary = summarise(image_of(SoftCard.make(made.name)))
    assert (summary.profile, summary.life_cycle != "cannot be read") == (made.name, True)
    assert len(summary.others) == len(made.applications) - 1


def test_facts_are_named_once_and_show_no_secret(made: Profile) -> None:
    card = SoftCard.make(made.name, seed=1)
    facts = [fact for one in made.applications for fact in one.facts(card.persistent.state(one.aid))]
    assert len({fact.name for fact in facts}) == len(facts) or len(made.applications) > 1
    for name, fact in facts_of(card).items():
        assert fact.kind is not Kind.SECRET or not fact.shown, name
        assert fact.kind is not Kind.COUNTER or isinstance(fact.value, int), name


# --- its rows


def test_samples_get_past_the_checks_of_their_rows(profile: Profile) -> None:
    for application in profile.applications:
        for _, row in application.table:
            for p1p2, data in row.samples:
                assert p1p2 in row.p1p2, (row.name, f"{p1p2:04X}")
                assert len(data) in row.nc, (row.name, len(data))


def test_rows_say_what_people_need(profile: Profile) -> None:
    for application in profile.applications:
        for _, row in application.table:
            assert row.name
            assert row.spec
            assert row.access.words
            assert all(sw == TRIES_LEFT or 0x6200 <= sw <= 0x6FFF for sw in row.answers())


# --- what it answers


@FEW
@given(data=st.data())
def test_any_bytes_are_answered_lawfully(made: Profile, data: st.DataObject) -> None:
    card = SoftCard.make(made.name, seed=1)
    for command in data.draw(st.lists(apdus(made.name) | st.binary(max_size=40), min_size=1, max_size=8)):
        answer = card.transmit(command)
        sw = int.from_bytes(answer[-2:], "big")
        assert len(answer) >= 2
        assert sw >> 12 in (6, 9)
        assert sw >> 8 != 0x60
        assert sw != 0x6F00
        if sw >> 8 not in _SUCCESS:
            assert card.why, command.hex()


def test_what_is_protected_is_refused_to_strangers(made: Profile) -> None:
    card = SoftCard.make(made.name, seed=1)
    for application in made.applications:
        for command in application.protected(card.persistent.state(application.aid)):
            selected(card, application.aid)
            before = card.persistent
            answer = card.transmit(command)
            assert answer[-2] not in (0x90, 0x61), command.hex()
            assert card.persistent == before


def test_the_fuzzer_finds_nothing(made: Profile) -> None:
    found = run([made], 400, seed=1).finding
    assert found is None, str(found)


def test_samples_survive_every_power_cut(made: Profile) -> None:
    def send_all(card: SoftCard) -> None:
        for application in made.applications:
            for ins, row in application.table:
                for p1p2, data in row.samples:
                    if len(data) <= 255:
                        selected(card, application.aid)
                        head = bytes([0x80 if row.classes.value == 2 else 0x00, ins, p1p2 >> 8, p1p2 & 0xFF])
                        card.transmit(head + (bytes([len(data)]) + data if data else b""))

    tear_everywhere(send_all, card=SoftCard.make(made.name, seed=1))
