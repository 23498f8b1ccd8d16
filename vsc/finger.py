"""The finger that touches a card, where a key wants to know that somebody is there: at once, after a while, or never.

card = SoftCard.make("yubikey")
card.env.finger = Finger(delay_s=None)      # nobody is there: 6982
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

PATIENCE_S = 15.0
"""How long a card waits for a touch (measured of YubiKeys: some 15 s)."""


@dataclass
class Finger:
    """delay_s: how long somebody takes to touch the card, each time that it asks; None: nobody does.

    Where nobody will be in time the card is told at once: no test waits for that. wait, clock: for tests of this.
    """

    delay_s: float | None = 0.0
    wait: Callable[[float], None] = field(default=time.sleep, repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    touched_at: float | None = field(default=None, repr=False)

    def touches(self, within_s: float = 0.0) -> bool:
        """Waits for the touch; False if it will not come in time. A touch within so many seconds before is enough."""
        if self.touched_at is not None and within_s > 0 and self.clock() - self.touched_at <= within_s:
            return True
        if self.delay_s is None or self.delay_s > PATIENCE_S:
            return False
        if self.delay_s:
            self.wait(self.delay_s)
        self.touched_at = self.clock()
        return True
