"""A TLS server that wants a client certificate, and clients that have it on a card made by `vsc create --pfx`.

OpenSC offers PKCS#1 v1.5 signatures only for a GIDS card, so the login is one of TLS 1.2: TLS 1.3 wants PSS.
"""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.filling import SUBJECT, Filled, authority, filled, identity
from tests.interop.need import require_tool

KEY = ("-engine", "pkcs11", "-keyform", "engine", "-key", "pkcs11:id=%00;type=private", "-cert", "ada.pem")
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


@pytest.fixture
def ada() -> Iterator[Filled]:
    require_tool("openssl")
    with filled() as user:
        identity().write(user.folder, "ada")
        (user.folder / "ada.key").unlink()  # It is on the card.
        yield user


@pytest.fixture
def server(ada: Filled) -> Iterator[Server]:
    with Server(ada.folder) as server:
        yield server


def s_client(server: Server, *options: str) -> tuple[str, ...]:
    to = ("-connect", f"127.0.0.1:{server.port}", "-CAfile", "ca.pem", "-verify_return_error", "-quiet")
    return "openssl", "s_client", *to, "-tls1_2", "-sigalgs", "RSA+SHA256", *options


def test_a_login_with_the_card(ada: Filled, server: Server) -> None:
    # s_client ends with 1 when the server closes after its greeting: what was received is what counts.
    script = " ".join(f"'{word}'" for word in s_client(server, *KEY)) + " > received || true"
    ada.client("sh", "-c", script, env=ada.engine())
    assert (ada.folder / "received").read_bytes().replace(b"\r\n", b"\n").endswith(b"hello\n")
    server.ends()
    assert (server.refused, server.version) == (None, "TLSv1.2")
    assert server.seen == ((("commonName", SUBJECT),),)


def test_curl_logs_in_with_the_card(ada: Filled, server: Server) -> None:
    tls = ("--tlsv1.2", "--tls-max", "1.2", "--cacert", "ca.pem", "--engine", "pkcs11")
    key = ("--key-type", "ENG", "--key", "pkcs11:id=%00;type=private", "--cert", "ada.pem")
    # No option of curl names signature algorithms: openssl's configuration does.
    variables = ada.engine()
    config = Path(variables["OPENSSL_CONF"])
    text = config.read_text().replace("engines = all\n", "engines = all\nssl_conf = tls\n")
    config.write_text(f"{text}[tls]\nsystem_default = any\n[any]\nSignatureAlgorithms = RSA+SHA256\n")
    url = f"https://localhost:{server.port}/"
    out, _ = ada.client("curl", "--silent", "--show-error", *tls, *key, url, env=variables)
    assert out == "hello\n"
    assert server.seen == ((("commonName", SUBJECT),),)


def test_without_the_card_there_is_no_login(ada: Filled, server: Server) -> None:
    with ada.start(*s_client(server)) as client:
        out, _ = client.communicate(timeout=60)
    assert client.returncode != 0
    assert "hello" not in out
    server.ends()
    assert server.seen is None
    assert server.refused is not None
    assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" in server.refused


def test_a_wrong_pin_is_no_login(ada: Filled, server: Server) -> None:
    ada.client(*s_client(server, *KEY), code=1, env={**ada.engine(), "CARD_PIN": "87654321"})
    with socket.create_connection(("127.0.0.1", server.port)):
        pass  # openssl gave up before it connected; the server waits for one connection.
    server.ends()
    assert server.seen is None
