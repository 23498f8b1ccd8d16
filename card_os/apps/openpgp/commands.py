"""The command table of an OpenPGP card: the specification's commands, and those of Yubico's that the card has."""

from card_os.apps.openpgp.data import GET_DATA, GET_NEXT_DATA, PUT_DATA, SELECT_DATA
from card_os.apps.openpgp.keys import GENERATE, IMPORT_KEY
from card_os.apps.openpgp.life_cycle import ACTIVATE, SELECT_FILE, TERMINATE
from card_os.apps.openpgp.pins import CHANGE_REFERENCE_DATA, RESET_RETRY_COUNTER, VERIFY
from card_os.apps.openpgp.rules import Rules
from card_os.apps.openpgp.security import (
    GET_CHALLENGE,
    INTERNAL_AUTHENTICATE,
    MANAGE_SECURITY_ENVIRONMENT,
    PERFORM_SECURITY_OPERATION,
)
from card_os.apps.openpgp.wire import Ins
from card_os.apps.openpgp.yubico import ATTEST, GET_VERSION, SET_RETRIES
from card_os.command import Command, Commands

_ALL: dict[int, Command | tuple[Command, ...]] = {
    Ins.VERIFY: VERIFY,
    Ins.MANAGE_SECURITY_ENVIRONMENT: MANAGE_SECURITY_ENVIRONMENT,
    Ins.CHANGE_REFERENCE_DATA: CHANGE_REFERENCE_DATA,
    Ins.PERFORM_SECURITY_OPERATION: PERFORM_SECURITY_OPERATION,
    Ins.RESET_RETRY_COUNTER: RESET_RETRY_COUNTER,
    Ins.ACTIVATE_FILE: ACTIVATE,
    Ins.GENERATE_ASYMMETRIC_KEY_PAIR: GENERATE,
    Ins.GET_CHALLENGE: GET_CHALLENGE,
    Ins.INTERNAL_AUTHENTICATE: INTERNAL_AUTHENTICATE,
    Ins.SELECT: SELECT_FILE,
    Ins.SELECT_DATA: SELECT_DATA,
    Ins.GET_DATA: GET_DATA,
    Ins.GET_NEXT_DATA: GET_NEXT_DATA,
    Ins.PUT_DATA: PUT_DATA,
    Ins.PUT_DATA_ODD: IMPORT_KEY,
    Ins.TERMINATE_DF: TERMINATE,
}
_YUBICO: dict[int, Command | tuple[Command, ...]] = {
    Ins.GET_VERSION: GET_VERSION,
    Ins.SET_PIN_RETRIES: SET_RETRIES,
    Ins.GET_ATTESTATION: ATTEST,
}


def commands(rules: Rules) -> Commands:
    """The rows of a card with these rules, by instruction."""
    return {**_ALL, **_YUBICO} if rules.yubico is not None else _ALL
