"""card_os.apps.piv.secure_messaging: the worked vector (piv.md 11.5, OpenSC being the host), a host of the tests' own
for both suites, and everything that must be refused (piv.md 11.4)."""

from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.apps.piv.secure_messaging import CS2, CS7, SecureChannel, Suite, card_id, establish
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.sw import SW, CardError
from card_os.tlv import Tlv
from tests.unit.card_os.apps.piv.sm_host import SmHost
from vsc.world import SeededEnv

h = bytes.fromhex
D_CARD = 0xE5E9B4CAD16031DF6C7E60D8FC9D56B33C02F20A0624BF16C64372393B260AC1
OPENING = h(
    "00C56D00000000000004233BBE1B01402B5568432D7AB0E10D02ECB86663CE9B826E49863249E36F335F"
    "1B110405746289D5E55AE418B50EC37248F55897538F840A2F6C1CB68522FE0A"
)
NONCE = bytes(range(0xA0, 0xB0))
CVC = h(
    "7F2181D15F2901804208BAC49973D95925FB5F2010C0FFEE0102034405860708090A0B0C0D7F494D06082A8648CE3D030107864104EC4FEB99"
    "0399FE25D4122F68F487B33708E4ECDB1F365EEF5188782008C8A231835BACF66A03118F8A39E6FF6E9447FD262F10B0998AC5497B08152063"
    "E6CFF15F4C01005F37593057300A06082A8648CE3D0403020349003046022100F036AA6EE018EC9958209E737B2C8D40221AF11D72BA81FA43"
    "69C9F54860A563022100F04D0F770D67ADA2A74F36AA089614DE80F75D4C1EA024FFA0299425ADDD0D66"
)


def test_the_worked_vector() -> None:
    answer, channel = establish(EcPrivateKey(KeyKind.P256, D_CARD), CVC, OPENING, NONCE)
    assert card_id(CVC) == h("18F2706BC7634C5A")
    assert answer == b"\x00" + NONCE + h("0538949AF6DE6B75ABC4F8B62F703F55") + CVC
    assert channel.mac.value.reveal() == h("EFDFE1D0B8CDEBC007E3AA75DCD684DD")
    assert channel.enc.value.reveal() == h("37727EB75E309A4E0B49472090097535")
    assert channel.rmac.value.reveal() == h("5E9DB04020D958428653FD57146A59E9")

    verify = channel.unwrap(
        CommandApdu.parse(h("0C2000981D871101B09C90FD53EF49D1E97A85C2CA17B8378E080E6D24C2BE4AC99300"))
    )
    assert verify == CommandApdu(0x00, 0x20, 0x00, 0x98, b"12345678")
    assert bytes(channel.wrap(ResponseApdu())) == h("990290008E0860974A8BBC81FCC29000")

    get_data = channel.unwrap(
        CommandApdu.parse(h("0CCB3FFF2087110159EB2BD3BBD019E4CF4FEBB4B51ED50E9701008E088C9B2AFEF806272000"))
    )
    assert get_data == CommandApdu(0x00, 0xCB, 0x3F, 0xFF, h("5C035FC10C"), 256)
    assert bytes(channel.wrap(ResponseApdu(h("5308C10100C20100FE00")))) == h(
        "871101C0AA505C394904C702DAB1984DBEB081990290008E0879DA39E679963F2B9000"
    )


# --- a host of the tests' own


@cache
def card_key(kind: KeyKind) -> EcPrivateKey:
    return EcPrivateKey.generate(kind, SeededEnv("card key").random_bytes)


def session(suite: Suite) -> tuple[SmHost, SecureChannel]:
    host = SmHost(EcPrivateKey.generate(suite.kind, SeededEnv("host").random_bytes).library_key())
    command = CommandApdu.parse(host.opening())
    opening = command.data[-2 - (1 + 8 + suite.point_bytes) : -2]
    answer, channel = establish(card_key(suite.kind), CVC, opening, bytes(suite.nonce_bytes))
    public = card_key(suite.kind).library_key().public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    host.take(answer, public, CVC)
    return host, channel


