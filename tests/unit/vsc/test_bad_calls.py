"""What is called wrongly: each call has its exception and one clear sentence, and no card is changed by it."""

import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import vsc
from card_os.pin import CharacterRule, PinPolicy
from tests.unit.vsc import samples, spoilt
from tests.unit.vsc.spoilt import KEY_23, NEW, PASSWORD, PIN, SHORT, WRONG, State
from vsc.errors import (
    AdminKeyBlocked,
    CardExistsError,
    CardInUseError,
    CardLocked,
    CardNotFoundError,
    ChallengeUsed,
    ImageError,
    KeyMismatch,
    MaterialError,
    PinBlocked,
    PinPolicyViolation,
    ReaderNotFoundError,
    RefusedError,
    UnsupportedCard,
    VscError,
    WrongAdminResponse,
    WrongPassword,
    WrongPin,
)
from vsc.machine import InProcessMachine, use

KEY, NO_KEY = samples.ADMIN_KEY, bytes(24)
NOTHING = CharacterRule.DISALLOW
A_CARD: Any = "work"
WRONG_TYPE: Any = 12345678


@dataclass(frozen=True, slots=True)
class Row:
    """A call, given the folder with the files; its exception, its sentence, and the try that it costs."""

    call: Callable[[Path], object]
    raises: type[Exception]
    says: str
    costs: tuple[str, str] | None = None


def in_a_challenge(use_it: Callable[[vsc.AdminChallenge], object]) -> object:
    with vsc.open("work").challenge() as challenge:
        return use_it(challenge)


def twice(challenge: vsc.AdminChallenge) -> object:
    response = vsc.calculate_response(challenge.challenge, KEY)
    assert challenge.verify(response)
    return challenge.verify(response)


