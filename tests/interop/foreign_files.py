"""Files of keys and certificates as openssl and ssh-keygen write them, odd ones included."""

import base64
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.interop.need import require_tool

PASSWORD = "correct horse"
T61, PRINTABLE, UTF8 = 0x14, 0x13, 0x0C

_CONFIGURATION = """
[req]
distinguished_name = dn
string_mask = default
prompt = no
[dn]
O = {organization}
CN = {name}
"""


@dataclass(frozen=True)
class Workshop:
    """A folder in which programs make files."""

    folder: Path

    def run(self, *words: str, stdin: bytes = b"") -> bytes:
        require_tool(words[0])
        done = subprocess.run(words, cwd=self.folder, input=stdin, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, (words, done.stderr.decode())
        return done.stdout

    def openssl(self, *words: str, stdin: bytes = b"") -> bytes:
        return self.run("openssl", *words, stdin=stdin)

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def key(self, name: str, *words: str) -> str:
        """Makes a private key, RSA 1024 unless the words for `openssl genpkey` say otherwise."""
        self.openssl("genpkey", *(words or ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")), "-out", name)
        return name

    def certificate(self, key: str, out: str, name: str = "Ada", *, organization: str = "x", days: int = 9) -> str:
        """Makes a self-signed certificate. What PrintableString has no letter for becomes a TeletexString."""
        text = _CONFIGURATION.format(name=name, organization=organization)
        (self.folder / "req.cnf").write_text(text, encoding="latin-1")
        words = ("-key", key, "-out", out, "-days", str(days), "-config", "req.cnf")
        self.openssl("req", "-x509", *words)
        return out

    def retyped(self, certificate: str, key: str | None, out: str, *, old: int, new: int) -> str:
        """Gives each string of one type another type, as authorities do that care little.

        key: signs anew; None for a certificate that openssl itself cannot read any more.
        """
        der = self.openssl("x509", "-in", certificate, "-outform", "DER")
        parts = bytearray(der)
        for line in self.openssl("asn1parse", "-in", certificate).decode("latin-1").splitlines():
            at = int(line.split(":")[0])
            if parts[at] == old:
                parts[at] = new
        text = base64.encodebytes(bytes(parts)).decode()
        (self.folder / out).write_text(f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n")
        if key is None:
            return out
        (self.folder / out).rename(self.folder / "retyped")
        self.openssl("x509", "-in", "retyped", "-signkey", key, "-out", out, "-days", "9")
        return out

    def pfx(self, out: str, key: str, certificate: str | None = None, *words: str, password: str = PASSWORD) -> str:
        given = ("-in", certificate) if certificate else ("-nocerts",)
        self.openssl("pkcs12", "-export", "-inkey", key, *given, "-out", out, "-passout", f"pass:{password}", *words)
        return out
