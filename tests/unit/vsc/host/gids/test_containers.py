"""Containers: made, filled, deleted, in whole or not at all; and what a cut leaves."""

import re
import uuid
import zlib

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from card_os.apps.gids.minidriver import CARD_CACHE, CONTAINER_MAP, DIRECTORY, KEY_MAP, content
from card_os.apps.gids.state import KeyFile
from card_os.card import Card
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
from tests.unit.vsc.samples import PIN, certificate, rsa_key, state, state_with_key, with_content
from vsc.errors import AuthenticationRequired, CardRemoved, UnexpectedStatus, UnsupportedCard, VscError
from vsc.host import Container, Gids, KeyUse
from vsc.host.gids.containers import pack_certificate
from vsc.host.gids.files import CERTIFICATE_PREFIXES, ContainerMap, Directory

KEY = rsa_key().library_key()


def logged_in(card: Card | Wrapped) -> Gids:
    gids = host(card)
    gids.verify_pin(PIN)
    return gids


@pytest.fixture(params=[Wrapped, LikeTheApplet])
def gids(request: pytest.FixtureRequest) -> Gids:
    return logged_in(request.param(new_card()))


def test_a_card_without_containers(gids: Gids) -> None:
    assert gids.containers() == ()


@pytest.mark.parametrize("use", CERTIFICATE_PREFIXES)
def test_a_key_is_imported_and_signs(gids: Gids, use: KeyUse) -> None:
    assert gids.import_key(KEY, name="Ada", use=use) == 0
    (container,) = gids.containers()
    assert container == Container(0, "Ada", True, use, "rsa:1024", None, KEY.public_key())
    assert container.public_key() == gids.public_key(0) == KEY.public_key()
    KEY.public_key().verify(gids.sign(0, b"text"), b"text", PKCS1v15(), SHA256())


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_large_keys_are_imported_and_sign(gids: Gids, bits: int) -> None:
    key = generate_private_key(65_537, bits)
    number = gids.import_key(key)
    assert gids.public_key(number) == key.public_key()
    assert gids.containers()[0].key_bits == bits
    key.public_key().verify(gids.sign(number, b"text"), b"text", PKCS1v15(), SHA256())
    # More than one command takes, which is chained.
    if bits >= 3072:
        assert len(gids.sign(number, bytes(300), None)) == bits // 8


def test_a_key_is_generated_and_signs(gids: Gids) -> None:
    number = gids.generate_key(1024, name="made here", use=KeyUse.SIGNATURE)
    gids.public_key(number).verify(gids.sign(number, b"text"), b"text", PKCS1v15(), SHA256())
    (container,) = gids.containers()
    assert (container.name, container.use, container.key_bits) == ("made here", KeyUse.SIGNATURE, 1024)


def test_a_container_without_a_name_gets_a_guid(gids: Gids) -> None:
    gids.import_key(KEY)
    (container,) = gids.containers()
    assert re.fullmatch(r"\{.{36}\}", container.name)
    assert str(uuid.UUID(container.name)) == container.name.strip("{}")


def test_numbers(gids: Gids) -> None:
    assert [gids.import_key(KEY, name=name) for name in "abc"] == [0, 1, 2]
    gids.delete_container(1)
    assert [(one.number, one.name) for one in gids.containers()] == [(0, "a"), (2, "c")]
    with pytest.raises(VscError, match="key container 0 is not free; the next one is 1"):
        gids.import_key(KEY, number=0)
    for number in (-1, 4, 200):
        with pytest.raises(VscError, match="is not free"):
            gids.import_key(KEY, number=number)
    assert gids.import_key(KEY, number=3) == 3
    assert gids.import_key(KEY) == 1
    assert [one.is_default for one in gids.containers()] == [True, False, False, False]


def test_more_containers_than_there_are_keys() -> None:
    card = new_card(with_content(state(), CONTAINER_MAP, b"\x01" * 86 * 0x7F))
    with pytest.raises(UnsupportedCard, match="at most 127 key containers"):
        logged_in(card).import_key(KEY)


