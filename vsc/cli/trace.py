"""`vsc trace`: logs of APDUs in words, and in other formats."""

from pathlib import Path

import click

from vsc.cli.colour import color_option, printer
from vsc.cli.hint import Group
from vsc.cli.line import as_line
from vsc.cli.tell import tell
from vsc.cli.terminal import width
from vsc.errors import VscError
from vsc.trace.entry import Entry, EntryKind
from vsc.trace.text import report, writer_for

log_argument = click.argument("log", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))


def entries_of(path: Path) -> tuple[Entry, ...]:
    """What any log holds that we can read."""
    # Imported only now: `vsc explain 6982` needs none of it.
    from vsc.replay import read_log

    log = read_log(path, needs_apdus=False)
    for warning in getattr(log, "warnings", ()):
        tell(f"{path}: {warning}")
    return log.entries


@click.group("trace", cls=Group)
def trace_command() -> None:
    """Show and convert logs of APDUs: traces of ours, OpenSC's debug logs, pcscd's --apdu logs."""


@trace_command.command("show")
@log_argument
@click.option("--json", "as_json", is_flag=True, help="Print an object a line.")
@click.option("--all", "show_all", is_flag=True, help="Show each command that asked for what is not there.")
@click.option("-f", "--follow", is_flag=True, help="Show what is added to FILE as it comes, until interrupted.")
@color_option
def show_command(log: Path, as_json: bool, show_all: bool, follow: bool, color: str) -> None:
    """Show a log in words: what came of it, then a line an APDU, and why for each that was refused.

    Runs of commands that asked for what is not there, as a host does that looks for the driver of a card, are one line.
    On a terminal lines are as long as it is wide.
    """
    if follow:
        from vsc.cli.follow import follow as follow_log

        follow_log(log, as_json=as_json, fold=not show_all, color=color)
        return
    entries = entries_of(log)
    if as_json:
        writer = writer_for(entries)
        for entry in entries:
            click.echo(as_line(writer.decode(entry)))
        return
    show = printer(color)
    for tone, line in report(entries, width=width(), fold=not show_all):
        show(tone, line)


@trace_command.command("export")
@log_argument
@click.argument("out", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path))
def export_command(log: Path, out: Path) -> None:
    """Write a log to OUT, as its suffix says: .html (a page for a browser), .pcapng (Wireshark), .txt, or .jsonl."""
    from vsc.trace.recorder import Recorder

    suffixes = {".html": "page", ".pcapng": "pcapng", ".txt": "text", ".log": "text", ".jsonl": "jsonl"}
    if out.suffix.lower() not in suffixes:
        raise click.UsageError(f"OUT ends in one of {', '.join(suffixes)}")
    if out.exists() and log.samefile(out):
        raise click.UsageError("OUT is the log itself")
    entries = entries_of(log)
    apdus = sum(entry.kind is EntryKind.APDU for entry in entries)
    if out.suffix.lower() == ".html":
        from vsc.page import write

        write(out, entries, title=f"Trace {log.name}", started=_started(log))
        click.echo(f"Wrote {apdus} APDU{'s' * (apdus != 1)} to {out}.")
        return
    with Recorder(out, format=suffixes[out.suffix.lower()], started=_started(log)) as recorder:
        if len({entry.reader for entry in entries}) > 1:
            recorder.number_readers()
        for entry in entries:
            recorder.add(entry)
    click.echo(f"Wrote {apdus} APDU{'s' * (apdus != 1)} to {out}.")


def _started(path: Path) -> float:
    """When a trace of ours was begun, in seconds since 1970; of another log when it was last written."""
    from vsc.trace.jsonl import started

    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            begun = started(file.readline(10_000))
        return path.stat().st_mtime if begun is None else begun
    except OSError as error:
        raise VscError(f"the log {path} cannot be read: {error.strerror}") from None
