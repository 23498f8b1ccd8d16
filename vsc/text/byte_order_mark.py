"""Text in files that Windows' programs write: with a mark in front that says in which order its bytes are.

Notepad puts one in front of UTF-8, and PowerShell's `>` writes UTF-16. The mark is no part of a PIN.
"""

import codecs

_ENCODINGS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def without_mark(raw: bytes) -> bytes:
    """Returns text as UTF-8, without its mark; bytes that have none stay as they are."""
    for mark, encoding in _ENCODINGS.items():
        if raw.startswith(mark):
            text = raw.removeprefix(mark)
            return text if encoding == "utf-8" else text.decode(encoding, "replace").encode()
    return raw
