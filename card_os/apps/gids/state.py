"""What a GIDS application keeps, as one frozen tree, and what it forgets.

One application DF. Under it files of two kinds: data files hold data objects by tag, key files hold one key and the
control reference templates (CRTs) that say what it may be used for. Files and objects keep their order of creation.
"""

from dataclasses import dataclass, field, replace
from enum import IntEnum

from card_os.access import AccessRule, Right
from card_os.admin import AdminKey, Challenge
from card_os.apps.gids.wire import (
    ADMIN_KEY_ID,
    AID,
    KEY_FILES,
    KINDS,
    THREE_KEY_3DES,
    USAGE_VERIFY,
    Crt,
    Tag,
)
from card_os.ec import EcPrivateKey
from card_os.pin import MAX_TRIES, NO_POLICY, Pin, PinPolicy
from card_os.rsa import RsaPrivateKey
from card_os.tlv import Tlv, join


class LifeCycle(IntEnum):
    """Life cycle of the application, as in tag 8A (GIDS section 6)."""

    CREATION = 0x01
    INITIALISATION = 0x03
    OPERATIONAL = 0x05
    TERMINATED = 0x0C


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One CRT of a key file: kind, algorithm reference, usage qualifier; max_uses a PIN entry is good for, 0: any."""

    crt: Crt
    algorithm: int
    usage: int
    max_uses: int = 0

    @property
    def key_type(self) -> int:
        return self.algorithm & 0x0F

    def tlv(self, key_id: int) -> Tlv:
        """Returns the CRT as a data object, as it stands in an FCP."""
        objects = [Tlv(0x80, bytes([self.algorithm])), Tlv(0x83, bytes([key_id])), Tlv(0x95, bytes([self.usage]))]
        if self.max_uses:
            objects.append(Tlv(0xA3, bytes(Tlv(0x90, self.max_uses.to_bytes(2, "big")))))
        return Tlv(self.crt, join(objects))


PrivateKey = RsaPrivateKey | EcPrivateKey | AdminKey


@dataclass(frozen=True, slots=True)
class DataFile:
    """An EF of data objects; `born_operational`: created after the application became operational."""

    efid: int
    rule: AccessRule
    is_active: bool = False
    born_operational: bool = False
    objects: tuple[Tlv, ...] = ()

    def get(self, tag: int) -> Tlv | None:
        return next((one for one in self.objects if one.tag == tag), None)

    def with_object(self, new: Tlv) -> "DataFile":
        """Returns the file with an object added or, in its old place, replaced."""
        if self.get(new.tag) is None:
            return replace(self, objects=(*self.objects, new))
        return replace(self, objects=tuple(new if one.tag == new.tag else one for one in self.objects))

    def without_object(self, tag: int) -> "DataFile":
        return replace(self, objects=tuple(one for one in self.objects if one.tag != tag))


@dataclass(frozen=True, slots=True)
class KeyFile:
    """An EF with a key (None: not there yet) and its CRTs."""

    efid: int
    rule: AccessRule
    uses: tuple[KeyUse, ...]
    is_active: bool = False
    born_operational: bool = False
    key: PrivateKey | None = None

    @property
    def key_id(self) -> int:
        return self.efid & 0xFF

    @property
    def key_name(self) -> str:
        """What people call its key."""
        if not isinstance(self.key, AdminKey):
            return f"key {self.key_id:02X}"
        return "admin key" if self.key_id == ADMIN_KEY_ID else f"admin key {self.key_id:02X}"

    @property
    def is_admin(self) -> bool:
        """Whether the key proves an administrator: CRT A4 with usage bit 80."""
        return any(use.crt == Crt.AUTHENTICATION and use.usage & USAGE_VERIFY for use in self.uses)

    def find_use(self, crt: Crt, algorithm: int | None) -> KeyUse | None:
        """Returns the CRT of this kind with this algorithm (None: the first one)."""
        return next((u for u in self.uses if u.crt == crt and algorithm in (None, u.algorithm)), None)

    def with_key(self, key: PrivateKey | None) -> "KeyFile":
        return replace(self, key=key)

    def accepts(self, key: PrivateKey) -> bool:
        """Tells whether the type and size of a key are those of the CRTs."""
        return key_type(key) in {use.key_type for use in self.uses}


File = DataFile | KeyFile


def key_type(key: PrivateKey) -> int:
    """Returns the algorithm number of a key: the low half of its algorithm references (GIDS section 8)."""
    if isinstance(key, AdminKey):
        return THREE_KEY_3DES
    return next(number for number, kind in KINDS.items() if kind == key.kind)


DEFAULT_RULE = AccessRule.parse(bytes.fromhex("033030"))
"""Create and delete files: PIN or admin key; nothing says TERMINATE, so nobody may (gids.md 1.2 and 3)."""

# Tag 40 of the discretionary objects: external and mutual authentication. Its bit 40 makes Windows use the short
# challenge (gids.md 1.2).
DEFAULT_TEMPLATE = join([Tlv(Tag.AID, AID), Tlv(Tag.DISCRETIONARY, bytes(Tlv(0x40, b"\xc0")))])
# 5F2F 40: there is an application PIN and no global one. 7F65: the memory template, required with an empty object.
DEFAULT_FMD = join([Tlv(Tag.PIN_USAGE_POLICY, b"\x40"), Tlv(Tag.MEMORY, bytes(Tlv(0x80)))])


@dataclass(frozen=True, slots=True)
class GidsState:
    """Everything a GIDS application keeps.

    pin_policy None: the card has none, and enforces 4 to 127 bytes. admin_try_limit: for admin keys stored from now
    on. template, fmd: values of tags 61 and 64; rule: access rule of the DF.
    """

    life_cycle: LifeCycle = LifeCycle.INITIALISATION
    pin: Pin = field(default_factory=Pin)
    puk: Pin = field(default_factory=Pin)
    pin_policy: PinPolicy | None = None
    admin_try_limit: int | None = None
    files: tuple[File, ...] = ()
    template: bytes = DEFAULT_TEMPLATE
    fmd: bytes = DEFAULT_FMD
    rule: AccessRule = DEFAULT_RULE

    def __post_init__(self) -> None:
        if self.pin.try_limit > MAX_TRIES or self.puk.try_limit > MAX_TRIES:
            raise ValueError(f"a PIN has 1 to {MAX_TRIES} tries")

    @property
    def is_operational(self) -> bool:
        return self.life_cycle == LifeCycle.OPERATIONAL

    @property
    def enforced_policy(self) -> PinPolicy:
        return self.pin_policy or NO_POLICY

    def file(self, efid: int) -> File | None:
        return next((one for one in self.files if one.efid == efid), None)

    def key_file(self, key_id: int) -> KeyFile | None:
        found = self.file(KEY_FILES.start & 0xFF00 | key_id)
        return found if isinstance(found, KeyFile) else None

    def with_file(self, new: File) -> "GidsState":
        """Returns the state with a file added or, in its old place, replaced."""
        if self.file(new.efid) is None:
            return replace(self, files=(*self.files, new))
        return replace(self, files=tuple(new if one.efid == new.efid else one for one in self.files))

    def without_file(self, efid: int) -> "GidsState":
        return replace(self, files=tuple(one for one in self.files if one.efid != efid))


def file_life_cycle(file: File) -> int:
    """Returns the life-cycle byte of a file (GIDS section 6.3): an active key file without a key is deactivated."""
    if not file.is_active:
        return LifeCycle.INITIALISATION
    activated = isinstance(file, DataFile) or file.key is not None
    return 0x04 | file.born_operational * 0x02 | activated


@dataclass(frozen=True, slots=True)
class Environment:
    """A component of the current security environment: a key and what it is to be used for."""

    key_id: int
    use: KeyUse


@dataclass(slots=True)
class GidsVolatile:
    """What a reset or a deselection forgets."""

    granted: Right = Right.NONE
    current_ef: int | None = None
    challenge: Challenge | None = None
    environment: dict[Crt, Environment] = field(default_factory=dict)
    uses: dict[int, int] = field(default_factory=dict)
    """How often each key was used since the PIN was entered, by key id."""

    def clear_security(self) -> None:
        """Forgets what was verified and what was prepared for it; the current file stays."""
        self.granted = Right.NONE
        self.challenge = None
        self.environment = {}
        self.uses = {}
