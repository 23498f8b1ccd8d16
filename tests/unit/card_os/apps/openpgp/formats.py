"""Samples of the OpenPGP card's wire formats, for tests/property/test_wire.py."""

SAMPLES: dict[str, list[str]] = {
    "apps.openpgp.algorithm.RSA": ["01 0800 0011 00", "01 1000 0020 03"],
    "apps.openpgp.wire.FULL_AID": ["D27600012401 0304 0006 12345678 0000", "D27600012401 0201 FFFE 00000000 0000"],
}
