"""A PC/SC client on a string: reads calls from its standard input, one JSON list a line, and prints what they return.

["connect", ["$context", "Reader"], "card"] calls winscard.connect and keeps the second value it returns as $card.
Many of these at once, each a process, are the clients of a test that has the order in its hands.
"""

import json
import sys

from tests.interop.pcsc import winscard


def main() -> None:
    kept: dict[str, object] = {}
    for line in sys.stdin:
        name, arguments, *keep = json.loads(line)
        values = [kept[one[1:]] if isinstance(one, str) and one.startswith("$") else one for one in arguments]
        values = [bytes.fromhex(one[4:]) if isinstance(one, str) and one.startswith("hex:") else one for one in values]
        result = getattr(winscard, name)(*values)
        parts = list(result) if isinstance(result, tuple) else [result]
        if keep:
            kept[keep[0]] = parts[1]
        parts[0] = winscard.name(parts[0]) if name != "wait_for" else parts[0]
        sys.stdout.write(json.dumps([one.hex() if isinstance(one, bytes) else one for one in parts]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
