"""The state of a GIDS application as people read it: for archives, side by side with the codec for images.

    {"life_cycle": "operational", "pin": {"try_limit": 5, "tries_left": 5, "value": "3132333435363738"}, …,
     "files": [{"kind": "data", "efid": "A012", …, "rule": "032000", "objects": [{"tag": "DF20", "value": "…"}]},
               {"kind": "key", "efid": "B081", …, "uses": […], "key": {"type": "rsa", "pem": ["-----BEGIN …", …]}}]}

Files and objects stand in order of creation, which is part of the state. PINs are bytes, so hexadecimal.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from card_os.access import AccessRule
from card_os.admin import KEY_BYTES, MAX_TRIES, AdminKey
from card_os.apps.gids import codec
from card_os.apps.gids.state import DataFile, File, GidsState, KeyFile, KeyUse, LifeCycle, PrivateKey
from card_os.apps.gids.wire import EC_KINDS, Crt
from card_os.description import Description, DescriptionError, Fields, hexadecimal
from card_os.ec import EcPrivateKey
from card_os.pin import MAX_BYTES, MIN_BYTES, CharacterRule, Pin, PinPolicy
from card_os.pin import MAX_TRIES as MAX_PIN_TRIES
from card_os.rsa import RsaPrivateKey
from card_os.secret import Secret
from card_os.tlv import Tlv, parse_tags, tag_bytes

_LIFE_CYCLES = {one.name.lower(): one for one in LifeCycle}
_CRTS = {one.name.lower(): one for one in Crt}
_RULES = {
    "allow": CharacterRule.ALLOW,
    "require": CharacterRule.REQUIRE_AT_LEAST_ONE,
    "disallow": CharacterRule.DISALLOW,
}
_RULE_WORDS = {rule: word for word, rule in _RULES.items()}
_CLASSES = ("uppercase", "lowercase", "digits", "special", "other")

# PKCS#1, RFC 8017: the bytes of the state's own codec, so that every number comes back as it was.
_RSA_HEAD, _RSA_FOOT = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
_PEM_LINE = 64


def describe(state: GidsState) -> Description:
    """Returns the whole state, secrets included."""
    return {
        "life_cycle": state.life_cycle.name.lower(),
        "pin": _describe_pin(state.pin),
        "puk": _describe_pin(state.puk),
        "pin_policy": _describe_policy(state.pin_policy) if state.pin_policy else None,
        "admin_try_limit": state.admin_try_limit,
        "application_template": hexadecimal(state.template),
        "file_management_data": hexadecimal(state.fmd),
        "rule": hexadecimal(bytes(state.rule)),
        "files": [_describe_file(file) for file in state.files],
    }


def read(description: object) -> GidsState:
    """Reads what `describe` wrote; DescriptionError, naming the field, for anything else."""
    fields = Fields(description)
    state = GidsState(
        life_cycle=fields.word("life_cycle", _LIFE_CYCLES),
        pin=_read_pin(fields.fields("pin")),
        puk=_read_pin(fields.fields("puk")),
        pin_policy=None if fields.take_none("pin_policy") else _read_policy(fields.fields("pin_policy")),
        admin_try_limit=fields.number_or_none("admin_try_limit", 1, MAX_TRIES),
        template=fields.hexadecimal("application_template"),
        fmd=fields.hexadecimal("file_management_data"),
        rule=fields.made("rule", AccessRule.parse),
        files=tuple(_read_files(fields.each("files"))),
    )
    fields.end()
    return state


def _describe_pin(pin: Pin) -> Description:
    value = hexadecimal(pin.value.reveal()) if pin.value else None
    return {"try_limit": pin.try_limit, "tries_left": pin.tries_left, "value": value}


def _read_pin(fields: Fields) -> Pin:
    limit = fields.number("try_limit", 1, MAX_PIN_TRIES)
    left = fields.number("tries_left", 0, limit)
    value = None if fields.take_none("value") else fields.hexadecimal("value")
    if value is not None and not 1 <= len(value) <= MAX_BYTES:
        raise DescriptionError(f"{fields.path('value')}: not 1 to {MAX_BYTES} bytes")
    fields.end()
    return Pin(None if value is None else Secret(value), limit, left)


def _describe_policy(policy: PinPolicy) -> Description:
    rules = {name: _RULE_WORDS[getattr(policy, name)] for name in _CLASSES}
    return {"min_length": policy.min_length, "max_length": policy.max_length, **rules}


def _read_policy(fields: Fields) -> PinPolicy:
    low = fields.number("min_length", MIN_BYTES, MAX_BYTES)
    high = fields.number("max_length", MIN_BYTES, MAX_BYTES)
    rules = [fields.word(name, _RULES) for name in _CLASSES]
    fields.end()
    with fields.naming(""):
        return PinPolicy(low, high, *rules)


def _describe_file(file: File) -> Description:
    is_data = isinstance(file, DataFile)
    head: Description = {
        "kind": "data" if is_data else "key",
        "efid": f"{file.efid:04X}",
        "is_active": file.is_active,
        "born_operational": file.born_operational,
        "rule": hexadecimal(bytes(file.rule)),
    }
    if isinstance(file, DataFile):
        return {**head, "objects": [_describe_object(one) for one in file.objects]}
    return {**head, "uses": [_describe_use(use) for use in file.uses], "key": _describe_key(file.key)}


def _read_files(every: Iterable[Fields]) -> Iterator[File]:
    seen = set()
    for fields in every:
        file = _read_file(fields)
        if file.efid in seen:
            raise DescriptionError(f"{fields.path('efid')}: there is a file {file.efid:04X} already")
        seen.add(file.efid)
        yield file


def _read_file(fields: Fields) -> File:
    is_data = fields.word("kind", {"data": True, "key": False})
    efid, is_active, born = fields.whole("efid", 2), fields.flag("is_active"), fields.flag("born_operational")
    rule = fields.made("rule", AccessRule.parse)
    file: File
    if is_data:
        file = DataFile(efid, rule, is_active, born, tuple(_read_objects(fields.each("objects"))))
    else:
        uses = tuple(_read_use(one) for one in fields.each("uses"))
        key = None if fields.take_none("key") else _read_key(fields.fields("key"))
        file = KeyFile(efid, rule, uses, is_active, born, key)
    fields.end()
    with fields.naming(""):
        # The codec knows what else cannot be: CRTs of two kinds of keys, an unknown algorithm.
        codec.check_file(file)
    return file


def _describe_object(one: Tlv) -> Description:
    return {"tag": tag_bytes(one.tag).hex().upper(), "value": hexadecimal(one.value)}


def _read_objects(every: Iterable[Fields]) -> Iterator[Tlv]:
    seen = set()
    for fields in every:
        tags = fields.made("tag", parse_tags)
        if len(tags) != 1:
            raise DescriptionError(f"{fields.path('tag')}: not one tag")
        if tags[0] in seen:
            raise DescriptionError(f"{fields.path('tag')}: there is an object {tags[0]:X} already")
        seen.add(tags[0])
        yield Tlv(tags[0], fields.hexadecimal("value"))
        fields.end()


def _describe_use(use: KeyUse) -> Description:
    bytes_of = {"algorithm": f"{use.algorithm:02X}", "usage": f"{use.usage:02X}"}
    return {"template": use.crt.name.lower(), **bytes_of, "max_uses": use.max_uses}


def _read_use(fields: Fields) -> KeyUse:
    crt = fields.word("template", _CRTS)
    algorithm, usage = fields.whole("algorithm", 1), fields.whole("usage", 1)
    use = KeyUse(crt, algorithm, usage, fields.number("max_uses", 0, 0xFFFF))
    fields.end()
    return use


def _describe_key(key: PrivateKey | None) -> Description | None:
    if key is None:
        return None
    if isinstance(key, AdminKey):
        tries: Description = {"try_limit": key.try_limit, "tries_left": key.tries_left}
        return {"type": "admin", **tries, "value": hexadecimal(key.value.reveal())}
    if isinstance(key, RsaPrivateKey):
        text = b64encode(bytes(key)).decode()
        lines = [text[at : at + _PEM_LINE] for at in range(0, len(text), _PEM_LINE)]
        return {"type": "rsa", "pem": [_RSA_HEAD, *lines, _RSA_FOOT]}
    pem = key.library_key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return {"type": "ec", "pem": pem.decode().splitlines()}


def _read_key(fields: Fields) -> PrivateKey:
    readers: dict[str, Callable[[Fields], PrivateKey]] = {
        "admin": _read_admin_key,
        "rsa": _read_rsa_key,
        "ec": _read_ec_key,
    }
    key = fields.word("type", readers)(fields)
    fields.end()
    return key


def _read_admin_key(fields: Fields) -> AdminKey:
    limit = fields.number_or_none("try_limit", 1, MAX_TRIES)
    left = fields.number("tries_left", 0, limit or 0)
    value = fields.hexadecimal("value")
    if len(value) != KEY_BYTES:
        raise DescriptionError(f"{fields.path('value')}: an admin key has {KEY_BYTES} bytes")
    return AdminKey(Secret(value), limit, left)


def _read_rsa_key(fields: Fields) -> RsaPrivateKey:
    lines = fields.lines("pem")
    with fields.naming("pem"):
        if lines[:1] != [_RSA_HEAD] or lines[-1:] != [_RSA_FOOT]:
            raise ValueError("not an RSA PRIVATE KEY (PKCS#1) in PEM")
        return RsaPrivateKey.parse(b64decode("".join(lines[1:-1]), validate=True))


def _read_ec_key(fields: Fields) -> EcPrivateKey:
    pem = "\n".join(fields.lines("pem")).encode()
    with fields.naming("pem"):
        try:
            key = load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ValueError("not a private key in PEM") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("not an elliptic curve key")
        own = EcPrivateKey.from_library(key)
        if own.kind not in EC_KINDS.values():
            raise ValueError(f"a key of {own.kind} cannot be kept here")
        return own
