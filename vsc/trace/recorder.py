"""Traces of readers: into a file as it happens, or into memory."""

import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol, Self

from vsc.errors import VscError
from vsc.masking.mask import mask
from vsc.reader import EventKind, Exchange, Reader
from vsc.trace import jsonl, pcapng, text
from vsc.trace.change import changes
from vsc.trace.decoder import AnyApplication, all_applications, carried_by, command_name
from vsc.trace.entry import Entry, EntryKind

_KINDS = {
    EventKind.INSERTED: EntryKind.INSERTED,
    EventKind.EJECTED: EntryKind.EJECTED,
    EventKind.COLD_RESET: EntryKind.RESET,
    EventKind.WARM_RESET: EntryKind.RESET,
    EventKind.POWERED_OFF: EntryKind.RESET,
}
"""What of a reader's log is in a trace. POWERED_ON is not: the card is as it was when it came, or lost power."""


_MAX_LINKS = 40
"""Of symbolic links in a row, as Linux has it."""


class _Follower:
    """Tells of one reader, in the order in which things happened: exchanges by a tap, the rest from the reader's log.

    The log is read before each exchange, for observers hear of what a command caused when it has ended.
    """

    def __init__(self, reader: Reader, tell: Callable[[Entry], None], clock: Callable[[], float]) -> None:
        self._reader = reader
        self._tell = tell
        self._clock = clock
        self._lock = threading.RLock()
        self._own: tuple[AnyApplication, ...] = ()
        self._carried: tuple[AnyApplication, ...] = ()
        self._seen: tuple[int, int, bool] | None = None
        atr: bytes | None = None
        self._last_number = -1
        while self._last_number != (newest := self._newest()):  # Until nothing happens while we look.
            self._last_number = newest
            self._seen, atr = self._situation(), reader.atr
        if atr is not None:
            self._inserted(atr, clock())
        self._ends = (reader.subscribe(lambda _: self._catch_up()), reader.tap(self._exchange))

    def end(self) -> None:
        for end in self._ends:
            end()

    def _newest(self) -> int:
        """The number of the last event."""
        events = self._reader.events
        return events[-1].number if events else 0

    def _situation(self) -> tuple[int, int, bool]:
        return self._reader.insertions, self._reader.resets, self._reader.card is not None

    def _catch_up(self, seconds: float | None = None, *, stay: int | None = None) -> None:
        """Tells what the log has more than before. seconds: when, at the latest; None: now.

        stay: a command of that stay of the card is told of next, so the end of the stay comes later.
        """
        with self._lock:
            self._seen = self._situation()
            seconds = self._clock() if seconds is None else seconds
            for event in self._reader.events:
                if event.number <= self._last_number:
                    continue
                if event.kind is EventKind.EJECTED and event.insertion == stay:
                    self._seen = None
                    break
                self._last_number = event.number
                self._event(event.kind, event.insertion, seconds)

    def _event(self, kind: EventKind, insertion: int, seconds: float) -> None:
        if kind not in _KINDS:
            return
        atr = b""
        if kind is not EventKind.EJECTED and insertion == self._reader.insertions:
            atr = self._reader.atr or b""
        if kind is EventKind.INSERTED:
            self._inserted(atr, seconds)
            return
        self._tell(Entry(_KINDS[kind], seconds, self._reader.name, atr=atr))

    def _inserted(self, atr: bytes, seconds: float) -> None:
        self._carried = carried = carried_by(self._reader.card) or ()
        self._own = () if all(one in all_applications() for one in carried) else carried
        self._tell(Entry(EntryKind.INSERTED, seconds, self._reader.name, atr=atr, applications=self._own))

    def _exchange(self, exchange: Exchange) -> None:
        with self._lock:
            seconds = max(0.0, self._clock() - (time.monotonic() - exchange.started_s))
            # The log is long, and asked for only when something has happened.
            if self._situation() != self._seen:
                self._catch_up(seconds, stay=exchange.insertion)
            self._tell(
                Entry(
                    EntryKind.APDU,
                    seconds,
                    exchange.reader,
                    mask(exchange.command, self._own),
                    exchange.response,
                    exchange.reason,
                    exchange.took_s,
                    changes=self._changes(exchange),
                    name=command_name(exchange.command, self._own) if self._own else "",
                )
            )

    def _changes(self, exchange: Exchange) -> tuple[str, ...]:
        if exchange.change is None:
            return ()
        try:
            return tuple(changes(self._carried, *exchange.change))
        except Exception as error:  # Whatever an application of somebody else's may raise: the command is told of.
            return (f"something that the card cannot tell: {type(error).__name__}",)


class Trace:
    """A trace in memory."""

    def __init__(self) -> None:
        self.began_s = time.monotonic()
        """What `Entry.seconds` count from; a clock that all processes of a machine share."""
        self._entries: list[Entry] = []

    def follow(self, reader: Reader) -> Callable[[], None]:
        """Traces what passes through a reader from now on; returns what ends that."""
        return _Follower(reader, self._entries.append, lambda: time.monotonic() - self.began_s).end

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(self._entries)

    def clear(self) -> None:
        self._entries.clear()

    def text(self) -> str:
        """The trace for people, a line an entry."""
        return "".join(f"{line}\n" for line in text.lines(self.entries))


