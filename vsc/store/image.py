"""A card as bytes: JSON with a schema and a version, and the states of its applications as they encode them.

    {"format": "virtual smart card image", "version": 2, "name": "work", "label": "My work card", "profile": "gids",
     "applications": {"A000000397425446590201": "<hex>"}, "sha256": "<hex>"}

`sha256` is over the same object without it, in canonical form: it finds damage, it is no signature. An image holds
the PIN and the keys in clear; whoever reads it has the card. Version 1 had no label. A card that answers to reset
otherwise than its profile has its ATR in the image, as `atr`, and that has version 3. In version 4 the state of an
application is a list: bytes and, in turns, what says where the next bytes are (`vsc.store.parts`). All will be read for
ever.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from card_os.atr import Atr
from card_os.memory import Persistent
from card_os.wire import WireError
from vsc.errors import ImageError, VscError
from vsc.profiles import PROFILES, Profile

FORMAT = "virtual smart card image"
VERSION = 4
"""Of a card in parts. With an ATR of its own the one before, all others 2."""
_FIRST_VERSION_WITH_LABEL = 2
_FIRST_VERSION_WITH_ATR = 3
_FIRST_VERSION_WITH_PARTS = 4

FindPart = Callable[[str], bytes]
"""Takes what an image says of a part, gives its bytes; ImageError."""


MAX_LABEL_CHARACTERS = 8192


def check_label(label: str) -> None:
    """VscError for one that is too long: it is written again with each change of the card."""
    if len(label) > MAX_LABEL_CHARACTERS:
        raise VscError(f"a label has up to {MAX_LABEL_CHARACTERS} characters, not {len(label)}")


class _TheName(str):
    """Stands for a label that nobody gave. A type of its own, because every text, the empty one too, is a label."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Image:
    """A card: its name, its profile, its permanent state, and its label.

    name: the key, unique in a store. label: the friendly name, any text; without one it is the name.
    """

    name: str
    profile: Profile
    persistent: Persistent
    label: str = _TheName()

    def __post_init__(self) -> None:
        label = self.name if isinstance(self.label, _TheName) else _whole(self.label)
        object.__setattr__(self, "label", label)

    def check_bounds(self) -> None:
        """VscError for a card that is larger than any that commands could have made: whoever adds one calls this.

        What is stored already is read and used whatever its size.
        """
        check_label(self.label)
        for application in self.profile.applications:
            try:
                application.check_bounds(self.persistent.state(application.aid))
            except ValueError as error:
                raise VscError(f"card {self.name!r} is too large: {error}") from None

    @property
    def own_atr(self) -> Atr | None:
        """What it answers to reset, where that is not what its profile says."""
        usual = PROFILES.get(self.profile.name)
        return None if usual is None or usual.atr == self.profile.atr else self.profile.atr

    def with_atr(self, atr: Atr) -> "Image":
        return replace(self, profile=_answering(self.profile, atr))

    def with_persistent(self, persistent: Persistent) -> "Image":
        return replace(self, persistent=persistent)

    def __bytes__(self) -> bytes:
        return self.written(
            [
                application.encode(self.persistent.state(application.aid)).hex()
                for application in self.profile.applications
            ]
        )

    def written(self, encoded: Sequence[str | list[str]]) -> bytes:
        """The image with the states of its applications as they stand there, whole or in parts."""
        states = {
            application.aid.hex().upper(): one
            for application, one in zip(self.profile.applications, encoded, strict=True)
        }
        atr = self.own_atr
        version = _FIRST_VERSION_WITH_LABEL if atr is None else _FIRST_VERSION_WITH_ATR
        content: dict[str, object] = {
            "format": FORMAT,
            "version": _FIRST_VERSION_WITH_PARTS if any(isinstance(one, list) for one in encoded) else version,
            "name": self.name,
            "label": self.label,
            "profile": self.profile.name,
            **({} if atr is None else {"atr": bytes(atr).hex()}),
            "applications": states,
        }
        return with_checksum(content)

    @classmethod
    def parse(cls, raw: bytes, *, profile: Profile | None = None, find: FindPart | None = None) -> "Image":
        """Reads an image; ImageError, saying why, for anything that is not one that this version knows whole.

        profile: what the card is, where that is none of those that vsc finds by name. find: gives the bytes of a part.
        """
        content = parse_versioned(raw, FORMAT, VERSION)
        profile = profile or PROFILES.get(str(content.get("profile")))
        if profile is None:
            raise ImageError(
                f"the image has a profile that this vsc does not know: {content.get('profile')!r}; the package that "
                "brings it is missing, or VSC_PROFILES is to name it"
            )
        label: object = _TheName() if content["version"] < _FIRST_VERSION_WITH_LABEL else content.get("label")
        if not isinstance(label, str):
            raise ImageError("the image is damaged: its label is no text")
        states = _states(profile, content.get("applications"), find or _no_parts)
        image = cls(str(content.get("name")), profile, states, label)
        version = content["version"]
        has_atr = version == _FIRST_VERSION_WITH_ATR or (version >= _FIRST_VERSION_WITH_PARTS and "atr" in content)
        return image.with_atr(_atr(content.get("atr"))) if has_atr else image