@pytest.mark.parametrize("name", ["", "x" * 40, "a\x00"])
def test_a_name_that_does_not_fit_changes_nothing(name: str) -> None:
    card = new_card()
    gids = logged_in(card)
    before = state_of(card)
    with pytest.raises(ValueError, match="container's name"):
        gids.import_key(KEY, name=name)
    assert state_of(card) == before


def test_a_size_that_gids_has_not_changes_nothing() -> None:
    card = new_card()
    gids = logged_in(card)
    before = state_of(card)
    with pytest.raises(UnsupportedCard, match="not of 1536"):
        gids.generate_key(1536)
    with pytest.raises(UnsupportedCard, match="not of 1280"):
        gids.import_key(generate_private_key(65_537, 1280))
    assert state_of(card) == before


def test_without_the_pin_nothing_is_made() -> None:
    card = new_card()
    before = state_of(card)
    with pytest.raises(AuthenticationRequired, match="making a key needs the PIN"):
        host(card).import_key(KEY)
    # The administrator may make the file of a key but not the key.
    gids = host(card)
    gids.authenticate(RESPOND)
    with pytest.raises(AuthenticationRequired, match="generating a key needs the PIN"):
        gids.generate_key(1024)
    with pytest.raises(AuthenticationRequired, match="importing a key needs the PIN"):
        gids.import_key(KEY)
    assert state_of(card) == before


def test_on_a_card_that_was_never_formatted_nothing_is_made() -> None:
    card = new_card(with_content(state(), DIRECTORY, b""))
    gids = logged_in(card)
    before = state_of(card)
    with pytest.raises(UnsupportedCard, match="never formatted"):
        gids.import_key(KEY)
    assert state_of(card) == before


def test_what_fails_half_way_is_undone() -> None:
    """The container map cannot be written: key file and key map go again."""
    inner = new_card()
    gids = logged_in(Refusing(inner, ("00DBA01059DF23", "6A84")))
    before = state_of(inner)
    with pytest.raises(UnexpectedStatus, match="6A84"):
        gids.import_key(KEY)
    after = state_of(inner)
    assert [file.efid for file in after.files] == [file.efid for file in before.files]
    assert content(after, KEY_MAP) is None
    assert content(after, CONTAINER_MAP) == content(before, CONTAINER_MAP)


def test_what_fails_half_way_leaves_other_containers_alone() -> None:
    inner = new_card(state_with_key())
    logged_in(inner).import_key(KEY)
    before = {place: content(state_of(inner), place) for place in (KEY_MAP, CONTAINER_MAP, DIRECTORY)}
    gids = logged_in(Refusing(inner, ("10DBA010FFDF23", "6A84")))
    with pytest.raises(UnexpectedStatus, match="6A84"):
        gids.import_key(KEY)
    assert {place: content(state_of(inner), place) for place in before} == before
    assert len(gids.containers()) == 2


# --- certificates


def test_a_certificate_is_written_replaced_and_deleted(gids: Gids) -> None:
    gids.import_key(KEY)
    assert gids.read_certificate(0) is None
    gids.write_certificate(0, certificate())
    assert gids.read_certificate(0) == certificate()
    gids.write_certificate(0, certificate("Grace Hopper"))
    assert gids.read_certificate(0) == certificate("Grace Hopper")
    assert gids.containers()[0].certificate == certificate("Grace Hopper")
    gids.delete_certificate(0)
    assert gids.read_certificate(0) is None
    with pytest.raises(VscError, match="container 0 has no certificate"):
        gids.delete_certificate(0)


@pytest.mark.parametrize(("use", "name"), [(KeyUse.EXCHANGE, b"kxc00"), (KeyUse.SIGNATURE, b"ksc00")])
def test_the_file_of_a_certificate_is_named_after_the_use(use: KeyUse, name: bytes) -> None:
    card = new_card()
    gids = logged_in(card)
    gids.import_key(KEY, use=use)
    gids.write_certificate(0, certificate())
    assert name in (content(state_of(card), DIRECTORY) or b"")
    assert content(state_of(card), (0xA010, 0xDF24)) == pack_certificate(certificate())


