"""`python -m bench.fuzz`: sends mutated commands, prints one line of what came of it; 1 if a rule was broken.

Nothing that it makes is secret: cards, keys and PINs are its own, and a transcript has them all in it.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench.fuzz.run import HOST_RULE, Result, names, run, unanswered
from bench.fuzz.transcript import read, replayed, shortened, written
from vsc.profiles import PROFILES


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many commands to send")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same run")
    parser.add_argument("--profile", choices=sorted(PROFILES), help="cards of this kind only")
    parser.add_argument("--replay", metavar="FILE", type=Path, help="play a transcript that was printed")
    asked = parser.parse_args(words)
    if asked.replay is not None:
        finding, _ = replayed(*read(asked.replay.read_text(encoding="utf-8")))
        print(finding or "nothing is wrong with it")
        return int(finding is not None)
    profiles = [profile for name, profile in PROFILES.items() if asked.profile in (None, name)]
    with progress(asked.count) as tell:
        result = run(profiles, asked.count, asked.seed, tell)
    print(said(result))
    for profile in profiles:
        missing, count = unanswered(profile, result), len(names(profile))
        besides = f", all but {', '.join(missing)}" if missing else ""
        print(f"{profile.name}: {count - len(missing)} of {count} commands were done{besides}")
    if result.finding is None or result.card is None:
        return 0
    if result.finding.rule == HOST_RULE:
        print("\n# what the card was sent; the fault is the host's, and --replay has no host")
    print(f"\n# {result.finding}\n{written(result.card, shortened(result.card, result.finding))}")
    return 1


def said(result: Result) -> str:
    """The one line."""
    found = "no rule was broken" if result.finding is None else f"BROKEN: {result.finding.rule}"
    return (
        f"seed {result.seed}: {result.sent:,} commands in {result.seconds:,.0f} s ({result.rate:,.0f} a second), "
        f"{len(result.seen)} kinds of answers, {len(result.status_words)} status words, {result.states} states: {found}"
    )


@contextmanager
def progress(count: int) -> Iterator[Callable[[Result], None] | None]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (
        TextColumn("{task.completed:,.0f} commands"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[news]}"),
    )
    with Progress(*columns) as bar:
        task = bar.add_task("", total=count, news="")
        yield lambda result: bar.update(task, completed=result.sent, news=f"{len(result.seen)} kinds of answers")


if __name__ == "__main__":
    sys.exit(main())
