"""card_os.symmetric: published vectors, and round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.key_kind import KeyKind
from card_os.secret import Secret
from card_os.symmetric import KEY_BYTES, SymmetricKey

kinds = st.sampled_from(list(KEY_BYTES))
keys = kinds.flatmap(
    lambda kind: st.builds(
        SymmetricKey.of, st.just(kind), st.binary(min_size=KEY_BYTES[kind], max_size=KEY_BYTES[kind])
    )
)


@pytest.mark.parametrize(
    ("kind", "cipher"),
    [
        (KeyKind.AES_128, "69C4E0D86A7B0430D8CDB78070B4C55A"),
        (KeyKind.AES_192, "DDA97CA4864CDFE06EAF70A0EC0D7191"),
        (KeyKind.AES_256, "8EA2B7CA516745BFEAFC49904B496089"),
    ],
    ids=str,
)
def test_aes_is_that_of_fips_197_appendix_c(kind: KeyKind, cipher: str) -> None:
    key = SymmetricKey.of(kind, bytes(range(KEY_BYTES[kind])))
    plain = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    assert key.encrypt_block(plain).hex().upper() == cipher
    assert key.decrypt_block(bytes.fromhex(cipher)) == plain


def test_3des_is_that_of_sp_800_67_appendix_b() -> None:
    key = SymmetricKey.of(KeyKind.TDES, bytes.fromhex("0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123"))
    plain = b"The qufc"
    assert key.encrypt_block(plain).hex().upper() == "A826FD8CE53B855F"
    assert key.decrypt_block(bytes.fromhex("A826FD8CE53B855F")) == plain


@pytest.mark.parametrize(
    ("data", "mac"),
    [
        ("", "BB1D6929E95937287FA37D129B756746"),
        ("6BC1BEE22E409F96E93D7E117393172A", "070A16B46B4D4144F79BDD9DD04A287C"),
        (
            "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411",
            "DFA66747DE9AE63030CA32611497C827",
        ),
    ],
)
def test_cmac_is_that_of_rfc_4493_section_4(data: str, mac: str) -> None:
    key = SymmetricKey.of(KeyKind.AES_128, bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C"))
    assert key.cmac(bytes.fromhex(data)).hex().upper() == mac


def test_cbc_is_that_of_sp_800_38a_f_2_1() -> None:
    key = SymmetricKey.of(KeyKind.AES_128, bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C"))
    plain = bytes.fromhex("6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51")
    cipher = "7649ABAC8119B246CEE98E9B12E9197D5086CB9B507219EE95DB113A917678B2"
    assert key.encrypt_cbc(plain, bytes(range(16))).hex().upper() == cipher


@given(keys, st.integers(0, 4), st.data())
def test_what_is_encrypted_is_decrypted(key: SymmetricKey, blocks: int, data: st.DataObject) -> None:
    plain = data.draw(st.binary(min_size=blocks * key.block_bytes, max_size=blocks * key.block_bytes))
    iv = data.draw(st.binary(min_size=key.block_bytes, max_size=key.block_bytes))
    assert key.decrypt_block(key.encrypt_block(plain)) == plain
    assert key.decrypt_cbc(key.encrypt_cbc(plain, iv), iv) == plain
    assert len(key.cmac(plain)) == key.block_bytes


@given(keys, st.integers(1, 40))
def test_parts_of_a_block_are_refused(key: SymmetricKey, size: int) -> None:
    if size % key.block_bytes:
        with pytest.raises(ValueError):
            key.encrypt_block(bytes(size))
        with pytest.raises(ValueError):
            key.decrypt_cbc(bytes(size), bytes(key.block_bytes))


@given(st.sampled_from(list(KeyKind)), st.integers(0, 40))
def test_a_key_has_the_length_of_its_cipher(kind: KeyKind, size: int) -> None:
    if KEY_BYTES.get(kind) == size:
        assert len(SymmetricKey(kind, Secret(bytes(size))).value) == size
    else:
        with pytest.raises(ValueError):
            SymmetricKey(kind, Secret(bytes(size)))


def test_a_key_shows_only_its_kind() -> None:
    text = repr(SymmetricKey.of(KeyKind.AES_128, b"0123456789ABCDEF"))
    assert "AES" in text
    assert "0123" not in text
    assert "3031" not in text
