"""The OpenPGP card with GnuPG, unmodified: gpg, its agent and scdaemon, ssh and git by way of them."""

import re
from collections.abc import Iterator

import pytest

from tests.interop.gpg_run import ADMIN, CODE, PIN, Gpg

ADA = "ada@example.org"
GENERATE = {
    "cardedit.genkeys.backup_enc": "n",
    "cardedit.genkeys.replace_keys": "y",
    "cardedit.genkeys.storekeytype": "",
    "keygen.valid": "0",
    "keygen.name": "Ada Lovelace",
    "keygen.email": ADA,
    "keygen.comment": "",
    "keygen.userid.cmd": "O",
}
RESET = {"cardedit.factory-reset.proceed": "y", "cardedit.factory-reset.really": "yes"}


@pytest.fixture
def gpg() -> Iterator[Gpg]:
    with Gpg.with_card() as one:
        yield one


def key_attributes(gpg: Gpg, curve: str) -> None:
    """All three keys on a curve, by its number in gpg's list."""
    gpg.card_edit("key-attr", answers={"cardedit.genkeys.algo": "2", "keygen.curve": curve})


def sign_and_decrypt(gpg: Gpg, key: str = ADA) -> None:
    """What the keys are for, each checked by gpg without the card."""
    before = int(gpg.status()["sigcount"][0])
    signed = gpg("--clearsign", "-u", key, stdin="hello")
    assert "Good signature" in gpg("--verify", stdin=signed)
    assert int(gpg.status()["sigcount"][0]) == before + 1
    secret = gpg("--trust-model", "always", "-a", "-e", "-r", key, stdin="a secret")
    assert "a secret" in gpg("-d", stdin=secret)


def ssh_sign(gpg: Gpg) -> None:
    """ssh finds the authentication key through gpg-agent; what it signs, ssh verifies."""
    gpg.env["SSH_AUTH_SOCK"] = str(gpg.home / "S.gpg-agent.ssh")
    (line,) = [line for line in gpg("-L", tool="ssh-add").splitlines() if "cardno:" in line]
    public = gpg.file("id.pub", line + "\n")
    message, allowed = gpg.file("message", "hello"), gpg.file("allowed", f"{ADA} {line}\n")
    gpg("-Y", "sign", "-n", "file", "-f", public, message, tool="ssh-keygen")
    signature = message.with_suffix(".sig")
    verify = ("-Y", "verify", "-n", "file", "-f", allowed, "-I", ADA, "-s", signature)
    assert "Good" in gpg(*verify, tool="ssh-keygen", stdin="hello")


def test_the_holder_says_who_she_is(gpg: Gpg) -> None:
    assert gpg.status()["pinretry"][:3] == ["3", "0", "3"]
    answers = {
        "keygen.smartcard.surname": "Lovelace",
        "keygen.smartcard.givenname": "Ada",
        "cardedit.change_login": "ada",
        "cardedit.change_lang": "en",
        "cardedit.change_sex": "f",
        "cardedit.change_url": "https://example.org/ada",
    }
    gpg.card_edit("name", "login", "lang", "sex", "url", "forcesig", answers=answers)
    assert len(gpg.asked()) == 1
    found = gpg.status()
    assert found["name"][:2] == ["Ada", "Lovelace"]
    assert [found[word][0] for word in ("login", "lang", "sex", "forcepin")] == ["ada", "en", "f", "0"]
    assert found["url"][0] == r"https\x3a//example.org/ada"
    assert "Lovelace" in gpg("--card-status")


def test_pins_are_changed_blocked_and_unblocked(gpg: Gpg) -> None:
    gpg.card_edit("passwd", answers={"cardutil.change_pin.menu": ["4", "q"]})
    assert gpg.status()["pinretry"][:3] == ["3", "3", "3"]
    gpg.pins(new_pin="654321", new_admin="11223344")
    gpg.card_edit("passwd", answers={"cardutil.change_pin.menu": ["1", "3", "q"]})
    gpg.pins(pin="999999", admin="11223344")
    for left in ("2", "1", "0"):
        gpg.card_edit("passwd", code=None, answers={"cardutil.change_pin.menu": ["1", "q"]})
        assert gpg.status()["pinretry"][:3] == [left, "3", "3"]
    gpg.pins(pin=PIN, code=CODE)
    gpg.card_edit("unblock")
    assert gpg.status()["pinretry"][:3] == ["3", "3", "3"]
    gpg.pins(new_pin="654321")
    gpg.card_edit("passwd", answers={"cardutil.change_pin.menu": ["1", "2", "q"]})
    gpg.pins(new_admin=ADMIN, pin="654321")
    gpg.card_edit("passwd", answers={"cardutil.change_pin.menu": ["3", "q"]})
    assert gpg.status()["pinretry"][:3] == ["3", "3", "3"]


