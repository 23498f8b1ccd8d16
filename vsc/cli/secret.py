"""Where secrets come from: a prompt, an environment variable, a file. Never the command line, which others can read.

A source that is no word of these is refused without a look at what it says: it may be the secret itself.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from card_os.admin import KEY_BYTES
from card_os.pin import NO_POLICY, PinPolicy
from vsc.cli.environment import secret_in
from vsc.errors import Cancelled, VscError
from vsc.interaction.terminal import open_terminal
from vsc.text.byte_order_mark import without_mark
from vsc.text.reading import MAX_SECRET_BYTES, TooLargeError, read_file

DEFAULT_PIN = "12345678"
DEFAULT_ADMIN_KEY = "0102030405060708" * 3
PIN_SOURCES = "prompt|default|env:VAR|file:PATH"
ADMIN_KEY_SOURCES = "random|default|prompt|env:VAR|file:PATH"
PASSWORD_SOURCES = "prompt|env:VAR|file:PATH"
KNOWN_KEY_SOURCES = "prompt|default|env:VAR|file:PATH"
STORED_KEY_SOURCES = "stored|prompt|default|env:VAR|file:PATH"


def _from(source: str, option: str, words: dict[str, Callable[[], str]], sources: str) -> str:
    kind, separator, where = source.partition(":")
    if not separator and source in words:
        return words[source]()
    if kind == "env" and where:
        value = secret_in(where)
        if value is None:
            raise click.BadParameter(f"the environment variable {where} is not set", param_hint=option)
        return value
    if kind == "file" and where:
        try:
            return without_mark(read_file(Path(where), MAX_SECRET_BYTES)).decode().removesuffix("\n").removesuffix("\r")
        except TooLargeError as error:
            raise click.BadParameter(str(error), param_hint=option) from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise click.BadParameter(f"{where} cannot be read: {reason}", param_hint=option) from None
    raise click.BadParameter(f"say {sources}, never the secret itself", param_hint=option)


def ask(text: str, option: str, *, twice: bool = True) -> str:
    """Asks on the terminal, hidden; a new secret twice. A usage error if stdin is no terminal. Cancelled."""
    if not sys.stdin.isatty():
        raise click.BadParameter("there is no terminal to ask on", param_hint=option)
    with open_terminal() as terminal:
        while True:  # Until a person has typed something, or cancels.
            answer = _answered(terminal.ask(f"{text}: "))
            if not answer:
                continue
            if not twice or _answered(terminal.ask("Repeat for confirmation: ")) == answer:
                return answer
            terminal.write("The two differ.\n")


def _answered(line: str | None) -> str:
    if line is None:
        raise Cancelled
    return line


def confirm(question: str) -> None:
    """Asks for yes or no on the terminal. Cancelled unless it is yes; a usage error if stdin is no terminal."""
    if not sys.stdin.isatty():
        raise click.UsageError("no terminal to ask on: say --yes")
    with open_terminal() as terminal:
        if not terminal.confirms(question):
            raise Cancelled


def read_new_pin(source: str | None, *, card: str, policy: PinPolicy | None, default: bytes, option: str) -> bytes:
    """Returns the PIN for a new card; on a terminal a person is asked, with its rules, until it keeps to them.

    Cancelled; a usage error if there is no terminal to ask on.
    """
    if source not in (None, "prompt") or not sys.stdin.isatty():
        return read_pin(source, default=default, option=option)
    from vsc.api.asking import Asker

    return Asker(card, None).new_pin(NO_POLICY if policy is None else policy)


def read_pin(source: str | None, *, default: bytes, option: str = "--pin", what: str = "PIN") -> bytes:
    """Returns the new PIN (or PUK) that `option` names; without a source asks on a terminal, else a usage error."""
    if source is None:
        if not sys.stdin.isatty():
            raise click.UsageError(f"no terminal to ask for a {what} on: say {option} {PIN_SOURCES}")
        source = "prompt"
    words = {"prompt": lambda: ask(f"New {what}", option), "default": default.decode}
    return _encoded(_from(source, option, words, PIN_SOURCES))


def read_known(source: str, option: str, *, what: str) -> bytes:
    """Returns the PIN or PUK, as it is now, that `option` names; `prompt` asks once."""
    words = {"prompt": lambda: ask(what, option, twice=False), "default": lambda: _usual(what)}
    return _encoded(_from(source, option, words, PIN_SOURCES))


def read_password(source: str, option: str, *, what: str) -> bytes:
    """Returns the password of a file that `option` names; `prompt` asks once."""
    return _encoded(_from(source, option, {"prompt": lambda: ask(what, option, twice=False)}, PASSWORD_SOURCES))


def given_pin(source: str | None, option: str) -> bytes | None:
    """Returns the PIN that `option` names; None where a person is to be asked, which is the facade's part."""
    if source is None or source == "prompt":
        return None
    return _encoded(_from(source, option, {"default": lambda: _usual("PIN")}, PIN_SOURCES))


def _usual(what: str) -> str:
    """What `default` stands for: the PIN (or PUK) that cards for tests have of the kind that the command's NAME is."""
    from vsc.factory import home_store
    from vsc.profiles import CardOptions

    context = click.get_current_context(silent=True)
    name = None if context is None else context.params.get("name")
    with suppress(VscError, OSError):
        if name is not None:
            options = home_store().read(name).profile.completed(CardOptions())
            value = options.puk if what == "PUK" else options.pin
            return DEFAULT_PIN if value is None else value.decode()
    return DEFAULT_PIN


def _encoded(text: str) -> bytes:
    # A variable that is not UTF-8 comes with its bytes escaped: they are the PIN.
    return text.encode(errors="surrogateescape")


def read_admin_key(source: str, *, default: bytes, option: str = "--admin-key") -> bytes | None:
    """Returns the 24 bytes of a new admin key; None for a random one."""
    return None if source == "random" else _key(source, option, ADMIN_KEY_SOURCES, {"default": default.hex})


def read_known_admin_key(source: str, *, stored: Callable[[], bytes] | None = None) -> bytes:
    """Returns the 24 bytes of the admin key as it is now. stored: reads it from the store, where that is possible."""
    if source == "stored" and stored is not None:
        return stored()
    sources = STORED_KEY_SOURCES if stored else KNOWN_KEY_SOURCES
    return _key(source, "--admin-key", sources, {"default": lambda: DEFAULT_ADMIN_KEY}, twice=False)


def _key(source: str, option: str, sources: str, words: dict[str, Callable[[], str]], *, twice: bool = True) -> bytes:
    question = f"Admin key ({2 * KEY_BYTES} hexadecimal digits)"
    words = {"prompt": lambda: ask(question, option, twice=twice), **words}
    text = _from(source, option, words, sources)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise click.BadParameter(f"an admin key is {2 * KEY_BYTES} hexadecimal digits", param_hint=option)
    return key


@contextmanager
def asking(hint: str) -> Iterator[None]:
    """Around what may ask a person for a PIN: where nobody can be asked, that is a usage error with this hint."""
    from vsc.interaction import NobodyToAsk
    from vsc.interaction.pinentry import PinentryError

    try:
        yield
    except NobodyToAsk:
        raise click.UsageError(f"there is nobody to ask, no terminal and no pinentry: say {hint}") from None
    except PinentryError as error:
        # One without a window is no use where there is no terminal.
        raise click.UsageError(f"there is nobody to ask ({error}): say {hint}") from None
