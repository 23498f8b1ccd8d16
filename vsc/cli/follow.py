"""`vsc trace show --follow`: a log while it is written."""

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import click

from vpcd_bridge.stop import Stop
from vsc.cli.colour import printer
from vsc.cli.line import as_line
from vsc.cli.terminal import width
from vsc.replay import LogError, read_log
from vsc.replay.log import EmptyLogError
from vsc.trace.decoder import Line
from vsc.trace.entry import Entry
from vsc.trace.probe import ended, is_probe
from vsc.trace.text import Tone, Toned, Writer

_LOOK_AGAIN_S = 0.2
_SHARE = 5
"""Reading takes at most one part in so many of the time, however long the log has become."""


class _Follower:
    """Shows what is new each time; a run of questions for what is not there waits until it has ended."""

    def __init__(self, *, as_json: bool, fold: bool, color: str) -> None:
        self._as_json = as_json
        self._fold = fold
        self._show = printer(color)
        # Other readers may come later; names are said when there is more than one.
        self._writer = Writer(width=width())
        self._readers: set[str] = set()
        self._entries: tuple[Entry, ...] = ()
        self._run: list[Line] = []
        self.lines: list[Line] = []

    def begin_anew(self) -> None:
        """Somebody has made the file anew."""
        self.pause()
        self._entries = ()
        if not self._as_json:
            self._show(Tone.EVENT, "-- the log begins anew")

    def see(self, entries: tuple[Entry, ...]) -> None:
        """entries: of the whole log. What is new need not be at its end: some commands take long."""
        known = iter(self._entries)
        expected = next(known, None)
        for entry in entries:
            if entry == expected:
                expected = next(known, None)
                continue
            self._readers.add(entry.reader)
            self._writer.numbered = len(self._readers) > 1
            self._see(self._writer.decode(entry))
        self._entries = entries

    def pause(self) -> None:
        """Shows the run that waits: nothing more comes for now."""
        run, self._run = self._run, []
        for said in ended(run):
            self._tell(self._writer.toned(said))

    def summary(self) -> None:
        if not self._as_json:
            self._show(Tone.SUMMARY, "")
            self._tell(self._writer.summary(self.lines))

    def _see(self, line: Line) -> None:
        self.lines.append(line)
        if self._as_json:
            click.echo(as_line(line))
            return
        if self._run and not (is_probe(line) and line.entry.reader == self._run[0].entry.reader):
            self.pause()
        if self._fold and is_probe(line):
            self._run.append(line)
        else:
            self._tell(self._writer.toned(line))

    def _tell(self, toned: Iterable[Toned]) -> None:
        for tone, text in toned:
            self._show(tone, text)


def follow(path: Path, *, as_json: bool, fold: bool, color: str) -> None:
    """Shows a log, and what is added to it, until interrupted; then what came of it. It may still be empty."""
    follower = _Follower(as_json=as_json, fold=fold, color=color)
    seen: os.stat_result | None = None
    with Stop() as stop, stop.on_signals(signal.SIGINT, signal.SIGTERM):
        while True:  # Until interrupted.
            began = time.monotonic()
            now = _look(path)
            if now is not None and (seen is None or _differs(seen, now)):
                if seen is not None and (seen.st_ino != now.st_ino or seen.st_size > now.st_size):
                    follower.begin_anew()
                seen = now
                follower.see(_entries(path))
            else:
                follower.pause()
            if stop.wait(max(_LOOK_AGAIN_S, _SHARE * (time.monotonic() - began))):
                break
    follower.pause()
    follower.summary()


def _look(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None  # Whoever writes it makes it anew.


def _differs(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_ino, one.st_size, one.st_mtime_ns) != (other.st_ino, other.st_size, other.st_mtime_ns)


def _entries(path: Path) -> tuple[Entry, ...]:
    """What the log has by now."""
    try:
        return read_log(path, needs_apdus=False).entries
    except EmptyLogError:
        return ()
    except LogError:
        raw = path.read_bytes() if path.exists() else b""
        if raw.endswith(b"\n"):
            raise
        return ()  # Of an empty file, or of half a line, nobody can say what it will be.
