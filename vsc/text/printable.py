"""Text of others on a terminal: names of readers, labels, fields of files and what errors say of them are anybody's,
and a terminal obeys what is in them. What does not print is replaced, and no message is longer than people read.
"""

import json
import re

MAX_MESSAGE_CHARACTERS = 2000
_BLANKS = re.compile(r"[\t\n\r]+")
_HIDDEN = re.compile(r"[^\n -~]")


def printable(text: str) -> str:
    """Replaces what a terminal might obey."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def message(text: object, *, max_characters: int = MAX_MESSAGE_CHARACTERS) -> str:
    """One line for people: printable, and cut, with three dots, where it is too long to be read."""
    words = printable(_BLANKS.sub(" ", str(text)[: max_characters + 1]))
    return words if len(words) <= max_characters else f"{words[: max_characters - 1]}…"


def escaped_json(text: str) -> str:
    """JSON text in which all that does not print, but the ends of lines, is escaped as JSON does it."""
    return _HIDDEN.sub(_visible, text)


def json_line(value: object) -> str:
    """A value as JSON that people can read."""
    return escaped_json(json.dumps(value, ensure_ascii=False))


def _visible(match: re.Match[str]) -> str:
    return match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1]
