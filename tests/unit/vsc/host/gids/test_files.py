"""The hosts' files as values: gids.md 2.4 to 2.7, and what is odd stays as it is."""

from dataclasses import replace

import pytest

from card_os.apps.gids.minidriver import DirectoryEntry
from vsc.errors import UnsupportedCard
from vsc.host.gids.files import ContainerMap, ContainerRecord, Directory, KeyMap, checked_name, raised
from vsc.host.port import KeyUse

BASE = bytes.fromhex(
    "016D736370000000000000000000000000000000000000000000A00000000000000000000000636172646964000000000020DF000012A0"
    "0000000000000000000000636172646170707300000021DF000010A00000000000000000000000636172646366000000000022DF000010"
    "A000006D7363700000000000636D617066696C6500000023DF000010A00000"
)
"""As gids-tool writes it (recorded)."""
ODD = b"\xff" * 28
KXC00 = DirectoryEntry("mscp", "kxc00", 0xDF24, 0xA010)


def test_the_base_directory_is_what_others_write() -> None:
    assert bytes(Directory.base()) == BASE
    assert Directory.parse(BASE) == Directory.base()


def test_a_file_is_listed_found_and_taken_off() -> None:
    directory = Directory.base().with_entry(KXC00)
    assert bytes(directory)[-28:].hex().upper() == "6D73637000000000006B7863303000000000000024DF000010A00000"
    assert directory.find("kxc00") == KXC00
    assert directory.find("kxc01") is None
    assert directory.find("kxc00", "") is None
    assert directory.without(KXC00) == Directory.base()
    assert directory.find("cardid", "") == DirectoryEntry("", "cardid", 0xDF20, 0xA012)


def test_odd_records_and_ends_of_a_directory_stay() -> None:
    raw = BASE + ODD + b"\x01\x02"
    directory = Directory.parse(raw)
    assert bytes(directory) == raw
    assert len(directory.entries) == 5
    assert bytes(directory.with_entry(KXC00).without(KXC00)) == raw


@pytest.mark.parametrize("raw", [b"", b"\x02" + BASE[1:], b"\x00"])
def test_a_directory_of_another_kind(raw: bytes) -> None:
    with pytest.raises(UnsupportedCard, match="file system"):
        Directory.parse(raw)


def test_tags_are_given_out_from_the_first_free_one_up() -> None:
    directory = Directory.base()
    assert directory.free_tag() == 0xDF24
    directory = directory.with_entry(DirectoryEntry("mscp", "msroots", 0xDF25, 0xA010)).with_entry(KXC00)
    assert directory.free_tag() == 0xDF26
    # Another EF has tags of its own.
    assert directory.with_entry(DirectoryEntry("x", "y", 0xDF26, 0xA013)).free_tag() == 0xDF26
    assert directory.without(KXC00).free_tag() == 0xDF24


def test_a_directory_without_free_tags() -> None:
    directory = Directory.base()
    for tag in range(0xDF24, 0xDF80):
        directory = directory.with_entry(DirectoryEntry("mscp", f"f{tag:X}", tag, 0xA010))
    with pytest.raises(UnsupportedCard, match="full"):
        directory.free_tag()


# --- container map

KEY1 = bytes.fromhex("6B0065007900310000").ljust(80, b"\x00") + bytes.fromhex("030000000008")
"""`key1`, default, an RSA-2048 exchange key (recorded)."""


def test_a_container_as_others_write_it() -> None:
    record = ContainerRecord("key1", KeyUse.EXCHANGE, 2048, is_default=True)
    assert bytes(record) == KEY1
    assert ContainerRecord.parse(KEY1) == record
    signature = ContainerRecord("key1", KeyUse.SIGNATURE, 1024)
    assert bytes(signature)[80:].hex() == "010000040000"
    assert ContainerRecord.parse(bytes(signature)) == signature


@pytest.mark.parametrize(
    "end", ["000000000008", "020000000008", "030000000000", "030000040008", "030100000008"], ids=str
)
def test_records_that_are_no_container(end: str) -> None:
    raw = KEY1[:80] + bytes.fromhex(end)
    assert ContainerRecord.parse(raw) is None
    table = ContainerMap.parse(raw + KEY1 + b"\x01")
    assert list(table.containers) == [1]
    assert bytes(table) == raw + KEY1 + b"\x01"
    assert table.free_number == 2
    assert not table.is_free(0)


