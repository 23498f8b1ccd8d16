"""A card as bytes: JSON with a schema and a version, and the states of its applications as they encode them.

    {"format": "virtual smart card image", "version": 1, "name": "work", "profile": "gids",
     "applications": {"A000000397425446590201": "<hex>"}, "sha256": "<hex>"}

`sha256` is over the same object without it, in canonical form: it finds damage, it is no signature. An image holds
the PIN and the keys in clear; whoever reads the file has the card. Version 1 will be read for ever.
"""

import hashlib
import json
from dataclasses import dataclass, replace

from card_os.memory import Persistent
from vsc.errors import ImageError
from vsc.profiles import PROFILES, Profile

FORMAT = "virtual smart card image"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Image:
    """A card: its name, its profile and its permanent state."""

    name: str
    profile: Profile
    persistent: Persistent

    def with_persistent(self, persistent: Persistent) -> "Image":
        return replace(self, persistent=persistent)

    def __bytes__(self) -> bytes:
        states = {
            application.aid.hex().upper(): application.encode(self.persistent.state(application.aid)).hex()
            for application in self.profile.applications
        }
        content: dict[str, object] = {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "profile": self.profile.name,
            "applications": states,
        }
        return json.dumps({**content, "sha256": _digest(content)}, indent=1).encode() + b"\n"

    @classmethod
    def parse(cls, raw: bytes) -> "Image":
        """Reads an image; ImageError, saying why, for anything that is not one that this version knows whole."""
        try:
            content = json.loads(raw)
        except (ValueError, RecursionError):
            raise ImageError("the image is not JSON: it is damaged or no card") from None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ImageError("the file is no virtual smart card image")
        version = content.get("version")
        if not isinstance(version, int) or version < 1:
            raise ImageError("the image has no version")
        if version > VERSION:
            raise ImageError(f"the image has version {version}; this vsc reads up to {VERSION}: use a newer one")
        if content.pop("sha256", None) != _digest(content):
            raise ImageError("the image is damaged: its checksum does not match")
        profile = PROFILES.get(str(content.get("profile")))
        if profile is None:
            raise ImageError(f"the image has a profile that this vsc does not know: {content.get('profile')!r}")
        return cls(str(content.get("name")), profile, _states(profile, content.get("applications")))


def _states(profile: Profile, encoded: object) -> Persistent:
    aids = [application.aid.hex().upper() for application in profile.applications]
    if not isinstance(encoded, dict) or sorted(encoded) != sorted(aids):
        raise ImageError(f"the image does not hold the applications of profile {profile.name}")
    try:
        states = [
            application.decode(bytes.fromhex(encoded[aid]))
            for aid, application in zip(aids, profile.applications, strict=True)
        ]
    except (ValueError, TypeError) as error:
        raise ImageError(f"the image is damaged: {error}") from None
    return profile.persistent(*states)


def _digest(content: dict[str, object]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
