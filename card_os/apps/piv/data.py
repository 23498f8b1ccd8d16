"""GET DATA and PUT DATA (SP 800-73-5 part 2, 3.1.2 and 3.3.2)."""

from card_os.apdu import MAX_NC, CommandApdu
from card_os.apps.piv.containers import BARE, CONTAINERS, container_words
from card_os.apps.piv.session import ADMIN, PivSession, require_pin, require_vci, rules_of
from card_os.apps.piv.wire import Tag, is_wrapped
from card_os.command import ANYBODY, Command
from card_os.sw import SW, CardError
from card_os.tlv import Template, Tlv, parse_all, tag_bytes
from card_os.wire import WireError

_P1P2 = range(0x3FFF, 0x4000)
MAX_TAG_BYTES = 3


def _exists(session: PivSession, tag: int) -> bool:
    return tag in CONTAINERS or tag in rules_of(session).other_objects


def _one_tag(value: bytes, *, subject: str) -> int:
    """The tag in a 5C. Whether it is one in BER is not asked: YubiKeys have objects 5F0000 and so on."""
    if not 1 <= len(value) <= MAX_TAG_BYTES:
        raise CardError(SW.WRONG_DATA, "5C holds one tag", subject=subject)
    return int.from_bytes(value, "big")


def _get(session: PivSession, apdu: CommandApdu) -> bytes:
    """GET DATA: 5C with one tag; the object, in a 53 or bare. Who may read it is asked before whether it is there."""
    objects = Template.parse(apdu.data, subject="GET DATA").objects
    if [one.tag for one in objects] != [Tag.TAG_LIST]:
        raise CardError(SW.WRONG_DATA, "one object 5C is expected", subject="GET DATA")
    tag = _one_tag(objects[0].value, subject="GET DATA")
    subject = container_words(tag)
    container = CONTAINERS.get(tag)
    if container is not None and not container.is_open:
        require_vci(session, subject=subject)
    if container is not None and container.needs_pin:
        require_pin(session, subject=subject)
    value = session.state.object(tag) if _exists(session, tag) else None
    if value is None:
        raise CardError(SW.FILE_NOT_FOUND, "there is no such object", subject=subject)
    return bytes(Tlv(tag if tag in BARE else Tag.DATA, value))


def _put(session: PivSession, apdu: CommandApdu) -> bytes:
    """PUT DATA: 5C with one tag and 53 with the content, or a bare object; no content deletes it."""
    tag, value = _parse_put(apdu.data)
    subject = container_words(tag)
    if not _exists(session, tag):
        raise CardError(SW.FUNCTION_NOT_SUPPORTED, "there cannot be such an object", subject=subject)
    if tag == Tag.DISCOVERY and value:
        _check_discovery(value)
    if not value:
        session.commit(session.state.without_object(tag))
        return b""
    rules, new = rules_of(session), session.state.with_object(tag, value)
    if len(value) > rules.max_object_bytes or sum(len(one.value) for one in new.objects) > rules.max_bytes:
        raise CardError(SW.NOT_ENOUGH_MEMORY, f"an object has at most {rules.max_object_bytes} bytes", subject=subject)
    session.commit(new)
    return b""


def _parse_put(data: bytes) -> tuple[int, bytes]:
    objects = Template.parse(data, subject="PUT DATA").objects
    tags = [one.tag for one in objects]
    if tags == [Tag.TAG_LIST, Tag.DATA]:
        tag = _one_tag(objects[0].value, subject="PUT DATA")
        if tag not in BARE:
            return tag, objects[1].value
    elif len(tags) == 1 and tags[0] in BARE:
        return tags[0], objects[0].value
    raise CardError(SW.WRONG_DATA, "5C with a tag and 53 with the content are expected, or 7E, or 7F61")


def _check_discovery(value: bytes) -> None:
    """The card acts on its PIN usage policy, so it wants to be able to read it (part 1, 3.3.2)."""
    try:
        found = {one.tag: one.value for one in parse_all(value)}
    except WireError:
        found = {}
    if len(found.get(Tag.PIN_USAGE_POLICY, b"")) != 2 or not found.get(Tag.AID):
        raise CardError(SW.WRONG_DATA, "4F and 5F2F with two bytes are expected", subject="discovery object")


# --- rows


def _asked(data: bytes) -> str:
    """Names the object that GET or PUT DATA are about, of any bytes."""
    try:
        one, _ = Tlv.parse_head(data)
    except WireError:
        return ""
    return container_words(int.from_bytes(one.value[:MAX_TAG_BYTES], "big") if one.tag == Tag.TAG_LIST else one.tag)


def _words(apdu: CommandApdu, _: int) -> str:
    return "under secure messaging" if is_wrapped(apdu.cla) else _asked(apdu.data)


def _list(tag: int) -> bytes:
    return bytes(Tlv(Tag.TAG_LIST, tag_bytes(tag)))


GET_DATA = Command(
    "GET DATA",
    _P1P2,
    range(1, MAX_NC + 1),
    ANYBODY,
    _get,
    "SP 800-73-5 part 2, 3.1.2",
    refusals={
        SW.SECURITY_STATUS_NOT_SATISFIED: "the object wants the PIN, or contact",
        SW.FILE_NOT_FOUND: "there is no such object, or nothing in it",
        SW.WRONG_DATA: "the data are not 5C with one tag",
    },
    words=_words,
    samples=tuple((0x3FFF, _list(tag)) for tag in (*CONTAINERS, 0x5FFF00, 0x5FFF01)),
    is_tlv=True,
)

PUT_DATA = Command(
    "PUT DATA",
    _P1P2,
    range(1, MAX_NC + 1),
    ADMIN,
    _put,
    "SP 800-73-5 part 2, 3.3.2",
    chaining=True,
    changes=True,
    refusals={
        SW.FUNCTION_NOT_SUPPORTED: "there cannot be such an object",
        SW.NOT_ENOUGH_MEMORY: "the object is too long, or there is no room for it",
        SW.WRONG_DATA: "the data are not 5C with a tag and 53, 7E or 7F61",
    },
    words=_words,
    samples=(
        *((0x3FFF, _list(tag) + bytes(Tlv(Tag.DATA, b"\x71\x01\x00"))) for tag in (0x5FC102, 0x5FC105, 0x5FC10A)),
        (0x3FFF, _list(0x5FC105) + bytes(Tlv(Tag.DATA))),
        (0x3FFF, bytes.fromhex("7E124F0BA0000003080000100001005F2F024000")),
    ),
    is_tlv=True,
)
