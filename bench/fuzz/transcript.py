"""A finding as something to keep: the card's state, the commands, the answers; made as short as it goes.

@ gids seed=1/4711                      the profile and the seed of its randomness
= 47494453…                             the state of an application, as an image has it
@ reset
> 00A4040009A0000003974254465900
< 9000
"""

from collections.abc import Sequence

from bench.fuzz.oracle import Finding, WatchedCard
from bench.fuzz.start import Start
from card_os.memory import Persistent
from vsc.profiles import PROFILES

Sent = bytes | None
MAX_REPLAYS = 3_000


def replayed(start: Start, seed: str, sent: Sequence[Sent]) -> tuple[Finding | None, list[bytes]]:
    """Sends all of it to a new card; returns the finding, if there is one, and the answers before it."""
    card, answers = WatchedCard(start, seed), []
    for command in sent:
        if command is None:
            card.reset()
            continue
        try:
            answers.append(bytes(card.judge(command).response))
        except Finding as finding:
            return finding, answers
    return None, answers


def shortened(card: WatchedCard, finding: Finding) -> list[Sent]:
    """Returns the shortest part of what was sent to a card that still breaks the same rule."""
    left = MAX_REPLAYS

    def breaks(sent: Sequence[Sent]) -> bool:
        nonlocal left
        left -= 1
        found, _ = replayed(card.start, card.seed, sent)
        return left > 0 and found is not None and found.rule == finding.rule

    sent = list(card.sent)
    if not breaks(sent):
        return sent
    size = len(sent)
    while size:
        at = 0
        while at < len(sent):
            without = sent[:at] + sent[at + size :]
            if breaks(without):
                sent = without
            else:
                at += size
        size //= 2
    for at, command in enumerate(sent):
        while command and breaks([*sent[:at], command[:-1], *sent[at + 1 :]]):
            command = sent[at] = command[:-1]
    return sent


def written(card: WatchedCard, sent: Sequence[Sent]) -> str:
    """The transcript: `read` plays it again."""
    _, answers = replayed(card.start, card.seed, sent)
    lines = [f"@ {card.profile.name} seed={card.seed}"]
    for application in card.profile.applications:
        lines.append(f"= {application.encode(card.start.persistent.state(application.aid)).hex().upper()}")
    rest = iter(answers)
    for command in sent:
        lines.append("@ reset" if command is None else f"> {command.hex().upper()}")
        if command is not None and (answer := next(rest, None)) is not None:
            lines.append(f"< {answer.hex().upper()}")
    return "\n".join(lines)


def read(text: str) -> tuple[Start, str, list[Sent]]:
    """Reads what `written` wrote; ValueError for anything else."""
    marks = [line.partition(" ")[::2] for line in text.splitlines() if line and not line.startswith(("#", "<"))]
    name, _, seed = marks[0][1].partition(" seed=")
    profile = PROFILES[name]
    states = [bytes.fromhex(rest) for mark, rest in marks if mark == "="]
    pairs = zip(profile.applications, states, strict=True)
    persistent = Persistent(tuple((one.aid, one.decode(raw)) for one, raw in pairs))
    sent: list[Sent] = [None if mark == "@" else bytes.fromhex(rest) for mark, rest in marks[1:] if mark in ("@", ">")]
    return Start("transcript", profile, persistent), seed, sent