# fmt: off
ROWS = {
    "no such card": Row(lambda _: vsc.open("gone"), CardNotFoundError, "there is no card called 'gone'"),
    "no such card, deleted": Row(lambda _: vsc.VirtualCard("gone").delete(), CardNotFoundError, ".*'gone'"),
    "no such reader": Row(lambda _: vsc.open(reader="x"), ReaderNotFoundError, "there is no reader 'x'; .*"),
    "neither card nor reader": Row(lambda _: vsc.open(), TypeError, "either the name of a card or a reader .*"),
    "card and reader": Row(lambda _: vsc.open(A_CARD, reader="x"), TypeError, "either the name of a card or a .*"),
    "a damaged card": Row(lambda _: vsc.open("damaged"), ImageError, "card 'damaged': the image is not JSON.*"),
    "a locked card": Row(lambda _: vsc.open("locked"), CardLocked, "card 'locked' is locked: .*"),
    "a name that is taken": Row(lambda _: vsc.create("work", pin=PIN), CardExistsError, ".*'work' already"),
    "a name that is none": Row(lambda _: vsc.create("a\nb", pin=PIN), VscError, "a card name has 1 to 80 .*"),
    "a profile that is none": Row(lambda _: vsc.create("new", pin=PIN, profile="x"), VscError, ".*no profile 'x'.*"),
    "a short PIN": Row(lambda _: vsc.create("new", pin=SHORT), PinPolicyViolation, ".*a PIN has 4 to 127 .*"),
    "a PIN against the policy": Row(
        lambda _: vsc.create("new", pin=PIN, policy=PinPolicy(digits=NOTHING)), PinPolicyViolation, ".*digits.*"),
    "a PIN that is a number": Row(lambda _: vsc.create("new", pin=WRONG_TYPE), TypeError, "a PIN is str or bytes.*"),
    "a short PUK": Row(lambda _: vsc.create("new", pin=PIN, puk=SHORT), RefusedError, ".*a PUK has 8 to 127 bytes"),
    "an admin key of 23 bytes": Row(
        lambda _: vsc.create("new", pin=PIN, admin_key=KEY_23), ValueError, "admin_key.*24 bytes.*23.*"),
    "an admin key in words": Row(
        lambda _: vsc.create("new", pin=PIN, admin_key=KEY.hex()), TypeError, "admin_key.*"),  # type: ignore[arg-type]
    "no tries": Row(lambda _: vsc.create("new", pin=PIN, tries=0), ValueError, "a PIN has 1 to 15 tries"),
    "too many tries": Row(lambda _: vsc.create("new", pin=PIN, tries=16), ValueError, "a PIN has 1 to 15 tries"),
    "no admin tries": Row(lambda _: vsc.create("new", pin=PIN, admin_tries=0), ValueError, ".*tries.*"),
    "a card id in words": Row(
        lambda _: vsc.open("work").provision(card_id="x", admin_key=KEY), TypeError, "card_id.*"),  # type: ignore
    "a policy from 9 to 8": Row(lambda _: PinPolicy(9, 8), ValueError, "the minimum length is above the maximum"),
    "a policy of length 3": Row(lambda _: PinPolicy(3), ValueError, "PIN lengths go from 4 to 127"),
    "a policy against all": Row(
        lambda _: PinPolicy(uppercase=NOTHING, lowercase=NOTHING, digits=NOTHING, special=NOTHING, other=NOTHING),
        ValueError, "a policy that disallows every class .*"),
    "a wrong PIN": Row(
        lambda _: vsc.open("work").verify_pin(WRONG), WrongPin, "wrong PIN, 2 tries left", ("work", "PIN")),
    "a blocked PIN": Row(lambda _: vsc.open("blocked").verify_pin(PIN), PinBlocked, "the PIN is blocked"),
    "a PIN of a blank card": Row(lambda _: vsc.open("blank").verify_pin(PIN), VscError, ".+"),
    "a wrong old PIN": Row(
        lambda _: vsc.open("work").change_pin(old=WRONG, new=NEW), WrongPin, "wrong PIN, 2 .*", ("work", "PIN")),
    "a new PIN against the policy": Row(
        lambda _: vsc.open("policy").change_pin(old=PIN, new=SHORT), PinPolicyViolation, ".*a PIN has 6 to 127 .*"),
    "both wrong": Row(
        lambda _: vsc.open("policy").change_pin(old=WRONG, new=SHORT), PinPolicyViolation, ".*a PIN has 6 to 127 .*"),
    "a reset without a right": Row(
        lambda _: vsc.open("work").reset_pin(new=NEW), TypeError, "exactly one of admin_key, respond and puk .*"),
    "a reset with two": Row(
        lambda _: vsc.open("work").reset_pin(new=NEW, admin_key=KEY, puk=PIN), TypeError, "exactly one of .*"),
    "a reset with a wrong key": Row(
        lambda _: vsc.open("work").reset_pin(new=NEW, admin_key=NO_KEY), WrongAdminResponse, "wrong response .*"),
    "a reset with a short key": Row(
        lambda _: vsc.open("work").reset_pin(new=NEW, admin_key=KEY_23), ValueError, "admin_key.*24 bytes.*23.*"),
    "a reset with a wrong response": Row(
        lambda _: vsc.open("work").reset_pin(new=NEW, respond=lambda _: bytes(8)), WrongAdminResponse, "wrong .*"),
    "a response that is none": Row(
        lambda _: vsc.open("work").reset_pin(new=NEW, respond=lambda _: ""), TypeError, "response.*"),  # type: ignore
    "a reset by key beside a PUK": Row(
        lambda _: vsc.open("puk").reset_pin(new=NEW, admin_key=KEY), UnsupportedCard, ".*with its PUK, not .*"),
    "a reset by a PUK that is not there": Row(
        lambda _: vsc.open("work").reset_pin(new=NEW, puk=PIN), UnsupportedCard, "this card has no PUK: .*"),
    "a wrong PUK": Row(
        lambda _: vsc.open("puk").reset_pin(new=NEW, puk=WRONG), WrongPin, "wrong PUK, 4 tries left", ("puk", "PUK")),
    "another key by a wrong one": Row(
        lambda _: vsc.open("work").change_admin_key(new=NO_KEY, admin_key=NO_KEY), WrongAdminResponse, "wrong .*"),
    "another key of 23 bytes": Row(
        lambda _: vsc.open("work").change_admin_key(new=KEY_23, admin_key=KEY), ValueError, "new.*24 bytes.*23.*"),
    "the last wrong key": Row(
        lambda _: vsc.open("blocked").change_admin_key(new=KEY, admin_key=NO_KEY), WrongAdminResponse, "wrong .*",
        ("blocked", "admin key")),
    "a format with a wrong key": Row(
        lambda _: vsc.open("work").provision(format=True, admin_key=NO_KEY), WrongAdminResponse, "wrong .*"),
    "a format without a key": Row(
        lambda _: vsc.open("work").provision(format=True), TypeError, "exactly one of admin_key and respond .*"),
    "a challenge twice": Row(lambda _: in_a_challenge(twice), ChallengeUsed, ".*"),
    "a key by a wrong response": Row(
        lambda _: in_a_challenge(lambda one: one.change_admin_key(bytes(8), NO_KEY)), WrongAdminResponse, "wrong .*"),
    "a handle twice at once": Row(
        lambda _: vsc.open("work").__enter__().__enter__(), CardInUseError, ".*is open already.*"),
    "a response for nothing": Row(
        lambda _: vsc.calculate_response(None, KEY), TypeError, "challenge.*"),  # type: ignore[arg-type]
    "a response for 7 bytes": Row(lambda _: vsc.calculate_response(bytes(7), KEY), ValueError, "challenge.*"),
    "a response by 23 bytes": Row(lambda _: vsc.calculate_response(bytes(8), KEY_23), ValueError, "admin_key.*"),
    "no such PFX": Row(
        lambda tmp: vsc.open("work").load_key(pfx=tmp / "no", pin=PIN), MaterialError, ".*cannot be read: No such .*"),
    "a PFX that is none": Row(
        lambda tmp: vsc.open("work").load_key(pfx=tmp / "garbage", pin=PIN), MaterialError, ".*PFX.*"),
    "a wrong password": Row(
        lambda tmp: vsc.open("work").load_key(pfx=tmp / "ada.pfx", password=WRONG, pin=PIN), WrongPassword, ".*"),
    "no password": Row(
        lambda tmp: vsc.open("work").load_key(pfx=tmp / "ada.pfx", pin=PIN), WrongPassword, ".*"),
    "a PFX with a wrong PIN": Row(
        lambda tmp: vsc.open("work").load_key(pfx=tmp / "ada.pfx", password=PASSWORD, pin=WRONG), WrongPin,
        "wrong PIN, 2 tries left", ("work", "PIN")),
    "key and certificate apart": Row(
        lambda tmp: vsc.open("work").load_key(
            key=tmp / "other-key.pem", certificate=tmp / "certificate.pem", pin=PIN), KeyMismatch, ".*do not match.*"),
    "no certificate there": Row(
        lambda tmp: vsc.open("work").put_certificate(0, tmp / "garbage", pin=PIN), MaterialError, ".*certificate.*"),
    "no container there": Row(lambda _: vsc.open("work").certificate(7), VscError, "the card has no key container 7"),
    "a key of 1000 bits": Row(lambda _: vsc.open("work").generate_key(1000, pin=PIN), VscError, ".*1000.*"),
}
# fmt: on


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home and files, made once."""
    folder = tmp_path_factory.mktemp("template")
    spoilt.make(folder / "cards")
    spoilt.make_files(folder)
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path, home: Path) -> Iterator[Path]:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    with use(InProcessMachine(pcsc=False)):
        yield tmp_path


def test_there_are_enough_rows() -> None:
    assert len(ROWS) >= 40


@pytest.mark.parametrize("name", ROWS)
def test_row(name: str, folder: Path, home: Path) -> None:
    row, before = ROWS[name], State.of(home)
    with pytest.raises(row.raises) as raised:
        row.call(folder)
    said = str(raised.value)
    assert re.fullmatch(row.says, said), said
    assert said
    assert "\n" not in said
    assert not [one for one, secret in spoilt.SECRETS.items() if secret in said]
    assert State.of(home) == (before if row.costs is None else before.after_a_wrong_secret(*row.costs))


def test_an_admin_key_without_tries(folder: Path, home: Path) -> None:
    assert not vsc.open("blocked").verify_admin_key(NO_KEY)
    before = State.of(home)
    with pytest.raises(AdminKeyBlocked, match=r"^the admin key is blocked$"):
        vsc.open("blocked").change_admin_key(new=KEY, admin_key=KEY)
    assert State.of(home) == before


def test_a_card_id_for_two_cards_is_no_mistake(folder: Path) -> None:
    """Nothing forbids it (winrt-smartcards.md 5.2)."""
    one = uuid.uuid4()
    assert vsc.create("a", pin=PIN, card_id=one).id == vsc.create("b", pin=PIN, card_id=one).id
