"""Which status words each GIDS command answers beside 9000, and when: what `explain` tells of a log without reasons.

Wrong P1-P2 (6A86), and lengths that the row does not accept (6700), are in the command table itself. 63C0 stands for
all of 63C0 to 63CF.
"""

from collections.abc import Mapping

from card_os.apps.gids.wire import Ins
from card_os.sw import SW

TRIES_LEFT = 0x63C0
Refusals = Mapping[int, str]

_TERMINATED = "the application is terminated"
_NOT_YET = "the application is not operational yet"
_NOT_NOW = "the application is still being made (creation state)"
_NO_KEY_FILE = "there is no such key file"
_NOT_ACTIVE = "the key file is not activated"
_NO_FILE = "there is no such file"
_NO_CURRENT = "no file is selected"
_NOT_TLV = "the data are not the data objects that belong here"
_RULE = "the access rule wants a right (PIN, admin key) that is not proved now"
_STORE: Refusals = {SW.MEMORY_FAILURE: "the change could not be stored"}


def _any(*words: str) -> str:
    return "; or ".join(words)


REFUSALS: Mapping[int, Refusals] = {
    Ins.VERIFY: {
        TRIES_LEFT: "the value was wrong and has cost a try; without data: it is not verified, and nothing was spent",
        SW.AUTHENTICATION_METHOD_BLOCKED: "no tries are left: the PIN must be reset",
        SW.REFERENCE_DATA_NOT_USABLE: "no value has been set",
        SW.REFERENCE_NOT_FOUND: "there is no such PIN: P2 80 is the PIN, 81 the PUK, 82 logs out",
        SW.COMMAND_NOT_ALLOWED: _any(_NOT_NOW, "nothing is compared before the application is operational"),
        SW.CONDITIONS_NOT_SATISFIED: _TERMINATED,
        **_STORE,
    },
    Ins.MANAGE_SECURITY_ENVIRONMENT: {
        SW.REFERENCE_NOT_FOUND: _any(_NO_KEY_FILE, "there is no key in it yet"),
        SW.WRONG_DATA: _any(_NOT_TLV, "the key was not made for this use or algorithm"),
        SW.SECURITY_STATUS_NOT_SATISFIED: _RULE,
        SW.CONDITIONS_NOT_SATISFIED: _any(_NOT_ACTIVE, _TERMINATED),
        SW.COMMAND_NOT_ALLOWED: _NOT_YET,
    },
    Ins.CHANGE_REFERENCE_DATA: {
        TRIES_LEFT: "the old value was wrong and has cost a try",
        SW.AUTHENTICATION_METHOD_BLOCKED: "no tries are left: the PIN must be reset",
        SW.REFERENCE_DATA_NOT_USABLE: "no value has been set",
        SW.REFERENCE_NOT_FOUND: "there is no such PIN: P2 80 is the PIN, 81 the PUK",
        SW.WRONG_DATA: "the policy forbids the new value",
        SW.COMMAND_NOT_ALLOWED: _any(_NOT_NOW, "P1 01, without the old value, is for initialising, P1 00 for later"),
        SW.CONDITIONS_NOT_SATISFIED: _TERMINATED,
        **_STORE,
    },
    Ins.PERFORM_SECURITY_OPERATION: {
        SW.CONDITIONS_NOT_SATISFIED: _any(
            "MANAGE SECURITY ENVIRONMENT has chosen no key for it",
            "one PIN entry is good for no more uses",
            _TERMINATED,
        ),
        SW.SECURITY_STATUS_NOT_SATISFIED: _RULE,
        SW.REFERENCE_NOT_FOUND: _NO_KEY_FILE,
        SW.REFERENCE_DATA_NOT_USABLE: "the key was erased",
        SW.FUNCTION_NOT_SUPPORTED: "a key of this kind cannot do that",
        SW.WRONG_DATA: "the data do not fit the key, or their padding is wrong",
        SW.WRONG_LENGTH: "the data are not as long as the key wants them",
        SW.COMMAND_NOT_ALLOWED: _NOT_YET,
    },
    Ins.RESET_RETRY_COUNTER: {
        TRIES_LEFT: "the PUK was wrong and has cost a try",
        SW.AUTHENTICATION_METHOD_BLOCKED: "the PUK has no tries left",
        SW.SECURITY_STATUS_NOT_SATISFIED: "the admin key is not authenticated now",
        SW.REFERENCE_NOT_FOUND: "only the PIN (P2 80) can be reset, with P1 00 by a PUK that the card may not have",
        SW.WRONG_DATA: "the policy forbids the new PIN",
        SW.CONDITIONS_NOT_SATISFIED: _any("this card has a PUK, and resets its PIN by that", _TERMINATED),
        SW.COMMAND_NOT_ALLOWED: _NOT_YET,
        **_STORE,
    },
    Ins.ACTIVATE_FILE: {
        SW.FILE_NOT_FOUND: "the current file has been deleted",
        SW.COMMAND_NOT_ALLOWED: _NOT_NOW,
        SW.CONDITIONS_NOT_SATISFIED: _TERMINATED,
        **_STORE,
    },
    Ins.GENERATE_ASYMMETRIC_KEY_PAIR: {
        SW.REFERENCE_NOT_FOUND: _NO_KEY_FILE,
        SW.SECURITY_STATUS_NOT_SATISFIED: _RULE,
        SW.FUNCTION_NOT_SUPPORTED: "this card has no such algorithm",
        SW.WRONG_DATA: _any(_NOT_TLV, "the file was not made for this algorithm"),
        SW.CONDITIONS_NOT_SATISFIED: _any(_NOT_ACTIVE, _TERMINATED),
        SW.COMMAND_NOT_ALLOWED: _NOT_NOW,
        **_STORE,
    },
    Ins.GENERAL_AUTHENTICATE: {
        SW.SECURITY_STATUS_NOT_SATISFIED: _any("the response to the challenge was wrong", _RULE),
        SW.AUTHENTICATION_METHOD_BLOCKED: "the admin key has no tries left",
        SW.CONDITIONS_NOT_SATISFIED: _any(
            "MANAGE SECURITY ENVIRONMENT has chosen no key for it",
            "no challenge is open: it is good for one answer, and any other command ends it",
            _TERMINATED,
        ),
        SW.REFERENCE_NOT_FOUND: _NO_KEY_FILE,
        SW.REFERENCE_DATA_NOT_USABLE: "the key was erased",
        SW.FUNCTION_NOT_SUPPORTED: "the key that was chosen is no admin key",
        SW.WRONG_DATA: _NOT_TLV,
        SW.COMMAND_NOT_ALLOWED: _NOT_YET,
        **_STORE,
    },
    Ins.INTERNAL_AUTHENTICATE: {
        SW.CONDITIONS_NOT_SATISFIED: _any(
            "MANAGE SECURITY ENVIRONMENT has chosen no key for it",
            "one PIN entry is good for no more uses",
            _TERMINATED,
        ),
        SW.SECURITY_STATUS_NOT_SATISFIED: _RULE,
        SW.REFERENCE_NOT_FOUND: _NO_KEY_FILE,
        SW.REFERENCE_DATA_NOT_USABLE: "the key was erased",
        SW.FUNCTION_NOT_SUPPORTED: "only an elliptic curve key can, and only sign a challenge",
        SW.WRONG_DATA: _any(_NOT_TLV, "the challenge does not fit the key"),
        SW.COMMAND_NOT_ALLOWED: _NOT_YET,
    },
    Ins.SELECT: {
        SW.FILE_NOT_FOUND: _any(_NO_FILE, "there are no more files"),
        SW.WARNING_TERMINATED: "it is selected, and it is terminated: only what anybody may read can be read",
    },
    Ins.GET_DATA: {
        SW.SECURITY_STATUS_NOT_SATISFIED: _RULE,
        SW.FILE_NOT_FOUND: _NO_FILE,
        SW.REFERENCE_NOT_FOUND: "there is none of the data objects, or no such key",
        SW.INCOMPATIBLE_WITH_FILE: "a key file holds no data objects",
        SW.WRONG_DATA: "the data are not a tag list (5C), nor on 3FFF the question for a public key (70)",
        SW.COMMAND_NOT_ALLOWED: _any(_NO_CURRENT, _NOT_NOW),
    },
    Ins.PUT_DATA: {
        SW.SECURITY_STATUS_NOT_SATISFIED: _RULE,
        SW.FILE_NOT_FOUND: _NO_FILE,
        SW.REFERENCE_NOT_FOUND: _NO_KEY_FILE,
        SW.INCOMPATIBLE_WITH_FILE: "a key file holds no data objects: keys are stored on 3FFF",
        SW.WRONG_DATA: _any("the data are not one data object", "the value is no such key, or no possible PIN policy"),
        SW.FUNCTION_NOT_SUPPORTED: "this card has no transport keys, or no keys of this kind",
        SW.NC_INCONSISTENT_WITH_TLV: "the length that the object says is not its length",
        SW.NOT_ENOUGH_MEMORY: "the object is too large, or the file has too many",
        SW.INCORRECT_P1P2: "in the creation state P1-P2 is 0000",
        SW.CONDITIONS_NOT_SATISFIED: _any(_TERMINATED, "in the creation state another template comes next"),
        SW.COMMAND_NOT_ALLOWED: _NO_CURRENT,
        **_STORE,
    },
    Ins.CREATE_FILE: {
        SW.SECURITY_STATUS_NOT_SATISFIED: _any(_RULE, "an admin key is made with the admin key only"),
        SW.FILE_EXISTS: "there is a file with this identifier",
        SW.NOT_ENOUGH_MEMORY: "the application is full of files",
        SW.FUNCTION_NOT_SUPPORTED: "this card has no such algorithm",
        SW.WRONG_DATA: "the data are not the control parameters (62) of a file that can be made",
        SW.CONDITIONS_NOT_SATISFIED: _TERMINATED,
        SW.COMMAND_NOT_ALLOWED: _NOT_NOW,
        **_STORE,
    },
    Ins.DELETE_FILE: {
        SW.SECURITY_STATUS_NOT_SATISFIED: _RULE,
        SW.FILE_NOT_FOUND: "the current file has been deleted already",
        SW.COMMAND_NOT_ALLOWED: _any(_NO_CURRENT, _NOT_YET),
        SW.CONDITIONS_NOT_SATISFIED: _TERMINATED,
        **_STORE,
    },
    Ins.TERMINATE_DF: {
        SW.SECURITY_STATUS_NOT_SATISFIED: _any(_RULE, "a card of ours gives it to nobody"),
        SW.COMMAND_NOT_ALLOWED: _NOT_YET,
        SW.CONDITIONS_NOT_SATISFIED: _TERMINATED,
        **_STORE,
    },
}
