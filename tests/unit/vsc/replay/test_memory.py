"""What the modes share: the parts between resets, and which answer is next."""

from tests.unit.vsc.replay.samples import of
from vsc.replay.memory import Stretches, Uses


def stretches(*pairs: str) -> Stretches:
    return Stretches(of(*pairs).entries)


def starts(one: Stretches, resets: int) -> list[int]:
    seen = [one.start]
    for _ in range(resets):
        one.ask()
        one.reset()
        seen.append(one.start)
    return seen


def test_resets_part_a_log() -> None:
    command = "00CA0000 9000"
    assert starts(stretches("reset", command, "reset", "reset", command, command, "reset"), 3) == [0, 1, 1, 1]
    assert starts(stretches(command), 2) == [0, 0, 0]


def test_only_a_reset_after_a_command_counts() -> None:
    one = stretches("00CA0000 9000", "reset", "00CA0000 9000")
    one.reset()
    assert one.start == 0
    one.ask()
    one.reset()
    one.reset()
    assert one.start == 1


def test_uses_move_on_from_the_part_we_are_in() -> None:
    one = stretches("00CA0000 9000", "reset", "00CA0000 9000", "00CA0000 9000")
    uses = Uses(one)
    assert [uses.next_of([0, 1, 2]) for _ in range(4)] == [0, 1, 2, 2]
    one.ask()
    one.reset()
    uses.forget()
    assert [uses.next_of([0, 1, 2]) for _ in range(3)] == [1, 2, 2]
    # Nothing in this part: the nearest before it.
    assert uses.next_of([0]) == 0
