"""The half of the host: what a minidriver does, over any connection to any GIDS card."""

from vsc.host.application import AdminForm
from vsc.host.challenge import AdminKeyResponder, Responder, calculate_response
from vsc.host.connection import Connection, DirectConnection
from vsc.host.containers import Container
from vsc.host.files import KeyUse
from vsc.host.gids import Gids
from vsc.host.pins import Tries

__all__ = [
    "AdminForm",
    "AdminKeyResponder",
    "Connection",
    "Container",
    "DirectConnection",
    "Gids",
    "KeyUse",
    "Responder",
    "Tries",
    "calculate_response",
]
