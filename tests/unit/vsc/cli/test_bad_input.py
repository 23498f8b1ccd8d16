"""What is typed wrongly: each line has its exit code and one clear sentence, and no card is changed by it."""

import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.vsc import spoilt
from tests.unit.vsc.cli.shell import Shell
from tests.unit.vsc.spoilt import State
from vsc.interaction import PinentryInteraction, PinScript, TerminalInteraction, user_interaction
from vsc.machine import InProcessMachine, use
from vsc.store.sqlite import SqliteStore

CREATE = "create new --pin env:PIN"
RESET = "pin reset {} --new-pin env:NEW"
WRONG_KEY = "wrong response to the challenge: that is not the card's admin key"
SAY_PIN = re.escape("say prompt|default|env:VAR|file:PATH, never the secret itself")


@dataclass(frozen=True, slots=True)
class Row:
    """A command line, its exit code, its sentence (a regular expression), and the try that it costs."""

    line: str
    code: int
    says: str
    costs: tuple[str, str] | None = None


# fmt: off
ROWS = [
    # names
    Row("show gone", 4, "there is no card called 'gone'"),
    Row("destroy gone --yes", 4, "there is no card called 'gone'"),
    Row("pin verify work --pin env:EMPTY", 5, "a PIN has 1 to 255 bytes"),
    Row("pin change work --old-pin env:EMPTY --new-pin env:NEW", 5, "a PIN has 1 to 255 bytes"),
    Row("pin verify work --pin env:TOO_LONG", 5, "a PIN has 1 to 255 bytes"),
    Row("keygen work --type rsa:1024 --pin env:EMPTY", 5, "a PIN has 1 to 255 bytes"),
    Row("pin verify gone --pin env:PIN", 4, "there is no card called 'gone'"),
    Row("admin-key change gone --admin-key stored --new-admin-key random", 4, "there is no card called 'gone'"),
    Row("transmit gone 00200080", 4, "there is no card called 'gone'"),
    Row("attach gone", 4, "there is no card called 'gone'"),
    Row("run --card gone -- true", 4, "there is no card called 'gone'"),
    Row("create work --pin env:PIN", 1, "there is a card called 'work' already"),
    Row("create ' work' --pin env:PIN", 1, "a card name has 1 to 80 printable characters.*"),
    Row("create '' --pin env:PIN", 1, "a card name has 1 to 80 printable characters.*"),
    Row("pin verify", 2, "say the NAME of a card, or --reader READER"),
    Row("pin verify work --reader x", 2, "say the NAME of a card, or --reader READER, not both"),
    # readers
    Row("pin verify --reader x --pin env:PIN", 4, "there is no reader 'x'; there is: none"),
    Row("transmit --reader x 00200080", 4, "there is no reader 'x'; there is: none"),
    Row("eject work", 1, "which vsc[?] VSC_SOCKET is not set: say --socket, or run inside 'vsc run'"),
    Row("eject work --socket {tmp}/no", 1, "no vsc answers at {tmp}/control"),
    Row("run --reader '' -- true", 2, "Invalid value for '--reader': '' is no name for a reader: 1 to 127 bytes .*"),
    Row("run --reader 'a\bc' -- true", 2, r"Invalid value for '--reader': 'a\\x08c' is no name .*"),
    Row(f"run --reader {'x' * 128} -- true", 2, "Invalid value for '--reader': 'x*' is no name .*"),
    Row("serve --reader '\n'", 2, "Invalid value for '--reader': .* is no name .*"),
    # what has no end
    Row("pin verify work --pin file:/dev/zero", 2, "Invalid value for --pin: /dev/zero has more than 4096 bytes.*"),
    Row("create new --pin env:PIN --admin-key file:/dev/zero", 2, ".*/dev/zero has more than 4096 bytes.*"),
    Row("show locked --passphrase file:/dev/zero", 1, "/dev/zero has more than 4096 bytes.*"),
    Row("run --card work --pinpad file:/dev/zero -- true", 2, ".*--pinpad: /dev/zero has more than 4096 bytes.*"),
    Row("trace show /dev/zero", 1, "/dev/zero has more than 128 MiB.*"),
    Row("replay /dev/zero -- true", 1, "/dev/zero has more than 128 MiB.*"),
    Row("explain /dev/zero", 2, "'/dev/zero' is no status word, no APDU .*, and no file"),
    Row("import /dev/zero", 1, "/dev/zero has more than 64 MiB.*"),
    Row("load work --pfx /dev/zero --pin env:PIN", 1, "the PFX file is larger than 1048576 bytes"),
    Row("cert put work 0 /dev/zero --pin env:PIN", 1, "the certificate file is larger than 1048576 bytes"),
    # secrets on the command line, or where there are none
    Row("pin verify work --pin 24681357", 2, f"Invalid value for --pin: {SAY_PIN}"),
    Row("create new --pin=24681357", 2, f"Invalid value for --pin: {SAY_PIN}"),
    Row("create new --pin env:PIN --admin-key wr0ng-s3cr3t", 2, "Invalid value for --admin-key: say .*never the .*"),
    Row("load work --pfx {tmp}/ada.pfx --pfx-password pa55-s3cr3t", 2, "Invalid value for --pfx-password: say .*"),
    Row("pin change work --old-pin env:PIN --new-pin env:NOT_SET", 2, ".*: the environment .* NOT_SET is not set"),
    Row("pin verify work --pin file:{tmp}/no", 2, ".*: {tmp}/no cannot be read: No such file or directory"),
    Row("pin verify work", 2, "there is nobody to ask, no terminal and no pinentry: say --pin .*"),
    Row("create new", 2, "no terminal to ask for a PIN on: say --pin .*"),
    Row("pin reset work --new-pin env:NEW", 2, "Invalid value for --admin-key: there is no terminal to ask on"),
    Row("transmit work 00200080083234363831333537", 2, "an APDU with a PIN or key is taken from stdin only .*"),
    # wrong secrets
    Row("pin verify work --pin env:WRONG", 5, "wrong PIN, 2 tries left", ("work", "PIN")),
    Row("pin change work --old-pin env:WRONG --new-pin env:NEW", 5, "wrong PIN, 2 tries left", ("work", "PIN")),
    Row("pin verify blocked --pin env:PIN", 5, "the PIN is blocked: 'vsc pin reset' gives it .*"),
    Row("pin change blocked --old-pin env:PIN --new-pin env:NEW", 5, "the PIN is blocked: 'vsc pin reset' gives it .*"),
    Row("load blocked --key {tmp}/key.pem --pin env:PIN", 5, "the PIN is blocked: 'vsc pin reset' gives it .*"),
    Row("load work --key {tmp}/key.pem --pin env:WRONG", 5, "wrong PIN, 2 tries left", ("work", "PIN")),
    Row("keygen work --type rsa:1024 --pin env:WRONG", 5, "wrong PIN, 2 tries left", ("work", "PIN")),
    Row(RESET.format("work --admin-key env:WRONG_KEY"), 5, WRONG_KEY),
    Row(RESET.format("puk --puk env:WRONG"), 5, "wrong PUK, 4 tries left", ("puk", "PUK")),
    Row(RESET.format("puk --admin-key stored"), 1, "the PIN of this card is reset with its PUK, .*"),
    Row(RESET.format("work --puk env:WRONG"), 1, "this card has no PUK: the admin key resets its PIN"),
    Row("admin-key verify work --admin-key default", 5, WRONG_KEY),
    Row("admin-key verify blocked --admin-key default", 5, WRONG_KEY, ("blocked", "admin key")),
    Row("admin-key change work --admin-key default --new-admin-key random", 5, WRONG_KEY),
    Row("provision work --format --yes --admin-key default", 5, WRONG_KEY),
    Row("show locked", 5, "card 'locked' is locked: say --passphrase .*"),
    Row("pin verify locked --pin env:PIN --passphrase env:WRONG", 5, "card 'locked' is locked: wrong passphrase"),
    Row("load work --pfx {tmp}/ada.pfx --pfx-password env:WRONG --pin env:PIN", 5, "wrong password for the PFX file"),
    # rules for PINs and keys
    Row("create new --pin env:SHORT", 5, "the PIN is refused: a PIN has 4 to 127 characters"),
    Row(f"{CREATE} --pin-policy digits=disallowed", 5, "the PIN is refused: digits are not allowed"),
    Row(f"{CREATE} --pin-policy minlen=9,maxlen=8", 2, "Invalid value for '--pin-policy': the minimum length is .*"),
    Row(f"{CREATE} --pin-policy minlen=3", 2, "Invalid value for '--pin-policy': PIN lengths go from 4 to 127"),
    Row(f"{CREATE} --pin-policy digit=required", 2, "Invalid value for '--pin-policy': 'digit=required' is not .*"),
    Row("create new --pin env:PIN --pin-policy uppercase=disallowed,lowercase=disallowed,digits=disallowed,"
        "specialchars=disallowed", 2, "Invalid value for '--pin-policy': a policy that disallows every class .*"),
    Row(f"{CREATE} --puk env:SHORT", 5, "the PUK is refused: a PUK has 8 to 127 bytes"),
    Row(f"{CREATE} --admin-key env:KEY_23", 2, "Invalid value for --admin-key: an admin key is 48 hexadecimal digits"),
    Row("admin-key verify work --admin-key env:KEY_23", 2, "Invalid value .*: an admin key is 48 hexadecimal digits"),
    Row("pin change policy --old-pin env:PIN --new-pin env:SHORT", 5, "the new PIN is refused: a PIN has 6 to 127 .*"),
    Row(RESET.replace("NEW", "SHORT").format("policy --admin-key stored"), 5, "the new PIN is refused: a PIN has 6 .*"),
    Row(f"{CREATE} --tries 0", 2, "Invalid value for '--tries': 0 is not in the range 1<=x<=15."),
    Row(f"{CREATE} --card-id 1234", 2, "Invalid value for '--card-id': '1234' is not a valid UUID."),
    Row(f"{CREATE} --attestation aik-only", 2, "--attestation: there is no TPM here, .*"),
    Row(f"{CREATE} --blank", 2, "a blank card gets its PIN, PUK, admin key and id later: leave these options out"),
    # files
    Row("load work --pfx {tmp}/no.pfx --pin env:PIN", 1, "the PFX file '{tmp}/no.pfx' cannot be read: No such file .*"),
    Row("load work --pfx {tmp}/garbage --pin env:PIN", 1, ".*PFX.*"),
    Row("load work --key {tmp}/garbage --pin env:PIN", 1, ".*key.*"),
    Row("load work --key {tmp}/other-key.pem --cert {tmp}/certificate.pem --pin env:PIN", 1, ".*do(es)? not .*"),
    Row("load work --key {tmp}/key.pem --cert {tmp}/no.pem --pin env:PIN", 1, ".*{tmp}/no.pem.*No such file .*"),
    Row("load work", 2, "say --pfx FILE, or --key FILE with its --cert FILE"),
    Row("cert get work 7", 1, "the card has no key container 7"),
    Row("cert get blocked", 1, "the card 'blocked' has no certificate"),
    Row("cert put work 0 {tmp}/garbage --pin env:PIN", 1, ".*certificate.*"),
    Row("keygen work --type rsa:1000 --pin env:PIN", 1, ".*1000.*"),
    Row("create new --pin env:PIN --pfx {tmp}/no.pfx", 1, "the PFX file '{tmp}/no.pfx' cannot be read: .*"),
    Row("import {tmp}/no.json", 1, ".*{tmp}/no.json.*No such file or directory"),
    Row("import {tmp}/garbage", 1, ".*"),
    Row("export work {tmp}/garbage", 1, ".*{tmp}/garbage.*"),
    Row("export gone {tmp}/new", 4, "there is no card called 'gone'"),
    # cards that cannot do it
    Row("show damaged", 1, "card 'damaged': the image is not JSON: it is damaged or no card"),
    Row("pin verify damaged --pin env:PIN", 1, "card 'damaged': the image is not JSON: it is damaged or no card"),
    Row("admin-key show blank", 1, "card 'blank' has no admin key yet"),
    Row("pin verify blank --pin env:PIN", 1, ".+"),
    Row("provision work --admin-key stored", 2, "nothing to do: say --format, --card-id or both"),
    Row("provision work --format --admin-key stored", 2, "no terminal to ask on: say --yes"),
    Row("destroy work", 2, "no terminal to ask on: say --yes"),
    # APDUs
    Row("transmit work 0020008", 2, "an APDU is 1 to 65 544 bytes in hexadecimal"),
    Row("transmit work", 2, "Missing argument 'APDU...'."),
    # Windows' spelling
    Row("tpmvscmgr create /name new /pin env:PIN /adminkey random /machine host", 2, "/machine: no card is made .*"),
    Row("tpmvscmgr create /name new /pin 24681357 /adminkey random", 2, f"Invalid value for /pin: {SAY_PIN}"),
    Row("tpmvscmgr create /name work /pin env:PIN /adminkey random", 1, "there is a card called 'work' already"),
    Row("tpmvscmgr create /name new /pin env:SHORT /adminkey random /quiet", 5, "the PIN is refused: .* 8 to 127 .*"),
    Row("tpmvscmgr destroy /instance 'ROOT\\SMARTCARDREADER\\0007'", 4, "there is no card with the .*0007"),
    # the rest
    Row("lsit", 2, "No such command 'lsit'.*"),
    Row("list --nonsense", 2, "No such option.*--nonsense.*"),
    Row("run --new no-such-profile -- true", 1, "there is no profile 'no-such-profile'; there is: gids, .*"),
    Row("attach work --vpcd nowhere", 2, "Invalid value for '--vpcd': 'nowhere' is not HOST:PORT"),
    Row("completion tcsh", 2, ".*'tcsh' is not one of 'bash', 'zsh', 'fish'."),
]
# fmt: on


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home and files, made once."""
    folder = tmp_path_factory.mktemp("template")
    spoilt.make(folder / "cards")
    spoilt.make_files(folder)
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    for name, value in spoilt.SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("TOO_LONG", "9" * 300)
    for name in ("NOT_SET", "VSC_SOCKET"):
        monkeypatch.delenv(name, raising=False)
    # There may be a terminal where the tests run: nobody sits there.
    for place in (TerminalInteraction, PinentryInteraction):
        monkeypatch.setattr(place, "is_available", staticmethod(lambda: False))
    return tmp_path


def sentence(err: str) -> str:
    """The one sentence of an error; the usage in front of it is none."""
    found = re.fullmatch(r"(?:Usage: .*\nTry '.*\n\n)?(?:Error|vsc): (.*)\n", err)
    assert found, err
    return found.group(1)


def test_there_are_enough_rows() -> None:
    assert len(ROWS) >= 40
    assert {row.code for row in ROWS} == {1, 2, 4, 5}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.line)
def test_row(shell: Shell, folder: Path, home: Path, row: Row) -> None:
    before = State.of(home)
    with use(InProcessMachine(pcsc=False)):
        result = shell(*shlex.split(row.line.replace("{tmp}", str(folder))))
    assert (result.code, result.out) == (row.code, "")
    said = sentence(result.err)
    assert re.fullmatch(row.says.replace("{tmp}", re.escape(str(folder))), said), said
    assert len(said) < 300
    assert not [name for name, secret in spoilt.SECRETS.items() if secret in result.err]
    assert State.of(home) == (before if row.costs is None else before.after_a_wrong_secret(*row.costs))


@pytest.mark.parametrize(
    "line",
    ["pin verify work", "pin change work", "pin change work --old-pin env:PIN", "pin reset work --admin-key env:KEY"],
)
def test_who_cancels_changes_nothing(shell: Shell, folder: Path, home: Path, line: str) -> None:
    before = State.of(home)
    with user_interaction(PinScript([None])):
        result = shell(*shlex.split(line))
    assert (result.code, result.out, result.err) == (3, "", "cancelled\n")
    assert State.of(home) == before


def test_a_card_that_another_process_has(shell: Shell, folder: Path, home: Path) -> None:
    before = State.of(home)
    with SqliteStore(home).open("work"):
        for line in (
            "pin verify work --pin env:PIN",
            "destroy work --yes",
            "transmit work 00200080",
            "run --card work -- true",
            "provision work --format --yes --admin-key stored",
        ):
            result = shell(*shlex.split(line))
            assert (result.code, sentence(result.err)) == (1, "card 'work' is in use by another process")
    assert State.of(home) == before
