"""card_os.kept_key: the library's key is made once for each key, and is no part of its value."""

import copy
import pickle
from dataclasses import replace
from typing import Any

import pytest

from card_os import key as keys
from card_os.kept_key import KeepsLibraryKey
from card_os.key_kind import KeyKind
from vsc.world import SeededEnv

KINDS = (KeyKind.RSA_1024, KeyKind.P256, KeyKind.ED25519, KeyKind.X25519)


@pytest.fixture(params=KINDS, ids=str)
def key(request: pytest.FixtureRequest) -> Any:
    # Encoded and read back, so that no other test has it.
    return keys.decode(keys.encode(SeededEnv("kept key").key(request.param)))


def test_the_library_key_is_made_once(key: Any) -> None:
    assert key.library_key() is key.library_key()


def test_it_is_no_part_of_what_the_key_is(key: Any) -> None:
    fresh = replace(key)
    before = repr(key), hash(key), bytes(key)
    key.library_key()
    assert (repr(key), hash(key), bytes(key)) == before
    assert fresh == key


def test_a_copy_of_any_kind_is_without_it(key: Any) -> None:
    kept = key.library_key()
    for other in (copy.copy(key), copy.deepcopy(key), pickle.loads(pickle.dumps(key)), replace(key)):
        assert other == key
        assert other.library_key() is not kept


def test_what_cannot_be_made_is_not_kept() -> None:
    class Kept(KeepsLibraryKey[int]):
        __slots__ = ()

        def value(self, number: int | None) -> int:
            return self._kept(lambda: int(str(number)))

    kept = Kept()
    with pytest.raises(ValueError):
        kept.value(None)
    assert (kept.value(1), kept.value(2)) == (1, 1)
