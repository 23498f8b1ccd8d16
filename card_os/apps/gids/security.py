"""MANAGE SECURITY ENVIRONMENT and PERFORM SECURITY OPERATION: choose a key, then sign or decipher with it."""

from collections.abc import Mapping

from card_os import ec, rsa
from card_os.apdu import CommandApdu
from card_os.apps.gids import gate
from card_os.apps.gids.keys import algorithm_words, key_words
from card_os.apps.gids.session import GidsSession, find_key_file, key_id_byte, one_byte, require
from card_os.apps.gids.state import Environment, KeyUse, PrivateKey
from card_os.apps.gids.wire import RSA_BITS, USAGE_VERIFY, Crt, FileOperation, Padding
from card_os.command import Command, Refusals
from card_os.ec import EcPrivateKey
from card_os.rsa import RsaPrivateKey
from card_os.sw import SW, CardError
from card_os.tlv import Template
from card_os.words import byte_count, either, joined, objects, value

COMPUTE_DIGITAL_SIGNATURE = 0x9E9A
DECIPHER = 0x8086

_PADDING_INDICATOR = b"\x00"


def manage_security_environment(session: GidsSession, apdu: CommandApdu) -> bytes:
    """MSE SET: { 80 algorithm, 83 or 84 key id }; makes it the current component of its kind (P2)."""
    template = Template.parse(apdu.data, subject="MSE")
    if any(one.tag not in (0x80, 0x83, 0x84) for one in template):
        raise CardError(SW.WRONG_DATA, "only 80, 83 and 84 belong here", subject="MSE")
    reference = template.get(0x84)
    key_id = key_id_byte(template.need(0x83, subject="MSE") if reference is None else reference)
    file = find_key_file(session, key_id)
    if not file.is_active:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "the key file is not activated", subject=f"key {key_id:02X}")
    require(session, file, FileOperation.USE_KEY)
    algorithm = template.get(0x80)
    crt = Crt(apdu.p2)
    use = file.find_use(crt, None if algorithm is None else one_byte(algorithm, "an algorithm"))
    if use is None:
        raise CardError(SW.WRONG_DATA, "the key was not made for this use", subject=f"key {key_id:02X}")
    if file.key is None:
        raise CardError(SW.REFERENCE_NOT_FOUND, "there is no key yet", subject=f"key {key_id:02X}")
    session.volatile.environment[crt] = Environment(key_id, use)
    return b""


def current_key(session: GidsSession, crt: Crt) -> tuple[KeyUse, PrivateKey]:
    """Returns the key that MSE made current for `crt`, once more allowed by its rule and counted as used.

    6985: no MSE before, or the key has been used as often as one PIN entry allows; 6984: the key has been erased.
    """
    component = session.volatile.environment.get(crt)
    if component is None:
        raise CardError(
            SW.CONDITIONS_NOT_SATISFIED, "MANAGE SECURITY ENVIRONMENT has chosen no key", subject=crt.name.lower()
        )
    file = find_key_file(session, component.key_id)
    subject = f"key {component.key_id:02X}"
    if component.use not in file.uses:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "the key was replaced by one for another use", subject=subject)
    require(session, file, FileOperation.USE_KEY)
    if file.key is None:
        raise CardError(SW.REFERENCE_DATA_NOT_USABLE, "the key was erased", subject=subject)
    # The counter limits what one PIN entry is good for (GIDS section 7.4); an admin key is proved, not used.
    if component.use.max_uses and not component.use.usage & USAGE_VERIFY:
        _count_use(session, component.key_id, component.use.max_uses)
    return component.use, file.key


def _count_use(session: GidsSession, key_id: int, max_uses: int) -> None:
    used = session.volatile.uses.get(key_id, 0)
    if used >= max_uses:
        raise CardError(
            SW.CONDITIONS_NOT_SATISFIED,
            f"one PIN entry is good for {max_uses} uses",
            subject=f"key {key_id:02X}",
            missing="PIN, entered again",
        )
    session.volatile.uses[key_id] = used + 1


def perform_security_operation(session: GidsSession, apdu: CommandApdu) -> bytes:
    """PSO: COMPUTE DIGITAL SIGNATURE (9E9A) or DECIPHER (8086) with the current key."""
    if apdu.p1p2 == COMPUTE_DIGITAL_SIGNATURE:
        return _sign(session, apdu.data)
    return _decipher(session, apdu.data)


def _sign(session: GidsSession, data: bytes) -> bytes:
    use, key = current_key(session, Crt.SIGNATURE)
    if isinstance(key, EcPrivateKey):
        return ec.sign(key, data)
    if not isinstance(key, RsaPrivateKey):
        raise CardError(SW.FUNCTION_NOT_SUPPORTED, "this key cannot sign", subject="PSO")
    if use.algorithm >> 4 == Padding.SIGN_PKCS1:
        return rsa.sign_pkcs1(key, data)
    return rsa.sign_raw(key, data, session.env.random_bytes)


