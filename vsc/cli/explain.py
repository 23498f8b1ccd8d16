"""`vsc explain`: a status word, an APDU, or the refusals in a log, in words."""

import re
import string
from collections.abc import Iterable
from pathlib import Path

import click

from card_os.sw import meaning
from vsc.cli.colour import color_option, printer
from vsc.cli.terminal import width
from vsc.masking.mask import is_secret, mask
from vsc.trace.codes import Code, by_name, by_number
from vsc.trace.decoder import Decoder, rows_of
from vsc.trace.entry import Entry, EntryKind
from vsc.trace.explain import Refusal, parts, refusals, row_words, why
from vsc.trace.probe import ASKED_IN_VAIN, is_probe


@click.command("explain")
@click.argument("what", metavar="WHAT")
@click.option("--all", "show_all", is_flag=True, help="Of a log: also commands that asked for what is not there.")
@color_option
def explain_command(what: str, show_all: bool, color: str) -> None:
    """Say in words what WHAT is: a status word (6982), an APDU in hexadecimal, or why a log has refusals.

    Also a return code of PC/SC (0x8010001D, SCARD_E_NO_SERVICE) or of PKCS#11 (0xA0, CKR_PIN_INCORRECT). A log is any
    file that 'vsc trace show' can read. An APDU that carries a PIN or a key is refused: others can see arguments.
    """
    raw = _bytes(what)
    if found := _codes(what, raw):
        click.echo("\n".join(f"{one.number:#010x}  {one.name}: {one.words}" for one in found))
    elif raw is None:
        _log(what, show_all=show_all, color=color)
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


def _codes(what: str, raw: bytes | None) -> tuple[Code, ...]:
    """Those of PC/SC and PKCS#11: by name; by number if it is PC/SC's, or begins with 0x and is no status word."""
    if code := by_name(what):
        return (code,)
    number = int.from_bytes(raw, "big") if raw else None
    if number is None and re.fullmatch("0x[0-9a-fA-F]+", what):
        number = int(what, 16)  # An odd number of digits.
    if number is None or (raw is not None and len(raw) == 2):
        return ()
    is_pcsc = len(raw or b"") == 4 and number >> 16 == 0x8010
    return by_number(number) if is_pcsc or what.startswith("0x") else ()


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


def _log(what: str, *, show_all: bool, color: str) -> None:
    # Imported only now: a status word needs no log.
    from vsc.cli.trace import entries_of
    from vsc.trace.text import Tone, writer_for

    path = Path(what)
    if not path.is_file():
        raise click.UsageError(
            f"{what!r} is no status word, no APDU in hexadecimal, no code of PC/SC or PKCS#11, and no file"
        )
    entries = entries_of(path)
    writer, show = writer_for(entries, width()), printer(color)
    lines = [writer.decode(entry) for entry in entries]
    writer.make_room(lines)
    for tone, text in writer.summary(lines):
        show(tone, text)
    refused = [line for line in lines if line.is_refusal]
    told = refused if show_all else [line for line in refused if not is_probe(line)]
    if told:
        show(Tone.SUMMARY, "")
    for line in told:
        for tone, text in writer.toned(line):
            if tone is not Tone.WHY:
                show(tone, text)
        for tone, text in writer.reason("why" if line.why else "the log has no reason; the tables say", why(line)):
            show(tone, text)
    if probes := len(refused) - len(told):
        them = f"The command that {ASKED_IN_VAIN} is" if probes == 1 else f"The {probes} that {ASKED_IN_VAIN} are"
        show(Tone.PROBE, f"{them} left out; --all shows {'it' if probes == 1 else 'them'}.")
