"""card_os.apps.gids.schema, bytes: what is written is read back, and images of today are read for ever."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from card_os.access import AccessRule
from card_os.admin import AdminKey
from card_os.apps.gids import Gids
from card_os.apps.gids.state import DataFile, File, GidsState, KeyFile, KeyUse, LifeCycle, PrivateKey
from card_os.apps.gids.wire import EC_KINDS, Crt
from card_os.key_kind import KeyKind
from card_os.pin import CharacterRule, Pin, PinPolicy
from card_os.rsa import RsaPrivateKey
from card_os.secret import Secret
from card_os.tlv import Tlv
from card_os.wire import WireError
from tests.unit.card_os.apps.gids.gids_card import ADMIN_KEY, CARD_ID, GidsCard, ec_key, mse, ready_state, rsa_key

encode, decode = Gids().encode, Gids().decode
VECTORS = Path(__file__).parents[4] / "vectors"


rules = st.lists(
    st.integers(0, 255).flatmap(
        lambda amb: st.tuples(
            st.just(amb), st.binary(min_size=(amb & 0x7F).bit_count(), max_size=(amb & 0x7F).bit_count())
        )
    ),
    min_size=1,
    max_size=4,
).map(lambda alternatives: AccessRule(tuple(alternatives)))


@st.composite
def pins(draw: st.DrawFn) -> Pin:
    limit = draw(st.integers(1, 15))
    value = draw(st.none() | st.binary(min_size=1, max_size=127).map(Secret))
    return Pin(value, limit, draw(st.integers(0, limit)))


@st.composite
def policies(draw: st.DrawFn) -> PinPolicy:
    low = draw(st.integers(4, 127))
    rule = st.sampled_from(CharacterRule)
    classes = draw(st.tuples(rule, rule, rule, rule))
    return PinPolicy(low, draw(st.integers(low, 127)), *classes, other=CharacterRule.ALLOW)


@st.composite
def admin_keys(draw: st.DrawFn) -> AdminKey:
    limit = draw(st.none() | st.integers(1, 255))
    return AdminKey(Secret(draw(st.binary(min_size=24, max_size=24))), limit, draw(st.integers(0, limit or 0)))


tags = st.one_of(
    st.integers(0x01, 0xFE).filter(lambda tag: tag & 0x1F != 0x1F),
    st.integers(0xDF00, 0xDF7F),
    st.integers(0x7F8100, 0x7FFF7F),
).filter(lambda tag: tag < 0x10000 or (tag & 0x8080) == 0x8000)
data_files = st.builds(
    DataFile,
    st.integers(0xA000, 0xA0FF),
    rules,
    st.booleans(),
    st.booleans(),
    st.lists(st.builds(Tlv, tags, st.binary(max_size=300)), max_size=4, unique_by=lambda one: one.tag).map(tuple),
)


@st.composite
def key_files(draw: st.DrawFn) -> KeyFile:
    number = draw(st.sampled_from([0x2, 0x6, 0x7, 0xC, 0xD, 0xE]))
    kinds = {0x2: [(Crt.AUTHENTICATION, 0x02)]}.get(
        number,
        [(Crt.SIGNATURE, 0x10 | number), (Crt.CONFIDENTIALITY, number)]
        + ([(Crt.SIGNATURE, 0x50 | number), (Crt.CONFIDENTIALITY, 0x80 | number)] if number < 0xA else [])
        + ([(Crt.AUTHENTICATION, number)] if number > 0xA else []),
    )
    use = st.builds(
        lambda kind, usage, most: KeyUse(kind[0], kind[1], usage, most),
        st.sampled_from(kinds),
        st.integers(0, 255),
        st.integers(0, 0xFFFF),
    )
    keys: st.SearchStrategy[PrivateKey] = admin_keys()
    if number in (6, 7):
        keys = st.just(rsa_key(1024 if number == 6 else 2048))
    elif number > 7:
        keys = st.just(ec_key(EC_KINDS[number]))
    uses = tuple(draw(st.lists(use, min_size=1, max_size=4)))
    efid = draw(st.integers(0xB080, 0xB0FF))
    return KeyFile(efid, draw(rules), uses, draw(st.booleans()), draw(st.booleans()), draw(st.none() | keys))


files: st.SearchStrategy[File] = st.one_of(data_files, key_files())
states = st.builds(
    GidsState,
    life_cycle=st.sampled_from(LifeCycle),
    pin=pins(),
    puk=pins(),
    pin_policy=st.none() | policies(),
    admin_try_limit=st.none() | st.integers(1, 255),
    files=st.lists(files, max_size=4, unique_by=lambda file: file.efid).map(tuple),
    template=st.binary(max_size=40),
    fmd=st.binary(max_size=40),
    rule=rules,
)


def sample() -> GidsState:
    """A card with one of everything."""
    rule = AccessRule.parse(bytes.fromhex("8F10101000"))
    uses = (KeyUse(Crt.SIGNATURE, 0x56, 0x40), KeyUse(Crt.CONFIDENTIALITY, 0x46, 0x40, max_uses=500))
    curve = (KeyUse(Crt.SIGNATURE, 0x1C, 0x40), KeyUse(Crt.AUTHENTICATION, 0x0C, 0x40))
    state = ready_state(policy=PinPolicy(min_length=4, max_length=16), puk=b"99998888", admin_try_limit=10)
    for file in (
        KeyFile(0xB081, rule, uses, is_active=True, born_operational=True, key=rsa_key(1024)),
        KeyFile(0xB082, rule, curve, is_active=True, born_operational=True, key=ec_key(KeyKind.P256)),
        KeyFile(0xB083, rule, uses, is_active=False, born_operational=True),
    ):
        state = state.with_file(file)
    return replace(state, pin=replace(state.pin, tries_left=2))


@given(states)
@example(GidsState())
@example(sample())
def test_what_is_written_is_read_back(state: GidsState) -> None:
    raw = encode(state)
    assert decode(raw) == state
    assert encode(decode(raw)) == raw


def test_every_truncation_is_refused() -> None:
    raw = encode(sample())
    for size in range(len(raw)):
        with pytest.raises(WireError):
            decode(raw[:size])
    with pytest.raises(WireError):
        decode(raw + b"\x00")


@given(st.data())
def test_a_damaged_image_is_refused_or_read_but_never_an_accident(data: st.DataObject) -> None:
    raw = bytearray(encode(sample()))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(raw))
    except WireError:
        return


@given(st.binary(max_size=200))
def test_anything_else_is_refused(raw: bytes) -> None:
    with pytest.raises(WireError):
        decode(b"\x00" + raw)
    with pytest.raises(WireError):
        decode(b"GIDS\x01" + raw[:20])


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_refused(version: int) -> None:
    raw = encode(sample())
    assert raw[:5] == b"GIDS\x01"
    with pytest.raises(WireError):
        decode(raw[:4] + bytes([version]) + raw[5:])


def golden() -> bytes:
    return bytes.fromhex((VECTORS / "gids-state-1.hex").read_text())


def test_the_image_of_version_1_is_read_for_ever() -> None:
    """Never write `gids-state-1.hex` again: it stands for all the images that people have."""
    state = decode(golden())
    assert encode(state) == golden()
    assert state.life_cycle == LifeCycle.OPERATIONAL
    assert state.pin == Pin(Secret(b"12345678"), 3, 2)
    assert state.puk == Pin(Secret(b"99998888"), 3, 3)
    assert state.pin_policy == PinPolicy(min_length=4, max_length=16)
    assert state.admin_try_limit == 10
    efids = [file.efid for file in state.files]
    assert efids == [0xA000, 0xA010, 0xA011, 0xA012, 0xA013, 0xA014, 0xB080, 0xB081, 0xB082, 0xB083]
    keys = [state.key_file(number) for number in (0x80, 0x81, 0x82, 0x83)]
    admin, rsa, curve, none = (file.key if file else None for file in keys)
    assert admin == AdminKey.new(ADMIN_KEY, try_limit=10)
    assert isinstance(rsa, RsaPrivateKey)
    rsa.library_key(check=True)
    assert hashlib.sha256(bytes(rsa)).hexdigest() == "37a5599e8ff73e13f841933dcfe7f0331309837a392740a774148e0cde0dca15"
    assert curve == ec_key(KeyKind.P256)
    assert none is None
    assert state == sample(), "today's code makes the same card"


def test_a_card_made_from_the_old_image_works() -> None:
    card = GidsCard(decode(golden()))
    assert card.login() == "9000"
    assert card.send("00CBA012045C02DF2000") == f"DF2010{CARD_ID.hex().upper()}9000"
    card.run(mse("B6", 0x56))
    assert card.send("002A9E9A04" + "01020304" + "00")[-4:] == "9000"
    assert card.admin_login() == "9000"
