"""card_os.admin: the vectors of gids.md 11 and winrt-smartcards.md 3.1, and the tries of a limited key."""

from dataclasses import replace

import pytest

from card_os.admin import AdminKey, Challenge, authenticate, check_not_blocked, decrypt, encrypt, key_check_value
from card_os.secret import Secret
from card_os.sw import SW, CardError
from tests.unit.each import each
from vsc.world import SeededEnv

DEFAULT_KEY = bytes.fromhex("0102030405060708" * 3)
KEY = bytes.fromhex("0123456789ABCDEF 23456789ABCDEF01 456789ABCDEF0123")
WINRT_KEY = bytes.fromhex("101112131415161718191A1B1C1D1E1F2021222324252627")
R1 = bytes.fromhex("101112131415161718191A1B1C1D1E1F")
R2 = bytes.fromhex("A0A1A2A3A4A5A6A7A8A9AAABACADAEAF")
Z1, Z2 = bytes.fromhex("01020304050607"), bytes.fromhex("11121314151617")
HOST_CRYPTOGRAM = bytes.fromhex("06EC26547DF4BEAD5C04AEB9F96B0885353BABCB33A080DF8FFFAB2202818F5771A01DAB3C8EBA64")
CARD_CRYPTOGRAM = bytes.fromhex("398C0E06C0096AE836A466CB607C0250C8554AD39AAD26EE20C6E5961D2EE7A4573C77A66205CBE3")
EXTERNAL = Challenge(0x80, bytes.fromhex("0557897F8D84407B"))
MUTUAL = Challenge(0x80, R2, R1)


class FixedEnv(SeededEnv):
    """A world whose random bytes are known."""

    def __init__(self, value: bytes) -> None:
        super().__init__(0)
        self.value = value

    def random_bytes(self, count: int) -> bytes:
        assert count == len(self.value)
        return self.value


def flipped_parity(key: bytes) -> bytes:
    return bytes(byte ^ 1 for byte in key)


def no_commit(key: AdminKey) -> None:
    raise AssertionError("an unlimited key has nothing to store")


def answer(
    key: bytes, challenge: Challenge, response: bytes, secret_part: bytes = Z2, *, env: SeededEnv | None = None
) -> bytes:
    world = env or FixedEnv(secret_part)
    return authenticate(AdminKey.new(key), challenge, response, world, no_commit, subject="admin key")


@pytest.mark.parametrize(
    ("key", "challenge", "response"),
    [
        (DEFAULT_KEY, "0000000000000000", "B073DC3FB209536D"),
        (DEFAULT_KEY, "1122334455667788", "6C5E94DCADD39F1D"),
        (DEFAULT_KEY, "0011223344556677", "26604D88E55BD3E7"),
        (DEFAULT_KEY, "00112233445566770011223344556677", "26604D88E55BD3E75F1D90BAC66C3B5B"),
        (DEFAULT_KEY, "0557897F8D84407B", "7716F4B2D7214EB2"),
        (WINRT_KEY, "0011223344556677", "62E0136B850237BC"),
        (flipped_parity(WINRT_KEY), "0011223344556677", "62E0136B850237BC"),
        (KEY, "0557897F8D84407B", "A2088CF6DDAA4664"),
    ],
)
def test_responses_to_known_challenges(key: bytes, challenge: str, response: str) -> None:
    assert encrypt(key, bytes.fromhex(challenge)) == bytes.fromhex(response)
    assert decrypt(key, bytes.fromhex(response)) == bytes.fromhex(challenge)
    assert answer(key, Challenge(0x80, bytes.fromhex(challenge)), bytes.fromhex(response)) == b""


@pytest.mark.parametrize(
    ("key", "kcv"),
    [
        (DEFAULT_KEY, "B073DC"),
        (WINRT_KEY, "D1AA53"),
        (flipped_parity(WINRT_KEY), "D1AA53"),
        (KEY, "4EBA73"),
        (bytes(24), "8CA64D"),
        (b"\x01" * 24, "8CA64D"),
    ],
)
def test_key_check_values(key: bytes, kcv: str) -> None:
    assert key_check_value(key) == bytes.fromhex(kcv)


@pytest.mark.parametrize("size", [0, 8, 16, 23, 25, 32])
def test_a_key_has_24_bytes(size: int) -> None:
    for use in (AdminKey.new, key_check_value, lambda key: encrypt(key, bytes(8)), lambda key: decrypt(key, bytes(8))):
        with pytest.raises(ValueError, match="24 bytes"):
            use(bytes(size))


@pytest.mark.parametrize("size", [1, 7, 9])
def test_only_whole_blocks_are_encrypted(size: int) -> None:
    with pytest.raises(ValueError):
        encrypt(KEY, bytes(size))
    with pytest.raises(ValueError):
        decrypt(KEY, bytes(size))


def test_the_mutual_cryptograms_of_the_vector() -> None:
    assert encrypt(KEY, R2 + R1 + Z1 + b"\x80") == HOST_CRYPTOGRAM
    assert answer(KEY, MUTUAL, HOST_CRYPTOGRAM) == CARD_CRYPTOGRAM
    assert decrypt(KEY, CARD_CRYPTOGRAM) == R1 + R2 + Z2 + b"\x80"


