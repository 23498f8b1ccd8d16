"""The one place where what others raise becomes ours.

`cryptography` tells most of what can go wrong with a file by the words of a ValueError. Whoever reads a file here
knows more: whether it is encrypted, whether it looks like what it should be. So the four cases that people can do
something about are told apart: wrong password, damage, another format, a feature that is not supported.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import InvalidVersion

from vsc.errors import DamagedFile, MaterialError, UnsupportedFeature, WrongPassword
from vsc.filling.ber import BerError

_PANIC = "PanicException"
"""What the library's Rust code raises where it has a mistake of its own: no Exception, and of no module."""


@contextmanager
def reading(what: str, *, password: bytes | None = None, is_encrypted: bool = False) -> Iterator[None]:
    """Around work of libraries on a file. MaterialError and its kinds instead of whatever they raise.

    what: names the file, as in "PFX file". password: the one that is tried. is_encrypted: what fails now is
    deciphering, or what came of it, so that the password is what is wrong.
    """
    try:
        with quiet():
            yield
    except (MaterialError, OSError):
        raise
    except (UnsupportedAlgorithm, NotImplementedError) as error:
        raise UnsupportedFeature(f"the {what} holds what is not supported here: {_words(error)}") from None
    except (ValueError, TypeError, InvalidVersion) as error:
        if is_encrypted:
            raise password_error(what, password) from None
        raise DamagedFile(f"the {what} is damaged{_because(error)}") from None
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise DamagedFile(f"the {what} is damaged, in a way that no library expected") from None


@contextmanager
def quiet() -> Iterator[None]:
    """What is odd about somebody's certificate is no news here, and would be printed between the lines."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def password_error(what: str, password: bytes | None) -> WrongPassword:
    return WrongPassword(f"wrong password for the {what}" if password else f"the {what} needs a password")


def _because(error: BaseException) -> str:
    return f": {error}" if isinstance(error, BerError) else ""


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
