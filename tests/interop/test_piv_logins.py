"""PIV cards made from PFX files, used by programs that know nothing of us, each under `vsc run` as an ordinary user.

What GIDS cannot do behind OpenSC, PIV can: TLS 1.3, PSS, elliptic curves.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.filling import module_path
from tests.interop.need import require_tool, unavailable
from tests.interop.piv_user import PIN, SUBJECT, PivUser, piv_user, ssh_keys
from tests.interop.sshd import ACCOUNT, PORT, guest_account, sshd
from tests.interop.tls_server import Server

LABEL = "Certificate for PIV Authentication"
"""What OpenSC calls the one in 9A."""
WHO = ((("commonName", SUBJECT),),)
CARDS = pytest.mark.parametrize("card", ["rsa", "ec"])
VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])


@pytest.fixture(scope="module")
def user() -> Iterator[PivUser]:
    require_tool("openssl")
    with piv_user() as found:
        yield found


@pytest.fixture
def server(user: PivUser) -> Iterator[Server]:
    with Server(user.folder) as server:
        yield server


def let_in(server: Server, version: str) -> None:
    server.ends()
    assert (server.refused, server.version) == (None, f"TLSv{version}")
    assert server.seen == WHO


# --- TLS


@CARDS
@VERSIONS
def test_openssl_logs_in(user: PivUser, server: Server, card: str, version: str) -> None:
    key = ("-engine", "pkcs11", "-keyform", "engine", "-key", "pkcs11:id=%01;type=private", "-cert", f"{card}.pem")
    to = ("-connect", f"127.0.0.1:{server.port}", "-CAfile", "ca.pem", "-verify_return_error", "-quiet")
    words = ("openssl", "s_client", *to, f"-tls{version.replace('.', '_')}", *key)
    # s_client ends with 1 when the server closes after its greeting: what was received is what counts.
    out, _ = user.shell(card, " ".join(f"'{word}'" for word in words) + " || true", env=user.engine())
    assert "hello" in out
    let_in(server, version)


def test_curl_logs_in(user: PivUser, server: Server) -> None:
    tls = ("--tlsv1.3", "--cacert", "ca.pem", "--engine", "pkcs11")
    key = ("--key-type", "ENG", "--key", "pkcs11:id=%01;type=private", "--cert", "rsa.pem")
    url = f"https://localhost:{server.port}/"
    out, _ = user.client("rsa", "curl", "--silent", "--show-error", *tls, *key, url, env=user.engine())
    assert out == "hello\n"
    let_in(server, "1.3")


@pytest.mark.parametrize(("card", "version"), [("rsa", "1.3"), ("ec", "1.2")])
def test_gnutls_logs_in(user: PivUser, server: Server, card: str, version: str) -> None:
    url = "pkcs11:id=%01;type="
    only = f"NORMAL:-VERS-ALL:+VERS-TLS{version}"
    key = ("--x509certfile", f"{url}cert", "--x509keyfile", f"{url}private", "--x509cafile", "ca.pem")
    words = ("--provider", module_path(), "--priority", only, *key, "--port", str(server.port), "localhost")
    # It ends with 1 because the server ends the connection without a word.
    script = " ".join(f"'{word}'" for word in ("gnutls-cli", *words)) + " || true"
    out, _ = user.shell(card, script, env={"GNUTLS_PIN": PIN})
    assert "hello" in out
    let_in(server, version)


def test_nss_logs_in(user: PivUser, server: Server) -> None:
    for tool in ("certutil", "modutil", "tstclnt"):
        require_tool(tool)
    folder, nickname = user.folder / "nss", f"{SUBJECT}:{LABEL}"
    folder.mkdir()
    folder.chmod(0o777)
    (user.folder / "nss-pin").write_text(PIN)
    script = f"""
    certutil -N -d sql:nss --empty-password
    certutil -A -d sql:nss -n ca -t CT,, -i ca.pem
    modutil -force -dbdir sql:nss -add opensc -libfile {module_path()}
    certutil -L -d sql:nss -h all -f nss-pin
    certutil -K -d sql:nss -h all -f nss-pin
    tstclnt -4 -h localhost -p {server.port} -d sql:nss -W nss-pin -V tls1.3:tls1.3 -n '{nickname}' -A /dev/null
    """
    out, _ = user.shell("rsa", f"set -e{script}")
    assert nickname in out
    assert "PIV AUTH key" in out
    let_in(server, "1.3")


# --- signatures and messages


def test_openssl_signs_and_decrypts_cms(user: PivUser) -> None:
    (user.folder / "text").write_text("what is said\n")
    engine = "-engine pkcs11 -keyform engine"
    # Key 9C takes the PIN once more, and the engine asks for it on a terminal or, where there is none, on stdin.
    script = f"""
    echo $CARD_PIN | setsid --wait \\
    openssl cms -sign {engine} -inkey 'pkcs11:id=%02;type=private' -signer sign.pem -in text -out signed -nodetach
    openssl cms -verify -CAfile ca.pem -in signed -purpose any
    openssl cms -encrypt -aes256 -in text -out sealed kx.pem
    openssl cms -decrypt {engine} -inkey 'pkcs11:id=%03;type=private' -recip kx.pem -in sealed
    """
    out, _ = user.shell("rsa", f"set -e{script}", env=user.engine())
    assert out.replace("\r", "") == "what is said\n" * 2


def test_p11tool_lists_and_signs(user: PivUser) -> None:
    p11tool = f"p11tool --provider {module_path()} --login"
    script = f"{p11tool} --list-all-certs pkcs11: && {p11tool} --test-sign 'pkcs11:id=%01;type=private' 2>&1"
    out, _ = user.shell("ec", script, env={"GNUTLS_PIN": PIN})
    assert LABEL in out
    assert "Verifying against public key in the token... ok" in out


def test_java_signs(user: PivUser) -> None:
    for tool in ("jar", "jarsigner"):
        require_tool(tool)
    (user.folder / "java.cfg").write_text(f"name = card\nlibrary = {module_path()}\n")
    (user.folder / "paper.txt").write_text("signed\n")
    script = f"""
    jar --create --file paper.jar paper.txt
    jarsigner -keystore NONE -storetype PKCS11 -storepass:env CARD_PIN \\
        -providerClass sun.security.pkcs11.SunPKCS11 -providerArg java.cfg paper.jar '{LABEL}'
    jarsigner -verify paper.jar
    """
    out, _ = user.shell("ec", f"set -e{script}", env={"CARD_PIN": PIN})
    assert "jar verified." in out


# --- ssh


@pytest.fixture
def guest(user: PivUser) -> Iterator[Path]:
    """An account that the keys of both cards may log in to."""
    for tool in ("ssh", "ssh-add", "ssh-agent", "ssh-keygen", "sshd", "mount"):
        require_tool(tool)
    if os.geteuid() != 0:
        unavailable("only root can give a test an account to log in to")
    before = user.become
    with tempfile.TemporaryDirectory(prefix="vs", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with guest_account(folder) as namespace, sshd(namespace, folder, ssh_keys()):
            user.become = [*namespace.inside([], cwd=user.folder), *before]
            yield folder
    user.become = before


def ssh(folder: Path, *options: str) -> str:
    known = ("-o", f"UserKnownHostsFile={folder}/known", "-o", "StrictHostKeyChecking=yes")
    only = ("-o", "PreferredAuthentications=publickey", "-o", "NumberOfPasswordPrompts=1")
    return " ".join(
        ("ssh", "-F", "none", "-p", str(PORT), *known, *only, *options, f"{ACCOUNT}@127.0.0.1", "id", "-un")
    )


@CARDS
def test_ssh_logs_in(user: PivUser, guest: Path, card: str) -> None:
    asking = {"SSH_ASKPASS": str(guest / "askpass"), "SSH_ASKPASS_REQUIRE": "force", "CARD_PIN": PIN}
    provider = ("-o", f"PKCS11Provider={module_path()}", "-o", "IdentityAgent=none")
    out, _ = user.shell(card, ssh(guest, *provider), env=asking)
    assert out == f"{ACCOUNT}\n"


@CARDS
def test_an_agent_logs_in(user: PivUser, guest: Path, card: str) -> None:
    asking = {"SSH_ASKPASS": str(guest / "askpass"), "SSH_ASKPASS_REQUIRE": "force", "CARD_PIN": PIN}
    script = f"ssh-add -q -s {module_path()} && {ssh(guest)}"
    out, _ = user.client(card, "ssh-agent", "sh", "-c", script, env=asking)
    assert out == f"{ACCOUNT}\n"