def test_places_are_free_where_all_is_zero_and_at_the_end() -> None:
    table = ContainerMap.parse(KEY1 + bytes(86) + KEY1)
    assert table.free_number == 1
    assert [table.is_free(number) for number in range(5)] == [False, True, False, True, False]
    assert ContainerMap.parse(b"").free_number == 0


def test_one_container_is_the_default() -> None:
    record = ContainerRecord("x", KeyUse.EXCHANGE, 2048)
    table = ContainerMap(()).with_container(0, record).with_container(1, record).with_container(2, record)
    assert [one.is_default for one in table.containers.values()] == [True, False, False]
    table = table.without(0)
    assert [(number, one.is_default) for number, one in table.containers.items()] == [(1, True), (2, False)]
    table = table.with_container(0, record).without(2)
    assert [(number, one.is_default) for number, one in table.containers.items()] == [(0, False), (1, True)]
    assert table.without(1).without(0).containers == {}
    # OpenSC shows a free place as a key without a name: none is left at the end.
    assert len(table.records) == 2
    assert [len(table.without(number).records) for number in (0, 1)] == [2, 1]
    assert table.without(0).without(1).records == ()
    assert len(replace(table, tail=b"x").without(1).records) == 2


@pytest.mark.parametrize("name", ["a", "x" * 39, "Zoë's key ☂", "𝄞" * 19])
def test_names(name: str) -> None:
    record = ContainerRecord(checked_name(name), KeyUse.EXCHANGE, 2048)
    assert len(bytes(record)) == 86
    assert ContainerRecord.parse(bytes(record)) == record


@pytest.mark.parametrize("name", ["", "x" * 40, "𝄞" * 20, "a\x00b", "\ud800"])
def test_names_that_do_not_fit(name: str) -> None:
    with pytest.raises(ValueError, match="container's name"):
        checked_name(name)


# --- key map


def test_the_key_map_as_others_write_it() -> None:
    table = KeyMap().with_key(0, algorithm=0x07, use=KeyUse.EXCHANGE, efid=0xB081)
    assert bytes(table).hex().upper() == "0101000000079A81B0FFFF0000"
    assert KeyMap.parse(bytes(table)) == table
    assert bytes(table.without(0)).hex().upper() == "01000000000000FFFFFFFF0000"
    assert table.without(7) == table
    assert KeyMap.parse(b"") == KeyMap()
    signature = KeyMap().with_key(1, algorithm=0x06, use=KeyUse.SIGNATURE, efid=0xB082)
    assert bytes(signature).hex().upper() == "01000000000000FFFFFFFF000001000000069C82B0FFFF0000"


def test_the_key_map_is_made_as_long_as_the_container_map() -> None:
    table = KeyMap().with_key(1, algorithm=0x07, use=KeyUse.EXCHANGE, efid=0xB082)
    assert len(table.fitted(4).records) == 4
    assert len(table.fitted(1).records) == 1
    assert table.fitted(2) == table


def test_odd_records_of_a_key_map_stay() -> None:
    raw = b"\x01" + b"\xee" * 12 + b"\x01\x02"
    assert bytes(KeyMap.parse(raw)) == raw
    assert bytes(KeyMap.parse(raw).fitted(2))[1:13] == b"\xee" * 12
    with pytest.raises(UnsupportedCard, match="key map"):
        KeyMap.parse(b"\x02")


# --- cache file


@pytest.mark.parametrize(
    ("before", "containers", "files", "after"),
    [
        ("000000000000", 1, 0, "000001000000"),
        ("000000000000", 0, 1, "000000000100"),
        ("00070100FF00", 1, 1, "000702000001"),
        ("0000FFFFFFFF", 1, 1, "000000000000"),
    ],
)
def test_counters_go_up(before: str, containers: int, files: int, after: str) -> None:
    new = raised(bytes.fromhex(before), containers=containers, files=files)
    assert new is not None
    assert new.hex().upper() == after


@pytest.mark.parametrize("cache", ["", "01" + "00" * 5, "00" * 7])
def test_a_cache_file_of_another_kind_is_left_alone(cache: str) -> None:
    assert raised(bytes.fromhex(cache), files=1) is None
