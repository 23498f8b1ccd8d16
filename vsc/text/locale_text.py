"""Text from a command line that the locale has no characters for: Python keeps such bytes, U+DC80 to U+DCFF each."""

import sys


def locale_problem(text: str) -> str | None:
    """Says what is wrong with text whose bytes are no characters of this locale; None: nothing is."""
    if not any("\udc80" <= char <= "\udcff" for char in text):
        return None
    encoding = sys.getfilesystemencoding()
    raw = text.encode(errors="surrogateescape")
    hint = "" if encoding == "utf-8" else ": LC_ALL=C.UTF-8 reads any name"
    return f"{raw!r} is no text in the encoding of this locale, {encoding}{hint}"
