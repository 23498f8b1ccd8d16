"""A TLS server on loopback that wants a client certificate of the tests' authority."""

import socket
import ssl
import threading
from pathlib import Path

from tests.interop.filling import authority, identity

GREETING = b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"


class Server:
    """Takes one connection on loopback and says hello. seen: whom it let in; refused: why it let nobody in."""

    def __init__(self, folder: Path) -> None:
        certificate, key = identity("localhost").write(folder, "server")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(authority().write(folder, "ca")[0])
        context.verify_mode = ssl.CERT_REQUIRED
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(60)
        self.port: int = self._socket.getsockname()[1]
        self.seen: object = None
        self.version: str | None = None
        self.refused: str | None = None
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            connection.settimeout(60)
            try:
                with self._context.wrap_socket(connection, server_side=True) as tls:
                    self.seen = (tls.getpeercert() or {}).get("subject")
                    self.version = tls.version()
                    tls.sendall(GREETING)
                    # What the client still says is read: else it would hear of a reset, not of the greeting.
                    tls.shutdown(socket.SHUT_WR)
                    while tls.recv(4096):
                        pass
            except (ssl.SSLError, ConnectionError) as error:
                self.refused = str(error)

    def ends(self) -> None:
        """Waits until the connection is over: a client may know it before `seen` and `refused` are set."""
        self._thread.join()

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ends()
        self._socket.close()
