"""card_os.tlv: tags of one to three bytes, lengths of one to five (iso7816.md section 6)."""

import pytest

from card_os.sw import SW, CardError
from card_os.tlv import Template, Tlv, join, length_bytes, parse_all, parse_tags, single, tag_bytes
from card_os.wire import WireError


@pytest.mark.parametrize(
    ("tag", "raw"),
    [
        (0x00, "00"),
        (0x5C, "5C"),
        (0xDE, "DE"),
        (0x7F49, "7F49"),
        (0x5F00, "5F00"),
        (0xDF1F, "DF1F"),
        (0x1F7F, "1F7F"),
        (0x7F8101, "7F8101"),
        (0x9FFF7F, "9FFF7F"),
    ],
)
def test_a_tag_reads_as_in_hexadecimal(tag: int, raw: str) -> None:
    assert tag_bytes(tag) == bytes.fromhex(raw)
    assert parse_tags(bytes.fromhex(raw)) == (tag,)


@pytest.mark.parametrize("tag", [-1, 0x1F, 0xFF, 0x0100, 0x5C5C, 0x7F81, 0x7F4901, 0x7F8181, 0x7F818101])
def test_what_is_not_one_tag_is_refused(tag: int) -> None:
    with pytest.raises(WireError):
        tag_bytes(tag)


@pytest.mark.parametrize(
    ("length", "raw"),
    [
        (0, "00"),
        (1, "01"),
        (0x7F, "7F"),
        (0x80, "8180"),
        (0xFF, "81FF"),
        (0x100, "820100"),
        (0xFFFF, "82FFFF"),
        (0x10000, "83010000"),
        (0x1000000, "8401000000"),
    ],
)
def test_the_shortest_length_is_written(length: int, raw: str) -> None:
    assert length_bytes(length) == bytes.fromhex(raw)


@pytest.mark.parametrize("raw", ["5C02AABB", "5C8102AABB", "5C820002AABB", "5C83000002AABB", "5C8400000002AABB"])
def test_every_definite_length_is_read(raw: str) -> None:
    assert Tlv.parse_head(bytes.fromhex(raw) + b"\x99") == (Tlv(0x5C, b"\xaa\xbb"), b"\x99")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "5C",
        "7F",
        "7F49",
        "7F81",
        "7F8181 00",
        "5C80 0000",
        "5C80" + "00" * 128,
        "5C85 0000000000",
        "5CFF",
        "5C81",
        "5C8201",
        "5C02 AA",
        "5C8180 00",
        "5C84FFFFFFFF AA",
    ],
)
def test_malformed_objects_are_refused(raw: str) -> None:
    with pytest.raises(WireError):
        Tlv.parse_head(bytes.fromhex(raw))


@pytest.mark.parametrize("size", [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000])
def test_an_object_of_any_size_comes_back(size: int) -> None:
    one = Tlv(0x7F49, bytes(size))
    assert parse_all(bytes(one)) == (one,)


def test_several_objects_come_in_order() -> None:
    objects = (Tlv(0x81, b"\x01"), Tlv(0x7F49), Tlv(0x81, b"\x02"))
    assert join(objects) == bytes.fromhex("8101 01 7F4900 8101 02".replace(" ", ""))
    assert parse_all(join(objects)) == objects


def test_a_broken_object_behind_good_ones_is_not_dropped() -> None:
    with pytest.raises(WireError):
        parse_all(bytes.fromhex("810101 8202AA"))


def test_a_tag_list_holds_tags_without_lengths() -> None:
    assert parse_tags(bytes.fromhex("5C 7F49 DF8101 81")) == (0x5C, 0x7F49, 0xDF8101, 0x81)
    assert parse_tags(b"") == ()


@pytest.mark.parametrize("raw", ["5C7F", "7F8181", "7F81"])
def test_a_broken_tag_list_is_refused(raw: str) -> None:
    with pytest.raises(WireError):
        parse_tags(bytes.fromhex(raw))


def test_a_template_looks_up_the_first_object() -> None:
    template = Template.parse(bytes.fromhex("8101AA 8201BB 8101CC"), subject="7C")
    assert [one.tag for one in template] == [0x81, 0x82, 0x81]
    assert template.get(0x81) == b"\xaa"
    assert template.get(0x83) is None
    assert template.need(0x82, subject="7C") == b"\xbb"


def test_a_missing_object_is_wrong_data_and_is_named() -> None:
    with pytest.raises(CardError) as refused:
        Template(()).need(0x7F49, subject="PUT KEY")
    assert refused.value.sw == SW.WRONG_DATA
    assert str(refused.value.reason) == "PUT KEY: tag 7F49 is missing"


def test_a_template_that_is_no_tlv_is_wrong_data() -> None:
    with pytest.raises(CardError) as refused:
        Template.parse(b"\x81\x05", subject="7C")
    assert refused.value.sw == SW.WRONG_DATA
    assert refused.value.reason.subject == "7C"


def test_single_takes_exactly_one_object() -> None:
    assert single(bytes.fromhex("7C02AABB"), 0x7C, subject="7C") == b"\xaa\xbb"


@pytest.mark.parametrize("raw", ["", "7D02AABB", "7C00 7C00", "7C00 00", "7C01"])
def test_single_refuses_anything_else(raw: str) -> None:
    with pytest.raises(CardError) as refused:
        single(bytes.fromhex(raw), 0x7C, subject="GENERAL AUTHENTICATE")
    assert refused.value.sw == SW.WRONG_DATA
