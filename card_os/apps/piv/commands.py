"""The command table of a PIV card: NIST's commands, and those of Yubico's that the card has."""

from card_os.apps.piv.attestation import ATTEST
from card_os.apps.piv.authentication import GENERAL_AUTHENTICATE
from card_os.apps.piv.data import GET_DATA, PUT_DATA
from card_os.apps.piv.keys import GENERATE, IMPORT_KEY, MOVE_KEY
from card_os.apps.piv.pins import CHANGE_REFERENCE_DATA, RESET_RETRY_COUNTER, VERIFY
from card_os.apps.piv.rules import Rules
from card_os.apps.piv.wire import Ins
from card_os.apps.piv.yubico import GET_METADATA, GET_SERIAL, GET_VERSION, RESET, SET_MANAGEMENT_KEY, SET_RETRIES
from card_os.command import Command, Commands

_NIST: dict[int, Command | tuple[Command, ...]] = {
    Ins.VERIFY: VERIFY,
    Ins.CHANGE_REFERENCE_DATA: CHANGE_REFERENCE_DATA,
    Ins.RESET_RETRY_COUNTER: RESET_RETRY_COUNTER,
    Ins.GENERATE_ASYMMETRIC_KEY_PAIR: GENERATE,
    Ins.GENERAL_AUTHENTICATE: GENERAL_AUTHENTICATE,
    Ins.GET_DATA: GET_DATA,
    Ins.PUT_DATA: PUT_DATA,
}
_YUBICO: dict[int, Command | tuple[Command, ...]] = {
    Ins.GET_SERIAL: GET_SERIAL,
    Ins.ATTEST: ATTEST,
    Ins.SET_RETRIES: SET_RETRIES,
    Ins.RESET: RESET,
    Ins.GET_VERSION: GET_VERSION,
    Ins.IMPORT_KEY: IMPORT_KEY,
    Ins.SET_MANAGEMENT_KEY: SET_MANAGEMENT_KEY,
}


def commands(rules: Rules) -> Commands:
    """The rows of a card with these rules, by instruction."""
    rows = dict(_NIST)
    if rules.yubico is not None:
        rows |= _YUBICO
        if rules.yubico.has_metadata:
            rows[Ins.GET_METADATA] = GET_METADATA
        if rules.yubico.has_move:
            rows[Ins.MOVE_KEY] = MOVE_KEY
    return dict(sorted(rows.items()))