class _Form(Protocol):
    """How a trace is written: what comes first, and what each entry is."""

    def head(self) -> bytes: ...

    def entry(self, entry: Entry) -> bytes: ...


class _Jsonl:
    def __init__(self, started: float) -> None:
        self._started = started

    def head(self) -> bytes:
        return _encoded([jsonl.head(self._started)])

    def entry(self, entry: Entry) -> bytes:
        return _encoded([jsonl.dump(entry)])


class _Text:
    def __init__(self, started: float) -> None:
        self.writer = text.Writer()

    def head(self) -> bytes:
        return b""

    def entry(self, entry: Entry) -> bytes:
        return _encoded(self.writer.lines(entry))


class _Pcapng:
    def __init__(self, started: float) -> None:
        self._writer = pcapng.Writer(started)

    def head(self) -> bytes:
        return self._writer.head()

    def entry(self, entry: Entry) -> bytes:
        return self._writer.packet(entry)


def merged(traces: Iterable[Trace]) -> list[Entry]:
    """The entries of several traces in the order in which they happened, on the clock of the one that began first."""
    found = [(trace.began_s, trace.entries) for trace in traces]
    first = min((began for began, _ in found), default=0.0)
    moved = [replace(entry, seconds=entry.seconds + began - first) for began, entries in found for entry in entries]
    return sorted(moved, key=lambda entry: entry.seconds)


def _encoded(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")


FORMATS: dict[str, Callable[[float], _Form]] = {"jsonl": _Jsonl, "text": _Text, "pcapng": _Pcapng}
_SUFFIXES = {".txt": "text", ".log": "text", ".pcapng": "pcapng"}


def format_of(path: Path) -> str:
    """The format that a file's name asks for: text for .txt and .log, pcapng, else jsonl."""
    return _SUFFIXES.get(path.suffix.lower(), "jsonl")


class Recorder:
    """Writes a trace to a file (0600, made anew), an entry at a time; several readers may write at once.

    format: jsonl, text or pcapng. started: when, in seconds since 1970; None: now. VscError if the file cannot be made.
    """

    def __init__(self, path: Path, *, format: str = "jsonl", started: float | None = None) -> None:  # noqa: A002
        if format not in FORMATS:
            raise ValueError(f"no format of traces: {format!r}; there is: {', '.join(FORMATS)}")
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._form = FORMATS[format](time.time() if started is None else started)
        self._path = path
        self._failure: OSError | None = None
        self._ends: list[Callable[[], None]] = []
        try:
            # Unbuffered: a line that cannot be written must not be tried again when the file is closed.
            self._file = os.fdopen(_opened(path), "wb", buffering=0)
        except OSError as error:
            raise self._error(error) from None
        with self._lock:
            self._write(self._form.head())

    def follow(self, reader: Reader) -> Callable[[], None]:
        """Traces what passes through a reader from now on, until `close`, or what is returned is called."""
        if self._ends:
            self.number_readers()
        end = _Follower(reader, self.add, lambda: time.monotonic() - self._began).end
        self._ends.append(end)
        return end

    def number_readers(self) -> None:
        """Has text say whose each line is, from now on: there are several readers."""
        if isinstance(self._form, _Text):
            self._form.writer.numbered = True

    def fit(self, width: int | None) -> None:
        """Has lines of text no more than so many characters: a terminal reads them. None: any number."""
        if isinstance(self._form, _Text):
            self._form.writer.width = width

    def add(self, entry: Entry) -> None:
        """Writes one entry."""
        with self._lock:
            if not self._file.closed and self._failure is None:
                self._write(self._form.entry(entry))

    def _write(self, raw: bytes) -> None:
        try:
            while raw:
                raw = raw[self._file.write(raw) :]
        except OSError as error:
            # Whoever talks to the card must not notice; it is told in the end.
            self._failure = error

    def _error(self, error: OSError) -> VscError:
        return VscError(f"the trace {self._path} cannot be written: {error.strerror}")

    def close(self) -> None:
        """VscError if not all could be written."""
        for end in self._ends:
            end()
        with self._lock:
            self._file.close()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise self._error(failure)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _descriptor(path: Path) -> int | None:
    """The number of the open file of ours that a path stands for, as /dev/stdout does; None if it stands for none."""
    for _ in range(_MAX_LINKS):
        folder = Path(os.path.realpath(path.parent))  # Unlike `resolve` it takes links in a circle, too.
        if folder == Path(f"/proc/{os.getpid()}/fd") and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            return None
        path = folder / path.readlink()
    return None


def _opened(path: Path) -> int:
    """Makes a file anew. A device, a pipe or what is open here (/dev/stdout) is written to, and never removed."""
    number = _descriptor(path)
    if number is not None:
        return os.dup(number)
    if path.exists() and not path.is_file():
        return os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
