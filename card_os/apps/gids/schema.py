"""The state of a GIDS application, declared: its bytes in an image, its description for people, its facts.

Version 1 of the bytes: every later version reads it for ever. Files and objects stand in order of creation, which is
part of the state; key files say before all else what kind of key they hold, data files say 00 there.
"""

from collections.abc import Iterator
from typing import Any

from card_os.access import AccessRule
from card_os.admin import MAX_TRIES, AdminKey
from card_os.apps.gids.fcp import parse_uses
from card_os.apps.gids.state import DataFile, File, GidsState, KeyFile, KeyUse, LifeCycle
from card_os.apps.gids.wire import EC_KINDS, Crt
from card_os.description import Fields
from card_os.ec import EcPrivateKey
from card_os.fact import Fact, Kind
from card_os.kept import AdminKeyKind, EcKind, Objects, PinKind, PolicyKind, RsaKind
from card_os.rsa import RsaPrivateKey
from card_os.schema import (
    LONG,
    SHORT,
    Blob,
    Field,
    Flag,
    Many,
    Maybe,
    Nothing,
    Number,
    OneOf,
    Option,
    Record,
    Wire,
    Word,
)
from card_os.schema import Kind as SchemaKind
from card_os.tlv import join
from card_os.words import joined

_USE = Record(
    KeyUse,
    Field("crt", Word(Crt), named="template"),
    Field("algorithm", Number(1, is_hex=True)),
    Field("usage", Number(1, is_hex=True)),
    Field("max_uses", Number(2)),
)


class _Uses(SchemaKind[tuple[KeyUse, ...]]):
    """The CRTs of a key file: as they stand in its FCP."""

    def encode(self, value: tuple[KeyUse, ...], owner: Any = None) -> bytes:
        return join(use.tlv(owner.key_id) for use in value)

    def decode(self, raw: bytes) -> tuple[KeyUse, ...]:
        return parse_uses(raw)

    def describe(self, value: tuple[KeyUse, ...]) -> object:
        return [_USE.describe(use) for use in value]

    def read(self, fields: Fields, name: str) -> tuple[KeyUse, ...]:
        return tuple(_USE.read_fields(one) for one in fields.each(name))

    def facts(self, value: tuple[KeyUse, ...], name: str, *around: Any) -> Iterator[Fact]:
        yield Fact(Kind.RULE, name, value, joined(*(use.crt.name.lower() for use in value)))


def _file_facts(file: File, *around: Any) -> Iterator[Fact]:
    efid = f"{file.efid:04X}"
    yield Fact(Kind.FILE, f"file {efid}", type(file))
    life = "active" if file.is_active else "not active"
    yield Fact(Kind.RULE, f"life cycle of file {efid}", (file.is_active, file.born_operational), life)


_RULE = Wire(AccessRule.parse)
_HEAD = (
    Field("efid", Number(2, is_hex=True), fact=None),
    Field("is_active", Flag(), fact=None),
    Field("born_operational", Flag(), fact=None),
    Field("rule", _RULE, SHORT, fact="rule of file {0.efid:04X}"),
)
_KEY = OneOf(
    "type",
    Option(None, type(None), Nothing(), 1),
    Option("admin", AdminKey, AdminKeyKind(), 2),
    Option("rsa", RsaPrivateKey, RsaKind(), 3),
    Option("ec", EcPrivateKey, EcKind(EC_KINDS.values()), 4),
)
_DATA_FILE = Record(
    DataFile,
    *_HEAD,
    # Nothing stands where a key file has its CRTs.
    Field("objects", Objects(), LONG, before=bytes(4), fact="in {0.efid:04X}"),
    tells=_file_facts,
)
_KEY_FILE = Record(
    KeyFile,
    *_HEAD,
    Field("uses", _Uses(), LONG, fact="uses of key {0.key_id:02X}"),
    Field("key", _KEY, LONG, fact="{0.key_name}"),
    number_of="key",
    tells=_file_facts,
)
_FILE = OneOf(
    "kind",
    Option("data", DataFile, _DATA_FILE, 0),
    Option("key", KeyFile, _KEY_FILE, range(1, 5)),
)

STATE = Record(
    GidsState,
    Field("life_cycle", Word(LifeCycle)),
    Field("pin", PinKind(), SHORT, fact="PIN"),
    Field("puk", PinKind(), SHORT, fact="PUK"),
    Field("pin_policy", Maybe(PolicyKind()), SHORT, fact="PIN policy"),
    Field("admin_try_limit", Maybe(Number(1, 1, MAX_TRIES)), fact="admin key try limit"),
    Field("template", Blob(), LONG, named="application_template"),
    Field("fmd", Blob(), LONG, named="file_management_data"),
    Field("rule", _RULE, SHORT, fact="rule of the application"),
    Field("files", Many(_FILE, lambda file: file.efid, "a file {:04X}", "efid", in_rows=True)),
    head=b"GIDS\x01",
)
