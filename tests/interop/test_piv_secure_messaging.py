"""PIV's secure messaging and OpenSC 0.26, built with it by scripts/opensc_piv_sm.sh: no package has it (piv.md 11)."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from card_os.apps.piv import PivState
from card_os.apps.piv.cvc import card_verifiable_certificate
from card_os.apps.piv.personalisation import certificate as object_of
from card_os.apps.piv.personalisation import with_secure_messaging
from card_os.apps.piv.state import CardCertificate
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from tests.interop.need import require_tool, unavailable
from tests.interop.piv_run import PIN, PivCards
from vsc.profiles.piv import issue
from vsc.store.archive import read_archive, write_archive

pytestmark = pytest.mark.long
BUILT = Path(__file__).parents[2] / ".venv" / "opensc-piv-sm"
MODULE = BUILT / "lib" / "opensc-pkcs11.so"
CODE = "12345678"
SLOTS = {"9a": ("ECCP256", "01", "ECDSA-SHA256"), "9c": ("RSA2048", "02", "SHA256-RSA-PKCS")}
VERIFY, SIGN, CHANGE = 0x20, 0x87, 0x24


class Session:
    """A card with a key, and OpenSC's tools that know secure messaging."""

    def __init__(self, cards: PivCards) -> None:
        self.cards = cards
        cards.make("contact", "piv")
        self.public = {slot: self._fill(slot) for slot in SLOTS}

    def _fill(self, slot: str) -> Path:
        algorithm = SLOTS[slot][0]
        public, own, request, made = (self.cards.file(f"{slot}.{end}") for end in ("pem", "key", "csr", "crt"))
        yubico = ("yubico-piv-tool", "-r", "Virtual")
        self.cards.run("contact", *yubico, "-a", "generate", "-s", slot, "-A", algorithm, "-o", public)
        new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", own, "-subj", "/CN=Ada")
        self.cards.openssl("req", "-new", *new, "-out", request)
        self.cards.openssl("x509", "-req", "-in", request, "-signkey", own, "-force_pubkey", public, "-out", made)
        self.cards.run("contact", *yubico, "-a", "import-certificate", "-s", slot, "-i", made)
        return public

    def turn_over(self) -> None:
        """Makes the same card once more, reached without contact, which cannot be filled that way."""
        self.cards.leave("contact")
        archive = self.cards.file("archive.json")
        self.cards.vsc("export", "contact", archive)
        told = json.loads(archive.read_text())
        told |= {"name": "contactless", "label": "contactless", "profile": "piv-contactless"}
        (state,) = told["applications"].values()
        for one in state["objects"]:
            if one["tag"] == "00007E":
                one["value"] = one["value"].replace("5F2F024000", "5F2F024800")
        state["objects"].append({"tag": "5FC123", "value": "9908" + CODE.encode().hex().upper() + "FE00"})
        self.cards.file("archive.json", json.dumps(told))
        self.cards.vsc("import", archive)

    def strengthen(self) -> None:
        """Makes the same card once more with cipher suite CS7: another key 04, certified by another signer."""
        self.cards.leave("contact")
        archive = self.cards.file("cs7.json")
        self.cards.vsc("export", "contact", archive)
        image = read_archive(archive.read_bytes())
        ((aid, state),) = image.persistent.applications
        assert isinstance(state, PivState)
        own, signer = (EcPrivateKey.generate(KeyKind.P384, secrets.token_bytes) for _ in range(2))
        certificate, library = issue("CS7 signer", signer), signer.library_key()
        issuer = x509.SubjectKeyIdentifier.from_public_key(library.public_key()).digest[:8]
        cvc = card_verifiable_certificate(own, bytes(16), issuer, lambda body: library.sign(body, ec.ECDSA(SHA384())))
        content = object_of(certificate.public_bytes(Encoding.DER))
        stronger = with_secure_messaging(state, CardCertificate(own, cvc), content)
        made = replace(image, name="cs7", label="cs7", persistent=image.persistent.with_state(aid, stronger))
        self.cards.file("cs7.json", write_archive(made))
        self.cards.vsc("import", archive)

    def run(self, card: str, *words: str | Path, code: int = 0, **env: Any) -> tuple[str, list[tuple[int, int]]]:
        """Runs a tool of that OpenSC; what it said, and the class and instruction of each command that it sent."""
        self.cards.leave(card)
        trace = self.cards.file("trace.jsonl")
        trace.unlink(missing_ok=True)
        tool, *others = words
        library: dict[str, Any] = {
            "LD_LIBRARY_PATH": str(BUILT / "lib"),
            "OPENSC_CONF": str(BUILT / "etc" / "opensc.conf"),
        }
        command = ("run", "--card", card, "--trace", trace, "--", BUILT / "bin" / str(tool), *others)
        out, err = self.cards.vsc(*command, code=code, **library, **env)
        entries = (json.loads(line) for line in trace.read_text().splitlines())
        sent = (bytes.fromhex(entry["command"][:4]) for entry in entries if entry.get("command"))
        return out + err, [(command[0], command[1]) for command in sent]

    def sign(self, card: str, slot: str, **env: Any) -> list[tuple[int, int]]:
        """Has a key sign, and openssl check it."""
        _, number, mechanism = SLOTS[slot]
        data, signature = self.cards.file("data", b"text"), self.cards.file("signature")
        form = ("--signature-format", "openssl") if "ECDSA" in mechanism else ()
        words = ("--module", MODULE, "--login", "--pin", PIN, "--sign", "--id", number, "--mechanism", mechanism)
        _, sent = self.run(card, "pkcs11-tool", *words, *form, "-i", data, "-o", signature, **env)
        check = ("-sha256", "-verify", self.public[slot], "-signature", signature, data)
        assert self.cards.openssl("dgst", *check) == "Verified OK\n"
        return sent


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    for tool in ("yubico-piv-tool", "openssl"):
        require_tool(tool)
    if not MODULE.exists():
        unavailable("OpenSC with PIV's secure messaging is not built: scripts/opensc_piv_sm.sh")
    with PivCards.of_user() as cards:
        made = Session(cards)
        made.turn_over()
        made.strengthen()
        yield made


