"""The host's half of PIV: what a middleware does, over any connection to any PIV card, YubiKeys included."""

from vsc.host.piv.host import PivHost

__all__ = ["PivHost"]
