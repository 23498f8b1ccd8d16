"""vsc.store.summary: what a card holds, whatever hosts have written on it."""

import json
import tracemalloc
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.access import AccessRule
from card_os.apps.gids.minidriver import (
    CARD_ID,
    CONTAINER_MAP,
    DIRECTORY,
    MAX_CERTIFICATE_BYTES,
    containers,
    unpack_certificate,
)
from card_os.apps.gids.personalisation import blank, card_id
from card_os.apps.gids.state import GidsState, KeyFile, KeyUse, LifeCycle
from card_os.apps.gids.wire import Crt
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.pin import CharacterRule, Pin, PinPolicy
from card_os.secret import Secret
from tests.unit.vsc import samples
from vsc.store.summary import CardSummary, ContainerSummary, summarise
from vsc.world import SeededEnv

ADA = ContainerSummary(0, "Ada's key", True, "key exchange", "RSA 1024", ["CN=Ada Lovelace"])


def summary(state: GidsState) -> CardSummary:
    return summarise(samples.image("work", state))


def certificates(stored: bytes) -> list[str]:
    return summary(samples.state_with_key(stored)).containers[0].certificates


def test_a_card_with_a_key_and_its_certificate() -> None:
    assert summary(samples.state_with_key()) == CardSummary(
        name="work",
        label="work",
        profile="gids",
        atr="3B8D0180FBA000000397425446590201C9",
        life_cycle="operational",
        card_id=samples.UUID_OF_CARD_ID,
        serial=samples.CARD_ID.hex().upper(),
        pin={"tries_left": 3, "try_limit": 3},
        puk=None,
        pin_policy=None,
        admin_key={"tries_left": None, "try_limit": None},
        containers=[ADA],
    )


def test_a_blank_card() -> None:
    found = summary(blank(tries=5))
    assert (found.life_cycle, found.card_id, found.serial, found.pin, found.admin_key, found.containers) == (
        "initialisation",
        None,
        None,
        None,
        None,
        [],
    )


@pytest.mark.parametrize("life_cycle", LifeCycle)
def test_every_life_cycle_has_a_word(life_cycle: LifeCycle) -> None:
    assert summary(replace(samples.state_with_key(), life_cycle=life_cycle)).life_cycle == life_cycle.name.lower()


def test_counters_and_policy() -> None:
    policy = PinPolicy(6, 12, digits=CharacterRule.REQUIRE_AT_LEAST_ONE, uppercase=CharacterRule.DISALLOW)
    state = replace(samples.state(policy=policy, admin_tries=9), puk=Pin(Secret(b"87654321"), 3, 0))
    found = summary(state)
    assert found.puk == {"tries_left": 0, "try_limit": 3}
    assert found.admin_key == {"tries_left": 9, "try_limit": 9}
    assert found.pin_policy == {
        "minlen": 6,
        "maxlen": 12,
        "uppercase": "disallowed",
        "lowercase": "allowed",
        "digits": "required",
        "specialchars": "allowed",
        "other": "disallowed",
    }


def test_no_secret_is_in_it() -> None:
    text = json.dumps(summary(samples.state_with_key()).as_json())
    for secret in (samples.PIN.decode(), samples.PIN.hex(), samples.ADMIN_KEY.hex(), str(samples.rsa_key().d)):
        assert secret.lower() not in text.lower()


def test_a_summary_as_json_is_plain() -> None:
    found = summary(samples.state_with_key()).as_json()
    assert json.loads(json.dumps(found)) == found
    assert list(found) == [
        "name",
        "label",
        "profile",
        "atr",
        "life_cycle",
        "card_id",
        "serial",
        "pin",
        "puk",
        "pin_policy",
        "admin_key",
        "containers",
    ]


class TestContainers:
    def test_several_in_their_places(self) -> None:
        state = samples.with_content(
            samples.state_with_key(),
            CONTAINER_MAP,
            samples.container("first", flags=0x01)
            + bytes(86)
            + samples.container("third", signature_bits=2048, exchange_bits=0)
            + samples.container("gone", flags=0x02),
        )
        first, third = summary(state).containers
        assert (first.number, first.name, first.default, first.use, first.key) == (
            0,
            "first",
            False,
            "key exchange",
            "RSA 1024",
        )
        assert (third.number, third.name, third.default, third.use, third.key) == (2, "third", True, "signature", None)
        assert third.certificates == []

    def test_an_ec_key(self) -> None:
        key = EcPrivateKey.generate(KeyKind.P256, SeededEnv("ec").random_bytes)
        file = KeyFile(
            0xB081,
            AccessRule.parse(bytes.fromhex("8F10101000")),
            (KeyUse(Crt.SIGNATURE, 0x0C, 0x40),),
            is_active=True,
            key=key,
        )
        state = samples.with_content(samples.state(), CONTAINER_MAP, samples.container("ec")).with_file(file)
        assert summary(state).containers[0].key == "EC P-256"

    def test_a_container_of_any_length_of_name(self) -> None:
        state = samples.with_content(samples.state(), CONTAINER_MAP, samples.container("ä" * 40))
        assert summary(state).containers[0].name == "ä" * 40

    def test_a_damaged_record_is_left_out(self) -> None:
        good = samples.container("good")
        damaged = good[:81] + b"\x01" + good[82:]
        state = samples.with_content(samples.state(), CONTAINER_MAP, damaged + good + good[:40])
        assert [(one.number, one.name) for one in summary(state).containers] == [(1, "good")]


