"""vsc.store.archive: a card as a text, and everything that is none."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from card_os.apps.gids.state import DataFile, GidsState
from card_os.apps.gids.wire import AID
from card_os.atr import Atr
from tests.unit.card_os.apps.gids.test_schema import sample, states
from tests.unit.vsc import samples
from tests.unit.vsc.store.test_contract import REFUSED as REFUSED_NAMES
from tests.unit.vsc.store.test_contract import with_tries
from vsc.errors import ImageError
from vsc.profiles import GIDS
from vsc.store import Image
from vsc.store.archive import read_archive, write_archive

KEPT = samples.IMAGES / "v1-gids.json"
AID_HEX = AID.hex().upper()
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(
    lambda name: name.isprintable() and name == name.strip() and not name.startswith("-")
)


def golden() -> Image:
    return replace(samples.golden_image(), label=samples.GOLDEN_LABEL)


@given(NAMES, st.text(), states)
@example("work", "", sample())
@example("work", "\ud800 \N{KEY}\N{ZERO WIDTH JOINER}\x00\n\u2028\N{RIGHT-TO-LEFT OVERRIDE}", sample())
def test_an_archive_is_the_card_and_the_card_is_the_archive(name: str, label: str, state: Any) -> None:
    image = replace(samples.image(name, state), label=label)
    image = replace(image, name=read_archive(write_archive(image)).name)
    raw = write_archive(image)
    assert read_archive(raw) == image
    assert write_archive(read_archive(raw)) == raw


class TestKept:
    """An archive of version 1: read for ever. Never write it again."""

    def test_it_is_still_read(self) -> None:
        assert read_archive(KEPT.read_bytes()) == golden()

    def test_it_is_written_again_byte_for_byte(self) -> None:
        assert write_archive(read_archive(KEPT.read_bytes())) == KEPT.read_bytes()


class TestBounds:
    """The card's own, and the field that breaks them is named."""

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            (
                lambda one: samples.with_content(one, samples.CERTIFICATE_PLACE, bytes(16_385)),
                "object DF24: 16385 bytes",
            ),
            (lambda one: replace(one, files=(*one.files, *more_files(one))), "65 files, and the card holds 64"),
        ],
    )
    def test_a_state_that_is_too_large(self, changed: Any, words: str) -> None:
        raw = write_archive(samples.image(card_state=changed(samples.state())))
        with pytest.raises(ImageError, match=f"the archive cannot be used: applications.{AID_HEX}: .*{words}"):
            read_archive(raw)

    def test_a_label_that_is_too_long(self) -> None:
        with pytest.raises(ImageError, match="label: a label has up to 8192 characters"):
            read_archive(write_archive(replace(golden(), label="x" * 8193)))


def more_files(state: GidsState) -> list[DataFile]:
    rule = state.files[0].rule
    return [DataFile(0xA100 + number, rule) for number in range(65 - len(state.files))]


class TestText:
    def test_a_spent_try_is_a_change_of_one_line(self) -> None:
        texts = [write_archive(with_tries(golden(), left)).decode().splitlines() for left in (2, 1)]
        changed = [(one, two) for one, two in zip(*texts, strict=True) if one != two]
        assert changed == [('    "tries_left": 2,', '    "tries_left": 1,')]

    def test_people_can_read_it(self) -> None:
        text = write_archive(golden()).decode()
        assert '"label": "Ada’s card \N{KEY}"' in text
        assert json.loads(text)["about"] == {
            "card_id": samples.UUID_OF_CARD_ID,
            "containers": [
                {
                    "number": 0,
                    "name": "Ada's key",
                    "is_default": True,
                    "use": "key exchange",
                    "key": "RSA 1024",
                    "certificates": 1,
                }
            ],
        }
        assert max(map(len, text.splitlines())) < 100

    def test_what_does_not_show_is_escaped(self) -> None:
        text = write_archive(replace(golden(), label="\x1b[2J\u202e\ud800")).decode()
        assert '"label": "\\u001b[2J\\u202e\\ud800"' in text
        assert all(char.isprintable() or char == "\n" for char in text)

    def test_another_name(self) -> None:
        assert read_archive(KEPT.read_bytes(), name="caf\N{COMBINING ACUTE ACCENT}") == replace(
            golden(), name="caf\u0301"
        )
        renamed = read_archive(KEPT.read_bytes(), name="new")
        assert (renamed.name, renamed.label, renamed.persistent) == ("new", golden().label, golden().persistent)


def with_field(path: str, value: Any) -> bytes:
    """The kept archive with one field replaced, or taken out (...)."""
    content = json.loads(KEPT.read_bytes())
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place = content
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(content).encode()