suites = st.sampled_from([CS2, CS7])
exchanges = st.lists(
    st.tuples(st.binary(max_size=300), st.booleans(), st.binary(max_size=700), st.integers(0x6000, 0x9FFF)), max_size=4
)


@given(suites, exchanges)
def test_what_a_host_wraps_is_unwrapped_and_back(suite: Suite, exchanges: list[tuple[bytes, bool, bytes, int]]) -> None:
    host, channel = session(suite)
    for data, le, answer, sw in exchanges:
        plain = channel.unwrap(CommandApdu.parse(host.wrap(0xCB, 0x3F, 0xFF, data, le=le)))
        assert (plain.cla, plain.ins, plain.p1p2, plain.data, plain.ne) == (0, 0xCB, 0x3FFF, data, 256 if le else 0)
        assert host.unwrap(bytes(channel.wrap(ResponseApdu(answer, sw)))) == (answer, sw)


def test_the_keys_of_two_sessions_differ_by_the_nonce_alone() -> None:
    key, opening = card_key(KeyKind.P256), b"\x00" * 9 + card_key(KeyKind.P256).point
    _, one = establish(key, CVC, opening, bytes(16))
    _, other = establish(key, CVC, opening, bytes(15) + b"\x01")
    assert one.enc != other.enc


@pytest.mark.parametrize(
    ("control", "point"),
    [
        (0x10, None),
        (0x80, None),
        (0x00, b"\x02" + bytes(64)),
        (0x00, b"\x04" + bytes(63) + b"\x01"),
        (0x00, b"\x04" + bytes(62)),
        (0x00, b""),
    ],
)
def test_an_opening_that_is_none_is_wrong_data(control: int, point: bytes | None) -> None:
    data = bytes([control]) + bytes(8) + (card_key(KeyKind.P256).point if point is None else point)
    with pytest.raises(CardError) as refused:
        establish(card_key(KeyKind.P256), CVC, data, bytes(16))
    assert refused.value.sw == SW.WRONG_DATA


def test_the_low_bits_of_the_control_byte_say_nothing_here() -> None:
    data = b"\x01" + bytes(8) + card_key(KeyKind.P256).point
    answer, _ = establish(card_key(KeyKind.P256), CVC, data, bytes(16))
    assert answer[0] == 0


# --- what is refused


def changed(raw: bytes, at: int, bit: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ bit]) + raw[at + 1 :]


@given(st.data(), suites, st.binary(min_size=1, max_size=40), st.booleans())
def test_no_bit_of_a_message_can_be_changed(data: st.DataObject, suite: Suite, plain: bytes, le: bool) -> None:
    host, channel = session(suite)
    wrapped = CommandApdu.parse(host.wrap(0x20, 0x00, 0x80, plain, le=le))
    at, bit = data.draw(st.integers(0, len(wrapped.data) - 1)), data.draw(st.sampled_from([1 << n for n in range(8)]))
    with pytest.raises(CardError) as refused:
        channel.unwrap(CommandApdu(0x0C, 0x20, 0x00, 0x80, changed(wrapped.data, at, bit)))
    assert refused.value.sw in (SW.SM_OBJECT_WRONG, SW.SM_OBJECT_MISSING)


def refusal(channel: SecureChannel, raw: bytes, **options: bool) -> int:
    with pytest.raises(CardError) as refused:
        channel.unwrap(CommandApdu.parse(raw), **options)
    return refused.value.sw


def test_the_header_is_under_the_mac_but_its_chaining_bit_is_not() -> None:
    for at in range(1, 4):
        host, channel = session(CS2)
        assert refusal(channel, changed(host.wrap(0x20, 0x00, 0x80, b"x"), at, 0x01)) == 0x6988
    host, channel = session(CS2)
    assert channel.unwrap(CommandApdu.parse(changed(host.wrap(0x20, 0x00, 0x80, b"x"), 0, 0x10))).data == b"x"


def test_a_replayed_message_is_wrong() -> None:
    host, channel = session(CS2)
    raw = host.wrap(0x20, 0x00, 0x80, b"12345678")
    channel.unwrap(CommandApdu.parse(raw))
    assert refusal(channel, raw) == 0x6988


