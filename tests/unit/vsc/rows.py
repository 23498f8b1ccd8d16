"""What is stored, from behind the store's back: rows of the database, and card files as version 0.1 wrote them."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from vsc.store.database import APPLICATION_ID, FILE
from vsc.store.image import Image, digest
from vsc.store.name import file_stem


def raw_of(home: Path, name: str = "work") -> bytes:
    """The bytes of a card's image."""
    with closing(sqlite3.connect(home / FILE)) as connection:
        (raw,) = connection.execute("SELECT image FROM card WHERE name = ?", (name,)).fetchone()
    assert isinstance(raw, bytes)
    return raw


def revision_of(home: Path, name: str = "work") -> int:
    with closing(sqlite3.connect(home / FILE)) as connection:
        (revision,) = connection.execute("SELECT revision FROM card WHERE name = ?", (name,)).fetchone()
    assert isinstance(revision, int)
    return revision


def put(home: Path, raw: object, name: str = "work") -> None:
    """Replaces the bytes of a card's image."""
    with closing(sqlite3.connect(home / FILE)) as connection, connection:
        assert connection.execute("UPDATE card SET image = ? WHERE name = ?", (raw, name)).rowcount == 1


def change(home: Path, statement: str) -> None:
    with closing(sqlite3.connect(home / FILE)) as connection, connection:
        connection.execute(statement)


def version(home: Path) -> int:
    """That of the database."""
    with closing(sqlite3.connect(home / FILE)) as one:
        (found,) = one.execute("PRAGMA user_version").fetchone()
    return int(found)


@contextmanager
def connection(home: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(home / FILE, isolation_level=None)) as one:
        yield one


def version_1_database(home: Path, images: Iterable[Image]) -> None:
    """Makes a database as it was in version 1 of the schema."""
    home.mkdir(mode=0o700)
    (home / FILE).touch(mode=0o600)
    with connection(home) as one:
        one.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        one.execute("PRAGMA user_version = 1")
        one.execute("CREATE TABLE card (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, image BLOB NOT NULL)")
        one.execute("PRAGMA journal_mode = WAL")
        one.executemany(
            "INSERT INTO card (name, image) VALUES (?, ?)", [(image.name, bytes(image)) for image in images]
        )


def damage_index(home: Path, name: bytes, other: bytes) -> None:
    """Has the index of names of version 1 say another name; SQLite's quick check finds nothing wrong."""
    raw = (home / FILE).read_bytes()
    # The page of an index (0A) has nothing but cells with names and numbers of rows.
    page = next(at for at in range(0, len(raw), 4096) if raw[at] == 0x0A)
    at = raw.index(name, page, page + 4096)
    (home / FILE).write_bytes(raw[:at] + other + raw[at + len(other) :])
    with connection(home) as one:
        assert one.execute("PRAGMA quick_check").fetchone() == ("ok",)


def version_1(image: Image) -> bytes:
    """The image as version 0.1 wrote it."""
    content = json.loads(bytes(image))
    del content["sha256"], content["label"]
    content["version"] = 1
    return json.dumps({**content, "sha256": digest(content)}, indent=1).encode() + b"\n"


def card_file(home: Path, image: Image) -> Path:
    """Puts a card where version 0.1 kept it."""
    home.mkdir(mode=0o700, exist_ok=True)
    path = home / f"{file_stem(image.name)}.card"
    path.write_bytes(version_1(image))
    path.chmod(0o600)
    return path


def files(home: Path) -> dict[str, bytes]:
    """Everything in the folder."""
    return {path.name: path.read_bytes() for path in sorted(home.iterdir())}
