"""The power cut at every place: our card comes back whole, and a card with a planted bug is found out."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from threading import Thread
from typing import Any

import pytest

import vsc
from card_os.admin import AdminKey, Challenge, authenticate
from card_os.apdu import CommandApdu
from card_os.application import Application
from card_os.apps.gids import Gids, data
from card_os.apps.gids.commands import COMMANDS
from card_os.apps.gids.pins import verify_command
from card_os.apps.gids.security import manage_security_environment
from card_os.apps.gids.session import GidsSession, require
from card_os.apps.gids.state import DataFile, GidsState, GidsVolatile
from card_os.apps.gids.wire import FileOperation, Ins
from card_os.atr import Atr, Interface
from card_os.command import ANYBODY, Command, Session
from card_os.description import Description
from card_os.env import Env
from card_os.memory import Memory, Persistent
from card_os.pin import Pin, verify
from card_os.sw import SW, CardError, WrongReference
from card_os.tlv import Tlv
from card_os.wire import WireError
from tests.unit.card_os.apps.gids.gids_card import ADMIN_KEY
from tests.unit.vsc.testing.gids_life import LIVES, PIN, Life, card_in_use, send
from vsc.errors import CardRemoved, RefusedError
from vsc.host import AdminKeyResponder
from vsc.machine.own import OwnReader
from vsc.profiles import Profile
from vsc.reader import Reader
from vsc.store.faulty import PowerCut
from vsc.testing import SoftCard, TornCardError, UnsteadyScenarioError, tear_everywhere
from vsc.testing.invariants import Cut, Moment
from vsc.world import SeededEnv

Scenario = Callable[[SoftCard], object]


# --- our card


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.scenario.__name__)
def test_gids_from_blank_card_to_deleted_keys(life: Life) -> None:
    seen = set()

    def note(cut: Cut) -> None:
        names = [row.name for row in COMMANDS.values() if cut.command.startswith(row.name)]
        seen.add(f"{max(names, key=len, default=cut.command)} {cut.outcome.response.sw:04X}")

    report = tear_everywhere(life.scenario, card=life.card, invariants=[note])
    assert report.cuts == life.cuts == 2 * report.commits
    told = f"{life.cuts} power cuts at {report.commits} commits of {report.commands} commands: "
    assert str(report).startswith(told)
    assert life.answers <= seen


# --- planted bugs


def a_day(card: SoftCard) -> None:
    """Something of all that a card is for: the control run beside every planted bug."""
    host = card.gids()
    for guess in (b"00000000", PIN):
        with suppress(RefusedError):
            host.verify_pin(guess)
    for value in ("010203", "040506"):
        card.transmit(bytes.fromhex(f"00DBA01006DF3003{value}"))
    for key in (bytes(24), ADMIN_KEY):
        with suppress(RefusedError):
            host.authenticate(AdminKeyResponder(key))
    with suppress(RefusedError):
        host.verify_pin(b"00000000")
    host.reset_pin(new=b"87654321", respond=AdminKeyResponder(ADMIN_KEY))


def refunds(pin: Pin, guess: bytes, commit: Callable[[Pin], None], *, subject: str) -> None:
    """A wrong PIN gets its try back."""
    spent = replace(pin, tries_left=pin.tries_left - 1)
    commit(spent)
    commit(pin)
    if pin.value is None or not pin.value.matches(guess):
        raise WrongReference(spent.tries_left, subject=subject)


def compares_first(pin: Pin, guess: bytes, commit: Callable[[Pin], None], *, subject: str) -> None:
    """A try is spent once it is known that it has to be."""
    if pin.value is None or not pin.value.matches(guess):
        spent = replace(pin, tries_left=pin.tries_left - 1)
        commit(spent)
        raise WrongReference(spent.tries_left, subject=subject)
    commit(replace(pin, tries_left=pin.try_limit))


def swaps_commits(pin: Pin, guess: bytes, commit: Callable[[Pin], None], *, subject: str) -> None:
    """All tries are given back, and the one for a wrong PIN is taken afterwards."""
    spent = replace(pin, tries_left=pin.tries_left - 1)
    commit(replace(pin, tries_left=pin.try_limit))
    if pin.value is None or not pin.value.matches(guess):
        commit(spent)
        raise WrongReference(spent.tries_left, subject=subject)


def counts_in_memory(pin: Pin, guess: bytes, commit: Callable[[Pin], None], *, subject: str) -> None:
    """The counter lives as long as the power."""
    left = _left.setdefault(subject, pin.tries_left) - 1
    if pin.value is None or not pin.value.matches(guess):
        _left[subject] = left
        raise WrongReference(left, subject=subject)


def trusts_responses(
    key: AdminKey, challenge: Challenge, response: bytes, env: Env, commit: Any, *, subject: str
) -> bytes:
    """The tries of the admin key are counted nowhere."""
    return authenticate(replace(key, try_limit=None, tries_left=0), challenge, response, env, commit, subject=subject)


def puts_in_two_commits(session: GidsSession, apdu: CommandApdu) -> bytes:
    """PUT DATA takes the old object away, then writes the new one."""
    file, new = session.state.file(apdu.p1p2), data._one_object(apdu.data)
    assert isinstance(file, DataFile)
    require(session, file, FileOperation.PUT)
    session.commit(session.state.with_file(file.without_object(new.tag)))
    session.commit(session.state.with_file(file.with_object(new)))
    return b""


def writes_and_refuses(session: GidsSession, apdu: CommandApdu) -> bytes:
    """PUT DATA asks for the right when all is done."""
    file, new = session.state.file(apdu.p1p2), data._one_object(apdu.data)
    assert isinstance(file, DataFile)
    require(session, file, FileOperation.PUT)
    session.commit(session.state.with_file(file.with_object(new)))
    raise CardError(SW.SECURITY_STATUS_NOT_SATISFIED, "PUT is not allowed")


def resets_in_two_commits(session: GidsSession, reference: int, new: bytes) -> None:
    """The tries are given back, then the new PIN is stored."""
    pin = session.state.pin
    session.commit(replace(session.state, pin=replace(pin, tries_left=pin.try_limit)))
    session.commit(replace(session.state, pin=pin.with_value(new)))


def refunds_to_anybody(session: GidsSession, apdu: CommandApdu) -> bytes:
    """MANAGE SECURITY ENVIRONMENT gives the tries back, with nothing proved."""
    pin = session.state.pin
    session.commit(replace(session.state, pin=replace(pin, tries_left=pin.try_limit)))
    return manage_security_environment(session, apdu)


def refunds_the_other(session: GidsSession, apdu: CommandApdu) -> bytes:
    """A right PIN gives the PUK its tries back."""
    verify_command(session, apdu)
    puk = session.state.puk
    session.commit(replace(session.state, puk=replace(puk, tries_left=puk.try_limit)))
    return b""


def punishes(session: GidsSession, apdu: CommandApdu) -> bytes:
    """VERIFY of a wrong PIN writes into a file, too."""
    try:
        return verify_command(session, apdu)
    except WrongReference:
        file = session.state.file(0xA010)
        assert isinstance(file, DataFile)
        session.commit(session.state.with_file(file.with_object(Tlv(0xDF31, b"wrong"))))
        raise


def stores_late(memory: Memory, new: Persistent) -> None:
    """A change is stored when the next one comes."""
    memory._store(memory.persistent)
    memory.persistent = new


def keeps_the_right(application: Gids) -> GidsVolatile:
    """What is verified is kept with the code, which outlives the power."""
    return _volatiles.setdefault(application.name, GidsVolatile())


encode = Gids.encode


def forgets_counters(application: Gids, state: GidsState) -> bytes:
    """The image has no tries."""
    return encode(application, replace(state, pin=replace(state.pin, tries_left=state.pin.try_limit)))


_left: dict[str, int] = {}
_volatiles: dict[str, GidsVolatile] = {}

ROWS = {
    "the row of PUT DATA": Ins.PUT_DATA,
    "the row of MANAGE SECURITY ENVIRONMENT": Ins.MANAGE_SECURITY_ENVIRONMENT,
    "the row of VERIFY": Ins.VERIFY,
}

BUGS: list[tuple[str, Callable[..., Any], str]] = [
    ("card_os.apps.gids.pins.verify", refunds, "no try refunded"),
    ("card_os.apps.gids.pins.verify", compares_first, "no try refunded"),
    ("card_os.apps.gids.pins.verify", swaps_commits, "no try refunded"),
    ("card_os.apps.gids.pins.verify", counts_in_memory, "no try refunded"),
    ("card_os.apps.gids.authentication.authenticate", trusts_responses, "no try refunded"),
    ("the row of MANAGE SECURITY ENVIRONMENT", refunds_to_anybody, "no try refunded"),
    ("the row of PUT DATA", puts_in_two_commits, "nothing half written"),
    ("the row of PUT DATA", writes_and_refuses, "nothing half written"),
    ("the row of VERIFY", punishes, "nothing half written"),
    ("card_os.apps.gids.pins._set", resets_in_two_commits, "no try refunded"),
    ("card_os.memory.Memory.commit", stores_late, "nothing acknowledged lost"),
    ("card_os.apps.gids.Gids.encode", forgets_counters, "no try refunded"),
    ("card_os.apps.gids.Gids.new_volatile", keeps_the_right, "no right gained"),
]


def test_the_day_without_a_bug() -> None:
    report = tear_everywhere(a_day, card=card_in_use)
    assert (report.cuts, report.commits, report.commands) == (24, 12, 17)


@pytest.mark.parametrize(("place", "bug", "invariant"), BUGS, ids=[bug.__name__ for _, bug, _ in BUGS])
def test_a_planted_bug_is_found(
    monkeypatch: pytest.MonkeyPatch, place: str, bug: Callable[..., Any], invariant: str
) -> None:
    card = card_in_use()
    _left.clear()
    _volatiles.clear()
    with monkeypatch.context() as patch:
        if place in ROWS:
            patch.setattr(Gids, "commands", {**COMMANDS, ROWS[place]: replace(COMMANDS[ROWS[place]], run=bug)})
        else:
            patch.setattr(place, bug)
        with pytest.raises(TornCardError) as caught:
            tear_everywhere(a_day, card=card)
    assert caught.value.invariant == invariant
    assert invariant in str(caught.value)
    tear_everywhere(a_day, card=card)


# --- what it says, and what scenarios may do


def test_it_says_where_the_power_went_and_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    row = replace(COMMANDS[Ins.PUT_DATA], run=puts_in_two_commits)
    monkeypatch.setattr(Gids, "commands", {**COMMANDS, Ins.PUT_DATA: row})
    with pytest.raises(TornCardError) as caught:
        tear_everywhere(a_day, card=card_in_use)
    assert str(caught.value) == (
        "a power cut after commit 1 of 2 of command 5, PUT DATA A010 DF30, 3 bytes\n"
        "  breaks 'nothing half written': neither as before the command nor as after it, which would be: "
        "object DF30 in A010: none -> 3 bytes\n"
        "  changed between the last answer and the restart:\n"
        "    object DF30 in A010: 3 bytes -> none"
    )
    assert (caught.value.cut.commit, caught.value.cut.moment) == (1, Moment.AFTER)
    assert list(caught.value.diff) == ["object DF30 in A010: 3 bytes -> none"]


def test_no_secret_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("card_os.apps.gids.pins.verify", refunds)

    def scenario(card: SoftCard) -> None:
        with suppress(RefusedError):
            card.gids().change_pin(old=b"24681357", new=PIN)

    with pytest.raises(TornCardError) as caught:
        tear_everywhere(scenario, card=card_in_use)
    for secret in (PIN, b"24681357", ADMIN_KEY):
        assert secret.hex() not in str(caught.value).lower()
        assert repr(secret) not in str(caught.value)


def test_a_card_is_not_touched() -> None:
    card = card_in_use()
    before = card.snapshot()
    tear_everywhere(a_day, card=card)
    assert not card.diff(before)
    assert card.last_outcome is None


def test_without_a_card_it_takes_a_personalised_one() -> None:
    report = tear_everywhere(lambda card: card.gids().verify_pin(b"12345678"))
    assert (report.cuts, report.commits) == (4, 2)


def test_a_scenario_that_changes_nothing_has_no_cuts() -> None:
    assert tear_everywhere(lambda card: card.reset()).cuts == 0


def test_a_scenario_that_nobody_runs_is_told() -> None:
    async def scenario(card: SoftCard) -> None:
        card.gids().verify_pin(PIN)

    with pytest.raises(UnsteadyScenarioError, match="is async"):
        tear_everywhere(scenario)


def test_an_invariant_of_ones_own() -> None:
    """A card that must never be without its PIN counter at three, say."""

    def the_pin_is_never_down_to_one(cut: Cut) -> None:
        tries = cut.found.facts["PIN tries"].value
        assert isinstance(tries, int)
        assert tries > 1, f"{tries} left"

    def scenario(card: SoftCard) -> None:
        for _ in range(4):
            card.transmit(bytes.fromhex("002000800430303030"))

    with pytest.raises(TornCardError, match="'the pin is never down to one': 1 left") as caught:
        tear_everywhere(scenario, invariants=[the_pin_is_never_down_to_one])
    assert caught.value.cut.number == 4


def test_what_a_scenario_raises_by_itself_is_its_failure() -> None:
    def scenario(card: SoftCard) -> None:
        card.gids().verify_pin(PIN)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        tear_everywhere(scenario)


def test_what_it_makes_of_the_cut_is_swallowed() -> None:
    def scenario(card: SoftCard) -> None:
        try:
            card.gids().verify_pin(PIN)
        except BaseException as error:
            raise AssertionError("the login did not work") from error

    assert tear_everywhere(scenario).cuts == 4


def test_a_scenario_that_goes_on_without_power_gets_no_answer() -> None:
    def scenario(card: SoftCard) -> None:
        with suppress(PowerCut):
            card.gids().verify_pin(PIN)
            return
        for use in (card.power_on, card.reset, lambda: card.transmit(bytes.fromhex("00200080")), card.fork):
            with suppress(PowerCut):
                use()
                assert use == card.fork, "only a copy of it can be had"
        card.power_off()

    tear_everywhere(scenario)


def test_a_scenario_must_do_the_same_each_time() -> None:
    runs = count()

    def scenario(card: SoftCard) -> None:
        host = card.gids()
        if next(runs) % 2:
            host.pin_tries()
        host.verify_pin(PIN)

    with pytest.raises(UnsteadyScenarioError) as caught:
        tear_everywhere(scenario)
    assert "does not do the same each time: command 2 was VERIFY" in str(caught.value)
    assert "and now is GET DATA with 0 commits" in str(caught.value)

    ends = count()

    def ends_early(card: SoftCard) -> None:
        if next(ends) == 0:
            send(card, f"0020008008{PIN.hex()}")

    with pytest.raises(UnsteadyScenarioError, match="it ends after 0 commands"):
        tear_everywhere(ends_early)


def test_what_is_random_is_the_same_each_time() -> None:
    """Also on a card whose world is the system's: keys are made once, and challenges repeat."""
    seen = set()

    def scenario(card: SoftCard) -> None:
        host = card.gids()
        host.verify_pin(PIN)
        number = host.generate_key(1024, name="k")
        seen.add(host.public_key(number).public_numbers().n)
        host.authenticate(AdminKeyResponder(card.admin_key or b""))

    card = SoftCard.make()
    assert tear_everywhere(scenario, card=card).cuts > 10
    assert len(seen) == 1


