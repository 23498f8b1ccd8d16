"""The user of `card_user` as programs meet them: pkcs11-tool, p11tool, openssl, and a server that asks who is there."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.need import require_tool, unavailable
from tests.interop.tls_server import Server
from vsc.errors import VscError
from vsc.testing import Bench, CardFactory, CardUser, Lab
from vsc.testing.identity import Stock

pytestmark = pytest.mark.interop
NAME = "Grace Hopper"
PIN = "24681357"


@pytest.fixture(scope="module")
def stock() -> Stock:
    return Stock()


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Lab(in_this_process=False) as lab, lab.bench() as bench:
        yield bench


@pytest.fixture
def user(bench: Bench, stock: Stock, tmp_path: Path) -> CardUser:
    """Made without pytest's fixtures: the classes can do it alone."""
    factory, reader = CardFactory(stock), bench.reader()
    card = factory(pin=PIN, key="rsa:2048", certificate="ca", name=NAME)
    reader.insert(card)
    try:
        user = CardUser.of(card, reader, made_by=factory, folder=tmp_path)
        assert user.pkcs11_module.name == "opensc-pkcs11.so"
    except VscError as missing:
        unavailable(str(missing))
    return user


class Program:
    """Runs programs that see the card; their standard output."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self._env = bench.environment | {"HOME": str(folder), "LC_ALL": "C.UTF-8"}
        self._folder = folder

    def __call__(self, *command: str | Path, **env: str) -> str:
        require_tool(str(command[0]))
        done = subprocess.run(
            command,
            env=self._env | env,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def run(bench: Bench, tmp_path: Path) -> Program:
    return Program(bench, tmp_path)


@pytest.fixture
def engine(user: CardUser, tmp_path: Path) -> dict[str, str]:
    if not list(Path("/usr/lib").glob("**/engines-3/pkcs11.so")):
        unavailable("the pkcs11 engine of openssl (libengine-pkcs11-openssl) is not installed")
    config = tmp_path / "engine.cnf"
    config.write_text(
        "openssl_conf = top\n[top]\nengines = all\n[all]\npkcs11 = one\n[one]\nengine_id = pkcs11\n"
        f"MODULE_PATH = {user.pkcs11_module}\nPIN = $ENV::CARD_PIN\ninit = 0\n"
    )
    return {"OPENSSL_CONF": str(config), "CARD_PIN": user.pin}


def test_pkcs11_tool(user: CardUser, run: Program) -> None:
    module = ("--module", user.pkcs11_module)
    out = run("pkcs11-tool", *module, "--list-objects", "--login", "--pin", "env:CARD_PIN", CARD_PIN=user.pin)
    assert f"subject:    DN: CN={NAME}" in out
    assert "Private Key Object; RSA" in out
    out = run("pkcs11-tool", *module, "--test", "--login", "--pin", "env:CARD_PIN", CARD_PIN=user.pin)
    assert out.count("RSA-PKCS: OK") == 10, "signed and verified with every mechanism, and decrypted"


def test_p11tool_finds_it_by_its_uri(user: CardUser, run: Program) -> None:
    out = run(
        "p11tool", "--provider", user.pkcs11_module, "--login", "--list-all", user.pkcs11_uri, GNUTLS_PIN=user.pin
    )
    assert out.count("id=%00") == 3, "private key, public key, certificate"
    exported = run("p11tool", "--provider", user.pkcs11_module, "--export", f"{user.pkcs11_uri};type=cert")
    assert exported.strip() == user.certificate_file.read_text().strip()


def test_openssl_signs_and_the_bundle_vouches_for_it(
    user: CardUser, run: Program, engine: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "letter").write_text("hello")
    key = f"{user.pkcs11_uri};type=private"
    sign = ("dgst", "-engine", "pkcs11", "-keyform", "engine", "-sha256", "-sign", key, "-out", "letter.sig", "letter")
    run("openssl", *sign, **engine)
    run("openssl", "verify", "-CAfile", user.ca_bundle, user.certificate_file)
    (tmp_path / "user.pub").write_text(run("openssl", "x509", "-in", user.certificate_file, "-noout", "-pubkey"))
    out = run("openssl", "dgst", "-sha256", "-verify", "user.pub", "-signature", "letter.sig", "letter")
    assert out == "Verified OK\n"


def test_a_tls_login(user: CardUser, run: Program, engine: dict[str, str], tmp_path: Path) -> None:
    """The server trusts the user's bundle, and the user the server's; TLS 1.2, for OpenSC signs no PSS with GIDS."""
    server = Server(tmp_path)
    server._context.load_verify_locations(user.ca_bundle)  # Beside one that did not sign this user's.
    with server:
        key = ("-engine", "pkcs11", "-keyform", "engine", "-key", f"{user.pkcs11_uri};type=private")
        to = ("-connect", f"127.0.0.1:{server.port}", "-cert", str(user.certificate_file), "-quiet")
        words = ("openssl", "s_client", *to, *key, "-tls1_2", "-sigalgs", "RSA+SHA256")
        script = " ".join(f"'{word}'" for word in words) + " > received || true"
        run("sh", "-c", script, **engine)
        server.ends()
        assert (server.refused, server.version) == (None, "TLSv1.2")
        assert server.seen == ((("commonName", NAME),),)
    assert b"hello" in (tmp_path / "received").read_bytes()
