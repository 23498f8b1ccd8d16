"""OpenPGP cards of version 3.4, as GnuPG knows them: with a serial number of their own, and no maker's.

They differ in what a wrong PIN is answered: 6982, as most real cards do and Yubico's tools want it, or 63Cx with the
tries left, without which a PKCS#11 program does not learn that the PIN was wrong.
"""

from collections.abc import Callable
from typing import Final

from card_os.apps.openpgp import OpenPgp, OpenPgpState, Rules
from card_os.apps.openpgp.personalisation import personalised
from card_os.apps.openpgp.state import DEFAULT_ADMIN_PIN, DEFAULT_PIN, DEFAULT_TRIES
from card_os.atr import Atr, Interface
from card_os.command import TRIES_LEFT
from card_os.env import Env
from vsc.errors import RefusedError
from vsc.profiles.options import CardOptions
from vsc.profiles.profile import Profile, Recipe, States

MAX_TRIES: Final = 15
OPTIONS: Final = {
    "pin": DEFAULT_PIN,
    "puk": None,
    "admin_pin": DEFAULT_ADMIN_PIN,
    "tries": DEFAULT_TRIES,
    "puk_tries": DEFAULT_TRIES,
    "admin_tries": DEFAULT_TRIES,
}
"""puk: the resetting code."""


def state_of(options: CardOptions, env: Env, rules: Rules, max_tries: int, serial: int | None = None) -> OpenPgpState:
    """The state of a new card. serial: None: a random one. RefusedError for a password that breaks the rules of the
    card, ValueError for too many tries.
    """
    assert options.pin is not None
    assert options.admin_pin is not None
    for name, value, policy in (
        ("PIN", options.pin, rules.pin_rules),
        ("resetting code", options.puk, rules.admin_rules),
        ("admin PIN", options.admin_pin, rules.admin_rules),
    ):
        if value is not None and (broken := policy.violation(value)):
            raise RefusedError(f"the {name} is refused: {broken}")
    tries = [options.tries, options.puk_tries, options.admin_tries]
    if any(one is not None and not 1 <= one <= max_tries for one in tries):
        raise ValueError(f"a PIN, a resetting code and an admin PIN here have 1 to {max_tries} tries")
    return personalised(
        rules,
        serial=int.from_bytes(env.random_bytes(4), "big") if serial is None else serial,
        pin=options.pin,
        admin=options.admin_pin,
        resetting_code=options.puk,
        tries=options.tries or DEFAULT_TRIES,
        code_tries=options.puk_tries or DEFAULT_TRIES,
        admin_tries=options.admin_tries or DEFAULT_TRIES,
    )


def _making(rules: Rules) -> Callable[[CardOptions, Env], States]:
    return lambda options, env: (state_of(options, env, rules, MAX_TRIES),)


def _profile(name: str, title: str, rules: Rules) -> Profile:
    # OpenSC believes the union of what the ATR and 5F52 say, so they say the same; T=1 alone, because GnuPG cannot do
    # extended length over T=0 (openpgp.md sections 0 and 1.2).
    return Profile(
        name=name,
        title=title,
        atr=Atr((Interface(), Interface(protocol=1)), historical=rules.historical),
        applications=(OpenPgp(rules),),
        personalisation=Recipe(_making(rules), OPTIONS),
        pin_rules=rules.pin_rules,
        puk_rules=rules.admin_rules,
        max_tries=MAX_TRIES,
    )


OPENPGP = _profile("openpgp", "OpenPGP card 3.4", Rules())
OPENPGP_63CX = _profile(
    "openpgp-63cx", "OpenPGP card 3.4 that says how many tries are left", Rules(wrong_password=TRIES_LEFT)
)
