"""The command table of GIDS: each row is what the card accepts, from whom, who answers, and where it is defined.

Where a right hangs on a file and not on the command, the row says so in words and the handler asks the file.
"""

from collections.abc import Mapping
from dataclasses import replace

from card_os.apdu import MAX_NC
from card_os.apps.gids import authentication, data, files, keys, pins, security, select
from card_os.apps.gids.refusals import REFUSALS
from card_os.apps.gids.session import (
    ADMIN_OR_PUK,
    ALWAYS,
    DF_RULE,
    DF_RULE_OPERATIONAL,
    FILE_RULE,
    LIVING,
    OLD_VALUE,
    OPERATIONAL,
    READ_RULE,
    USE_RULE,
    WRITE_RULE,
)
from card_os.apps.gids.wire import Ins
from card_os.command import Command

_ANY = range(MAX_NC + 1)
_SOME = range(1, MAX_NC + 1)
_NONE = range(1)
_P1P2_0000 = range(1)
# GET and PUT DATA name any file but FFFF.
_FILE = range(0xFFFF)

_ROWS = {
    Ins.VERIFY: Command(
        "VERIFY", pins.VERIFY_P1P2, _ANY, LIVING, pins.verify_command, "GIDS 2.0, 12.17", chaining=True
    ),
    Ins.MANAGE_SECURITY_ENVIRONMENT: Command(
        "MANAGE SECURITY ENVIRONMENT",
        security.MSE_P1P2,
        _SOME,
        USE_RULE,
        security.manage_security_environment,
        "GIDS 2.0, 12.10",
    ),
    Ins.CHANGE_REFERENCE_DATA: Command(
        "CHANGE REFERENCE DATA", pins.CHANGE_P1P2, _SOME, OLD_VALUE, pins.change_reference_data, "GIDS 2.0, 12.3"
    ),
    Ins.PERFORM_SECURITY_OPERATION: Command(
        "PERFORM SECURITY OPERATION",
        frozenset({security.COMPUTE_DIGITAL_SIGNATURE, security.DECIPHER}),
        _SOME,
        USE_RULE,
        security.perform_security_operation,
        "GIDS 2.0, 12.11",
        chaining=True,
    ),
    Ins.RESET_RETRY_COUNTER: Command(
        "RESET RETRY COUNTER", pins.RESET_P1P2, _SOME, ADMIN_OR_PUK, pins.reset_retry_counter, "GIDS 2.0, 12.14"
    ),
    Ins.ACTIVATE_FILE: Command("ACTIVATE FILE", _P1P2_0000, _NONE, LIVING, files.activate_file, "GIDS 2.0, 12.1"),
    Ins.GENERATE_ASYMMETRIC_KEY_PAIR: Command(
        "GENERATE ASYMMETRIC KEY PAIR", _P1P2_0000, _SOME, FILE_RULE, keys.generate, "GIDS 2.0, 12.5"
    ),
    Ins.GENERAL_AUTHENTICATE: Command(
        "GENERAL AUTHENTICATE",
        _P1P2_0000,
        _SOME,
        OPERATIONAL,
        authentication.general_authenticate,
        "GIDS 2.0, 12.6",
        chaining=True,
    ),
    Ins.INTERNAL_AUTHENTICATE: Command(
        "INTERNAL AUTHENTICATE",
        _P1P2_0000,
        _SOME,
        USE_RULE,
        authentication.internal_authenticate,
        "GIDS 2.0, 12.9",
    ),
    Ins.SELECT: Command("SELECT", select.SELECT_P1P2, frozenset({0, 2}), ALWAYS, select.select, "GIDS 2.0, 12.15"),
    Ins.GET_DATA: Command("GET DATA", _FILE, _SOME, READ_RULE, data.get_data, "GIDS 2.0, 12.7 and 12.8"),
    Ins.PUT_DATA: Command(
        "PUT DATA", _FILE, _SOME, WRITE_RULE, data.put_data, "GIDS 2.0, 12.12 and 12.13", chaining=True
    ),
    Ins.CREATE_FILE: Command("CREATE FILE", _P1P2_0000, _SOME, DF_RULE, files.create_file, "GIDS 2.0, 12.2"),
    Ins.DELETE_FILE: Command(
        "DELETE FILE", _P1P2_0000, _NONE, DF_RULE_OPERATIONAL, files.delete_file, "GIDS 2.0, 12.4"
    ),
    Ins.TERMINATE_DF: Command(
        "TERMINATE DF", _P1P2_0000, _NONE, DF_RULE_OPERATIONAL, files.terminate_df, "GIDS 2.0, 12.16"
    ),
}

COMMANDS: Mapping[int, Command] = {ins: replace(row, refusals=REFUSALS[ins]) for ins, row in _ROWS.items()}
