"""What can go wrong with the service, as its user sees it, and on the wire."""

from vsc.errors import VscError
from vsc.pcsc.codes import ReturnCode


class PcscError(VscError):
    """The private PC/SC service cannot do that."""


class TooLateError(PcscError):
    """libpcsclite of this process has chosen its socket already; it does so once."""


class Refused(Exception):
    """A request is answered with this return code. Never leaves the engine."""

    def __init__(self, rv: ReturnCode) -> None:
        super().__init__(rv.name)
        self.rv = rv


class HangUp(Exception):
    """This client's connection ends now: it sent what libpcsclite never sends. Never leaves the engine."""
