"""The host's half: whatever is on a card stays as it is, whatever is sent arrives, and no act ends half-way."""

import subprocess
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from card_os.apps.gids.minidriver import CONTAINER_MAP, KEY_MAP, DirectoryEntry, content
from tests.interop.need import require_tool
from tests.unit.vsc.host.cards import RESPOND, Double, LikeTheApplet, Wrapped, host, new_card, state_of
from tests.unit.vsc.samples import PIN, certificate, rsa_key
from vsc.errors import UnsupportedCard, VscError
from vsc.host import DirectConnection, KeyUse, calculate_response
from vsc.host.exchange import Exchange
from vsc.host.gids.files import (
    CERTIFICATE_PREFIXES,
    ContainerMap,
    ContainerRecord,
    Directory,
    KeyMap,
    checked_name,
    raised,
)

USES = st.sampled_from(list(CERTIFICATE_PREFIXES))

# --- the hosts' files

RAW = st.binary(max_size=400)
SHORT_NAMES = st.text(st.characters(codec="ascii", exclude_characters="\x00"), max_size=8)
ENTRIES = st.builds(
    DirectoryEntry, SHORT_NAMES, SHORT_NAMES, st.integers(0xDF20, 0xDF7F), st.sampled_from([0xA010, 0xA012, 0xA013])
)


def fits(name: str) -> bool:
    try:
        checked_name(name)
    except ValueError:
        return False
    return True


RECORDS = st.builds(
    ContainerRecord,
    st.text(min_size=1, max_size=39).filter(fits),
    USES,
    st.integers(1, 0xFFFF),
    st.booleans(),
)


@given(RAW)
def test_a_directory_is_written_as_it_was_read(raw: bytes) -> None:
    assert bytes(Directory.parse(b"\x01" + raw)) == b"\x01" + raw


@given(RAW)
def test_a_container_map_is_written_as_it_was_read(raw: bytes) -> None:
    table = ContainerMap.parse(raw)
    assert bytes(table) == raw
    assert table.is_free(table.free_number)
    assert table.free_number not in table.containers


@given(RAW)
def test_a_key_map_is_written_as_it_was_read(raw: bytes) -> None:
    assert bytes(KeyMap.parse(b"\x01" + raw)) == b"\x01" + raw


@given(RECORDS)
def test_a_container_is_read_as_it_was_written(record: ContainerRecord) -> None:
    assert ContainerRecord.parse(bytes(record)) == record


@given(st.lists(ENTRIES, max_size=8), ENTRIES, st.binary(max_size=27))
def test_a_file_comes_and_goes_and_nothing_else_changes(
    others: list[DirectoryEntry], entry: DirectoryEntry, tail: bytes
) -> None:
    directory = Directory(tuple(bytes(one) for one in others if one != entry), tail)
    added = directory.with_entry(entry)
    assert added.find(entry.name, entry.directory) is not None
    assert added.without(entry) == directory
    assert directory.free_tag() not in {one.tag for one in directory.entries if one.efid == 0xA010}


@given(st.lists(RECORDS, max_size=5), RECORDS, st.data())
def test_a_container_comes_and_goes_and_nothing_else_changes(
    others: list[ContainerRecord], record: ContainerRecord, data: st.DataObject
) -> None:
    table = ContainerMap(tuple(bytes(one) for one in others))
    is_one_deleted = data.draw(st.booleans())
    if others and is_one_deleted:
        table = table.without(data.draw(st.integers(0, len(others) - 1)))
    number = table.free_number
    added = table.with_container(number, record)
    assert added.containers[number].name == record.name
    assert any(one.is_default for one in added.containers.values())
    left = added.without(number)
    assert left.is_free(number)
    assert {n: one.name for n, one in left.containers.items()} == {n: one.name for n, one in table.containers.items()}


@given(st.binary(min_size=5, max_size=5), st.integers(0, 2), st.integers(0, 2))
def test_the_cache_counters_change_when_they_are_raised(rest: bytes, containers: int, files: int) -> None:
    new = raised(b"\x00" + rest, containers=containers, files=files)
    assert new is not None
    assert new[:2] == b"\x00" + rest[:1]
    assert (new != b"\x00" + rest) == bool(containers or files)


# --- exchange


