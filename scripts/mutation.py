"""The mutation run of `make test-long`: small faults, one at a time, in PIN, admin key, access rules and link layer.

A fault that no test notices survives. Ends with 1 if fewer than 90 % are killed, and lists the survivors.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
WANTED = 0.90


def main() -> int:
    shutil.rmtree(ROOT / "mutants", ignore_errors=True)
    mutmut = [sys.executable, "-m", "mutmut"]
    # mutmut ends with an error code if anything survives; its figures say how many.
    subprocess.run([*mutmut, "run"], cwd=ROOT, check=False)
    subprocess.run([*mutmut, "export-cicd-stats"], cwd=ROOT, check=True)
    stats = json.loads((ROOT / "mutants" / "mutmut-cicd-stats.json").read_text())
    killed = stats["killed"] + stats["timeout"] + stats["suspicious"] + stats["segfault"]
    share = killed / stats["total"]
    print(f"mutation run: {killed} of {stats['total']} faults killed, {share:.1%}")
    subprocess.run([*mutmut, "results"], cwd=ROOT, check=True)
    return 0 if share >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
