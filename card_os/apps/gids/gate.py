"""What the rows of GIDS share: who may at all, by the life cycle of the application; cases of refusals; lengths."""

from card_os.apdu import MAX_NC
from card_os.apps.gids.state import GidsState, GidsVolatile, LifeCycle
from card_os.command import Access, Session
from card_os.sw import SW, CardError

TERMINATED_WORDS = "the application is terminated"
NO_KEY_FILE = "there is no such key file"
NO_FILE = "there is no such file"
NOT_ACTIVE = "the key file is not activated"
NO_CURRENT = "no file is selected"
NOT_TLV = "the data are not the data objects that belong here"
RULE = "the access rule wants a right (PIN, admin key) that is not proved now"
"""Cases of refusals that several commands have."""


def _in(*allowed: LifeCycle, words: str, rule: str = "") -> Access:
    """Who is in these states of the life cycle; 6986 before them, 6985 once terminated. rule: 6982 of the handler."""

    def check(session: Session[GidsState, GidsVolatile]) -> None:
        life_cycle = session.state.life_cycle
        if life_cycle in allowed:
            return
        if life_cycle == LifeCycle.TERMINATED:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, TERMINATED_WORDS)
        raise CardError(SW.COMMAND_NOT_ALLOWED, f"not allowed in the {life_cycle.name.lower()} state")

    refusals: dict[int, str] = {SW.SECURITY_STATUS_NOT_SATISFIED: rule} if rule else {}
    if LifeCycle.TERMINATED not in allowed:
        refusals[SW.CONDITIONS_NOT_SATISFIED] = TERMINATED_WORDS
    if LifeCycle.INITIALISATION not in allowed:
        refusals[SW.COMMAND_NOT_ALLOWED] = "the application is not operational yet"
    elif LifeCycle.CREATION not in allowed:
        refusals[SW.COMMAND_NOT_ALLOWED] = "the application is still being made (creation state)"
    return Access(words, check, refusals)


_CREATION, _INITIALISATION, _OPERATIONAL, _TERMINATED = LifeCycle
_BY_RULE = "the rule of the file (free before the card is operational)"

ALWAYS = _in(*LifeCycle, words="always")
LIVING = _in(_INITIALISATION, _OPERATIONAL, words="always, until terminated")
OLD_VALUE = _in(_INITIALISATION, _OPERATIONAL, words="the old value (none while initialising)")
READ_RULE = _in(_INITIALISATION, _OPERATIONAL, _TERMINATED, words=_BY_RULE, rule=RULE)
WRITE_RULE = _in(_CREATION, _INITIALISATION, _OPERATIONAL, words=_BY_RULE, rule=RULE)
FILE_RULE = _in(_INITIALISATION, _OPERATIONAL, words=_BY_RULE, rule=RULE)
OPERATIONAL = _in(_OPERATIONAL, words="always, once operational")
ADMIN_OR_PUK = _in(_OPERATIONAL, words="admin key or PUK, once operational")
DF_RULE = _in(
    _INITIALISATION, _OPERATIONAL, words="the rule of the DF (free before the card is operational)", rule=RULE
)
DF_RULE_OPERATIONAL = _in(_OPERATIONAL, words="the rule of the DF, once operational", rule=RULE)
USE_RULE = _in(_OPERATIONAL, words="the rule of the key, once operational", rule=RULE)

ANY_BYTES = range(MAX_NC + 1)
SOME_BYTES = range(1, MAX_NC + 1)
NO_BYTES = range(1)
P1P2_0000 = range(1)
