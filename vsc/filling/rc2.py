"""RC2 in CBC mode, deciphering only (RFC 2268): what many programs encrypted the certificates of a PFX with.

`cryptography` has it with 128 bits only; a PFX has it with 40.
"""

from cryptography.hazmat.primitives.padding import PKCS7

BLOCK_BYTES = 8

# RFC 2268, section 2: a permutation of all bytes, made of the digits of pi.
_PI = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89d c67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32 bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc 1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303 f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a 961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039 997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9 d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2e c5f3db47e5a59c770aa62068fe7fc1ad"
)
_ROTATIONS = (1, 2, 3, 5)


def decipher(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Deciphers and takes the padding off. The key has all its bits in effect; ValueError for a wrong padding."""
    words, before, plain = _expanded(key), iv, bytearray()
    for at in range(0, len(data), BLOCK_BYTES):
        block = data[at : at + BLOCK_BYTES]
        plain += bytes(one ^ two for one, two in zip(_block(words, block), before, strict=True))
        before = block
    unpadder = PKCS7(8 * BLOCK_BYTES).unpadder()
    return unpadder.update(bytes(plain)) + unpadder.finalize()


def _expanded(key: bytes) -> list[int]:
    """The 64 words of the key (section 2)."""
    size, table = len(key), bytearray(key)
    while len(table) < 128:
        table.append(_PI[table[-1] + table[-size] & 0xFF])
    table[128 - size] = _PI[table[128 - size]]
    for at in range(127 - size, -1, -1):
        table[at] = _PI[table[at + 1] ^ table[at + size]]
    return [int.from_bytes(table[at : at + 2], "little") for at in range(0, 128, 2)]


def _block(words: list[int], block: bytes) -> bytes:
    """One block (section 4): five rounds of mixing back, six, five, and a round of mashing back between them."""
    r = [int.from_bytes(block[at : at + 2], "little") for at in range(0, BLOCK_BYTES, 2)]
    at = 63
    for rounds in (5, 6, 5):
        for _ in range(rounds):
            for i in (3, 2, 1, 0):
                turned = (r[i] >> _ROTATIONS[i] | r[i] << 16 - _ROTATIONS[i]) & 0xFFFF
                r[i] = turned - words[at] - (r[i - 1] & r[i - 2]) - (~r[i - 1] & r[i - 3]) & 0xFFFF
                at -= 1
        if at > 0:
            for i in (3, 2, 1, 0):
                r[i] = r[i] - words[r[i - 1] & 63] & 0xFFFF
    return b"".join(one.to_bytes(2, "little") for one in r)
