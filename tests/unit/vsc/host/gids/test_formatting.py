"""Formatting, and the id of a card."""

import uuid
from dataclasses import replace

import pytest

from card_os.apps.gids.minidriver import CARD_APPS, CARD_CACHE, CONTAINER_MAP, DIRECTORY, KEY_MAP, content
from card_os.apps.gids.personalisation import personalised
from card_os.apps.gids.state import DataFile, KeyFile
from card_os.card import Card
from card_os.pin import PinPolicy
from card_os.tlv import Tlv
from tests.unit.vsc.host.cards import (
    RESPOND,
    Cut,
    LikeTheApplet,
    Refusing,
    Wrapped,
    host,
    new_card,
    state_of,
)
from tests.unit.vsc.samples import ADMIN_KEY, PIN, UUID_OF_CARD_ID, certificate, rsa_key, state, with_content
from vsc.errors import AuthenticationRequired, CardRemoved
from vsc.host import Gids
from vsc.host.gids.files import Directory

NEW_ID = uuid.UUID("12345678-1234-5678-1234-567812345678")
KEY = rsa_key().library_key()


def filled() -> Card:
    """Keys, certificates, and files that other hosts may have made."""
    start = state(policy=PinPolicy())
    for place in ((0xA010, 0xDF30), (0xA013, 0xDF21), (0xA014, 0xDF21), (0xA012, 0xDF33), (0xA000, 0xDF40)):
        start = with_content(start, place, b"something")
    card = new_card(start)
    gids = host(card)
    gids.verify_pin(PIN)
    for number in range(2):
        gids.import_key(KEY)
        gids.write_certificate(number, certificate())
    return card


def as_admin(card: Card | Wrapped) -> Gids:
    gids = host(card)
    gids.authenticate(RESPOND)
    return gids


def assert_is_formatted(card: Card, card_id: uuid.UUID = NEW_ID) -> None:
    found = state_of(card)
    assert content(found, DIRECTORY) == bytes(Directory.base())
    assert content(found, CONTAINER_MAP) == b""
    assert content(found, KEY_MAP) is None
    assert content(found, CARD_APPS) == b"mscp\x00\x00\x00\x00"
    assert content(found, (0xA012, 0xDF20)) == card_id.bytes_le
    assert [file.efid for file in found.files if isinstance(file, KeyFile)] == [0xB080]
    tags = {file.efid: {one.tag for one in file.objects} for file in found.files if isinstance(file, DataFile)}
    assert {efid: left for efid, left in tags.items() if left} == {
        0xA000: {0xDF1F},
        0xA010: {0xDF21, 0xDF22, 0xDF23},
        0xA012: {0xDF20},
    }
    assert host(card).containers() == ()


@pytest.mark.parametrize("habits", [Wrapped, LikeTheApplet])
def test_format_under_the_admin_key_alone(habits: type[Wrapped]) -> None:
    card = filled()
    before = state_of(card)
    as_admin(habits(card)).format(NEW_ID)
    assert_is_formatted(card)
    after = state_of(card)
    # PIN, policy and admin key are what they were; hosts' copies are not.
    assert (after.pin, after.pin_policy, after.key_file(0x80)) == (before.pin, before.pin_policy, before.key_file(0x80))
    assert content(after, CARD_CACHE) != content(before, CARD_CACHE)
    gids = host(card)
    gids.verify_pin(PIN)
    assert gids.import_key(KEY) == 0


def test_the_counters_change_on_a_fresh_card_too() -> None:
    card = new_card()
    before = content(state_of(card), CARD_CACHE)
    as_admin(card).format(uuid.UUID(UUID_OF_CARD_ID))
    assert_is_formatted(card, uuid.UUID(UUID_OF_CARD_ID))
    assert content(state_of(card), CARD_CACHE) != before


@pytest.mark.parametrize("pin", [False, True])
def test_without_the_admin_key_nothing_happens(pin: bool) -> None:
    card = filled()
    gids = host(card)
    if pin:
        gids.verify_pin(PIN)
    before = state_of(card)
    with pytest.raises(AuthenticationRequired, match="formatting needs the admin key first"):
        gids.format(NEW_ID)
    with pytest.raises(AuthenticationRequired, match="changing the card's id needs the admin key first"):
        gids.set_card_id(NEW_ID)
    assert state_of(card) == before


def test_a_card_whose_file_system_is_broken_can_be_formatted() -> None:
    start = state_of(filled())
    for place in (DIRECTORY, KEY_MAP):
        start = with_content(start, place, b"\x07nonsense")
    card = new_card(start)
    as_admin(card).format(NEW_ID)
    assert_is_formatted(card)


def test_a_card_that_was_never_formatted_gets_its_first_files() -> None:
    """Its EFs are there, with nothing in them."""
    card = new_card(personalised(pin=PIN, admin_key=ADMIN_KEY, card_id=None, tries=3))
    assert host(card).containers() == ()
    assert host(card).card_id() is None
    as_admin(card).format(NEW_ID)
    assert_is_formatted(card)


def test_a_file_that_only_the_directory_knows() -> None:
    """Files in an EF that nobody may read cannot be listed: the directory names them."""
    start = state_of(filled())
    a011 = start.file(0xA011)
    assert isinstance(a011, DataFile)
    start = start.with_file(replace(a011, objects=(Tlv(0xDF21, b"write only"),)))
    record = b"mscp".ljust(9, b"\x00") + b"hidden".ljust(9, b"\x00") + bytes.fromhex("000021DF000011A00000")
    start = with_content(start, DIRECTORY, (content(start, DIRECTORY) or b"") + record)
    card = new_card(start)
    as_admin(card).format(NEW_ID)
    assert_is_formatted(card)


def test_a_key_that_no_map_names_goes_too() -> None:
    card = new_card(with_content(state_of(filled()), CONTAINER_MAP, b""))
    as_admin(Refusing(card, ("00CBA00003", "6A80"))).format(NEW_ID)
    assert not [file for file in state_of(card).files if isinstance(file, KeyFile) and file.efid != 0xB080]


@pytest.mark.parametrize("did", [False, True])
def test_a_format_that_is_cut_can_be_done_again(did: bool) -> None:
    counter = Wrapped(filled())
    gids = as_admin(counter)
    before = len(counter.sent)
    gids.format(NEW_ID)
    for at in range(before, len(counter.sent), 3):
        card = filled()
        gids = as_admin(Cut(card, at, did=did))
        with pytest.raises(CardRemoved):
            gids.format(NEW_ID)
        # Whatever is left can be read, and no key has changed.
        for one in host(card).containers():
            assert one.public_key() in (None, KEY.public_key())
            assert one.certificate in (None, certificate())
        as_admin(card).format(NEW_ID)
        assert_is_formatted(card)


def test_the_id_of_a_card() -> None:
    card = new_card()
    gids = as_admin(card)
    assert str(gids.card_id()) == UUID_OF_CARD_ID
    before = content(state_of(card), CARD_CACHE)
    gids.set_card_id(NEW_ID)
    assert gids.card_id() == NEW_ID
    assert content(state_of(card), CARD_CACHE) != before


@pytest.mark.parametrize("value", [b"", b"short", bytes(17)])
def test_a_card_without_a_proper_id(value: bytes) -> None:
    card = new_card(with_content(state(), (0xA012, 0xDF20), value))
    assert host(card).card_id() is None
