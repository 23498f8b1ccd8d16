"""`vsc attach` is killed in the middle of PIN guesses: no try comes back, and the image stays good.

The judge is the last answer a guesser got. When the process dies, the card on disk may be one command further (its
answer was lost on the way), but never behind: a guesser who kills it at the right moment must gain nothing.
"""

import random
import signal
import subprocess
from pathlib import Path

from tests.interop.conftest import PlugIn
from tests.interop.pcscd_harness import wait_until
from tests.interop.vsc_cards import PIN, SELECT_GIDS, PluggedIn, answers
from vsc.store.database import FILE

TRIES = 15
GUESSES = 5_000  # far more than there is time for: the kill always comes first
RIGHT = "0020008008" + PIN.encode().hex()
WRONG = "0020008008" + b"87654321".hex()
ROUNDS = 6


def guesses(count: int) -> list[str]:
    """VERIFYs, nearly all wrong: every eighth is right, so that the card never blocks."""
    return [RIGHT if number % 8 == 7 else WRONG for number in range(count)]


def after(tries_left: int, command: str) -> int:
    """The model: the counter after one VERIFY of a card that is not blocked."""
    return TRIES if command == RIGHT else tries_left - 1


def expected_answer(tries_left: int, command: str) -> str:
    return "9000" if command == RIGHT else f"63C{tries_left - 1:X}"


def kill_after(card: PluggedIn, writes: int) -> None:
    """Kills once the database's log has been seen to change this often: it grows, or is begun again."""
    log = Path(f"{card.vsc.home / FILE}-wal")

    def version() -> tuple[int, int]:
        if not log.exists():
            return 0, 0
        status = log.stat()
        return status.st_size, status.st_mtime_ns

    for _ in range(writes):
        seen = version()
        wait_until(lambda seen=seen: version() != seen, card.pcscd.log)  # type: ignore[misc]
    assert card.attached.signal(signal.SIGKILL) == -signal.SIGKILL


def test_killing_the_card_gives_back_no_try(plug_in: PlugIn) -> None:
    card = plug_in("--tries", str(TRIES))
    chance = random.Random(2)
    commands = guesses(GUESSES)
    arguments = [word for command in (SELECT_GIDS, *commands) for word in ("--send-apdu", command)]
    for _ in range(ROUNDS):
        tries = card.tries_left()
        program = subprocess.Popen(
            ["opensc-tool", "--reader", "0", *arguments],
            env=card.pcscd.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        kill_after(card, writes=chance.randint(1, 40))
        said, _ = program.communicate(timeout=30)
        select, *answered = answers(said)
        assert select == "9000"
        # The card was right as long as it lived ...
        for command, answer in zip(commands, answered, strict=False):
            assert answer == expected_answer(tries, command)
            tries = after(tries, command)
        on_disk = card.vsc.tries_left("card")
        # ... and is where it was, or one command further, or between: the counter goes down before it looks at a PIN.
        assert len(answered) < GUESSES, "the kill came too late to show anything"
        assert on_disk in {tries, tries - 1, after(tries, commands[len(answered)])}
        card.plug_in()
        assert card.tries_left() == on_disk
        card.tool("pkcs15-tool", "--verify-pin", "--pin", PIN)


def test_a_guesser_with_a_kill_switch_is_blocked(plug_in: PlugIn) -> None:
    """One guess, kill, plug in again: after as many guesses as there are tries the right PIN comes too late."""
    card = plug_in("--tries", "3")
    for left in (2, 1, 0):
        sent = card.tool("opensc-tool", "--send-apdu", SELECT_GIDS, "--send-apdu", WRONG).stdout
        assert answers(sent)[-1] == f"63C{left}"
        assert card.attached.signal(signal.SIGKILL) == -signal.SIGKILL
        assert card.vsc.tries_left("card") == left
        card.plug_in()
    blocked = card.tool("pkcs15-tool", "--verify-pin", "--pin", PIN, check=False)
    assert blocked.stderr == "Operation failed: Authentication method blocked\n"