class Echo(Double):
    """Collects the parts of a command and says them back, in pieces of the sizes that it was given."""

    def __init__(self, pieces: list[int]) -> None:
        self._pieces = pieces
        self._data = b""
        self.commands: list[bytes] = []

    def transmit(self, command: bytes) -> bytes:
        self.commands.append(command)
        if command[1] != 0xC0:
            assert len(command) <= 261
            self._data += command[5 : 5 + command[4]] if len(command) > 4 else b""
            if command[0] & 0x10:
                return b"\x90\x00"
        size = min(self._pieces.pop(0) if self._pieces else 256, 256)
        said, self._data = self._data[:size], self._data[size:]
        left = len(self._data)
        return said + (bytes([0x61, min(left, 256) & 0xFF]) if left else b"\x90\x00")


@given(st.integers(0, 2000), st.lists(st.integers(1, 300), max_size=20))
def test_any_length_goes_out_and_comes_back(size: int, pieces: list[int]) -> None:
    data = bytes(number & 0xFF for number in range(size))
    card = Echo(pieces)
    answer = Exchange(DirectConnection(card)).send(0xDB, 0x3FFF, data)
    assert (answer.data, answer.sw) == (data, 0x9000)


# --- challenge and response


@settings(max_examples=25)
@given(
    st.binary(min_size=24, max_size=24), st.integers(1, 6).flatmap(lambda n: st.binary(min_size=8 * n, max_size=8 * n))
)
def test_responses_are_what_openssl_computes(key: bytes, challenge: bytes) -> None:
    words = ["enc", "-des-ede3-cbc", "-nopad", "-K", key.hex(), "-iv", "00" * 8]
    done = subprocess.run([require_tool("openssl"), *words], input=challenge, capture_output=True, check=True)
    assert calculate_response(challenge, key) == done.stdout


# --- a card in use

KEY = rsa_key().library_key()
NUMBERS = st.integers(0, 4)


class Using(RuleBasedStateMachine):
    """Containers come and go on a card; a dictionary says what there must be."""

    habits: type[Wrapped] = Wrapped

    @initialize()
    def plug_in(self) -> None:
        self.card = new_card()
        self.gids = host(self.habits(self.card))
        self.gids.verify_pin(PIN)
        self.expected: dict[int, tuple[str, KeyUse, bytes | None]] = {}

    @rule(
        name=st.text("ab", min_size=1, max_size=3),
        use=USES,
        number=st.none() | NUMBERS,
    )
    def import_key(self, name: str, use: KeyUse, number: int | None) -> None:
        try:
            made = self.gids.import_key(KEY, name=name, use=use, number=number)
        except VscError:
            assert number is not None
            return
        assert number in (None, made)
        assert made not in self.expected
        self.expected[made] = name, use, None

    @rule(number=NUMBERS, common_name=st.sampled_from(["Ada", "Grace"]))
    def write_certificate(self, number: int, common_name: str) -> None:
        if number not in self.expected:
            with pytest.raises(VscError):
                self.gids.write_certificate(number, certificate(common_name))
            return
        self.gids.write_certificate(number, certificate(common_name))
        self.expected[number] = *self.expected[number][:2], certificate(common_name)

    @rule(number=NUMBERS)
    def delete_certificate(self, number: int) -> None:
        if number not in self.expected or self.expected[number][2] is None:
            with pytest.raises(VscError):
                self.gids.delete_certificate(number)
            return
        self.gids.delete_certificate(number)
        self.expected[number] = *self.expected[number][:2], None

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def delete_container(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.expected)))
        self.gids.delete_container(number)
        del self.expected[number]

    @rule()
    def format(self) -> None:
        self.gids.authenticate(RESPOND)
        self.gids.format(uuid.UUID(int=len(self.expected)))
        self.expected = {}

    @rule()
    def try_a_size_that_no_card_has(self) -> None:
        before = state_of(self.card)
        with pytest.raises(UnsupportedCard):
            self.gids.generate_key(1000)
        assert state_of(self.card) == before

    @invariant()
    def what_there_must_be_is_there(self) -> None:
        found = self.gids.containers()
        assert {one.number: (one.name, one.use, one.certificate) for one in found} == self.expected
        assert all(one.public_key() == KEY.public_key() for one in found)
        assert sum(one.is_default for one in found) == bool(found)

    @invariant()
    def both_maps_are_equally_long(self) -> None:
        state = state_of(self.card)
        containers, keys = content(state, CONTAINER_MAP) or b"", content(state, KEY_MAP) or b""
        assert len(containers) // 86 == len(keys) // 12


class UsingTheApplet(Using):
    """The same with the habits of the reference applet."""

    habits = LikeTheApplet


SOME = settings(stateful_step_count=15, max_examples=settings().max_examples // 4)
TestUsing = Using.TestCase
TestUsing.settings = SOME
TestUsingTheApplet = UsingTheApplet.TestCase
TestUsingTheApplet.settings = SOME