def _decipher(session: GidsSession, data: bytes) -> bytes:
    use, key = current_key(session, Crt.CONFIDENTIALITY)
    if isinstance(key, EcPrivateKey):
        return ec.agree(key, _without_indicator(data, 1 + 2 * key.field_bytes))
    if not isinstance(key, RsaPrivateKey):
        raise CardError(SW.FUNCTION_NOT_SUPPORTED, "this key cannot decipher", subject="PSO")
    cryptogram = _without_indicator(data, key.block_bytes)
    padding = use.algorithm >> 4
    if padding == Padding.DECIPHER_PKCS1:
        return rsa.decipher_pkcs1(key, cryptogram, session.env.random_bytes)
    if padding == Padding.DECIPHER_OAEP:
        return rsa.decipher_oaep(key, cryptogram)
    return rsa.raw(key, cryptogram, session.env.random_bytes)


def _without_indicator(data: bytes, size: int) -> bytes:
    """Takes off the padding indicator 00, which old OpenSC sends and GIDS shows, and Windows and new OpenSC do not."""
    if len(data) == size + 1 and data.startswith(_PADDING_INDICATOR):
        return data[1:]
    return data


# --- the rows

_USES: Mapping[int, str] = {Crt.AUTHENTICATION: "authenticate", Crt.SIGNATURE: "sign", Crt.CONFIDENTIALITY: "decipher"}
_PADDINGS: Mapping[tuple[int, int], str] = {
    (Crt.SIGNATURE, Padding.SIGN_AS_IS): "as it is",
    (Crt.SIGNATURE, Padding.SIGN_PKCS1): "PKCS#1",
    (Crt.CONFIDENTIALITY, Padding.DECIPHER_RAW): "raw",
    (Crt.CONFIDENTIALITY, Padding.DECIPHER_PKCS1): "PKCS#1",
    (Crt.CONFIDENTIALITY, Padding.DECIPHER_OAEP): "OAEP",
}


def _environment_words(apdu: CommandApdu, _: int) -> str:
    found = objects(apdu.data)
    reference, algorithm = value(found, 0x84) or value(found, 0x83), value(found, 0x80)
    padding = ""
    if algorithm is not None and len(algorithm) == 1 and algorithm[0] & 0x0F in RSA_BITS:
        padding = _PADDINGS.get((apdu.p2, algorithm[0] >> 4), "")
    use = _USES.get(apdu.p2, "")
    return joined(key_words(reference), use, algorithm_words(algorithm), padding)


def _operation_words(apdu: CommandApdu, _: int) -> str:
    operation = {COMPUTE_DIGITAL_SIGNATURE: "sign", DECIPHER: "decipher"}.get(apdu.p1p2)
    return "" if operation is None else f"{operation} {byte_count(len(apdu.data))}"


def _result_words(apdu: CommandApdu, data: bytes) -> str:
    what = "signature" if apdu.p1p2 == COMPUTE_DIGITAL_SIGNATURE else "plaintext"
    return f"{what}, {byte_count(len(data))}" if data else ""


KEY_IN_USE: Refusals = {
    SW.CONDITIONS_NOT_SATISFIED: either(
        "MANAGE SECURITY ENVIRONMENT has chosen no key for it", "one PIN entry is good for no more uses"
    ),
    SW.REFERENCE_NOT_FOUND: gate.NO_KEY_FILE,
    SW.REFERENCE_DATA_NOT_USABLE: "the key was erased",
}
"""What `current_key` refuses."""
_MECHANISMS = ("800106 830181", "800157 840181", "800102 830180", "80011C 840183", "830180", "840182 83019F")
_SIZES = (1, 20, 32, 51, 64, 97, 117, 127, 128, 129, 133)

# Rows are read across: what is accepted and who answers, then what people are told.
# fmt: off
MANAGE_SECURITY_ENVIRONMENT = Command(
    # SET (low nibble 1) for computation (41), verification (81), both (C1) or unnamed (01); not STORE, RESTORE, ERASE.
    "MANAGE SECURITY ENVIRONMENT", frozenset(p1 << 8 | crt for p1 in (0x01, 0x41, 0x81, 0xC1) for crt in Crt),
    gate.SOME_BYTES, gate.USE_RULE, manage_security_environment, "GIDS 2.0, 12.10", words=_environment_words,
    samples=tuple((p1p2, bytes.fromhex(data)) for p1p2 in (0x41B6, 0x41B8, 0xC1A4, 0x41A4) for data in _MECHANISMS),
    is_tlv=True,
    refusals={
        SW.REFERENCE_NOT_FOUND: either(gate.NO_KEY_FILE, "there is no key in it yet"),
        SW.WRONG_DATA: either(gate.NOT_TLV, "the key was not made for this use or algorithm"),
        SW.CONDITIONS_NOT_SATISFIED: gate.NOT_ACTIVE,
    },
)
PERFORM_SECURITY_OPERATION = Command(
    "PERFORM SECURITY OPERATION", frozenset({COMPUTE_DIGITAL_SIGNATURE, DECIPHER}), gate.SOME_BYTES, gate.USE_RULE,
    perform_security_operation, "GIDS 2.0, 12.11", chaining=True, words=_operation_words, answer_words=_result_words,
    samples=tuple((p1p2, bytes(size)) for p1p2 in (COMPUTE_DIGITAL_SIGNATURE, DECIPHER) for size in _SIZES),
    refusals=KEY_IN_USE
    | {
        SW.FUNCTION_NOT_SUPPORTED: "a key of this kind cannot do that",
        SW.WRONG_DATA: "the data do not fit the key, or their padding is wrong",
        SW.WRONG_LENGTH: "the data are not as long as the key wants them",
    },
)
# fmt: on
