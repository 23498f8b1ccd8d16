"""What the fuzzer mutates: commands that make sense, and operations of histories."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

from bench.fuzz.start import PIN, personalised
from card_os.apdu import CommandApdu
from card_os.class_byte import Classes
from card_os.kernel import KernelIns
from vsc.profiles import Profile
from vsc.testing.history import History
from vsc.testing.operation import (
    Authenticate,
    Block,
    Change,
    ChangeAdminKey,
    CloseChannel,
    Delete,
    DeleteKey,
    GenerateKey,
    ImportKey,
    LogOut,
    Operation,
    PowerCycle,
    Read,
    Reset,
    Select,
    Sign,
    UseChannel,
    Verify,
    VerifyWrong,
    Write,
)

VECTORS = Path(__file__).parents[2] / "tests" / "vectors"
_USUAL_PIN = b"12345678"


def commands(profile: Profile) -> list[bytes]:
    """Commands to begin with: those of the transcripts, of a history of everything, and one for each row of a table."""
    found = [*_of_transcripts(), *map(bytes.fromhex, _ON_A_CURVE), *_of_a_history(profile), *_of_tables(profile)]
    return list(dict.fromkeys(found))


def _of_transcripts() -> Iterator[bytes]:
    for path in sorted(VECTORS.iterdir()):
        if path.suffix in (".apdu", ".pairs"):
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith("> "):
                    # The PIN of our cards is as long as the one of the transcripts.
                    yield bytes.fromhex(line[2:]).replace(_USUAL_PIN, PIN.encode())


def _of_a_history(profile: Profile) -> Iterator[bytes]:
    if profile.host is None:
        return
    card = personalised(profile.name)
    sent: list[bytes] = []
    transmit = card.transmit

    def record(command: bytes) -> bytes:
        sent.append(command)
        return transmit(command)

    card.transmit = record  # type: ignore[method-assign]
    EVERYTHING.run(card)
    yield from sent


_ON_A_CURVE = (
    *("0022C1A4 03 840190", "002241B6 03 840190", "002241B8 03 840190", "002A9E9A 20 " + "5A" * 32 + "00"),
    *("00880000 14 7C128110 101112131415161718191A1B1C1D1E1F 00", "00470000 08 AC06 80010C 830190 00"),
    "00E00000 1D 621B 820118 8302B091 8C058F00000000 A50B A409 80010C 830191 9501C0",
    "00CB3FFF 0A 7008 840190 A503 7F4980 00",
    "00E60000",
)
"""For the key B090 of one of the starts; and the end of an application."""


def _of_tables(profile: Profile) -> Iterator[bytes]:
    for application in profile.applications:
        for ins, row in application.table:
            p1p2 = next(value for value in range(0x10000) if value in row.p1p2)
            cla = 0x00 if row.classes & Classes.INTERINDUSTRY else 0x80
            yield bytes([cla, ins, p1p2 >> 8, p1p2 & 0xFF])
            for p1p2, data in row.samples:
                yield bytes(CommandApdu(cla, ins, p1p2 >> 8, p1p2 & 0xFF, data, 256, len(data) > 255))
        yield bytes([0x00, KernelIns.SELECT, 0x04, 0x00, len(application.aid)]) + application.aid + b"\x00"
    yield bytes([0x00, KernelIns.GET_RESPONSE, 0x00, 0x00, 0x00])
    yield bytes([0x00, KernelIns.MANAGE_CHANNEL, 0x00, 0x00, 0x01])
    yield bytes([0x00, KernelIns.MANAGE_CHANNEL, 0x80, 0x01])


_NEW_KEY = bytes.fromhex("D6B19F4EA0573C82 15EC7A38B9D06F4D 830B52E1C49AF776")
EVERYTHING = History(
    (
        *(Read(), VerifyWrong(), Verify(), Write(), Write(1, 300, True), Read(1, True), Delete()),
        *(ImportKey(), Sign(), GenerateKey(), Sign(1), DeleteKey(1), UseChannel(1), Verify(), Sign(), CloseChannel()),
        *(Authenticate(), ChangeAdminKey(_NEW_KEY), Change("q7Zk!v9S"), LogOut(), Select()),
        *(PowerCycle(), Reset("q7Zk!v9T"), Block(), Reset("q7Zk!v9U"), Verify()),
    )
)


def operation(rng: Random) -> Operation:
    """Any operation; those that make keys are rare, because they take long."""
    number, private, knows = rng.randrange(3), rng.random() < 0.5, rng.random() < 0.7
    new = "".join(rng.choices("0123456789abcXYZ!~ ", k=rng.choice((3, 4, 6, 8, 8, 12, 127, 128))))
    common: tuple[Operation, ...] = (
        *(Verify(), Verify(), Verify(), VerifyWrong(), Authenticate(knows), LogOut(), Select(), PowerCycle()),
        *(Write(number, rng.choice((1, 20, 256, 1000)), private), Read(number, private), Delete(number, private)),
        *(Change(new, knows), Reset(new, knows), UseChannel(rng.randint(0, 3)), CloseChannel()),
    )
    if rng.random() < 0.9:
        return rng.choice(common)
    key = ChangeAdminKey(rng.randbytes(24))
    return rng.choice((Block(), ImportKey(), GenerateKey(), Sign(number), Sign(number), DeleteKey(number), key))
