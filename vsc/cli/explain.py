"""`vsc explain`: a status word, an APDU, or the refusals in a log, in words."""

import string
from collections.abc import Iterable
from pathlib import Path

import click

from card_os.sw import meaning
from vsc.trace.decoder import Decoder, rows_of
from vsc.trace.entry import Entry, EntryKind
from vsc.trace.explain import Refusal, parts, refusals, row_words, why
from vsc.trace.mask import is_secret, mask


@click.command("explain")
@click.argument("what", metavar="WHAT")
def explain_command(what: str) -> None:
    """Say in words what WHAT is: a status word (6982), an APDU in hexadecimal, or why a log has refusals.

    A log is any file that 'vsc trace show' can read. An APDU that carries a PIN or a key is refused: others can see
    arguments.
    """
    raw = _bytes(what)
    if raw is None:
        _log(what)
    elif len(raw) == 2:
        _status(int.from_bytes(raw, "big"))
    elif len(raw) < 4:
        raise click.UsageError("a status word has 2 bytes, an APDU at least 4")
    elif is_secret(raw):
        raise click.UsageError("an APDU with a PIN or key is not taken as an argument: others can see arguments")
    else:
        _apdu(raw)


def _bytes(what: str) -> bytes | None:
    """What is in hexadecimal; None: it is not."""
    digits = what.removeprefix("0x").translate({ord(char): None for char in " :"})
    if not digits or len(digits) % 2 or set(digits) - set(string.hexdigits):
        return None
    return bytes.fromhex(digits)


def _status(sw: int) -> None:
    click.echo(f"{sw:04X}  {meaning(sw)}")
    found = list(refusals(sw))
    if not found:
        if sw >> 8 not in (0x90, 0x61):
            click.echo("\nNone of our cards answers it.")
        return
    for application in dict.fromkeys(one.application for one in found):
        click.echo(f"\n{application or 'Any card of ours'} answers it to")
        _print_refusals(one for one in found if one.application == application)


def _print_refusals(them: Iterable[Refusal]) -> None:
    for one in them:
        click.echo(f"  {one.command}: {one.when}")
        if one.access:
            click.echo(f"    allowed by: {one.access}")


def _apdu(raw: bytes) -> None:
    line = Decoder().decode(Entry(EntryKind.APDU, command=mask(raw), response=b"\x90\x00"))
    words = " ".join(filter(None, (line.name, line.details)))
    click.echo(f"{words}\n{parts(raw)}")
    for application, row in rows_of(raw):
        if application is None:
            continue
        known = Decoder(application).decode(line.entry)
        click.echo(f"\n{application.name}: {' '.join(filter(None, (known.name, known.details)))}")
        click.echo(f"  {row.spec}; allowed by: {row.access.words}{'; may be chained' if row.chaining else ''}")
        for sw in sorted({0x6A86, 0x6700, *row.answers()}):
            if said := row_words(row, sw):
                click.echo(f"  {'63Cx' if sw == 0x63C0 else f'{sw:04X}'}  {said}")


def _log(what: str) -> None:
    # Imported only now: a status word needs no log.
    from vsc.cli.trace import entries_of, printer, writer_for
    from vsc.trace.text import Tone

    path = Path(what)
    if not path.is_file():
        raise click.UsageError(f"{what!r} is no status word, no APDU in hexadecimal, and no file")
    entries = entries_of(path)
    writer, show = writer_for(entries), printer()
    refused = commands = 0
    for entry in entries:
        commands += entry.kind is EntryKind.APDU
        lines, line = writer.with_line(entry)
        if not line.is_refusal:
            continue
        refused += 1
        for tone, text in lines:
            if tone is not Tone.WHY:
                show(tone, text)
        said = "why" if line.why else "the log has no reason; the tables say"
        show(Tone.WHY, f"{' ' * writer.indent}{said}: {why(line)}")
    click.echo(f"{refused or 'None'} of {commands} commands {'was' if refused == 1 else 'were'} refused.")
