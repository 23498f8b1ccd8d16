"""A TLS server that wants a client certificate, and clients that have it on a card made by `vsc create --pfx`.

OpenSC offers PKCS#1 v1.5 signatures only for a GIDS card, so the login is one of TLS 1.2: TLS 1.3 wants PSS.
"""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.filling import SUBJECT, Filled, filled, identity
from tests.interop.need import require_tool
from tests.interop.tls_server import Server

KEY = ("-engine", "pkcs11", "-keyform", "engine", "-key", "pkcs11:id=%00;type=private", "-cert", "ada.pem")


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