class TestCertificates:
    def test_one_that_is_compressed_as_hosts_do(self) -> None:
        der = samples.certificate()
        packed = b"\x01\x00" + len(der).to_bytes(2, "little") + zlib.compress(der)
        assert unpack_certificate(packed) == der
        assert certificates(packed) == ["CN=Ada Lovelace"]

    def test_one_without_a_subject_and_one_with_a_long_one(self) -> None:
        assert certificates(samples.certificate_file(samples.certificate("Ada, the first; ☂"))) == [
            "CN=Ada\\, the first\\; ☂"
        ]

    @pytest.mark.parametrize("cut", [0, 1, 3, 4, 5, 100, -1])
    def test_one_that_is_cut_is_unreadable(self, cut: int) -> None:
        stored = samples.certificate_file(samples.certificate())[:cut]
        assert certificates(stored) == (["(unreadable certificate)"] if stored else [])

    @pytest.mark.parametrize(
        "stored",
        [
            b"\x00",
            b"\x01\x00\x05\x00hello",
            b"\x01\x00\x05\x00" + zlib.compress(b"hello"),
            b"\x01\x00\x04\x00" + zlib.compress(b"hello"),
            b"\x01\x00\x00\x00" + zlib.compress(b""),
            b"\x02\x00\x05\x00" + zlib.compress(b"hello"),
        ],
    )
    def test_what_is_none_is_unreadable(self, stored: bytes) -> None:
        assert certificates(stored) == ["(unreadable certificate)"]

    @pytest.mark.parametrize(
        ("old", "new", "shown"),
        [
            ("A003020102", "A003020101", "CN=Ada Lovelace"),  # A version that X.509 does not have.
            ("0603550403" "0C0C", "0603550403" "030C", "CN=#030c416461204c6f76656c616365"),  # A BIT STRING for a name.
            ("0603550403" "0C0C" "41", "0603550403" "0C0C" "FF", "(unreadable name)"),
            ("0603550403" "0C0C" "41", "0603550403" "130C" "26", "CN=&da Lovelace"),
            ("3082", "3182", "(unreadable certificate)"),
        ],
    )  # fmt: skip
    def test_a_strange_one_is_shown_as_far_as_it_goes(self, old: str, new: str, shown: str) -> None:
        der = samples.certificate()
        changed = der.replace(bytes.fromhex(old), bytes.fromhex(new))
        assert changed != der
        assert certificates(samples.certificate_file(changed)) == [shown]

    def test_an_odd_one_warns_nobody(self) -> None:
        der = samples.certificate().replace(bytes.fromhex("0201 01"), bytes.fromhex("0201 FF"), 1)
        assert certificates(samples.certificate_file(der)) == ["CN=Ada Lovelace"]

    def test_a_bomb_does_not_go_off(self) -> None:
        bomb = b"\x01\x00\xff\xff" + zlib.compress(bytes(50_000_000), 9)
        tracemalloc.start()
        try:
            assert unpack_certificate(bomb) == b""
            assert tracemalloc.get_traced_memory()[1] < 10 * MAX_CERTIFICATE_BYTES
        finally:
            tracemalloc.stop()

    def test_the_longest_one_that_the_header_can_say(self) -> None:
        longest = bytes(MAX_CERTIFICATE_BYTES)
        assert unpack_certificate(b"\x01\x00\xff\xff" + zlib.compress(longest)) == longest
        assert unpack_certificate(b"\x01\x00\xff\xff" + zlib.compress(longest + b"\x00")) == b""


class TestDamage:
    """The card keeps what hosts write without a look: reading it must never fail."""

    @given(st.binary(max_size=400), st.sampled_from([DIRECTORY, CONTAINER_MAP, CARD_ID, samples.CERTIFICATE_PLACE]))
    def test_any_bytes_in_any_host_file(self, raw: bytes, place: tuple[int, int]) -> None:
        state = samples.with_content(samples.state_with_key(), place, raw)
        found = summary(state)
        json.dumps(found.as_json()).encode()
        assert len(found.containers) <= 400 // 86 + 1

    @given(st.integers(0, 10_000), st.integers(0, 255))
    def test_a_damaged_byte_in_the_directory_or_the_map(self, position: int, value: int) -> None:
        state = samples.state_with_key()
        for place in (DIRECTORY, CONTAINER_MAP, samples.CERTIFICATE_PLACE):
            raw = bytearray(samples.content_of(state, place))
            raw[position % len(raw)] = value
            summary(samples.with_content(state, place, bytes(raw)))

    def test_a_card_without_its_files(self) -> None:
        state = replace(samples.state_with_key(), files=())
        assert containers(state) == ()
        assert card_id(state) is None
        assert (summary(state).serial, summary(state).containers) == (None, [])

    def test_files_of_the_wrong_kind(self) -> None:
        key = KeyFile(0xA010, AccessRule(), ())
        state = replace(samples.state_with_key(), files=(key, replace(key, efid=0xA000), replace(key, efid=0xA012)))
        assert summary(state).containers == []

    def test_an_id_of_another_length_is_a_serial_only(self) -> None:
        found = summary(samples.with_content(samples.state(), CARD_ID, b"\x01\x02"))
        assert (found.card_id, found.serial) == (None, "0102")

    def test_a_directory_that_names_no_certificate(self) -> None:
        state = samples.with_content(samples.state_with_key(), DIRECTORY, b"\x02")
        assert summary(state).containers[0].certificates == []
