"""PKINIT: `kinit` gets a ticket from a KDC of MIT Kerberos on loopback with a PIV card, and with nothing else."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.interop.filling import module_path
from tests.interop.need import require_tool, unavailable
from tests.interop.piv_user import PIN, PRINCIPAL, REALM, PivUser, certificate, key, piv_user

TOOLS = ("kinit", "klist", "krb5kdc", "kdb5_util", "kadmin.local")
CONFIG = """
[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
[realms]
{realm} = {{
  kdc = localhost:{port}
  pkinit_anchors = FILE:{folder}/ca.pem
  pkinit_eku_checking = kpKDC
  pkinit_kdc_hostname = localhost
}}
"""
KDC = """
[kdcdefaults]
kdc_listen = 127.0.0.1:{port}
kdc_tcp_listen = 127.0.0.1:{port}
[realms]
{realm} = {{
  database_name = {folder}/principals
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
  pkinit_identity = FILE:{folder}/kdc.pem,{folder}/kdc.key
  pkinit_anchors = FILE:{folder}/ca.pem
}}
[logging]
kdc = STDERR
"""


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def realm() -> Iterator[PivUser]:
    """A user and the KDC of a realm, which runs as that user, too."""
    for tool in TOOLS:
        require_tool(tool)
    if not list(Path("/usr/lib").glob("*/krb5/plugins/preauth/pkinit.so")):
        unavailable("the PKINIT plugin (krb5-pkinit) is not installed")
    with piv_user() as user, ExitStack() as undo:
        files = {"port": free_port(), "realm": REALM, "folder": user.folder}
        (user.folder / "krb5.conf").write_text(CONFIG.format(**files))
        (user.folder / "kdc.conf").write_text(KDC.format(**files))
        own = certificate("kdc").public_bytes(Encoding.PEM)
        (user.folder / "kdc.pem").write_bytes(own)
        secret = key("kdc").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (user.folder / "kdc.key").write_bytes(secret)
        user.env |= {
            "KRB5_CONFIG": str(user.folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(user.folder / "kdc.conf"),
            "KRB5CCNAME": f"FILE:{user.folder}/tickets",
        }
        run(user, "kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        run(user, "kadmin.local", "-q", f"addprinc -randkey +requires_preauth {PRINCIPAL}")
        kdc = undo.enter_context(user.start(require_tool("krb5kdc"), "-n"))
        undo.callback(kdc.terminate)
        assert kdc.stderr is not None
        said = ""
        while "commencing operation" not in said:
            line = kdc.stderr.readline()
            said += line
            assert line, f"krb5kdc did not start: {said}"
        yield user


def run(user: PivUser, *command: str) -> str:
    with user.start(require_tool(command[0]), *command[1:]) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, f"{command}: {out}{err}"
    return out


def kinit(user: PivUser, card: str, *, code: int = 0, pin: str = PIN) -> str:
    identity = f"X509_user_identity=PKCS11:{module_path()}:certlabel=Certificate for PIV Authentication"
    script = f"echo $CARD_PIN | setsid --wait kinit -X '{identity}' {PRINCIPAL}"
    _, err = user.shell(card, script, code=code, env={"CARD_PIN": pin})
    return err


def test_a_ticket_for_the_card(realm: PivUser) -> None:
    kinit(realm, "rsa")
    assert f"krbtgt/{REALM}@{REALM}" in run(realm, "klist")
    run(realm, "kdestroy")


def test_a_wrong_pin_is_no_ticket(realm: PivUser) -> None:
    assert "kinit: " in kinit(realm, "rsa", code=1, pin="654321")
    with realm.start(require_tool("klist")) as process:
        process.communicate(timeout=60)
    assert process.returncode == 1
