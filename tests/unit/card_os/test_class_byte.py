"""card_os.class_byte: all 256 values (iso7816.md section 3)."""

from dataclasses import replace

import pytest

from card_os.class_byte import MAX_CHANNELS, ClassByte
from card_os.sw import SW, CardError
from tests.unit.each import each


def test_the_first_interindustry_class_has_channels_0_to_3() -> None:
    for cla in each(range(0x20)):
        bits = f"{cla:08b}"
        assert ClassByte.parse(cla) == ClassByte(int(bits[6:], 2), bits[3] == "1", bits[4:6] != "00")


def test_the_further_interindustry_class_has_channels_4_to_19() -> None:
    for cla in each(range(0x40, 0x80)):
        bits = f"{cla:08b}"
        assert ClassByte.parse(cla) == ClassByte(4 + int(bits[4:], 2), bits[3] == "1", bits[2] == "1")


def test_reserved_classes_are_refused() -> None:
    for cla in each([*range(0x20, 0x40), 0xFF]):
        with pytest.raises(CardError) as refused:
            ClassByte.parse(cla)
        assert refused.value.sw == SW.CLA_NOT_SUPPORTED


def test_the_class_bytes_name_every_channel() -> None:
    named = {ClassByte.parse(cla).channel for cla in [*range(0x20), *range(0x40, 0x80)]}
    assert named == set(range(MAX_CHANNELS))


@pytest.mark.parametrize(
    ("cla", "expected"),
    [
        (0x00, ClassByte()),
        (0x10, ClassByte(0, True)),
        (0x04, ClassByte(0, False, True)),
        (0x08, ClassByte(0, False, True)),
        (0x0C, ClassByte(0, False, True)),
        (0x1F, ClassByte(3, True, True)),
        (0x40, ClassByte(4)),
        (0x5F, ClassByte(19, True)),
        (0x60, ClassByte(4, False, True)),
        (0x7F, ClassByte(19, True, True)),
    ],
)
def test_known_class_bytes(cla: int, expected: ClassByte) -> None:
    assert ClassByte.parse(cla) == expected


def test_a_proprietary_class_is_read_like_an_interindustry_one() -> None:
    for cla in each(range(0x80, 0xFF)):
        same = ClassByte.parse(cla & (0x7F if cla & 0x40 else 0x1F))
        assert ClassByte.parse(cla) == replace(same, is_proprietary=True)