def test_no_certificate_without_a_container(gids: Gids) -> None:
    for act in (gids.read_certificate, gids.delete_certificate, gids.delete_container):
        with pytest.raises(VscError, match="no key container 0"):
            act(0)
    with pytest.raises(VscError, match="no key container 0"):
        gids.write_certificate(0, certificate())


@pytest.mark.parametrize("stored", [b"\x01", b"\x01\x00\x05\x00nothing", b"\x02\x00\x01\x00" + zlib.compress(b"x")])
def test_a_certificate_that_cannot_be_read(stored: bytes) -> None:
    gids = host(new_card(state_with_key(stored)))
    assert gids.containers()[0].certificate is None
    with pytest.raises(VscError, match="certificate of key container 0 cannot be read"):
        gids.read_certificate(0)


@pytest.mark.parametrize("size", [0, 65_536])
def test_a_certificate_of_an_impossible_size(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 65535 bytes"):
        pack_certificate(bytes(size))


def test_without_the_pin_no_certificate_is_written_or_deleted() -> None:
    card = new_card(state_with_key())
    before = state_of(card)
    gids = host(card)
    with pytest.raises(AuthenticationRequired):
        gids.write_certificate(0, certificate())
    with pytest.raises(AuthenticationRequired):
        gids.delete_certificate(0)
    with pytest.raises(AuthenticationRequired):
        gids.delete_container(0)
    assert state_of(card) == before


# --- deleting


def test_a_container_goes_with_key_and_certificate(gids: Gids) -> None:
    gids.import_key(KEY, name="first")
    gids.import_key(KEY, name="second")
    for number in (0, 1):
        gids.write_certificate(number, certificate(f"number {number}"))
    gids.delete_container(0)
    (left,) = gids.containers()
    assert (left.number, left.name, left.is_default) == (1, "second", True)
    assert left.certificate == certificate("number 1")
    with pytest.raises(VscError, match="no key in container 0"):
        gids.public_key(0)
    assert gids.import_key(KEY, name="third") == 0
    assert gids.read_certificate(0) is None


def test_a_new_container_does_not_inherit_a_certificate() -> None:
    """OpenSC leaves the certificate of a key that it deletes (gids.md 9.6)."""
    card = new_card(with_content(state_with_key(), CONTAINER_MAP, bytes(86)))
    gids = logged_in(card)
    assert gids.import_key(KEY) == 0
    assert gids.read_certificate(0) is None


def test_a_container_without_a_key_can_be_deleted() -> None:
    start = state_with_key().without_file(0xB081)
    gids = logged_in(new_card(start))
    (container,) = gids.containers()
    assert container.public_key() is None
    gids.delete_container(0)
    assert gids.containers() == ()


def test_the_two_maps_are_made_equally_long() -> None:
    """Windows empties the key map with the last key; OpenSC then makes no more keys (gids.md 10.2.7)."""
    card = new_card(with_content(state(), CONTAINER_MAP, bytes(86 * 3)))
    logged_in(card).import_key(KEY)
    assert len(content(state_of(card), KEY_MAP) or b"") == 1 + 3 * 12


# --- caches


def test_the_counters_go_up_with_every_change() -> None:
    card = new_card()
    gids = logged_in(card)
    seen = [content(state_of(card), CARD_CACHE)]
    for act in (
        lambda: gids.import_key(KEY),
        lambda: gids.write_certificate(0, certificate()),
        lambda: gids.write_certificate(0, certificate("Grace Hopper")),
        lambda: gids.delete_certificate(0),
        lambda: gids.delete_container(0),
    ):
        act()
        seen.append(content(state_of(card), CARD_CACHE))
    assert len(set(seen)) == len(seen)


def test_a_counter_goes_up_before_the_change_it_tells_of() -> None:
    card = Wrapped(new_card())
    gids = logged_in(card)
    gids.import_key(KEY)
    gids.write_certificate(0, certificate())
    last: bytes | None = None
    for command in card.sent:
        if command[1] == 0xDB and command[2:4] in (b"\xa0\x00", b"\xa0\x10") and command[0] == 0:
            if command[5:7] != b"\xdf\x22":
                assert last == b"\xdf\x22", command.hex()
            last = command[5:7]


# --- cuts


def steps(act: str) -> int:
    card = Wrapped(_prepared(act))
    gids = logged_in(card)
    before = len(card.sent)
    _act(gids, act)
    return len(card.sent) - before


def _prepared(act: str) -> Card:
    card = new_card()
    gids = logged_in(card)
    gids.import_key(KEY, name="old")
    if act != "write":
        gids.write_certificate(0, certificate())
    return card


def _act(gids: Gids, act: str) -> None:
    if act == "import":
        gids.import_key(KEY, name="new")
    elif act == "write":
        gids.write_certificate(0, certificate())
    elif act == "replace":
        gids.write_certificate(0, certificate("Grace Hopper"))
    else:
        gids.delete_container(0)


@pytest.mark.parametrize("did", [False, True])
@pytest.mark.parametrize("act", ["import", "write", "replace", "delete"])
def test_a_card_that_is_pulled_out_reads_well_and_the_same_again_ends_it(act: str, did: bool) -> None:
    for at in range(steps(act)):
        card = _prepared(act)
        cut = Cut(card, 2 + at, did=did)
        gids = logged_in(cut)
        with pytest.raises(CardRemoved):
            _act(gids, act)
        again = logged_in(card)
        found = {one.name: one for one in again.containers()}
        assert set(found) <= {"old", "new"}
        for one in found.values():
            assert one.certificate in (None, certificate(), certificate("Grace Hopper"))
            # Only a delete that was cut leaves a container without a key, and none with a wrong one.
            assert one.public_key() == KEY.public_key() or (act == "delete" and one.public_key() is None)
        if act == "import":
            assert found["old"].certificate == certificate()
            number = again.import_key(KEY, name="new") if "new" not in found else found["new"].number
            again.write_certificate(number, certificate())
            KEY.public_key().verify(again.sign(number, b"text"), b"text", PKCS1v15(), SHA256())
        elif act == "delete":
            if found:
                again.delete_container(0)
            assert again.containers() == ()
            assert not any(isinstance(file, KeyFile) and file.efid > 0xB080 for file in state_of(card).files)
        else:
            _act(again, act)
            assert again.containers()[0].certificate is not None
        keys = content(state_of(card), KEY_MAP) or b""
        table = content(state_of(card), CONTAINER_MAP) or b""
        assert max(0, len(keys) - 1) // 12 == len(table) // 86


class Watched(Wrapped):
    """Looks after every command whether the lists name only what is there; of a key that is deleted, less is asked."""

    is_deleting = False

    def answer(self, command: bytes) -> bytes:
        answer = self.card.transmit(command)
        found = state_of(self.card)
        for entry in Directory.parse(content(found, DIRECTORY) or b"").entries:
            assert not entry.tag or content(found, (entry.efid, entry.tag)) is not None, entry
        for number in ContainerMap.parse(content(found, CONTAINER_MAP) or b"").containers:
            file = found.key_file(0x81 + number)
            assert self.is_deleting or (file is not None and file.key is not None)
        return answer


def test_the_lists_name_only_what_is_there() -> None:
    card = Watched(new_card())
    gids = logged_in(card)
    for use in CERTIFICATE_PREFIXES:
        number = gids.import_key(KEY, use=use)
        gids.write_certificate(number, certificate())
        gids.write_certificate(number, certificate("Grace Hopper"))
        gids.generate_key(1024)
    gids.delete_certificate(0)
    card.is_deleting = True
    gids.delete_container(2)


class LosesItsMap(Wrapped):
    """Has no container map any more once its keys are being deleted."""

    def answer(self, command: bytes) -> bytes:
        is_late = any(sent[1] == 0xE4 for sent in self.sent)
        return b"\x6a\x82" if is_late and command[1:4] == b"\xcb\xa0\x10" else self.card.transmit(command)


def test_a_container_whose_map_is_lost_while_it_is_deleted_is_gone() -> None:
    """Found by fuzzing: it was an IndexError."""
    card = new_card()
    logged_in(card).import_key(KEY, name="Ada")
    logged_in(LosesItsMap(card)).delete_container(0)
    assert state_of(card).key_file(0x81) is None
