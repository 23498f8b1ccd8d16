"""The host's half of GIDS: what a minidriver does, over any connection to any GIDS card."""

from vsc.host.gids.application import AdminForm
from vsc.host.gids.containers import Container
from vsc.host.gids.gids import Gids
from vsc.host.gids.host import GidsHost

__all__ = ["AdminForm", "Container", "Gids", "GidsHost"]
