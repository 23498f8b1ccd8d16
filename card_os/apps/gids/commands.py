"""The command table of GIDS: the rows that stand beside their handlers, by instruction.

Where a right hangs on a file and not on the command, the row says so in words and the handler asks the file.
"""

from collections.abc import Mapping

from card_os.apps.gids import authentication, data, files, keys, pins, security, select
from card_os.apps.gids.wire import Ins
from card_os.command import Command

COMMANDS: Mapping[int, Command] = {
    Ins.VERIFY: pins.VERIFY,
    Ins.MANAGE_SECURITY_ENVIRONMENT: security.MANAGE_SECURITY_ENVIRONMENT,
    Ins.CHANGE_REFERENCE_DATA: pins.CHANGE_REFERENCE_DATA,
    Ins.PERFORM_SECURITY_OPERATION: security.PERFORM_SECURITY_OPERATION,
    Ins.RESET_RETRY_COUNTER: pins.RESET_RETRY_COUNTER,
    Ins.ACTIVATE_FILE: files.ACTIVATE_FILE,
    Ins.GENERATE_ASYMMETRIC_KEY_PAIR: keys.GENERATE_ASYMMETRIC_KEY_PAIR,
    Ins.GENERAL_AUTHENTICATE: authentication.GENERAL_AUTHENTICATE,
    Ins.INTERNAL_AUTHENTICATE: authentication.INTERNAL_AUTHENTICATE,
    Ins.SELECT: select.SELECT,
    Ins.GET_DATA: data.GET_DATA,
    Ins.PUT_DATA: data.PUT_DATA,
    Ins.CREATE_FILE: files.CREATE_FILE,
    Ins.DELETE_FILE: files.DELETE_FILE,
    Ins.TERMINATE_DF: files.TERMINATE_DF,
}
