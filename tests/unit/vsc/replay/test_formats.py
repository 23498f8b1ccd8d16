"""All formats: told apart by their content, secrets masked as they are read, errors that name file and line."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.vsc.replay.samples import ALL, ATR, OPENSC
from vsc.replay import LogError, parse_log, read_log
from vsc.replay.formats import FORMATS
from vsc.trace import jsonl
from vsc.trace.entry import EntryKind

PIN = "3132333435363738"


@pytest.mark.parametrize(
    ("sample", "name"),
    [
        ("opensc", "OpenSC debug log"),
        ("old opensc", "OpenSC debug log"),
        ("pcscd", "log of pcscd --apdu"),
        ("pasted", "output of a tool"),
        ("transcript", "transcript"),
        ("trace", "trace of vsc"),
    ],
)
def test_a_log_is_known_by_its_content(sample: str, name: str) -> None:
    log = parse_log(ALL[sample])
    assert log.format == name
    assert [one.NAME for one in FORMATS if one.recognises(ALL[sample])] == [name]
    assert log.warnings == ()
    assert log.atr == (None if sample == "old opensc" else ATR)


@pytest.mark.parametrize("sample", sorted(set(ALL) - {"old opensc"}))
def test_a_pin_does_not_get_past_the_reading(sample: str) -> None:
    log = parse_log(ALL[sample])
    verify = next(entry for entry in log.entries if entry.command.visible[:2] == b"\x00\x20")
    assert (verify.command.visible, verify.command.hidden_bytes) == (bytes.fromhex("0020008008"), 8)
    assert "12345678" not in repr(log)
    assert PIN not in repr(log).replace("\\x", "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_log_may_have_been_written_by_a_shell_of_windows(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "log"
    for text in ALL.values():
        path.write_text(text, encoding=encoding, newline="\r\n")
        assert read_log(path) == parse_log(text)


def test_what_is_blacked_out_stays_so_in_a_trace_of_ours() -> None:
    read = parse_log("> 00 A4 04 00 04 A0 00 xx xx\n< 90 00\n").entries
    line = jsonl.dump(read[0])
    assert '"00A4040004A000xxxx"' in line
    assert tuple(jsonl.parse([jsonl.head(), line])) == read


def test_the_name_of_the_file_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(OPENSC)
    assert read_log(path).format == "OpenSC debug log"


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "it.log"
    with pytest.raises(LogError, match=r"it\.log cannot be read: No such file"):
        read_log(path)
    path.write_bytes(b"> 00A4\n< zz\n")
    with pytest.raises(LogError, match=r"it\.log: line 2: here should be bytes"):
        read_log(path)


@pytest.mark.parametrize("text", ["", "\n\n", "hello", "{}", "[" * 100_000, "# only a comment\n"])
def test_what_is_no_log(text: str) -> None:
    with pytest.raises(LogError, match="this is no log that can be read; known are: trace of vsc, OpenSC debug log"):
        parse_log(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("P:1; T:0x1 22:20:06.661 [x] ctx.c:727:f: hello\n", "was OPENSC_DEBUG at least 3?"),
        ("00000000 debuglog.c:386:DebugLogSetLevel() debug level=info\n", "was pcscd started with --apdu?"),
        ('{"format": "vsc trace", "version": 2}\n', "no APDU with its answer in this trace of vsc"),
        ("@ reset\n", "no APDU with its answer in this transcript"),
    ],
)
def test_a_log_without_apdus(text: str, words: str) -> None:
    with pytest.raises(LogError) as raised:
        parse_log(text)
    assert words in str(raised.value)


TEXTS = st.text() | st.sampled_from(sorted(ALL.values()))


@given(
    TEXTS,
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 40), st.text(max_size=30)), max_size=4),
    st.none() | st.integers(0, 3000),
)
@example("> \n", [], None)
@example(
    '{"format": "vsc trace", "version": 2}\n{"kind": "apdu", "command": "…", "response": "", "hidden": 1e999}', [], None
)
def test_any_text_is_read_or_refused(text: str, changes: list[tuple[int, int, str]], length: int | None) -> None:
    """Real logs with parts replaced, and cut off anywhere, as well as any text."""
    for start, deleted, inserted in changes:
        text = text[:start] + inserted + text[start + deleted :]
    try:
        log = parse_log(text[:length])
    except LogError:
        return
    assert any(entry.kind is EntryKind.APDU for entry in log.entries)
    assert all(log.of(reader).entries for reader in log.readers)


@pytest.mark.parametrize("sample", sorted(ALL))
def test_a_log_that_is_cut_off_is_read_as_far_as_it_is_whole(sample: str) -> None:
    whole = [entry for entry in parse_log(ALL[sample]).entries if entry.kind is EntryKind.APDU]
    words = ""
    for length in range(len(ALL[sample])):
        assert "line" not in words, length - 1
        try:
            log = parse_log(ALL[sample][:length])
        except LogError as error:
            words = str(error)
            continue
        read = [entry for entry in log.entries if entry.kind is EntryKind.APDU]
        assert [entry.command for entry in read] == [entry.command for entry in whole[: len(read)]], length
        # What is written by hand, or pasted, may end without a newline: its last line counts as whole.
        sure = read[:-1] if sample in ("transcript", "pasted") else read
        assert all(entry.response == one.response for entry, one in zip(sure, whole, strict=False)), length
