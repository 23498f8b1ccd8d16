"""Commands as a fault names them: from the tables of the applications, by instruction, or any."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from card_os.application import Application
from card_os.kernel import KERNEL
from vsc.profiles import PROFILES


def spelt(name: str) -> str:
    """A name as one word of a fault."""
    return name.replace(" ", "-")


def normal(word: str) -> str:
    """The same name however it is spelt: `get-data`, `Get Data`, `GET DATA`."""
    return " ".join(word.replace("-", " ").split()).casefold()


def names() -> dict[str, frozenset[int]]:
    """The names of all commands, each with its instructions."""
    return _names(PROFILES.applications)


@cache
def _names(applications: tuple[Application[Any, Any], ...]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for application in applications:
        for instruction, row in application.table:
            found.setdefault(row.name, set()).add(instruction)
    for instruction, row in KERNEL.items():
        found.setdefault(row.name, set()).add(instruction)
    return {name: frozenset(instructions) for name, instructions in sorted(found.items())}


def application_names() -> tuple[str, ...]:
    """The names of all applications."""
    return tuple(dict.fromkeys(application.name for application in PROFILES.applications))


@dataclass(frozen=True, slots=True)
class CommandName:
    """`VERIFY`, `GET DATA`, `INS 20`, or `any`: what a command is asked for. ValueError if no table has that name.

    A name stands for every instruction that any application has under it. Parts of a chain count, each for itself.
    """

    name: str = "any"

    def __post_init__(self) -> None:
        if self.name not in ("any", *names()) and self._instruction() is None:
            raise ValueError(f"no application has a command {self.name!r}")

    @property
    def is_any(self) -> bool:
        return self.name == "any"

    def matches(self, command: bytes) -> bool:
        """command: of any length; one without an instruction is `any` and nothing else."""
        if self.is_any:
            return True
        if len(command) < 2:
            return False
        instruction = self._instruction()
        return command[1] == instruction if instruction is not None else command[1] in names()[self.name]

    def _instruction(self) -> int | None:
        head, _, digits = self.name.partition(" ")
        is_instruction = head == "INS" and len(digits) == 2 and set(digits) <= set("0123456789ABCDEF")
        return int(digits, 16) if is_instruction else None

    def __str__(self) -> str:
        return self.name if self._instruction() is not None else spelt(self.name)


ANY = CommandName()
