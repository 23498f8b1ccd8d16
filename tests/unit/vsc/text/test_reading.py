"""What has no end is read no further than it can be used."""

import io
from pathlib import Path

import pytest

from vsc.errors import VscError
from vsc.text.reading import MAX_LOG_BYTES, TooLargeError, amount, read_file, read_stream


def test_what_fits_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345678")
    assert read_file(tmp_path / "file", 8) == b"12345678"
    with pytest.raises(TooLargeError, match=r"/file has more than 7 bytes"):
        read_file(tmp_path / "file", 7)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "none", 8)


def test_no_more_is_taken_than_tells_that_it_is_too_much() -> None:
    stream = io.BytesIO(bytes(100))
    with pytest.raises(VscError, match="stdin has more than 10 bytes"):
        read_stream(stream, 10, name="stdin")
    assert stream.tell() == 11


def test_amounts_are_in_words() -> None:
    assert [amount(4096), amount(MAX_LOG_BYTES)] == ["4096 bytes", "128 MiB"]