def test_through_a_reader_and_the_facade() -> None:
    def scenario(card: SoftCard) -> None:
        reader = Reader()
        reader.insert(card)
        with vsc.open(reader=OwnReader(reader)) as user:
            with suppress(vsc.WrongPin):
                user.verify_pin("00000000")
            user.change_pin(old="12345678", new="24681357")
        reader.eject()

    assert tear_everywhere(scenario).cuts == 2 * (1 + 2 + 2 + 1)


def test_in_another_thread_the_card_is_lost() -> None:
    """As behind a PC/SC service, whose threads the power of a card does not end."""
    errors: list[BaseException] = []

    def scenario(card: SoftCard) -> None:
        def serve() -> None:
            try:
                card.gids().verify_pin(PIN)
            except CardRemoved as error:
                errors.append(error)

        thread = Thread(target=serve)
        thread.start()
        thread.join()

    assert tear_everywhere(scenario).cuts == len(errors) == 4


def test_a_card_without_power_does_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a handler would do about the exception is not done: a card without power runs no code."""

    def tidies_up(pin: Pin, guess: bytes, commit: Callable[[Pin], None], *, subject: str) -> None:
        try:
            verify(pin, guess, commit, subject=subject)
        except PowerCut:
            commit(pin)

    monkeypatch.setattr("card_os.apps.gids.pins.verify", tidies_up)
    assert tear_everywhere(a_day, card=card_in_use).cuts == 24


@pytest.mark.parametrize("is_planted", [False, True])
def test_a_right_pin_gives_back_its_own_tries_only(monkeypatch: pytest.MonkeyPatch, is_planted: bool) -> None:
    def scenario(card: SoftCard) -> None:
        host = card.gids()
        with suppress(RefusedError):
            host.reset_pin_with_puk(puk=b"00000000", new=PIN)
        host.verify_pin(PIN)
        host.reset_pin_with_puk(puk=b"87654321", new=PIN)  # That gives both back, whatever is new in it.

    def card() -> SoftCard:
        return SoftCard.make(puk="87654321", pin=PIN.decode(), seed=1)

    if not is_planted:
        assert tear_everywhere(scenario, card=card).commits > 4
        return
    row = replace(COMMANDS[Ins.VERIFY], run=refunds_the_other)
    monkeypatch.setattr(Gids, "commands", {**COMMANDS, Ins.VERIFY: row})
    with pytest.raises(TornCardError, match="PUK tries: 5 after the restart; 4 would be honest"):
        tear_everywhere(scenario, card=card)


def test_an_image_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(application: Gids, raw: bytes) -> GidsState:
        raise WireError("nonsense")

    monkeypatch.setattr(Gids, "decode", decode)
    with pytest.raises(AssertionError, match="after a power cut the card cannot be read from its image: nonsense"):
        tear_everywhere(a_day, card=card_in_use)


# --- an application of one's own, beside another


class Safe(Application[bytes, None]):
    """Opens with 1234; its state is the tries that are left, and the number of times that it was opened."""

    aid = bytes.fromhex("F0010203040506")
    name = "safe"

    def describe(self, state: bytes) -> Description:
        return {"code": {"tries_left": state[0]}, "openings": f"{state[1]}"}


def opens(session: Session[bytes, None], apdu: CommandApdu) -> bytes:
    tries, openings = session.state
    session.commit(bytes([tries - 1, openings]))
    if apdu.data != b"1234":
        raise WrongReference(tries - 1, subject="code")
    session.commit(bytes([3, openings + 1]))
    return b""


def opens_at_once(session: Session[bytes, None], apdu: CommandApdu) -> bytes:
    session.commit(bytes([3, session.state[1] + 1]))
    return b""


class Label(Application[bytes, None]):
    aid = bytes.fromhex("F0010203040507")
    name = "label"
    commands = {}  # noqa: RUF012


@pytest.mark.parametrize("run", [opens, opens_at_once])
def test_an_application_of_ones_own(monkeypatch: pytest.MonkeyPatch, run: Callable[..., bytes]) -> None:
    row = Command(
        "OPEN", frozenset({0}), range(1, 9), ANYBODY, run, "none", presents=lambda session, apdu: ("code tries",)
    )
    monkeypatch.setattr(Safe, "commands", {0x20: row}, raising=False)
    profile = Profile("safe", "a safe", Atr((Interface(),)), (Safe(), Label()))
    card = SoftCard(profile, profile.persistent(b"\x03\x00", b"mine"), SeededEnv(1))

    def scenario(card: SoftCard) -> None:
        for code in (b"0000", b"1234"):
            card.transmit(bytes.fromhex("0020000004") + code)

    if run is opens:
        assert tear_everywhere(scenario, card=card).cuts == 6
        return
    with pytest.raises(TornCardError, match="the first commit has to lower safe: code tries by one"):
        tear_everywhere(scenario, card=card)
