"""The ids of readers, made of what they are called."""

from urllib.parse import quote

_PREFIX = "vsc-reader:"


def reader_id(name: str) -> str:
    """The id of a reader of that name: the same in every process and run."""
    return _PREFIX + quote(name, safe="")
