"""Plays scenarios in a process of its own: a line of JSON in, {"do": name, "with": [...]}, a line of JSON out.

`--vpcd PORT` plugs cards into vpcd; otherwise the machine is what the environment says (`vsc run`, `vsc serve`).
"""

import json
import sys
import traceback

from tests.rows import scenarios
from vsc.machine import VpcdMachine, current, use_everywhere


def main() -> None:
    if "--vpcd" in sys.argv:
        use_everywhere(VpcdMachine(port=int(sys.argv[sys.argv.index("--vpcd") + 1])))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"ok": getattr(scenarios, request["do"])(*request["with"])}
        except BaseException:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)  # noqa: T201
    current().close()


if __name__ == "__main__":
    main()
