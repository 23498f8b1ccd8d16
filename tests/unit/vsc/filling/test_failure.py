"""vsc.filling.failure."""

import warnings

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import InvalidVersion

from tests.unit.vsc.filling import stuff
from vsc.errors import DamagedFile, MaterialError, UnsupportedFeature, WrongPassword
from vsc.filling.ber import BerError
from vsc.filling.failure import reading

CASES: list[tuple[BaseException, type[MaterialError], str]] = [
    (UnsupportedAlgorithm("RC9"), UnsupportedFeature, "the file holds what is not supported here: RC9"),
    (NotImplementedError(), UnsupportedFeature, "the file holds what is not supported here: NotImplementedError"),
    (ValueError("any words"), DamagedFile, "the file is damaged"),
    (TypeError("any words"), DamagedFile, "the file is damaged"),
    (InvalidVersion("no such version", 7), DamagedFile, "the file is damaged"),
    (BerError("cut off"), DamagedFile, "the file is damaged: cut off"),
    (MaterialError("ours"), MaterialError, "ours"),
]


@pytest.mark.parametrize(("raised", "kind", "words"), CASES, ids=lambda one: type(one).__name__)
def test_what_libraries_raise(raised: BaseException, kind: type[MaterialError], words: str) -> None:
    with pytest.raises(kind) as caught, reading("file"):
        raise raised
    assert str(caught.value) == words


@pytest.mark.parametrize(("password", "words"), [(None, "the file needs a password"), (b"x", "wrong password for the")])
def test_of_what_is_encrypted_the_password_is_wrong(password: bytes | None, words: str) -> None:
    with pytest.raises(WrongPassword, match=words), reading("file", password=password, is_encrypted=True):
        raise ValueError("padding")


def test_a_panic_of_the_library() -> None:
    with pytest.raises(DamagedFile, match="no library expected"), reading("file"):
        pkcs12.load_pkcs12(stuff.pfx(), b"a\x00b")


@pytest.mark.parametrize("other", [KeyboardInterrupt, SystemExit, FileNotFoundError])
def test_what_is_of_no_library_passes(other: type[BaseException]) -> None:
    with pytest.raises(other), reading("file"):
        raise other


def test_warnings_are_not_printed() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with reading("file"):
            warnings.warn("odd", stacklevel=1)
