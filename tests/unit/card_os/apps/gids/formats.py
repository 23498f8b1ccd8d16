"""Samples of the wire formats of GIDS, for tests/property/test_wire.py."""

SAMPLES: dict[str, list[str]] = {
    "apps.gids.minidriver.DIRECTORY_ENTRY": [
        "6D7363700000000000 636D617066696C6500 0000 23DF0000 10A00000",
        "00" * 18 + "0000 FFFFFFFF 00000000",
    ],
    "apps.gids.minidriver.CACHE_FILE": ["000000000000", "00FF0100FFFF"],
    "apps.gids.minidriver.CONTAINER": ["6100" + "00" * 78 + "03 00 0008 0000", "00" * 86],
    "apps.gids.minidriver.KEY_MAP_RECORD": ["01000000 07 9A 81B0 FFFF 0000", "00000000 00 00 FFFF FFFF 0000"],
    "apps.gids.minidriver.CERTIFICATE": ["01000100", "0100FFFF789C"],
}
