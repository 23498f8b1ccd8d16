"""A GIDS application in facts, and what tests of the card ask of every application beside them."""

from collections.abc import Iterator, Sequence

from card_os.access import Right
from card_os.admin import AdminKey
from card_os.apdu import CommandApdu
from card_os.apps.gids.state import DataFile, File, GidsState, LifeCycle, PrivateKey, admin_key_name
from card_os.apps.gids.wire import DfOperation, FileOperation, Ins, Reference, Tag
from card_os.fact import Fact, Kind
from card_os.pin import CharacterRule, Pin, PinPolicy
from card_os.rsa import RsaPrivateKey
from card_os.tlv import Tlv, join


def facts(state: GidsState) -> Iterator[Fact]:
    """Every part of the state but the order in which files and objects were made."""
    yield Fact(Kind.RULE, "life cycle", state.life_cycle, state.life_cycle.name.lower())
    yield from _pin("PIN", state.pin)
    yield from _pin("PUK", state.puk)
    yield Fact(Kind.RULE, "PIN policy", state.pin_policy, _policy(state.pin_policy))
    yield Fact(Kind.RULE, "admin key try limit", state.admin_try_limit, str(state.admin_try_limit or "none"))
    yield Fact(Kind.RULE, "application template", state.template, _size(state.template))
    yield Fact(Kind.RULE, "file management data", state.fmd, _size(state.fmd))
    yield Fact(Kind.RULE, "rule of the application", state.rule, bytes(state.rule).hex().upper())
    for file in state.files:
        yield from _file(file)


def _pin(name: str, pin: Pin) -> Iterator[Fact]:
    yield Fact(Kind.SECRET, name, pin.value)
    yield Fact(Kind.COUNTER, f"{name} tries", pin.tries_left, str(pin.tries_left))
    yield Fact(Kind.RULE, f"{name} try limit", pin.try_limit, str(pin.try_limit))


def _policy(policy: PinPolicy | None) -> str:
    if policy is None:
        return "none"
    words = {CharacterRule.REQUIRE_AT_LEAST_ONE: "required", CharacterRule.DISALLOW: "disallowed"}
    classes = ("uppercase", "lowercase", "digits", "special", "other")
    rules = [f"{name} {words[rule]}" for name in classes if (rule := getattr(policy, name)) in words]
    return ", ".join([f"{policy.min_length} to {policy.max_length} bytes", *rules])


def _size(raw: bytes) -> str:
    return f"{len(raw)} byte{'s' * (len(raw) != 1)}"


def _file(file: File) -> Iterator[Fact]:
    efid = f"{file.efid:04X}"
    yield Fact(Kind.FILE, f"file {efid}", type(file))
    yield Fact(Kind.RULE, f"rule of file {efid}", file.rule, bytes(file.rule).hex().upper())
    life = "active" if file.is_active else "not active"
    yield Fact(Kind.RULE, f"life cycle of file {efid}", (file.is_active, file.born_operational), life)
    if isinstance(file, DataFile):
        for one in file.objects:
            name = f"object {one.tag:02X} in {efid}"
            yield Fact(Kind.OBJECT, name, one.value, _size(one.value))
        return
    yield Fact(
        Kind.RULE, f"uses of key {file.key_id:02X}", file.uses, ", ".join(use.crt.name.lower() for use in file.uses)
    )
    if file.key is not None:
        yield from _key(file.key_id, file.key)


def _key(key_id: int, key: PrivateKey) -> Iterator[Fact]:
    if not isinstance(key, AdminKey):
        words = f"RSA {key.bits}" if isinstance(key, RsaPrivateKey) else str(key.kind)
        yield Fact(Kind.KEY, f"key {key_id:02X}", key, words)
        return
    name = admin_key_name(key_id)
    yield Fact(Kind.SECRET, name, key.value)
    if key.try_limit is not None:
        yield Fact(Kind.COUNTER, f"{name} tries", key.tries_left, str(key.tries_left))
    yield Fact(Kind.RULE, f"try limit of {name}", key.try_limit, str(key.try_limit or "none"))


def protected(state: GidsState) -> Sequence[bytes]:
    """Asks whether the PIN is verified, resets it, reads and writes files, ends the application, chooses keys."""
    if state.life_cycle < LifeCycle.OPERATIONAL:
        return ()
    commands = [bytes([0, Ins.VERIFY, 0, Reference.PIN]), _command(Ins.RESET_RETRY_COUNTER, 0x0280, b"00000000")]
    for file in state.files:
        if file.is_active:
            commands += _protected_file(file)
    if not state.rule.allows(DfOperation.TERMINATE, Right.NONE):
        commands.append(bytes([0, Ins.TERMINATE_DF, 0, 0]))
    return commands


def _protected_file(file: File) -> Iterator[bytes]:
    def is_closed(operation: FileOperation) -> bool:
        return not file.rule.allows(operation, Right.NONE)

    if isinstance(file, DataFile):
        if is_closed(FileOperation.GET):
            yield _command(Ins.GET_DATA, file.efid, bytes(Tlv(Tag.TAG_LIST)))
        if is_closed(FileOperation.PUT):
            yield _command(Ins.PUT_DATA, file.efid, bytes(Tlv(0xDF7D, b"\x00")))
    elif file.key is not None and is_closed(FileOperation.USE_KEY):
        for use in file.uses:
            environment = join([Tlv(0x80, bytes([use.algorithm])), Tlv(0x84, bytes([file.key_id]))])
            yield _command(Ins.MANAGE_SECURITY_ENVIRONMENT, 0x4100 | use.crt, environment)


def _command(ins: int, p1p2: int, data: bytes) -> bytes:
    return bytes(CommandApdu(0, ins, p1p2 >> 8, p1p2 & 0xFF, data))