def test_keys_of_curve_25519_sign_decrypt_and_log_in(gpg: Gpg) -> None:
    key_attributes(gpg, "1")
    gpg.card_edit("generate", answers=GENERATE)
    found = gpg.status()
    fingerprints = found["fpr"][:3]
    assert all(re.fullmatch("[0-9A-F]{40}", one) for one in fingerprints)
    assert int(found["sigcount"][0]) >= 3
    gpg.asked()
    sign_and_decrypt(gpg)
    # The PIN of signatures is wanted for each again.
    assert len([one for one in gpg.asked() if "PIN" in one]) == 2
    ssh_sign(gpg)
    git_commit(gpg, fingerprints[0])
    gpg.card_edit("factory-reset", answers=RESET)
    assert gpg.status()["fpr"][:3] == ["", "", ""]
    assert gpg.status()["pinretry"][:3] == ["3", "0", "3"]


def git_commit(gpg: Gpg, key: str) -> None:
    """A commit that is signed with the card, and verified."""
    folder = gpg.file("work/readme", "hello").parent
    config = ("-c", "user.name=Ada", "-c", f"user.email={ADA}", "-c", f"user.signingKey={key}")
    git = ("-C", folder, *config)
    gpg("init", "-q", folder, tool="git")
    gpg(*git, "add", "readme", tool="git")
    gpg(*git, "commit", "-q", "-S", "-m", "A signed commit", tool="git")
    assert "Good signature" in gpg(*git, "log", "--show-signature", tool="git")


def test_keys_of_other_curves(gpg: Gpg) -> None:
    p256, brainpool = "3", "6"
    for curve in (p256, brainpool):
        key_attributes(gpg, curve)
        gpg.card_edit("generate", answers=GENERATE)
        sign_and_decrypt(gpg, gpg.status()["fpr"][0])
        if curve == p256:  # ssh knows no brainpool.
            ssh_sign(gpg)


def test_an_rsa_key_with_a_backup(gpg: Gpg) -> None:
    gpg.pins(key="a passphrase of 3 words")
    gpg.card_edit("generate", answers={**GENERATE, "cardedit.genkeys.backup_enc": "y"})
    (backup,) = gpg.home.glob("sk_*.gpg")
    assert backup.stat().st_size > 100
    sign_and_decrypt(gpg)
    ssh_sign(gpg)


SOFTWARE = {
    "25519": [("ed25519", "sign"), ("cv25519", "encr"), ("ed25519", "auth")],
    "rsa2048": [("rsa2048", "sign"), ("rsa2048", "encr"), ("rsa2048", "auth")],
}


@pytest.mark.parametrize("kind", SOFTWARE)
def test_keys_that_were_made_elsewhere_move_onto_the_card(gpg: Gpg, kind: str) -> None:
    (algorithm, _), *subkeys = SOFTWARE[kind]
    quick = ("--passphrase", "", "--pinentry-mode", "loopback")
    gpg(*quick, "--quick-gen-key", ADA, algorithm, "sign", "never")
    fingerprint = re.findall(r"fpr:+([0-9A-F]{40})", gpg("--with-colons", "-k", ADA))[0]
    for algorithm, use in subkeys:
        gpg(*quick, "--quick-add-key", fingerprint, algorithm, use, "never")
    moves = ["keytocard", "key 1", "keytocard", "key 1", "key 2", "keytocard", "save"]
    answers = {
        "keyedit.prompt": moves,
        "keyedit.keytocard.use_primary": ["y"],
        "cardedit.genkeys.storekeytype": ["1", "2", "3"],
        "cardedit.genkeys.replace_key": ["y"],
    }
    gpg.edit("--edit-key", fingerprint, answers=answers)
    assert gpg.status()["fpr"][0] == fingerprint
    assert "" not in gpg.status()["fpr"][:3]
    sign_and_decrypt(gpg)
    ssh_sign(gpg)


def test_hosts_hash_pins_after_kdf_setup(gpg: Gpg) -> None:
    key_attributes(gpg, "1")
    gpg.card_edit("kdf-setup")
    assert gpg.status()["kdf"][0] == "on"
    gpg.card_edit("generate", answers=GENERATE)
    sign_and_decrypt(gpg)
    gpg.pins(new_pin="654321")
    gpg.card_edit("passwd", answers={"cardutil.change_pin.menu": ["1", "q"]})
    gpg.pins(pin="654321")
    sign_and_decrypt(gpg)


def test_another_program_between_two_decryptions_disturbs_nothing(gpg: Gpg) -> None:
    # Selecting the application that is selected keeps what was verified (openpgp.md section 0, row 20).
    key_attributes(gpg, "1")
    gpg.card_edit("generate", answers=GENERATE)
    secret = gpg("--trust-model", "always", "-a", "-e", "-r", ADA, stdin="a secret")
    assert "a secret" in gpg("-d", stdin=secret)
    gpg.asked()
    gpg.env["OPENSC_DRIVER"] = "openpgp"
    assert "Lovelace" not in gpg("-C", tool="openpgp-tool")
    assert "a secret" in gpg("-d", stdin=secret)
    assert gpg.asked() == []
