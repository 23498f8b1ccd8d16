"""Handles to what is in the process that serves PC/SC to this one: readers, cards, traces and faults.

They are what `vsc.testing` has in this process, by the same names, and what is done to them is done there (`call`s of
`vsc.serving.owned_desk`). A `SoftCard` that is put into such a reader has its inside there from then on (`ServedCard`);
any other object has a copy there, and what that has become comes back when it leaves.
"""

from vsc.testing.served.card import ServedCard
from vsc.testing.served.reader import ServedReader
from vsc.testing.served.service import ServedService

__all__ = ["ServedCard", "ServedReader", "ServedService"]
