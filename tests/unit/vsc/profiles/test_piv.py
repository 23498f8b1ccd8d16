"""vsc.profiles.piv and yubikey: what cards of these kinds are made of."""

import uuid
from typing import Any

import pytest
from cryptography import x509

from card_os.apps.piv import PivState
from card_os.apps.piv.containers import CHUID, SM_SIGNER
from card_os.apps.yubico_management import Management
from card_os.key_kind import KeyKind
from card_os.tlv import parse_all
from vsc.errors import RefusedError, UnsupportedOption
from vsc.factory import fresh
from vsc.profiles import PROFILES, CardOptions, Profile, profile_named, profile_of
from vsc.profiles.piv import PIV, PIV_CONTACTLESS
from vsc.profiles.yubikey import YUBIKEY_5_4, YUBIKEY_5_7
from vsc.testing import SoftCard, tear_everywhere
from vsc.world import SeededEnv

ALL = [PIV, PIV_CONTACTLESS, YUBIKEY_5_4, YUBIKEY_5_7]
all_profiles = pytest.mark.parametrize("profile", ALL, ids=lambda one: one.name)


def made(profile: Profile, seed: int = 1, **options: Any) -> PivState:
    state = profile.personalise(CardOptions(**options), SeededEnv(seed))[0]
    assert isinstance(state, PivState)
    return state


def test_they_are_found_by_name_and_the_newest_yubikey_by_an_alias() -> None:
    for profile in ALL:
        assert PROFILES[profile.name] is profile_named(profile.name) is profile
    assert profile_named("yubikey") is YUBIKEY_5_7


@all_profiles
def test_a_card_knows_its_profile_and_offers_t_1(profile: Profile) -> None:
    # Without T=1 yubico-piv-tool 2.2 does not connect (piv.md section 0).
    assert profile_of(fresh(profile.name)) is profile
    assert 1 in profile.atr.protocols
    assert fresh(profile.name).transmit(bytes.fromhex("00200080")) == bytes.fromhex(
        "6982" if profile is PIV_CONTACTLESS else "63C3"
    )


def test_atrs_say_how_the_card_is_reached() -> None:
    # OpenSC takes 3B 8x 80 01 for a card without contacts, yubikit 3B Fx for one over USB.
    assert bytes(PIV.atr)[1] >> 4 not in (0x8, 0xF)
    assert bytes(PIV_CONTACTLESS.atr).hex().upper().startswith("3B848001")
    assert bytes(YUBIKEY_5_7.atr)[1] >> 4 == 0xF
    assert b"YubiKey" in bytes(YUBIKEY_5_4.atr)


@all_profiles
def test_a_seeded_card_repeats_and_two_are_not_the_same(profile: Profile) -> None:
    assert made(profile, 1) == made(profile, 1)
    assert made(profile, 1).object(CHUID) != made(profile, 2).object(CHUID)


@all_profiles
def test_options_are_what_the_card_has(profile: Profile) -> None:
    identity = uuid.UUID("12345678-1234-4234-8234-1234567890ab")
    state = made(profile, pin=b"87654321", puk=b"11223344", admin_key=bytes(32), tries=7, puk_tries=8, card_id=identity)
    assert state.pin.value is not None
    assert (state.pin.value.reveal(), state.pin.try_limit, state.puk.try_limit) == (b"87654321", 7, 8)
    assert state.admin.key.kind == KeyKind.AES_256
    assert identity.bytes in (state.object(CHUID) or b"")
    assert made(profile, pin=b"654321").pin.value.reveal() == b"654321\xff\xff"  # type: ignore[union-attr]