REFUSED = {
    "nothing": (b"", "line 1: Expecting value"),
    "a picture": (b"\xff\xd8\xff\xe0", "line 1 is not UTF-8"),
    "not UTF-8 further on": (b'{\n"name":\n"\xff"}', "line 3 is not UTF-8"),
    "cut": (KEPT.read_bytes()[:2000], r"is not JSON: line \d+: "),
    "a missing comma": (KEPT.read_bytes().replace(b'"golden",', b'"golden"'), "line 5: Expecting ',' delimiter"),
    "more behind": (KEPT.read_bytes() + b"{}", r"line \d+: Extra data"),
    "nested too deep": (b"[" * 100_000, "nested too deep"),
    "not a number": (KEPT.read_bytes().replace(b'"version": 1', b'"version": NaN'), "NaN is no JSON"),
    "a field twice": (
        KEPT.read_bytes().replace(b'"tries_left": 2,', b'"tries_left": 2, "tries_left": 3,'),
        "the field 'tries_left' stands twice",
    ),
    "a list": (b"[]", "no archive of a virtual smart card"),
    "an image": (bytes(samples.image()), "no archive of a virtual smart card"),
    "no version": (with_field("version", ...), "version: not a number from 1"),
    "version 0": (with_field("version", 0), "version: not a number from 1"),
    "version true": (with_field("version", True), "version: not a number from 1"),
    "newer": (with_field("version", 3), "has version 3; this vsc reads up to 2: use a newer one"),
    "no name": (with_field("name", ...), "name: missing"),
    "no label": (with_field("label", None), "label: not a text"),
    "unknown profile": (with_field("profile", "abacus"), "profile: not one of gids"),
    "unknown field": (with_field("price", 1), "price: unknown"),
    "no applications": (with_field("applications", ...), "applications: missing"),
    "missing application": (with_field("applications", {}), f"applications.{AID_HEX}: missing"),
    "one more application": (with_field("applications.A000000308", {}), "applications.A000000308: unknown"),
    "a field of the state": (
        with_field(f"applications.{AID_HEX}.pin.tries_left", 9),
        f"applications.{AID_HEX}.pin.tries_left: not a number from 0 to 3",
    ),
    "another name of a container": (
        with_field("about.containers.0.name", "Eve's key"),
        r"about.containers\[0\].name: does not follow from the rest",
    ),
    "another card id": (with_field("about.card_id", None), "about.card_id: does not follow"),
    "one container less": (with_field("about.containers", []), "about.containers: does not follow"),
    "less about it": (with_field("about.card_id", ...), "about: does not follow"),
    "a flag for a number": (with_field("about.containers.0.certificates", True), r"certificates: does not follow"),
}


class TestRefused:
    @pytest.mark.parametrize(("raw", "text"), REFUSED.values(), ids=REFUSED)
    def test_and_says_where(self, raw: bytes, text: str) -> None:
        with pytest.raises(ImageError, match=text) as caught:
            read_archive(raw)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("name", [one for one in REFUSED_NAMES if "\ud800" not in one])
    def test_a_name_that_is_none(self, name: str) -> None:
        with pytest.raises(ImageError, match="name: a card name has 1 to 80 printable characters"):
            read_archive(with_field("name", name))

    def test_without_what_is_about_it_the_state_counts(self) -> None:
        assert read_archive(with_field("about", ...)) == golden()
        assert read_archive(with_field("about", None)) == golden()

    @given(st.binary(max_size=100))
    def test_any_bytes(self, raw: bytes) -> None:
        with pytest.raises(ImageError):
            read_archive(raw)

    @given(st.data())
    def test_any_accident_is_refused_or_a_card(self, data: st.DataObject) -> None:
        raw = bytearray(KEPT.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0x20, 0x7E))
        try:
            image = read_archive(bytes(raw))
        except ImageError:
            return
        assert Image.parse(bytes(image)) == image
        assert read_archive(write_archive(image)) == image

    def test_no_error_shows_a_secret(self) -> None:
        for raw, _ in REFUSED.values():
            with pytest.raises(ImageError) as caught:
                read_archive(raw)
            for secret in (samples.PIN.hex(), samples.PIN.decode(), samples.ADMIN_KEY.hex()):
                assert secret not in str(caught.value).lower()


def test_a_blank_card() -> None:
    from card_os.apps.gids.personalisation import blank

    image = Image("blank", GIDS, GIDS.persistent(blank(tries=3)))
    assert read_archive(write_archive(image)) == image


def test_a_card_with_an_atr_of_its_own() -> None:
    image = golden().with_atr(Atr(historical=b"mine"))
    raw = write_archive(image)
    content = json.loads(raw)
    assert (content["version"], content["atr"]) == (2, "3B046D696E65")
    assert read_archive(raw) == image
    assert write_archive(image.with_atr(GIDS.atr)) == write_archive(golden())
    with pytest.raises(ImageError, match=r"atr: "):
        read_archive(json.dumps({**content, "atr": "3B04"}).encode())