def parse_versioned(raw: bytes, expected_format: str, newest: int) -> dict[str, Any]:
    """Reads a JSON object with format, version and checksum; returns it without the checksum. ImageError."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        raise ImageError("the image is not JSON: it is damaged or no card") from None
    if not isinstance(content, dict) or content.get("format") != expected_format:
        raise ImageError("the file is no virtual smart card image")
    version = content.get("version")
    if not isinstance(version, int) or version < 1:
        raise ImageError("the image has no version")
    if version > newest:
        raise ImageError(f"the image has version {version}; this vsc reads up to {newest}: use a newer one")
    if content.pop("sha256", None) != digest(content):
        raise ImageError("the image is damaged: its checksum does not match")
    return content


def with_checksum(content: dict[str, object]) -> bytes:
    """Returns a JSON object with its checksum, as text that people can read: the bytes of `json.dumps(..., indent=1)`.

    Written out, because json indents in Python, and a card is written with each change.
    """
    lines = [f" {json.dumps(key)}: {_indented(value)}" for key, value in content.items()]
    return ("{\n" + ",\n".join([*lines, f' "sha256": "{digest(content)}"']) + "\n}\n").encode()


def _indented(value: object) -> str:
    if not isinstance(value, dict) or not value:
        return json.dumps(value)
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(one)}" for key, one in value.items()) + "\n }"


def digest(content: dict[str, object]) -> str:
    """The checksum of a JSON object: SHA-256 of its canonical form, in hexadecimal."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _whole(text: str) -> str:
    """Joins the two halves of characters that came as UTF-16: JSON would, and the label would not come back equal."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@cache
def _answering(profile: Profile, atr: Atr) -> Profile:
    """The profile with that ATR; the same object each time, so that equal images are equal."""
    return replace(profile, atr=atr)


def _atr(words: object) -> Atr:
    try:
        return Atr.parse(bytes.fromhex(str(words)))
    except (ValueError, WireError):
        raise ImageError(f"the image is damaged: its ATR is none: {words!r:.80}") from None


def _no_parts(reference: str) -> bytes:
    raise ImageError("the image is damaged: a part of it is missing")


def _bytes(encoded: object, find: FindPart) -> bytes:
    """The state of an application: digits, or bytes and parts in turns."""
    if not isinstance(encoded, list):
        return bytes.fromhex(encoded)  # type: ignore[arg-type]  # TypeError for what is no text
    return b"".join(find(one) if place % 2 else bytes.fromhex(one) for place, one in enumerate(encoded))


def _states(profile: Profile, encoded: object, find: FindPart) -> Persistent:
    aids = [application.aid.hex().upper() for application in profile.applications]
    if not isinstance(encoded, dict) or sorted(encoded) != sorted(aids):
        raise ImageError(f"the image does not hold the applications of profile {profile.name}")
    try:
        states = [
            application.decode(_bytes(encoded[aid], find))
            for aid, application in zip(aids, profile.applications, strict=True)
        ]
    except (ValueError, TypeError) as error:
        raise ImageError(f"the image is damaged: {error}") from None
    return profile.persistent(*states)
