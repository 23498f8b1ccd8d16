"""vsc.store.image: a card as bytes, and everything that is not one."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from card_os.admin import AdminKey
from card_os.apps.gids.minidriver import containers
from card_os.apps.gids.personalisation import blank
from card_os.apps.gids.state import GidsState, LifeCycle
from card_os.apps.gids.wire import AID
from card_os.atr import Atr
from card_os.pin import CharacterRule, PinPolicy
from tests.unit.vsc import rows, samples
from tests.unit.vsc.samples import gids_state
from vsc.errors import ImageError
from vsc.factory import admin_key_of
from vsc.profiles import GIDS
from vsc.store.image import FORMAT, Image, digest, with_checksum
from vsc.world import SeededEnv

AID_HEX = AID.hex().upper()


def resealed(raw: bytes, **changes: Any) -> bytes:
    """An image with other fields and a checksum that fits: what a stranger, not an accident, would write."""
    content = {**json.loads(raw), **changes}
    content = {name: value for name, value in content.items() if value is not None and name != "sha256"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return json.dumps({**content, "sha256": sha256(canonical.encode()).hexdigest()}).encode()


@st.composite
def policies(draw: st.DrawFn) -> PinPolicy:
    low = draw(st.integers(4, 127))
    upper, lower, digits, special = (draw(st.sampled_from(CharacterRule)) for _ in range(4))
    return PinPolicy(low, draw(st.integers(low, 127)), upper, lower, digits, special, CharacterRule.ALLOW)


@st.composite
def states(draw: st.DrawFn) -> GidsState:
    policy = draw(st.none() | policies())
    tries, admin_tries = draw(st.integers(1, 15)), draw(st.none() | st.integers(1, 255))
    if draw(st.booleans()):
        return blank(pin_policy=policy, tries=tries, admin_try_limit=admin_tries)
    made = samples.state(tries=tries, admin_tries=admin_tries)
    pin = replace(made.pin, tries_left=draw(st.integers(0, tries)))
    made = replace(made, pin=pin, pin_policy=policy, life_cycle=draw(st.sampled_from(LifeCycle)))
    if draw(st.booleans()):
        made = samples.with_content(made, (0xA010, 0xDF24), draw(st.binary(max_size=300)))
    return made


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=80), states(), st.text())
@example("work", samples.state(), "")
@example("work", samples.state(), "\N{KEY}\N{ZERO WIDTH JOINER}\x00\n\ud83d")
@example("work", samples.state(), "\ud83d\ude00")
@example("work", samples.state(), "long" * 10_000)
def test_an_image_is_read_back_as_it_was_written(name: str, state: GidsState, label: str) -> None:
    image = replace(samples.image(name, state), label=label)
    raw = bytes(image)
    assert Image.parse(raw) == image
    assert bytes(Image.parse(raw)) == raw


def test_an_image_is_json_that_says_what_it_is() -> None:
    content = json.loads(bytes(samples.image("Ünïcode")))
    assert list(content) == ["format", "version", "name", "label", "profile", "applications", "sha256"]
    assert (content["format"], content["version"], content["name"]) == (FORMAT, 2, "Ünïcode")
    assert content["profile"] == "gids"
    assert list(content["applications"]) == [AID_HEX]


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.text() | st.integers() | st.dictionaries(st.text(max_size=5), st.text(max_size=9) | st.integers()),
    )
)
@example({})
@example({"a": {}})
def test_the_text_is_the_one_that_json_indents(content: dict[str, object]) -> None:
    content.pop("sha256", None)
    expected = json.dumps({**content, "sha256": digest(content)}, indent=1).encode() + b"\n"
    assert with_checksum(content) == expected


class TestLabel:
    def test_without_one_it_is_the_name(self) -> None:
        assert samples.image("work").label == "work"
        assert type(samples.image("work").label) is str
        assert replace(samples.image("work"), name="other").label == "work"

    def test_every_text_is_one_and_the_empty_one_too(self) -> None:
        for label in ("", " ", "x" * 10_000, "\N{KEY}", "a\nb"):
            assert replace(samples.image(), label=label).label == label

    def test_two_halves_of_a_character_are_the_character(self) -> None:
        assert replace(samples.image(), label="\ud83d\ude00").label == "\N{GRINNING FACE}"

    @pytest.mark.parametrize("label", [None, 1, ["x"]])
    def test_what_is_no_text_is_damage(self, label: object) -> None:
        with pytest.raises(ImageError, match="its label is no text"):
            Image.parse(resealed(bytes(samples.image()), label=label))


GOLDEN = pytest.mark.parametrize(
    ("golden", "label"),
    [(samples.GOLDEN, "golden"), (samples.GOLDEN_2, samples.GOLDEN_LABEL)],
    ids=["version 1", "version 2"],
)


@GOLDEN
class TestGolden:
    """One image of every version that there was: read for ever. Never write these files again."""

    def test_it_is_still_read(self, golden: Path, label: str) -> None:
        image = Image.parse(golden.read_bytes())
        state = gids_state(image)
        assert (image.name, image.label, image.profile.name) == ("golden", label, "gids")
        assert state.life_cycle == LifeCycle.OPERATIONAL
        assert (state.pin.tries_left, state.pin.try_limit) == (2, 3)
        assert admin_key_of(image) == samples.ADMIN_KEY
        (container,) = containers(state)
        assert (container.name, container.use) == ("Ada's key", "key exchange")
        file = state.key_file(0x81)
        assert file is not None
        assert file.key == samples.rsa_key()
        assert container.kind == samples.rsa_key().kind
        assert container.certificates == (samples.certificate(),)

    def test_the_factory_makes_the_same_card(self, golden: Path, label: str) -> None:
        assert Image.parse(golden.read_bytes()) == replace(samples.golden_image(), label=label)

    def test_it_works(self, golden: Path, label: str) -> None:
        image = Image.parse(golden.read_bytes())
        card = image.profile.card(image.persistent, SeededEnv("golden"))
        assert card.transmit(bytes.fromhex(samples.PIN_STATUS)) == bytes.fromhex("63C2")
        assert card.transmit(bytes.fromhex(samples.VERIFY)) == b"\x90\x00"
        assert card.transmit(bytes.fromhex("002241B606800156840181")) == b"\x90\x00"
        digest_info = bytes.fromhex("3031300D060960864801650304020105000420") + bytes(32)
        signature = card.transmit(bytes.fromhex("002A9E9A33") + digest_info + b"\x00")
        assert signature[-2:] == b"\x90\x00"
        block = pow(int.from_bytes(signature[:-2], "big"), samples.rsa_key().e, samples.rsa_key().n)
        assert block.to_bytes(128, "big").endswith(b"\x00" + digest_info)


def test_the_newest_golden_image_is_written_again_byte_for_byte() -> None:
    raw = samples.GOLDEN_2.read_bytes()
    assert bytes(Image.parse(raw)) == raw


def test_what_today_writes_for_version_1_is_what_version_0_1_wrote() -> None:
    """Tests of the migration make their card files so."""
    assert rows.version_1(samples.golden_image()) == samples.GOLDEN.read_bytes()


@pytest.mark.parametrize("bit", [0x01, 0x20, 0x80])
def test_a_flipped_bit_is_noticed_or_means_nothing(bit: int) -> None:
    image = samples.image()
    raw = bytes(image)
    for position in range(0, len(raw), 3):
        damaged = bytearray(raw)
        damaged[position] ^= bit
        try:
            read = Image.parse(bytes(damaged))
        except ImageError:
            continue
        assert read == image, f"byte {position}"


def test_a_short_image_is_refused() -> None:
    raw = bytes(samples.image())
    for length in range(0, len(raw) - 2, 7):
        with pytest.raises(ImageError):
            Image.parse(raw[:length])


def test_bytes_after_the_image_are_refused() -> None:
    with pytest.raises(ImageError, match="not JSON"):
        Image.parse(bytes(samples.image()) + b"}")


@given(st.binary(max_size=200))
def test_any_bytes_are_an_image_error(raw: bytes) -> None:
    with pytest.raises(ImageError):
        Image.parse(raw)


@given(st.data())
def test_a_damaged_state_under_a_good_checksum_is_an_image_error_or_a_state(data: st.DataObject) -> None:
    raw = bytes(samples.golden_image())
    encoded = bytearray.fromhex(json.loads(raw)["applications"][AID_HEX])
    for _ in range(data.draw(st.integers(1, 3))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    try:
        image = Image.parse(resealed(raw, applications={AID_HEX: encoded.hex()}))
    except ImageError:
        return
    assert Image.parse(bytes(image)) == image


REFUSED = {
    "not JSON": (b"\xff\xd8\xff\xe0 a picture", "not JSON"),
    "nested too deep": (b"[" * 100_000, "not JSON"),
    "a list": (b"[]", "no virtual smart card image"),
    "another format": (b'{"format": "a shopping list", "version": 1}', "no virtual smart card image"),
    "no version": (b'{"format": "virtual smart card image"}', "has no version"),
    "version 0": (b'{"format": "virtual smart card image", "version": 0}', "has no version"),
    "version as text": (b'{"format": "virtual smart card image", "version": "1"}', "has no version"),
    "newer": (b'{"format": "virtual smart card image", "version": 5}', "has version 5.*use a newer one"),
    "no checksum": (b'{"format": "virtual smart card image", "version": 1}', "damaged: its checksum"),
    "unknown profile": (resealed(bytes(samples.image()), profile="abacus"), "does not know: 'abacus'"),
    "profile of another type": (resealed(bytes(samples.image()), profile=["gids"]), "does not know"),
    "no applications": (resealed(bytes(samples.image()), applications=None), "does not hold the applications"),
    "missing application": (resealed(bytes(samples.image()), applications={}), "does not hold the applications"),
    "one more application": (
        resealed(bytes(samples.image()), applications={AID_HEX: "", "A000000308": ""}),
        "does not hold the applications",
    ),
    "state not hexadecimal": (resealed(bytes(samples.image()), applications={AID_HEX: "xyz"}), "damaged"),
    "state of another type": (resealed(bytes(samples.image()), applications={AID_HEX: 1}), "damaged"),
    "empty state": (resealed(bytes(samples.image()), applications={AID_HEX: ""}), "damaged"),
    "newer state": (resealed(bytes(samples.image()), applications={AID_HEX: "4749445302"}), "damaged"),
}


@pytest.mark.parametrize(("raw", "text"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_image_is_refused_and_says_why(raw: bytes, text: str) -> None:
    with pytest.raises(ImageError, match=text):
        Image.parse(raw)


def test_no_error_shows_a_secret() -> None:
    with pytest.raises(ImageError) as caught:
        Image.parse(bytes(samples.image())[:-40] + b'"}')
    assert samples.PIN.hex() not in str(caught.value)
    assert samples.ADMIN_KEY.hex() not in str(caught.value)


def test_an_image_does_not_show_its_secrets() -> None:
    state = gids_state(samples.golden_image())
    admin = state.key_file(0x80)
    assert admin is not None
    assert isinstance(admin.key, AdminKey)
    text = repr(samples.golden_image())
    for secret in (samples.PIN.decode(), samples.PIN.hex(), samples.ADMIN_KEY.hex(), str(samples.rsa_key().d)):
        assert secret not in text


def test_a_card_with_an_atr_of_its_own() -> None:
    """That needs a newer vsc; a card that answers as its profile says does not."""
    image = samples.image("work").with_atr(Atr(historical=b"mine"))
    content = json.loads(bytes(image))
    assert (content["version"], content["atr"]) == (3, "3b046d696e65")
    assert Image.parse(bytes(image)) == image
    card = image.profile.card(image.persistent, SeededEnv(b""))
    assert card.atr == bytes.fromhex("3B046D696E65")
    assert bytes(image.with_atr(GIDS.atr)) == bytes(samples.image("work"))


@pytest.mark.parametrize("atr", ["", "3B04", "xx", None, 7])
def test_an_atr_that_is_none(atr: object) -> None:
    raw = bytes(samples.image("work").with_atr(Atr(historical=b"mine")))
    with pytest.raises(ImageError, match="its ATR is none"):
        Image.parse(resealed(raw, atr=atr))
