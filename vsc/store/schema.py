"""The tables of the database, version by version, and all that is asked of it.

A row is found by a number that follows from the card's name, the start of its SHA-256: so the names stand in the
database once, there is no index beside them that damage could make say something else, and a row whose number does not
follow from its name is known as damaged. Version 1 had such an index; it is read without it.

`revision` counts the changes of a card, from a number of its own. A change says which one it replaces, in the statement
that makes it. Parts of a large card (`vsc.store.parts`) are rows of their own, added and removed in the transaction
that changes the card. They are found by number, too: those of a card are from one range.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from vsc.store.name import part_numbers, row_number

VERSION = 3
"""PRAGMA user_version."""
TABLE = "CREATE TABLE card (id INTEGER PRIMARY KEY, name TEXT NOT NULL, revision INTEGER NOT NULL, image BLOB NOT NULL)"
PART_TABLE = "CREATE TABLE part (id INTEGER PRIMARY KEY, card INTEGER NOT NULL, raw BLOB NOT NULL)"

_FIRST_WITH_REVISION = 2
_FIRST_WITH_PARTS = 3
_ADD = "INSERT INTO card (id, name, revision, image) VALUES (?, ?, ?, ?)"
_PARTS = "SELECT id, raw FROM part WHERE id BETWEEN ? AND ? AND card = ?"
_NO_PARTS: Mapping[int, bytes] = MappingProxyType({})
_CHANGE = "UPDATE card SET revision = ?, image = ? WHERE id = ? AND revision = ?"


class RowDamage(sqlite3.DatabaseError):
    """The rows contradict each other, though SQLite finds nothing wrong."""


@dataclass(frozen=True, slots=True)
class Row:
    """A card as it is stored. revision: from 1, one more with each change; 0 in version 1, which had none.

    is_misplaced: the number of the row is not that of the name; one of them is damaged. parts: by number.
    """

    name: str
    revision: int
    raw: bytes
    is_misplaced: bool = False
    parts: Mapping[int, bytes] = field(default_factory=dict)


def version_of(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def read(connection: sqlite3.Connection, name: str) -> Row | None:
    """Returns the row of a card; None if there is none, for sure: RowDamage if a damaged row could be it."""
    if version_of(connection) < _FIRST_WITH_REVISION:
        found = connection.execute("SELECT id, name, 0, image FROM card NOT INDEXED WHERE name = ?", (name,))
    else:
        found = connection.execute("SELECT id, name, revision, image FROM card WHERE id = ?", (row_number(name),))
    row = found.fetchone()
    if row is None:
        check_names(connection)
        return None
    if row[1] != name:
        raise RowDamage("a row bears the number of another name")
    return replace(_row(*row), parts=_parts(connection, name))


def rows(connection: sqlite3.Connection) -> Iterator[Row]:
    """Gives all rows, in no order: SQLite would sort what is large in files of its own, in clear."""
    has_revision = version_of(connection) >= _FIRST_WITH_REVISION
    columns = "id, name, revision, image" if has_revision else "id, name, 0, image"
    for row in connection.execute(f"SELECT {columns} FROM card NOT INDEXED").fetchall():
        found = _row(*row)
        is_misplaced = has_revision and row[0] != row_number(found.name)
        yield replace(found, is_misplaced=is_misplaced, parts=_parts(connection, found.name))


def check_names(connection: sqlite3.Connection) -> None:
    """RowDamage if a row is not where its name belongs: it could be any card's."""
    if version_of(connection) < _FIRST_WITH_REVISION:
        return
    for number, name in connection.execute("SELECT id, name FROM card"):
        if not isinstance(name, str) or number != row_number(name):
            raise RowDamage("a row does not bear the number of its name")


def _parts(connection: sqlite3.Connection, name: str) -> dict[int, bytes]:
    if version_of(connection) < _FIRST_WITH_PARTS:
        return {}
    return {number: as_bytes(raw) for number, raw in connection.execute(_PARTS, _places(name))}


def _places(name: str) -> tuple[int, int, int]:
    numbers = part_numbers(name)
    return numbers[0], numbers[-1], row_number(name)


def add(
    connection: sqlite3.Connection, name: str, raw: bytes, *, revision: int, parts: Mapping[int, bytes] = _NO_PARTS
) -> None:
    with transaction(connection):
        connection.execute(_ADD, (row_number(name), name, revision, raw))
        _add_parts(connection, name, parts)


def change(
    connection: sqlite3.Connection,
    name: str,
    raw: bytes,
    *,
    replaces: int,
    revision: int,
    added: Mapping[int, bytes] = _NO_PARTS,
    gone: Collection[int] = (),
) -> bool:
    """Puts a revision in the place of the one that it replaces; False, and nothing happens, if that is not there.

    added, gone: parts that the card has from now on, and has no more.
    """
    place = (revision, raw, row_number(name), replaces)
    if not added and not gone:
        return connection.execute(_CHANGE, place).rowcount == 1
    with transaction(connection):
        if connection.execute(_CHANGE, place).rowcount != 1:
            return False
        _add_parts(connection, name, added)
        connection.executemany("DELETE FROM part WHERE id = ? AND card = ?", [(one, row_number(name)) for one in gone])
    return True


def _add_parts(connection: sqlite3.Connection, name: str, parts: Mapping[int, bytes]) -> None:
    rows = [(number, row_number(name), raw) for number, raw in parts.items()]
    connection.executemany("INSERT INTO part (id, card, raw) VALUES (?, ?, ?)", rows)


def remove(connection: sqlite3.Connection, name: str) -> None:
    with transaction(connection):
        connection.execute("DELETE FROM card WHERE id = ?", (row_number(name),))
        connection.execute("DELETE FROM part WHERE id BETWEEN ? AND ? AND card = ?", _places(name))


@contextmanager
def transaction(connection: sqlite3.Connection, how: str = "IMMEDIATE") -> Iterator[None]:
    """What is done in it is done whole or not at all. how: DEFERRED for one that reads."""
    connection.execute(f"BEGIN {how}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def check_whole(connection: sqlite3.Connection) -> None:
    """RowDamage if SQLite finds the database damaged."""
    (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise RowDamage(said)


def upgrade(connection: sqlite3.Connection) -> None:
    """Makes a database of this version of an older one, in one transaction. RowDamage if it is damaged."""
    if version_of(connection) >= VERSION:
        return
    with transaction(connection):
        # Somebody else may have been first.
        if version_of(connection) < _FIRST_WITH_REVISION:
            _upgrade_from_1(connection)
        if version_of(connection) < _FIRST_WITH_PARTS:
            connection.execute(PART_TABLE)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _upgrade_from_1(connection: sqlite3.Connection) -> None:
    (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        raise RowDamage(said)
    cards = connection.execute("SELECT name, image FROM card NOT INDEXED ORDER BY id").fetchall()
    connection.execute("DROP TABLE card")
    connection.execute(TABLE)
    try:
        for name, raw in cards:
            connection.execute(_ADD, (row_number(name), name, 1, as_bytes(raw)))
    except sqlite3.IntegrityError:
        raise RowDamage("two cards of one name") from None


def _row(_: object, name: object, revision: object, raw: object) -> Row:
    # What somebody put there by hand may be of another type: no card has that revision, and a save will not find it.
    return Row(str(name), revision if isinstance(revision, int) else -1, as_bytes(raw))


def as_bytes(raw: object) -> bytes:
    """What somebody put there by hand may be of another type; as an image it will be refused."""
    return raw if isinstance(raw, bytes) else str(raw).encode(errors="replace")
