"""What is stored, from behind the store's back: rows of the database, and card files as version 0.1 wrote them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from vsc.store.database import FILE
from vsc.store.image import Image, digest
from vsc.store.name import file_stem


def raw_of(home: Path, name: str = "work") -> bytes:
    """The bytes of a card's image."""
    with closing(sqlite3.connect(home / FILE)) as connection:
        (raw,) = connection.execute("SELECT image FROM card WHERE name = ?", (name,)).fetchone()
    assert isinstance(raw, bytes)
    return raw


def put(home: Path, raw: object, name: str = "work") -> None:
    """Replaces the bytes of a card's image."""
    with closing(sqlite3.connect(home / FILE)) as connection, connection:
        assert connection.execute("UPDATE card SET image = ? WHERE name = ?", (raw, name)).rowcount == 1


def change(home: Path, statement: str) -> None:
    with closing(sqlite3.connect(home / FILE)) as connection, connection:
        connection.execute(statement)


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