def rebuilt(host: SmHost, objects: bytes) -> bytes:
    """A message with other objects under a right MAC."""
    from tests.unit.card_os.apps.piv.sm_host import cmac

    mac = cmac(host.mac, bytes(16) + h("0C200080") + b"\x80" + bytes(11) + objects)[:8]
    body = objects + b"\x8e\x08" + mac
    return h("0C200080") + bytes([len(body)]) + body + b"\x00"


@pytest.mark.parametrize(
    ("objects", "sw"),
    [
        (h("871001") + bytes(15), 0x6988),
        (h("871102") + bytes(16), 0x6988),
        (h("870101"), 0x6988),
        (h("8700"), 0x6988),
        (h("970100871101") + bytes(16), 0x6988),
        (h("9700"), 0x6988),
        (h("9703000000"), 0x6988),
        (h("85020000"), 0x6988),
        (h("970100970100"), 0x6988),
        (h("871101") + bytes(16), 0x6988),  # the padding
    ],
)
def test_other_objects_are_wrong_also_under_a_right_mac(objects: bytes, sw: int) -> None:
    host, channel = session(CS2)
    assert refusal(channel, rebuilt(host, objects)) == sw


def test_no_mac_no_message() -> None:
    host, channel = session(CS2)
    whole = CommandApdu.parse(host.wrap(0x20, 0x00, 0x80, b"12345678"))
    assert refusal(channel, bytes(CommandApdu(0x0C, 0x20, 0, 0x80, whole.data[:-10]))) == 0x6987
    host, channel = session(CS2)
    assert refusal(channel, bytes(CommandApdu(0x0C, 0x20, 0, 0x80, whole.data[:-11]))) == 0x6988
    assert refusal(channel, bytes(CommandApdu(0x0C, 0x20, 0, 0x80))) == 0x6987
    assert refusal(channel, bytes(CommandApdu(0x0C, 0x20, 0, 0x80, h("8E0400000000")))) == 0x6988


def test_a_counter_that_is_ahead_shows_in_the_padding_only() -> None:
    # The MAC does not cover the counter: a CHANGE of two blocks gets through, its first block garbage (piv.md 11.4).
    host, channel = session(CS2)
    host.counter += 1
    assert refusal(channel, host.wrap(0x20, 0x00, 0x80, b"12345678")) == 0x6988
    host, channel = session(CS2)
    host.counter += 1
    new = channel.unwrap(CommandApdu.parse(host.wrap(0x24, 0x00, 0x80, b"123456\xff\xff654321\xff\xff")))
    assert len(new.data) == 16
    assert new.data[:8] != b"123456\xff\xff"


def test_whole_blocks_without_padding_pass_where_that_is_allowed() -> None:
    pins = b"123456\xff\xff654321\xff\xff"
    host, channel = session(CS2)
    assert refusal(channel, host.wrap(0x24, 0x00, 0x80, pins, pads=False)) == 0x6988
    host, channel = session(CS2)
    raw = host.wrap(0x24, 0x00, 0x80, pins, pads=False)
    assert channel.unwrap(CommandApdu.parse(raw), takes_unpadded=True).data == pins
    host, channel = session(CS2)
    raw = host.wrap(0x24, 0x00, 0x80, pins)
    assert channel.unwrap(CommandApdu.parse(raw), takes_unpadded=True).data == pins


@given(st.binary(max_size=60))
def test_any_bytes_are_answered_with_an_error(raw: bytes) -> None:
    _, channel = session(CS2)
    with pytest.raises(CardError) as refused:
        channel.unwrap(CommandApdu(0x0C, 0x20, 0x00, 0x80, raw))
    assert refused.value.sw in (0x6987, 0x6988)


def test_le_of_a_message() -> None:
    for value, ne in (("00", 256), ("10", 16), ("0000", 65_536), ("0100", 256)):
        host, channel = session(CS2)
        assert channel.unwrap(CommandApdu.parse(rebuilt(host, bytes(Tlv(0x97, h(value)))))).ne == ne
