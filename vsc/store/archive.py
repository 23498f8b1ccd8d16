"""A whole card as one text file that people can read and compare: for backups, and to move a card to another store.

It is JSON; docs/images.md has every field. The state stands in it decoded, secrets included: PINs in hexadecimal,
private keys in PEM. Fields have a fixed order, so that the same card is the same text, byte for byte, and a change to
the card is a change to the lines that say it. `about` is for readers alone: it follows from the rest, and an archive in
which it does not is refused.
"""

import json
import uuid
from dataclasses import replace

from card_os.atr import Atr
from card_os.description import Description, DescriptionError, Fields, hexadecimal
from card_os.memory import Persistent
from vsc.errors import ImageError, VscError
from vsc.profiles import PROFILES, Profile
from vsc.store.image import Image, check_label
from vsc.store.name import check_name
from vsc.store.summary import summarise
from vsc.text.printable import escaped_json

FORMAT = "virtual smart card archive"
VERSION = 2
"""Of a card with an ATR of its own; of all others 1."""


def write_archive(image: Image) -> bytes:
    """Returns the card as the text of an archive, in UTF-8."""
    atr = image.own_atr
    content = {
        "format": FORMAT,
        "version": VERSION - (atr is None),
        "name": image.name,
        "label": image.label,
        "profile": image.profile.name,
        **({} if atr is None else {"atr": hexadecimal(bytes(atr))}),
        "about": _about(image),
        "applications": {
            application.aid.hex().upper(): application.describe(image.persistent.state(application.aid))
            for application in image.profile.applications
        },
    }
    # What does not show, a half of a character among it, is written as JSON escapes it.
    return escaped_json(json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def read_archive(raw: bytes, *, name: str | None = None) -> Image:
    """Reads an archive. name: what the card shall be called here; None: as it was.

    ImageError, naming the line or the field, for what is damaged, newer, or no archive.
    """
    content = _json(raw)
    _check_format(content)
    fields = Fields(content)
    for known in ("format", "version"):
        fields.take(known)
    try:
        image = _image(fields)
        fields.end()
    except DescriptionError as error:
        raise ImageError(f"the archive cannot be used: {error}") from None
    return image if name is None else replace(image, name=check_name(name))


def _json(raw: bytes) -> object:
    try:
        return json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ImageError(f"the archive is not JSON: line {line} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ImageError(f"the archive is not JSON: line {error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise ImageError(f"the archive is damaged: {reason}") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Two fields of one name in an object: which one would count?"""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the field {key!r} stands twice in one object")
        found[key] = value
    return found


def _no_constant(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _check_format(content: object) -> None:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ImageError("the file is no archive of a virtual smart card")
    version = content.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ImageError("the archive cannot be used: version: not a number from 1")
    if version > VERSION:
        raise ImageError(f"the archive has version {version}; this vsc reads up to {VERSION}: use a newer one")


def _image(fields: Fields) -> Image:
    name, label = fields.text("name"), fields.text("label")
    for field, value, check in (("name", name, check_name), ("label", label, check_label)):
        try:
            check(value)
        except VscError as error:
            raise DescriptionError(f"{field}: {error}") from None
    profile = fields.word("profile", PROFILES)
    atr = fields.made("atr", Atr.parse) if fields.has("atr") else None
    about = fields.take("about") if fields.has("about") else None
    image = Image(check_name(name), profile, _persistent(profile, fields.fields("applications")), label)
    if atr is not None:
        image = image.with_atr(atr)
    if about is not None:
        _check_same(about, _about(image), "about")
    return image


def _persistent(profile: Profile, fields: Fields) -> Persistent:
    states = []
    for application in profile.applications:
        aid = application.aid.hex().upper()
        described = fields.take(aid)
        try:
            state = application.read_description(described)
        except DescriptionError as error:
            raise DescriptionError(f"{fields.path(aid)}.{error}") from None
        with fields.naming(aid):
            application.check_bounds(state)
            # What could not be stored must not come in.
            if application.decode(application.encode(state)) != state:
                raise ValueError("this cannot be kept")
        states.append(state)
    fields.end()
    return profile.persistent(*states)


def _about(image: Image) -> Description:
    """What follows from the state, and is easier to read than that. No counter: a spent try is a change of one line."""
    summary = summarise(image)
    return {
        "card_id": None if summary.card_id is None else str(uuid.UUID(summary.card_id)),
        "containers": [
            {
                "number": one.number,
                "name": one.name,
                "is_default": one.default,
                "use": one.use,
                "key": one.key,
                # How many: subjects in words could change with the library that writes them.
                "certificates": len(one.certificates),
            }
            for one in summary.containers
        ],
    }


def _check_same(found: object, expected: object, path: str) -> None:
    """Finds the first field that differs, to name it."""
    if isinstance(found, dict) and isinstance(expected, dict) and found.keys() == expected.keys():
        for key in expected:
            _check_same(found[key], expected[key], f"{path}.{key}")
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            _check_same(one, other, f"{path}[{number}]")
    elif type(found) is not type(expected) or found != expected:
        raise DescriptionError(f"{path}: does not follow from the rest (leave `about` out to import it all the same)")
