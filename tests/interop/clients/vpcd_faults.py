"""A fresh card in a slot of vpcd for each line on stdin, which is the fault that waits for it; repeats the line.

Runs inside the namespace of a pcscd. The argument is the port.
"""

import sys
import threading

from vsc.faults import inject
from vsc.reader import Reader
from vsc.serving.vpcd import VpcdSlot
from vsc.testing import SoftCard

bugs: list[Exception] = []
reader = Reader()
slot = VpcdSlot(
    reader, ("127.0.0.1", int(sys.argv[1])), on_event=lambda event: bugs.append(event.error) if event.error else None
)
thread = threading.Thread(target=slot.run)
thread.start()
for line in sys.stdin:
    text = line.strip()
    plan = inject(reader)
    plan.clear()
    if reader.card is not None:
        reader.eject()
    if text:
        plan.add(text)
        reader.insert(SoftCard.make())
    print(text, flush=True)  # noqa: T201
slot.stop()
thread.join()
sys.exit(f"bugs: {bugs}" if bugs else 0)
