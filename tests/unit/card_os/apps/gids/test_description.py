"""card_os.apps.gids.schema, descriptions: the state as people read it, back and forth, and what it refuses."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from card_os.apps.gids import Gids
from card_os.apps.gids.state import GidsState
from card_os.description import DescriptionError
from card_os.pin import Pin
from card_os.secret import Secret
from tests.unit.card_os.apps.gids.gids_card import rsa_key
from tests.unit.card_os.apps.gids.test_schema import sample, states

describe, read = Gids().describe, Gids().read_description


@given(states)
@example(GidsState())
@example(sample())
def test_what_is_described_is_read_back(state: GidsState) -> None:
    text = json.dumps(describe(state))
    assert read(json.loads(text)) == state
    assert json.dumps(describe(read(json.loads(text)))) == text


def test_the_application_has_it() -> None:
    application = Gids()
    assert application.read_description(application.describe(sample())) == sample()


def lines(state: GidsState) -> list[str]:
    return json.dumps(describe(state), indent=1).splitlines()


def test_a_spent_try_is_a_change_of_one_line() -> None:
    before = sample()
    after = replace(before, pin=replace(before.pin, tries_left=before.pin.tries_left - 1))
    changed = [(one, two) for one, two in zip(lines(before), lines(after), strict=True) if one != two]
    assert changed == [('  "tries_left": 2,', '  "tries_left": 1,')]


def test_keys_are_pem_that_others_read() -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    files = json.loads(json.dumps(describe(sample())))["files"]
    pems = ["\n".join(file["key"]["pem"]) for file in files if file["kind"] == "key" and "pem" in (file["key"] or {})]
    rsa, curve = (load_pem_private_key(pem.encode(), None) for pem in pems)
    assert rsa.private_numbers() == rsa_key(1024).library_key().private_numbers()  # type: ignore[union-attr]
    assert curve.curve.name == "secp256r1"  # type: ignore[union-attr]


def with_field(path: str, value: Any) -> Any:
    """The description of the sample with one field replaced, or taken out (...): `files.7.key.pem`."""
    content = json.loads(json.dumps(describe(sample())))
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place = content
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return content


ADMIN, RSA, CURVE = 6, 7, 8

REFUSED = [
    ("life_cycle", "dead", "life_cycle: not one of creation, initialisation, operational, terminated"),
    ("life_cycle", ..., "life_cycle: missing"),
    ("surprise", 1, "surprise: unknown"),
    ("pin", None, "pin: not an object"),
    ("pin.tries_left", 4, "pin.tries_left: not a number from 0 to 3"),
    ("pin.tries_left", -1, "pin.tries_left: not a number from 0 to 3"),
    ("pin.try_limit", 16, "pin.try_limit: not a number from 1 to 15"),
    ("pin.value", "", "pin.value: not 1 to 127 bytes"),
    ("pin.value", "00" * 128, "pin.value: not 1 to 127 bytes"),
    ("pin.value", "12345", "pin.value: not hexadecimal"),
    ("pin.hint", "my birthday", "pin.hint: unknown"),
    ("pin_policy.min_length", 3, "pin_policy.min_length: not a number from 4 to 127"),
    ("pin_policy.min_length", 100, "pin_policy: the minimum length is above the maximum"),
    ("pin_policy.digits", "maybe", "pin_policy.digits: not one of allow, require, disallow"),
    ("admin_try_limit", 0, "admin_try_limit: not a number from 1 to 255"),
    ("rule", "03", "rule: a security condition byte is missing"),
    ("rule", "", "rule: a rule has 1 to 4 alternatives"),
    ("files", {}, "files: not a list"),
    ("files.0.kind", "folder", "files[0].kind: not one of data, key"),
    ("files.0.efid", "A0", "files[0].efid: not 4 hexadecimal digits"),
    ("files.1.efid", "A000", "files[1].efid: there is a file A000 already"),
    ("files.0.is_active", 1, "files[0].is_active: neither true nor false"),
    ("files.0.objects.0.tag", "", "files[0].objects[0].tag: not one tag"),
    ("files.0.objects.0.tag", "DF1FDF20", "files[0].objects[0].tag: not one tag"),
    ("files.0.objects.0.tag", "DF", "files[0].objects[0].tag: "),
    ("files.1.objects.1.tag", "DF21", "files[1].objects[1].tag: there is an object DF21 already"),
    ("files.0.objects.0.value", [1], "files[0].objects[0].value: not a list of texts"),
    ("files.0.key", None, "files[0].key: unknown"),
    (f"files.{RSA}.uses", [], f"files[{RSA}]: "),
    (f"files.{RSA}.uses.0.template", "magic", f"files[{RSA}].uses[0].template: not one of authentication, signature"),
    (f"files.{RSA}.uses.0.algorithm", "FF", f"files[{RSA}]: "),
    (f"files.{RSA}.uses.0.usage", "100", f"files[{RSA}].uses[0].usage: not hexadecimal"),
    (f"files.{RSA}.uses.0.max_uses", 65536, f"files[{RSA}].uses[0].max_uses: not a number from 0 to 65535"),
    (f"files.{RSA}.key.type", "dsa", f"files[{RSA}].key.type: not one of admin, rsa, ec"),
    (f"files.{RSA}.key.pem", [], f"files[{RSA}].key.pem: not an RSA PRIVATE KEY (PKCS#1) in PEM"),
    (f"files.{RSA}.key.pem.0", "-----BEGIN PRIVATE KEY-----", f"files[{RSA}].key.pem: not an RSA PRIVATE KEY"),
    (f"files.{RSA}.key.pem.1", "%%%", f"files[{RSA}].key.pem: "),
    (f"files.{RSA}.key.pem.2", ..., f"files[{RSA}].key.pem: "),
    (f"files.{CURVE}.key.pem.1", "AAAA", f"files[{CURVE}].key.pem: not a private key in PEM"),
    (f"files.{CURVE}.key.type", "rsa", f"files[{CURVE}].key.pem: not an RSA PRIVATE KEY"),
    (f"files.{ADMIN}.key.value", "00" * 23, f"files[{ADMIN}].key.value: an admin key has 24 bytes"),
    (f"files.{ADMIN}.key.tries_left", 11, f"files[{ADMIN}].key.tries_left: not a number from 0 to 10"),
    (f"files.{ADMIN}.key.try_limit", None, f"files[{ADMIN}].key.tries_left: not a number from 0 to 0"),
]


@pytest.mark.parametrize(("path", "value", "text"), REFUSED, ids=str)
def test_what_is_wrong_is_refused_and_named(path: str, value: Any, text: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        read(with_field(path, value))
    assert str(caught.value).startswith(text)


def test_an_rsa_key_whose_numbers_do_not_belong_together_is_refused() -> None:
    description = json.loads(json.dumps(describe(sample())))
    key = description["files"][RSA]["key"]
    other = json.loads(json.dumps(describe(replace_key(sample()))))["files"][RSA]["key"]
    key["pem"][4] = other["pem"][4]
    with pytest.raises(DescriptionError, match=rf"^files\[{RSA}\]\.key\.pem: "):
        read(description)


def replace_key(state: GidsState) -> GidsState:
    file = state.key_file(0x81)
    assert file is not None
    return state.with_file(file.with_key(rsa_key(1024, 1)))


def test_a_key_in_another_order_of_lines_is_the_same_key() -> None:
    description = json.loads(json.dumps(describe(sample())))
    pem = description["files"][RSA]["key"]["pem"]
    pem[1:-1] = ["".join(pem[1:-1])]
    assert read(description) == sample()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4))
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(DescriptionError):
        read(value)


@given(st.data())
def test_one_field_of_another_type_never_is_an_accident(data: st.DataObject) -> None:
    description = json.loads(json.dumps(describe(sample())))
    place: Any = description
    while True:  # Each turn is a step further down.
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(st.sampled_from([None, True, -1, 10**9, "", "zz", "00", [], {}, [[]], 1.5]))
    try:
        state = read(description)
    except DescriptionError:
        return
    assert read(json.loads(json.dumps(describe(state)))) == state


def test_no_error_shows_a_secret() -> None:
    state = replace(sample(), pin=Pin(Secret(b"s3cr3t-p1n"), 3, 3))
    description = json.loads(json.dumps(describe(state)))
    description["pin"]["tries_left"] = 99
    with pytest.raises(DescriptionError) as caught:
        read(description)
    assert "s3cr3t" not in str(caught.value)
    assert b"s3cr3t".hex() not in str(caught.value).lower()
