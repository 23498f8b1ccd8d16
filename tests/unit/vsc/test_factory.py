"""vsc.factory: making cards, and putting one that lasts into memory."""

import uuid
from pathlib import Path

import pytest

from card_os.admin import encrypt, key_check_value
from card_os.apps.gids.state import LifeCycle
from card_os.card import Card
from card_os.pin import CharacterRule, PinPolicy
from tests.unit.vsc import processes, samples
from tests.unit.vsc.samples import gids_state
from tests.unit.vsc.tiny import TINY
from vsc import factory
from vsc.errors import CardExistsError, CardInUseError, CardNotFoundError, RefusedError, VscError
from vsc.factory import (
    DEFAULT_ADMIN_KEY,
    DEFAULT_PIN,
    admin_key_of,
    create,
    create_blank,
    home_store,
    powered,
)
from vsc.profiles import GIDS
from vsc.store.database import FILE
from vsc.store.image import Image
from vsc.store.sqlite import SqliteStore
from vsc.world import SeededEnv, SystemEnv


def saved_state(home: Path, name: str = "work") -> bytes:
    """The state as a fresh reader finds it on the disk."""
    return bytes(SqliteStore(home).read(name))


class TestCreate:
    def test_a_card_with_everything_said(self, home: Path) -> None:
        policy = PinPolicy(6, 12, digits=CharacterRule.REQUIRE_AT_LEAST_ONE)
        image = create(
            "work",
            pin=samples.PIN,
            admin_key=samples.ADMIN_KEY,
            policy=policy,
            tries=7,
            admin_tries=9,
            card_id=uuid.UUID(samples.UUID_OF_CARD_ID),
        )
        assert home_store().read("work") == image
        assert gids_state(image) == samples.state(policy=policy, tries=7, admin_tries=9)
        assert admin_key_of(image) == samples.ADMIN_KEY

    def test_a_card_with_nothing_said_is_its_own(self, home: Path) -> None:
        first, second = create("first", pin=samples.PIN), create("second", pin=samples.PIN)
        assert gids_state(first).life_cycle == LifeCycle.OPERATIONAL
        assert (gids_state(first).pin.try_limit, gids_state(first).pin.tries_left) == (5, 5)
        assert gids_state(first).pin_policy is None
        assert admin_key_of(first) != admin_key_of(second)
        assert gids_state(first).files[3] != gids_state(second).files[3]  # EF A012 holds the card id.

    def test_a_card_id_is_random_but_a_uuid(self, store: SqliteStore) -> None:
        image = create("work", pin=samples.PIN, store=store)
        raw = samples.content_of(gids_state(image), (0xA012, 0xDF20))
        assert uuid.UUID(bytes_le=raw).version == 4

    def test_in_a_store_of_ones_own(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "elsewhere")
        create("work", pin=samples.PIN, store=store)
        assert store.exists("work")
        assert not home_store().exists("work")
        with powered("work", store=store) as card:
            assert card.atr == bytes(GIDS.atr)

    def test_a_blank_card(self, home: Path) -> None:
        image = create_blank("blank", tries=4, admin_tries=6, policy=PinPolicy())
        state = gids_state(image)
        assert (state.life_cycle, state.files, state.pin.value) == (LifeCycle.INITIALISATION, (), None)
        assert (state.pin.try_limit, state.admin_try_limit, state.pin_policy) == (4, 6, PinPolicy())
        with pytest.raises(VscError, match="card 'blank' has no admin key yet"):
            admin_key_of(image)

    @pytest.mark.parametrize(
        ("pin", "policy", "text"),
        [
            (b"123", None, "the PIN is refused: a PIN has 4 to 127 characters"),
            (b"1" * 128, None, "4 to 127"),
            (b"", None, "4 to 127"),
            (b"1234567", PinPolicy(), "8 to 127"),
            (b"abcdefgh", PinPolicy(digits=CharacterRule.REQUIRE_AT_LEAST_ONE), "digits are required, one at least"),
            (b"Abcdefgh", PinPolicy(uppercase=CharacterRule.DISALLOW), "capital letters are not allowed"),
        ],
    )
    def test_a_pin_that_breaks_the_policy_is_refused_and_not_shown(
        self, home: Path, pin: bytes, policy: PinPolicy | None, text: str
    ) -> None:
        with pytest.raises(RefusedError, match=text) as caught:
            create("work", pin=pin, policy=policy)
        assert not pin or pin.decode() not in str(caught.value)
        assert not home.exists()

    @pytest.mark.parametrize("pin", [b"1234", b"1" * 127, b"\x00\xff\x80\x01", " ☂ ".encode()])
    def test_without_a_policy_any_4_to_127_bytes_will_do(self, home: Path, pin: bytes) -> None:
        create("work", pin=pin)
        with powered("work") as card:
            assert card.transmit(bytes([0, 0x20, 0, 0x80, len(pin)]) + pin) == b"\x90\x00"

    @pytest.mark.parametrize(
        "wrong", [{"tries": 0}, {"tries": 16}, {"admin_key": bytes(23)}, {"admin_tries": 0}, {"admin_tries": 256}]
    )
    def test_values_out_of_range_are_misuse(self, home: Path, wrong: dict[str, object]) -> None:
        with pytest.raises(ValueError):
            create("work", pin=samples.PIN, **wrong)  # type: ignore[arg-type]
        assert not home.exists()

    def test_a_name_twice_and_a_name_that_is_none(self, home: Path) -> None:
        create("work", pin=samples.PIN)
        with pytest.raises(CardExistsError):
            create("work", pin=samples.PIN)
        with pytest.raises(CardExistsError):
            create_blank("work")
        with pytest.raises(VscError, match="printable"):
            create("no\nname", pin=samples.PIN)

    def test_the_defaults_are_those_of_tpmvscmgr(self) -> None:
        assert DEFAULT_PIN == b"12345678"
        assert bytes.fromhex("010203040506070801020304050607080102030405060708") == DEFAULT_ADMIN_KEY