def test_mutual_authentication_with_any_secret_part_of_the_host() -> None:
    env = SeededEnv("mutual")
    for _ in range(20):
        r1, r2, z1 = env.random_bytes(16), env.random_bytes(16), env.random_bytes(7)
        response = encrypt(KEY, r2 + r1 + z1 + b"\x80")
        plain = decrypt(KEY, answer(KEY, Challenge(0x80, r2, r1), response, env=env))
        assert plain[:32] + plain[39:] == r1 + r2 + b"\x80"


WRONG_MUTUAL = [
    encrypt(KEY, R1 + R2 + Z1 + b"\x80"),
    encrypt(KEY, R2 + R1 + Z1 + b"\x00"),
    encrypt(KEY, R2 + bytes(16) + Z1 + b"\x80"),
    encrypt(KEY, bytes(16) + R1 + Z1 + b"\x80"),
    encrypt(DEFAULT_KEY, R2 + R1 + Z1 + b"\x80"),
    HOST_CRYPTOGRAM[:-1],
    HOST_CRYPTOGRAM[:32],
    HOST_CRYPTOGRAM + bytes(8),
    HOST_CRYPTOGRAM + b"\x00",
    b"",
]
WRONG_EXTERNAL = [bytes(8), bytes.fromhex("A2088CF6DDAA46"), bytes.fromhex("A2088CF6DDAA466400"), b"", EXTERNAL.card]


def test_a_wrong_answer_of_any_length_is_6982_and_costs_a_try() -> None:
    for challenge, response in each(
        [(MUTUAL, raw) for raw in WRONG_MUTUAL] + [(EXTERNAL, raw) for raw in WRONG_EXTERNAL]
    ):
        for limit in each([None, 3]):
            commits: list[AdminKey] = []
            key = AdminKey.new(KEY, try_limit=limit)
            with pytest.raises(CardError) as refused:
                authenticate(key, challenge, response, SeededEnv(0), commits.append, subject="admin key")
            assert refused.value.sw == SW.SECURITY_STATUS_NOT_SATISFIED
            assert [one.tries_left for one in commits] == ([] if limit is None else [2])


def watched(value: bytes, events: list[object]) -> Secret:
    """A key that notes when it is taken out for use."""

    class Watched(Secret):
        def reveal(self) -> bytes:
            events.append("used")
            return super().reveal()

    return Watched(value)


def test_a_limited_key_spends_its_try_before_the_comparison_and_gets_it_back() -> None:
    events: list[object] = []
    key = AdminKey(watched(KEY, events), 3, 2)
    events.clear()

    def commit(new: AdminKey) -> None:
        # `replace` makes a new key and so looks at the value once more: only what is between the commits counts.
        events.append(new.tries_left)

    authenticate(key, EXTERNAL, encrypt(KEY, EXTERNAL.card), SeededEnv(0), commit, subject="admin key")
    assert [event for event in events if event != "used"] == [1, 3]
    assert events.index(1) < events.index("used", events.index(1)) < events.index(3)


def test_a_card_that_cannot_store_the_try_does_not_compare() -> None:
    def fail(key: AdminKey) -> None:
        raise CardError(SW.MEMORY_FAILURE, "no power")

    key, response = AdminKey.new(KEY, try_limit=3), encrypt(KEY, EXTERNAL.card)
    with pytest.raises(CardError) as refused:
        authenticate(key, EXTERNAL, response, SeededEnv(0), fail, subject="admin key")
    assert refused.value.sw == SW.MEMORY_FAILURE


@pytest.mark.parametrize("challenge", [EXTERNAL, MUTUAL])
def test_a_key_without_tries_left_is_blocked_even_for_the_right_answer(challenge: Challenge) -> None:
    key = AdminKey(Secret(KEY), 3, 0)
    right = HOST_CRYPTOGRAM if challenge.is_mutual else encrypt(KEY, challenge.card)
    for use in (
        lambda: authenticate(key, challenge, right, SeededEnv(0), no_commit, subject="admin key"),
        lambda: check_not_blocked(key, subject="admin key"),
    ):
        with pytest.raises(CardError) as refused:
            use()
        assert refused.value.sw == SW.AUTHENTICATION_METHOD_BLOCKED


def test_a_key_without_a_limit_never_blocks_and_never_stores() -> None:
    key = AdminKey.new(KEY)
    check_not_blocked(key, subject="admin key")
    for _ in range(20):
        with pytest.raises(CardError, match="6982"):
            authenticate(key, EXTERNAL, bytes(8), SeededEnv(0), no_commit, subject="admin key")


@pytest.mark.parametrize(("limit", "left"), [(None, 1), (0, 0), (256, 1), (3, 4), (3, -1)])
def test_counters_that_make_no_sense_cannot_be_made(limit: int | None, left: int) -> None:
    with pytest.raises(ValueError):
        AdminKey(Secret(KEY), limit, left)


def test_a_new_limited_key_has_all_its_tries() -> None:
    assert AdminKey.new(KEY, try_limit=255) == replace(AdminKey.new(KEY), try_limit=255, tries_left=255)


@pytest.mark.parametrize(("challenge", "is_mutual"), [(EXTERNAL, False), (MUTUAL, True)])
def test_the_host_part_makes_a_challenge_mutual(challenge: Challenge, is_mutual: bool) -> None:
    assert challenge.is_mutual is is_mutual
