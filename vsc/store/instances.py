r"""Device instance ids, as Windows counts them: ROOT\SMARTCARDREADER\0000 is the first virtual reader there is.

Only cards that `vsc tpmvscmgr` made have one. A number is the lowest that is free, and belongs to its card until that
is deleted; `instances.json` in the folder of the cards says which: {"work": 0, "home": 1}.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

from vsc.errors import CardNotFoundError, VscError
from vsc.store.folder import read_file, replace_file
from vsc.store.lock import folder_lock

FILE = "instances.json"
LOCK = "instances.lock"
# A shell that is no Windows shell takes backslashes away, unless they are quoted.
_ID = re.compile(r"ROOT\\?SMARTCARDREADER\\?(\d{4})", re.IGNORECASE)


def instance_id(number: int) -> str:
    return rf"ROOT\SMARTCARDREADER\{number:04d}"


def parse_instance_id(text: str) -> int:
    """Returns the number; ValueError for another text."""
    match = _ID.fullmatch(text.strip())
    if match is None:
        raise ValueError(r"an instance id looks like ROOT\SMARTCARDREADER\0000")
    return int(match.group(1))


class Instances:
    """The numbers of the cards in a folder. exists: tells whether there still is a card of that name."""

    def __init__(self, folder: Path, exists: Callable[[str], bool]) -> None:
        self._folder = folder
        self._exists = exists

    def give(self, name: str) -> int:
        """Returns the number of a card that is there or about to be made."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with folder_lock(self._folder, LOCK):
                numbers = self._read()
                if name not in numbers or not self._exists(name):
                    taken = {number for other, number in numbers.items() if self._exists(other)}
                    numbers[name] = next(number for number in range(len(taken) + 1) if number not in taken)
                    self._write({one: number for one, number in numbers.items() if one == name or self._exists(one)})
                return numbers[name]
        except OSError as error:
            raise VscError(f"the instance id cannot be kept: {error.strerror}") from None

    def forget(self, name: str) -> None:
        """Frees the number of a card that was deleted: another one of that name must not inherit it."""
        try:
            if name in self._read():
                with folder_lock(self._folder, LOCK):
                    self._write({one: number for one, number in self._read().items() if one != name})
        except OSError as error:
            raise VscError(f"the instance id cannot be given back: {error.strerror}") from None

    def check(self) -> None:
        """VscError if the file cannot be read or is damaged."""
        self._read()

    def name_of(self, number: int) -> str:
        """CardNotFoundError if no card has that number."""
        for name, one in self._read().items():
            if one == number and self._exists(name):
                return name
        raise CardNotFoundError(f"there is no card with the instance id {instance_id(number)}")

    def _read(self) -> dict[str, int]:
        try:
            numbers = json.loads(read_file(self._folder, FILE))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise VscError(f"{FILE} cannot be read: {error.strerror}") from None
        except ValueError:
            numbers = None
        if not isinstance(numbers, dict) or not all(type(one) is int and one >= 0 for one in numbers.values()):
            raise VscError(f"{FILE} is damaged: delete it, and the cards lose their instance ids")
        return numbers

    def _write(self, numbers: dict[str, int]) -> None:
        replace_file(self._folder, FILE, f"{json.dumps(numbers, indent=1)}\n".encode())
