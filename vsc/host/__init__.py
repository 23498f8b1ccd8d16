"""The half of the host: what a minidriver does, over any connection to a card.

`port` says what there is to ask of any card; each application is a folder; `find` tells which one a card has.
"""

from vsc.host.challenge import AdminKeyResponder, Responder, calculate_response
from vsc.host.connection import Connection, DirectConnection
from vsc.host.find import find
from vsc.host.gids import AdminForm, Container, Gids
from vsc.host.port import (
    CanFormat,
    CanUnblock,
    CardWithKeys,
    FixedSecrets,
    HasCertificates,
    HasChallenge,
    HasKeys,
    HasObjects,
    HostCard,
    KeyUse,
    Reference,
    ReferenceKind,
    Slot,
    Tries,
)

__all__ = [
    "AdminForm",
    "AdminKeyResponder",
    "CanFormat",
    "CanUnblock",
    "CardWithKeys",
    "Connection",
    "Container",
    "DirectConnection",
    "FixedSecrets",
    "Gids",
    "HasCertificates",
    "HasChallenge",
    "HasKeys",
    "HasObjects",
    "HostCard",
    "KeyUse",
    "Reference",
    "ReferenceKind",
    "Responder",
    "Slot",
    "Tries",
    "calculate_response",
    "find",
]
