"""Cards for the tests of the host's half: ours, ours with foreign habits, recorded ones, and ones that go away."""

from collections.abc import Iterable
from pathlib import Path

from card_os.apps.gids.state import GidsState
from card_os.card import Card
from tests.unit.vsc.samples import ADMIN_KEY, state
from vsc.errors import CardRemoved
from vsc.host import AdminKeyResponder, DirectConnection, Gids
from vsc.profiles import GIDS
from vsc.world import SeededEnv

VECTORS = Path(__file__).parents[3] / "vectors"
RESPOND = AdminKeyResponder(ADMIN_KEY)

SELECT = "00A4040009A0000003974254465900"
FCI = "61124F0BA00000039742544659020173034001C09000"


def new_card(start: GidsState | None = None, *, seed: str = "host") -> Card:
    return GIDS.card(GIDS.persistent(start or state()), SeededEnv(seed))


def state_of(card: Card) -> GidsState:
    (found,) = (value for _, value in card.persistent.applications)
    assert isinstance(found, GidsState)
    return found


def host(card: "Card | Double", **options: object) -> Gids:
    return Gids.connect(DirectConnection(card), **options)  # type: ignore[arg-type]


class Double:
    """A card for the tests: what `DirectConnection` needs."""

    def power_on(self) -> bytes:
        return bytes.fromhex("3B00")

    def transmit(self, command: bytes) -> bytes:
        raise NotImplementedError


class Script(Double):
    """Expects these commands in this order, and gives these answers; both in hexadecimal."""

    def __init__(self, *exchanges: tuple[str, str]) -> None:
        self._left = list(exchanges)

    def transmit(self, command: bytes) -> bytes:
        assert self._left, f"unexpected {command.hex().upper()}"
        expected, answer = self._left.pop(0)
        assert command.hex().upper() == expected
        return bytes.fromhex(answer)

    def check_done(self) -> None:
        assert not self._left


class Recorded(Double):
    """Answers as another card answered in a recording, and knows no command that is not in it.

    The next answer to a command is looked for from the last one on, and then from the start.
    """

    def __init__(self, name: str) -> None:
        lines = (VECTORS / f"gids-host-{name}.pairs").read_text().splitlines()
        texts = [line.split(" ")[1] for line in lines if line[0] in "><"]
        whole = [bytes.fromhex(text) for text in texts]
        self.pairs: list[tuple[bytes, bytes]] = list(zip(whole[::2], whole[1::2], strict=True))
        self.sent: list[bytes] = []
        self._at = 0

    def transmit(self, command: bytes) -> bytes:
        self.sent.append(command)
        turns = [*range(self._at, len(self.pairs)), *range(self._at)]
        found: int | None = next((turn for turn in turns if self.pairs[turn][0] == command), None)
        assert found is not None, f"the recording has no {command.hex().upper()}"
        self._at = found + 1
        return self.pairs[found][1]


class Wrapped(Double):
    """One of our cards with other habits; `answer` may be replaced by a subclass."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self.sent: list[bytes] = []

    def power_on(self) -> bytes:
        return self.card.power_on()

    def transmit(self, command: bytes) -> bytes:
        self.sent.append(command)
        return self.answer(command)

    def answer(self, command: bytes) -> bytes:
        return self.card.transmit(command)


class Cut(Wrapped):
    """Is pulled out instead of answering its command number `at`, counted from 0; `did` tells whether it was done."""

    def __init__(self, card: Card, at: int, *, did: bool) -> None:
        super().__init__(card)
        self._at = at
        self._did = did

    def answer(self, command: bytes) -> bytes:
        if len(self.sent) <= self._at:
            return self.card.transmit(command)
        if len(self.sent) == self._at + 1 and self._did:
            self.card.transmit(command)
        raise CardRemoved("the card was taken out")


class Refusing(Wrapped):
    """Refuses every command that begins so, with this status word."""

    def __init__(self, card: Card, *refusals: tuple[str, str]) -> None:
        super().__init__(card)
        self.refusals = [(bytes.fromhex(start), bytes.fromhex(sw)) for start, sw in refusals]

    def answer(self, command: bytes) -> bytes:
        return next((sw for start, sw in self.refusals if command.startswith(start)), None) or self.card.transmit(
            command
        )


class LikeTheApplet(Wrapped):
    """Habits of the reference applet (gids.md 2.2, 2.3 and 10.1), on top of our card.

    An empty PUT DATA empties an object, and deletes an empty one. A request for the list of tags is answered with the
    objects. It takes no chain but in PSO, GENERATE and PUT DATA. A file that exists already is 6984.
    """

    def answer(self, command: bytes) -> bytes:
        ins, efid, data = command[1], command[2:4], command[5:]
        if command[0] == 0x10 and ins not in (0x2A, 0x47, 0xDB):
            return bytes.fromhex("6884")
        if ins == 0xCB and data[:3] == b"\x5c\x01\x5c":
            return self.card.transmit(command[:4] + bytes.fromhex("025C0000"))
        if ins == 0xDB and command[0] == 0 and len(data) == 3 and data[2] == 0:
            found = self.card.transmit(b"\x00\xcb" + efid + b"\x04\x5c\x02" + data[:2] + b"\x00")
            answer = self.card.transmit(command)
            if found[-2:] != b"\x6a\x88" and found[2:3] != b"\x00":
                answer = self.card.transmit(command)
            return answer
        answer = self.card.transmit(command)
        return bytes.fromhex("6984") if answer in (b"\x6a\x89", b"\x6a\x80", b"\x6a\x81") else answer


def transcript(sent: Iterable[bytes]) -> list[str]:
    return [one.hex().upper() for one in sent]