@all_profiles
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"pin": b"12345"}, RefusedError),
        ({"pin": b"123456789"}, RefusedError),
        ({"puk": b"123456789"}, RefusedError),
        ({"puk": b"12345"}, RefusedError),
        ({"admin_key": bytes(23)}, RefusedError),
        ({"tries": 256}, ValueError),
        ({"admin_tries": 3}, UnsupportedOption),
        ({"file_system": False}, UnsupportedOption),
    ],
    ids=str,
)
def test_what_the_card_would_not_take(profile: Profile, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        made(profile, **options)


def test_fips_201_has_ten_tries_at_most() -> None:
    assert made(PIV, tries=10, puk_tries=10)
    for option in ("tries", "puk_tries"):
        with pytest.raises(ValueError, match="1 to 10 tries"):
            made(PIV, **{option: 11})


def test_a_pin_of_a_nist_card_is_of_digits() -> None:
    with pytest.raises(RefusedError):
        made(PIV, pin=b"abcdef")
    assert made(YUBIKEY_5_7, pin=b"abcdef")


def test_the_signer_of_a_nist_card_has_signed_its_key() -> None:
    for profile, policy, code in ((PIV, 0x40, None), (PIV_CONTACTLESS, 0x48, b"12345678")):
        state = made(profile)
        assert state.sm is not None
        assert state.usage_policy == policy
        assert (state.pairing_code.reveal() if state.pairing_code else None) == code
        der = next(one.value for one in parse_all(state.object(SM_SIGNER) or b"") if one.tag == 0x70)
        signer = x509.load_der_x509_certificate(der)
        identifier = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        assert identifier[:8] in state.sm.cvc


def test_a_yubikey_says_its_version_and_serial_number_twice() -> None:
    for profile, version in ((YUBIKEY_5_4, "050403"), (YUBIKEY_5_7, "050701")):
        card = fresh(profile.name)
        serial = card.transmit(bytes.fromhex("00F80000"))[:4]
        assert card.transmit(bytes.fromhex("00FD0000")).hex() == version + "9000"
        assert card.transmit(bytes.fromhex("00A4040008A000000527471117"))[:-2].endswith(
            b"FW version " + ".".join(str(int(version[at : at + 2])) for at in (0, 2, 4)).encode()
        )
        config = card.transmit(bytes.fromhex("001D0000"))[1:-2]
        found = {one.tag: one.value for one in parse_all(config)}
        assert (found[0x02], found[0x05].hex()) == (serial, version)
        assert 10_000_000 <= int.from_bytes(serial, "big") < 30_000_000


def test_what_differs_between_the_two_yubikeys() -> None:
    old, new = fresh("yubikey-5.4"), fresh("yubikey-5.7")
    # The management key is of 3DES, then of AES-192; keys move since 5.7.
    assert old.transmit(bytes.fromhex("00F7009B")).hex().startswith("010103")
    assert new.transmit(bytes.fromhex("00F7009B")).hex().startswith("01010a")
    assert old.transmit(bytes.fromhex("00F6829A")).hex() == "6d00"
    assert new.transmit(bytes.fromhex("00F6829A")).hex() == "6982"


def test_a_blank_yubikey_is_as_from_the_factory() -> None:
    state = YUBIKEY_5_7.blank(CardOptions(), SeededEnv(1))[0]
    assert isinstance(state, PivState)
    assert state.object(CHUID) is None
    assert state.admin.is_default
    assert YUBIKEY_5_7.reader_name == "Yubico YubiKey CCID"
    assert isinstance(YUBIKEY_5_7.applications[1], Management)


def test_power_may_fail_at_any_commit_of_a_reset() -> None:
    """Tries come back though nothing is proved: its row says so, and nobody can use the card any more."""

    def scenario(card: SoftCard) -> None:
        for _ in range(3):
            card.transmit(bytes.fromhex("0020008008393939393939FFFF"))
            card.transmit(bytes.fromhex("002C008010" + "FF" * 16))
        assert card.transmit(bytes.fromhex("00FB0000")) == b"\x90\x00"
        assert card.transmit(bytes.fromhex("0020008008313233343536FFFF")) == b"\x90\x00"

    tear_everywhere(scenario, card=SoftCard.make("yubikey", seed=1))


def test_logs_are_read_with_the_commands_of_a_yubikey() -> None:
    (piv,) = (one for one in PROFILES.applications if one.name == "PIV")
    assert piv.table.find(0xF7, 0x009B) is not None