class TestPowered:
    def test_each_change_is_on_disk_before_the_answer(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        with powered("work") as card:
            for apdu, sw in [
                (samples.WRONG_VERIFY, "63C2"),
                (samples.WRONG_VERIFY, "63C1"),
                (samples.VERIFY, "9000"),
                ("00DBA010 06 DF24 03 414243", "9000"),
                ("00240080 10" + samples.PIN_HEX + b"87654321".hex(), "9000"),
            ]:
                before = saved_state(home)
                assert card.transmit(bytes.fromhex(apdu)).hex().upper() == sw
                assert saved_state(home) != before
                assert SqliteStore(home).read("work").persistent == card.persistent

    def test_another_process_sees_it_at_once(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        with powered("work") as card:
            card.transmit(bytes.fromhex(samples.WRONG_VERIFY))
            code, out, err = processes.vsc(home, "show", "work")
        assert (code, err) == (0, "")
        assert "2 of 3 tries left" in out

    def test_what_changes_nothing_writes_nothing(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        path = home / FILE
        before = path.stat().st_ino, path.stat().st_mtime_ns
        with powered("work") as card:
            for apdu in (samples.SELECT, samples.PIN_STATUS, "00FF0000", "00CBA012045C02DF2000"):
                card.transmit(bytes.fromhex(apdu))
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == before

    def test_it_is_ours_alone_inside_the_block_and_nobodys_after_it(self, store: SqliteStore) -> None:
        store.create(samples.image())
        with powered("work") as card:
            with pytest.raises(CardInUseError), powered("work"):
                pass
            assert card.transmit(bytes.fromhex(samples.SELECT))[-2:] == b"\x90\x00"
        with powered("work"):
            pass
        with pytest.raises(ValueError, match="is closed"):
            card.transmit(bytes.fromhex(samples.WRONG_VERIFY))
        assert gids_state(store.read("work")).pin.tries_left == 3

    def test_an_error_inside_gives_the_card_back(self, store: SqliteStore) -> None:
        store.create(samples.image())
        with pytest.raises(RuntimeError, match="mine"), powered("work"):
            raise RuntimeError("mine")
        with powered("work"):
            pass

    def test_a_card_that_is_not_there(self, home: Path) -> None:
        with pytest.raises(CardNotFoundError), powered("work"):
            pass

    def test_randomness_is_the_systems_unless_asked_otherwise(
        self, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.create(samples.image())
        made: list[SystemEnv] = []

        class Watched(SystemEnv):
            def __init__(self) -> None:
                made.append(self)

        monkeypatch.setattr(factory, "SystemEnv", Watched)
        with powered("work") as first:
            assert len(made) == 1
            assert challenge(first) != challenge(first)
        with powered("work", env=SeededEnv(1)) as second:
            one = challenge(second)
        with powered("work", env=SeededEnv(1)) as third:
            assert challenge(third) == one
        assert len(made) == 1

    def test_the_admin_key_is_the_one_that_the_card_has_now(self, store: SqliteStore) -> None:
        store.create(samples.image())
        new = bytes(range(24))
        with powered("work") as card:
            answer = encrypt(samples.ADMIN_KEY, challenge(card))
            assert card.transmit(bytes.fromhex("008700000C7C0A8208") + answer + b"\x00") == b"\x90\x00"
            put_key = bytes.fromhex("00DB3FFF26 7024 840180 A51F 8718") + new + b"\x88\x03" + key_check_value(new)
            assert card.transmit(put_key) == b"\x90\x00"
        assert admin_key_of(store.read("work")) == new


def challenge(card: Card) -> bytes:
    """Asks for a challenge for the admin key."""
    assert card.transmit(bytes.fromhex("0022C1A403830180")) == b"\x90\x00"
    answer = card.transmit(bytes.fromhex("00870000047C02810000"))
    assert answer[-2:] == b"\x90\x00"
    return answer[4:-2]


def test_a_card_of_a_kind_without_an_admin_key_is_told() -> None:
    with pytest.raises(VscError, match="card 'odd' is of a kind that has no admin key"):
        admin_key_of(Image("odd", TINY, TINY.persistent(b"\x00\x00")))
