"""The table of the database, version by version, and all that is asked of it.

A row is found by a number that follows from the card's name, the start of its SHA-256: so the names stand in the
database once, there is no index beside them that damage could make say something else, and a row whose number does not
follow from its name is known as damaged. Version 1 had such an index; it is read without it.

`revision` counts the changes of a card, from a number of its own. A change says which one it replaces, in the statement
that makes it; parts of a card that may once lie in rows of their own are of the revision of this row.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace

from vsc.store.name import row_number

VERSION = 2
"""PRAGMA user_version."""
TABLE = "CREATE TABLE card (id INTEGER PRIMARY KEY, name TEXT NOT NULL, revision INTEGER NOT NULL, image BLOB NOT NULL)"

_FIRST_WITH_REVISION = 2
_ADD = "INSERT INTO card (id, name, revision, image) VALUES (?, ?, ?, ?)"
_CHANGE = "UPDATE card SET revision = ?, image = ? WHERE id = ? AND revision = ?"


class RowDamage(sqlite3.DatabaseError):
    """The rows contradict each other, though SQLite finds nothing wrong."""


@dataclass(frozen=True, slots=True)
class Row:
    """A card as it is stored. revision: from 1, one more with each change; 0 in version 1, which had none.

    is_misplaced: the number of the row is not that of the name; one of them is damaged.
    """

    name: str
    revision: int
    raw: bytes
    is_misplaced: bool = False


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
    return _row(*row)


def rows(connection: sqlite3.Connection) -> Iterator[Row]:
    """Gives all rows, in no order: SQLite would sort what is large in files of its own, in clear."""
    has_revision = version_of(connection) >= _FIRST_WITH_REVISION
    columns = "id, name, revision, image" if has_revision else "id, name, 0, image"
    for row in connection.execute(f"SELECT {columns} FROM card NOT INDEXED"):
        found = _row(*row)
        yield replace(found, is_misplaced=has_revision and row[0] != row_number(found.name))


def check_names(connection: sqlite3.Connection) -> None:
    """RowDamage if a row is not where its name belongs: it could be any card's."""
    if version_of(connection) < _FIRST_WITH_REVISION:
        return
    for number, name in connection.execute("SELECT id, name FROM card"):
        if not isinstance(name, str) or number != row_number(name):
            raise RowDamage("a row does not bear the number of its name")


def add(connection: sqlite3.Connection, name: str, raw: bytes, *, revision: int) -> None:
    connection.execute(_ADD, (row_number(name), name, revision, raw))


def change(connection: sqlite3.Connection, name: str, raw: bytes, *, replaces: int, revision: int) -> bool:
    """Puts a revision in the place of the one that it replaces; False, and nothing happens, if that is not there."""
    return connection.execute(_CHANGE, (revision, raw, row_number(name), replaces)).rowcount == 1


def remove(connection: sqlite3.Connection, name: str) -> None:
    connection.execute("DELETE FROM card WHERE id = ?", (row_number(name),))


def check_whole(connection: sqlite3.Connection) -> None:
    """RowDamage if SQLite finds the database damaged."""
    (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise RowDamage(said)


def upgrade(connection: sqlite3.Connection) -> None:
    """Makes a database of this version of an older one, in one transaction. RowDamage if it is damaged."""
    if version_of(connection) >= VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Somebody else may have been first.
        if version_of(connection) < VERSION:
            _upgrade_from_1(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _upgrade_from_1(connection: sqlite3.Connection) -> None:
    (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        raise RowDamage(said)
    cards = connection.execute("SELECT name, image FROM card NOT INDEXED ORDER BY id").fetchall()
    connection.execute("DROP TABLE card")
    connection.execute(TABLE)
    try:
        for name, raw in cards:
            add(connection, name, as_bytes(raw), revision=1)
    except sqlite3.IntegrityError:
        raise RowDamage("two cards of one name") from None
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _row(_: object, name: object, revision: object, raw: object) -> Row:
    # What somebody put there by hand may be of another type: no card has that revision, and a save will not find it.
    return Row(str(name), revision if isinstance(revision, int) else -1, as_bytes(raw))


def as_bytes(raw: object) -> bytes:
    """What somebody put there by hand may be of another type; as an image it will be refused."""
    return raw if isinstance(raw, bytes) else str(raw).encode(errors="replace")
