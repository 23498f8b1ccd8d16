"""card_os.apps.gids.minidriver: the files that hosts keep on the card (gids.md 2.4 to 2.8)."""

import zlib
from dataclasses import replace

import pytest

from card_os.access import AccessRule
from card_os.apps.gids.minidriver import (
    CACHE_FILE,
    CERTIFICATE,
    CONTAINER,
    CONTAINER_BYTES,
    CONTAINER_MAP,
    DIRECTORY,
    DirectoryEntry,
    containers,
    content,
    directory,
    unpack_certificate,
)
from card_os.apps.gids.personalisation import personalised
from card_os.apps.gids.state import DataFile, GidsState
from card_os.tlv import Tlv

FREE = AccessRule.parse(b"\x03\x00\x00")


def card(**files: bytes) -> GidsState:
    """A fresh card with the container map or directory replaced."""
    state = personalised(pin=b"12345678", admin_key=bytes(range(24)), card_id=bytes(16), tries=5)
    for name, value in files.items():
        efid, tag = {"cmap": CONTAINER_MAP, "directory": DIRECTORY}[name]
        file = state.file(efid)
        assert isinstance(file, DataFile)
        state = state.with_file(file.with_object(Tlv(tag, value)))
    return state


def record(name: str, *, flags: int = 1, signature: int = 0, exchange: int = 2048) -> bytes:
    padded = name.encode("utf-16-le").ljust(80, b"\x00")
    return CONTAINER.build({"name": padded, "flags": flags, "signature_bits": signature, "exchange_bits": exchange})


def test_the_directory_of_a_fresh_card_is_the_documented_one() -> None:
    entries = directory(card())
    assert entries[0] == DirectoryEntry("mscp", "", 0, 0xA000)
    assert [entry.name for entry in entries[1:]] == ["cardid", "cardapps", "cardcf", "cmapfile"]
    assert bytes(entries[1]).hex() == "00" * 9 + "636172646964000000" + "0000" + "20df0000" + "12a00000"
    assert all(DirectoryEntry.parse(bytes(entry)) == entry for entry in entries)


@pytest.mark.parametrize("table", [b"", b"\x02" + bytes(28), b"\x01" + bytes(27)])
def test_a_directory_of_another_version_or_a_torn_one_is_empty(table: bytes) -> None:
    assert directory(card(directory=table)) == ()


def test_containers_are_numbered_by_their_place_and_invalid_ones_left_out() -> None:
    found = containers(
        card(cmap=record("first", flags=3) + bytes(CONTAINER_BYTES) + record("third", signature=1024, exchange=0))
    )
    assert [(one.number, one.name, one.is_default, one.use) for one in found] == [
        (0, "first", True, "key exchange"),
        (2, "third", False, "signature"),
    ]


def test_a_torn_container_record_is_left_out() -> None:
    assert containers(card(cmap=record("first") + bytes(10)))[0].name == "first"
    assert containers(card(cmap=bytes(10))) == ()


def test_a_missing_file_has_no_content() -> None:
    assert content(GidsState(), CONTAINER_MAP) is None
    assert content(replace(GidsState(), files=(DataFile(0xA010, FREE),)), CONTAINER_MAP) is None


def test_the_cache_file_starts_with_zeros() -> None:
    assert CACHE_FILE.build({"pins": 0, "containers": 0, "files": 0}) == bytes(6)


def test_a_certificate_is_unpacked_only_whole_and_of_the_length_it_says() -> None:
    der = bytes(range(256)) * 4
    packed = zlib.compress(der)
    assert unpack_certificate(CERTIFICATE.build({"length": len(der), "compressed": packed})) == der
    assert unpack_certificate(CERTIFICATE.build({"length": 5, "compressed": packed})) == b""
    assert unpack_certificate(CERTIFICATE.build({"length": len(der), "compressed": packed[:-1]})) == b""
    assert unpack_certificate(b"\x01\x00") == b""
    assert unpack_certificate(CERTIFICATE.build({"length": 9, "compressed": b"no zlib"})) == b""


def test_a_certificate_that_unpacks_without_end_is_given_up() -> None:
    bomb = zlib.compress(bytes(50_000_000))
    assert unpack_certificate(CERTIFICATE.build({"length": 0xFFFF, "compressed": bomb})) == b""
