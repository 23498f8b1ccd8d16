"""Commands that the tests of faults send."""

SELECT = bytes.fromhex("00A4040009A00000039742544659")


def verify(pin: str) -> bytes:
    return bytes([0x00, 0x20, 0x00, 0x80, len(pin)]) + pin.encode()


VERIFY = verify("12345678")