def classes(sent: list[tuple[int, int]], ins: int) -> set[int]:
    return {cla for cla, one in sent if one == ins}


def test_with_contact_what_has_secrets_goes_through_a_session(session: Session) -> None:
    sent = session.sign("contact", "9a")
    assert classes(sent, VERIFY) == {0x0C}
    # The first GENERAL AUTHENTICATE opens the session, in clear.
    assert classes(sent, SIGN) == {0x00, 0x0C}


@pytest.mark.parametrize("slot", SLOTS)
def test_the_stronger_suite_does_the_same(session: Session, slot: str) -> None:
    sent = session.sign("cs7", slot, PIV_USE_SM="always")
    assert classes(sent, VERIFY) == {0x0C}
    assert 0x0C in classes(sent, SIGN)


def test_a_long_command_is_chained(session: Session) -> None:
    sent = session.sign("contact", "9c", PIV_USE_SM="always")
    assert classes(sent, SIGN) == {0x00, 0x0C, 0x1C}
    assert classes(sent, VERIFY) == {0x0C}


def test_nothing_goes_through_a_session_where_the_host_wants_none(session: Session) -> None:
    assert classes(session.sign("contact", "9a", PIV_USE_SM="never"), VERIFY) == {0x00}


def test_the_pin_is_changed_though_opensc_does_not_pad_it(session: Session) -> None:
    for old, new in ((PIN, "654321"), ("654321", PIN)):
        words = ("--module", MODULE, "--login", "--pin", old, "--change-pin", "--new-pin", new)
        said, sent = session.run("contact", "pkcs11-tool", *words)
        assert "PIN successfully changed" in said
        assert classes(sent, CHANGE) == {0x0C}


def test_without_contact_the_pairing_code_opens_the_card(session: Session) -> None:
    sent = session.sign("contactless", "9a", PIV_PAIRING_CODE=CODE)
    assert classes(sent, VERIFY) == {0x0C}
    assert session.sign("contactless", "9c", PIV_PAIRING_CODE=CODE)


@pytest.mark.parametrize("code", ["87654321", ""])
def test_a_wrong_pairing_code_or_none_opens_nothing(session: Session, code: str) -> None:
    env: dict[str, Any] = {"PIV_PAIRING_CODE": code} if code else {}
    said, sent = session.run("contactless", "opensc-tool", "-n", code=1, **env)
    assert "Failed to connect to card" in said
    assert (0x0C, VERIFY) in sent or not code
