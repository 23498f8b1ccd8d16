"""A private PC/SC service: unmodified programs see our readers, with no pcscd, no driver and no root.

libpcsclite, the client library of every PC/SC program on Linux, connects to the socket that PCSCLITE_CSOCK_NAME names.
`Service` is the other end of that socket. From the wire inwards: `service` has sockets and threads, `requests` cuts
the stream, `messages` has the structs, `engine` and `commands` decide, `slot` is a reader as clients see it. All but
the first do no I/O. `docs/pcsc.md` says more.
"""

from vsc.pcsc.errors import PcscError, TooLateError
from vsc.pcsc.folder import remove_stale
from vsc.pcsc.own_process import use_in_this_process
from vsc.pcsc.service import Service

__all__ = ["PcscError", "Service", "TooLateError", "remove_stale", "use_in_this_process"]
