"""The two worlds of vsc.world, as `card_os.env.Env` asks for them."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from card_os.apps.gids.personalisation import personalised
from card_os.env import Env
from card_os.key_kind import KeyKind
from card_os.rsa import RsaPrivateKey
from card_os.symmetric import KEY_BYTES as SYMMETRIC
from vsc.profiles import GIDS
from vsc.world import SeededEnv, SystemEnv

WORLDS: list[Callable[[], Env]] = [SystemEnv, lambda: SeededEnv("a world")]
both_worlds = pytest.mark.parametrize("world", WORLDS, ids=["system", "seeded"])


@both_worlds
@pytest.mark.parametrize("count", [0, 1, 8, 16, 1000])
def test_random_bytes_come_in_the_number_asked_for(world: Callable[[], Env], count: int) -> None:
    assert len(world().random_bytes(count)) == count


@both_worlds
def test_random_bytes_do_not_repeat(world: Callable[[], Env]) -> None:
    env = world()
    assert len({env.random_bytes(16) for _ in range(1000)}) == 1000


@both_worlds
@pytest.mark.parametrize("bits", [1024, 2048])
def test_an_rsa_key_is_a_right_one_of_exactly_that_size(world: Callable[[], Env], bits: int) -> None:
    key = world().key(KeyKind(f"RSA-{bits}"))
    assert isinstance(key, RsaPrivateKey)
    assert key.n.bit_length() == bits
    assert key.p.bit_length() == key.q.bit_length() == bits // 2
    assert key.e == 65537
    library = key.library_key(check=True)
    signature = library.sign(b"message", padding.PKCS1v15(), SHA256())
    RSAPublicNumbers(key.e, key.n).public_key().verify(signature, b"message", padding.PKCS1v15(), SHA256())


KINDS = [kind for kind in KeyKind if kind not in SYMMETRIC and not kind.value.startswith("RSA-")]


@both_worlds
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_key_is_of_the_kind_that_was_asked_for(world: Callable[[], Env], kind: KeyKind) -> None:
    env = world()
    one, other = env.key(kind), env.key(kind)
    assert one.kind == other.kind == kind
    assert one != other


@both_worlds
@pytest.mark.parametrize("kind", SYMMETRIC, ids=str)
def test_a_symmetric_key_is_random_bytes(world: Callable[[], Env], kind: KeyKind) -> None:
    with pytest.raises(ValueError, match="come in no pairs"):
        world().key(kind)


@both_worlds
def test_somebody_is_there_to_touch_the_card(world: Callable[[], Env]) -> None:
    assert world().touched()
    assert world().touched(within_s=15.0)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_same_seed_gives_the_same_key_of_every_kind(kind: KeyKind) -> None:
    assert SeededEnv(1).key(kind) == SeededEnv(1).key(kind)


@pytest.mark.parametrize("seed", [0, "seed", b"seed"])
def test_the_same_seed_gives_the_same_bytes_and_the_same_key(seed: int | str | bytes) -> None:
    one, other = SeededEnv(seed), SeededEnv(seed)
    assert [one.random_bytes(n) for n in (8, 16, 8)] == [other.random_bytes(n) for n in (8, 16, 8)]
    assert one.rsa_key(1024) == other.rsa_key(1024)


def test_another_seed_gives_other_bytes_and_another_key() -> None:
    one, other = SeededEnv(1), SeededEnv(2)
    assert one.random_bytes(16) != other.random_bytes(16)
    assert one.rsa_key(1024).n != other.rsa_key(1024).n


def test_two_keys_of_one_seeded_world_differ() -> None:
    env = SeededEnv(1)
    assert env.rsa_key(1024) != env.rsa_key(1024)


KEY_FILE = "62 1B 820118 8302B081 8C058F10101000 A50B B609 800156 830181 950140"

# Every use of the world there is: a challenge, the card's half of a mutual authentication, a key.
COMMANDS = [
    "00A40400 09 A00000039742544659 00",
    "00200080 08 3132333435363738",
    "0022C1A4 03 830180",
    "00870000 04 7C028100 00",
    "00870000 14 7C12 8110 101112131415161718191A1B1C1D1E1F 00",
    f"00E00000 1D {KEY_FILE}",
    "00440000",
    "00470000 08 AC06 800106 830181 00",
    "002241B6 06 800156 840181",
    "002A9E9A 04 DEADBEEF 00",
]


def transcript(seed: int) -> list[bytes]:
    state = personalised(pin=b"12345678", admin_key=bytes(range(24)), card_id=bytes(16), tries=3)
    card = GIDS.card(GIDS.persistent(state), SeededEnv(seed))
    return [card.transmit(bytes.fromhex(command)) for command in COMMANDS]


def test_a_whole_transcript_repeats_byte_for_byte() -> None:
    answers = transcript(1)
    assert [answer[-2:].hex() for answer in answers] == ["9000"] * len(COMMANDS)
    assert transcript(1) == answers


def test_another_seed_changes_challenges_keys_and_signatures_and_nothing_else() -> None:
    differs = [one != other for one, other in zip(transcript(1), transcript(2), strict=True)]
    assert differs == [False] * 3 + [True] * 2 + [False] * 2 + [True, False, True]
