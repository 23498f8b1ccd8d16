"""File control parameters: what CREATE FILE accepts (gids.md 2.1, 3, 6.2)."""

import pytest

from card_os.access import AccessRule
from card_os.apps.gids.fcp import parse_file, parse_uses
from card_os.apps.gids.state import DataFile, KeyFile, KeyUse
from card_os.apps.gids.wire import Crt
from card_os.sw import CardError
from tests.unit.card_os.apps.gids.gids_card import crt, exchange_crts, key_fcp
from tests.unit.each import each

# gids.md 6.2, RSA-2048 in container 0: what OpenSC and Windows send.
EXCHANGE = (
    "62478201188302B0818C058F10101000A537"
    "B809800107830181950140B809800187830181950140B809800147830181950140"
    "B609800117830181950140B609800157830181950140"
)
# Signature only; OpenSC writes key id 83 into it whatever the key is.
SIGNATURE = "62268201188302B0858C058F10101000A516B609800117830183950140B609800157830183950140"


def parse(fcp: str, *, operational: bool = False) -> object:
    return parse_file(bytes.fromhex(fcp), born_operational=operational)


def refused(fcp: str) -> str:
    with pytest.raises(CardError) as caught:
        parse(fcp)
    return f"{caught.value.sw:04X}"


@pytest.mark.parametrize("operational", [False, True])
def test_a_data_file(operational: bool) -> None:
    expected = DataFile(0xA010, AccessRule(((3, b"\x30\x00"),)), born_operational=operational)
    assert parse("620C8201398302A0108C03033000", operational=operational) == expected


def test_an_exchange_key_as_opensc_and_windows_make_it() -> None:
    uses = [(Crt.CONFIDENTIALITY, 0x07), (Crt.CONFIDENTIALITY, 0x87), (Crt.CONFIDENTIALITY, 0x47)]
    uses += [(Crt.SIGNATURE, 0x17), (Crt.SIGNATURE, 0x57)]
    rule = AccessRule(((0x8F, b"\x10\x10\x10\x00"),))
    assert parse(EXCHANGE) == KeyFile(0xB081, rule, tuple(KeyUse(kind, number, 0x40) for kind, number in uses))
    assert key_fcp(exchange_crts(7)).upper() == EXCHANGE


def test_the_key_id_is_that_of_the_file_whatever_opensc_writes_into_the_crts() -> None:
    file = parse(SIGNATURE)
    assert isinstance(file, KeyFile)
    assert file.key_id == 0x85


def test_the_algorithms_of_table_6_1() -> None:
    for number, tag, algorithm in each(
        [(n, "B6", 0x10 | n) for n in (6, 7, 8, 9, 0xC, 0xD, 0xE)]
        + [(n, "B6", 0x50 | n) for n in (6, 7, 8, 9)]
        + [(n, "B8", high | n) for n in (6, 7, 8, 9) for high in (0, 0x40, 0x80)]
        + [(n, "B8", n) for n in (0xC, 0xD, 0xE)]
        + [(n, "A4", n) for n in (2, 0xC, 0xD, 0xE)]
    ):
        file = parse(key_fcp([crt(tag, algorithm)]))
        assert isinstance(file, KeyFile)
        assert [use.key_type for use in file.uses] == [number]


def test_other_algorithms_are_not_supported_or_wrong() -> None:
    for tag, algorithm, sw in each(
        [
            ("B6", 0x1A, "6A81"),
            ("B6", 0x1B, "6A81"),
            ("B8", 0x0A, "6A81"),
            ("A4", 0x0B, "6A81"),
            ("A4", 0x01, "6A81"),
            ("A4", 0x03, "6A81"),
            ("A4", 0x04, "6A81"),
            ("A4", 0x05, "6A81"),
            ("B6", 0x07, "6A80"),
            ("B6", 0x47, "6A80"),
            ("B6", 0x5C, "6A80"),
            ("B6", 0x12, "6A80"),
            ("B6", 0x02, "6A80"),
            ("B8", 0x02, "6A80"),
            ("B8", 0x57, "6A80"),
            ("B8", 0x17, "6A80"),
            ("B8", 0x4C, "6A80"),
            ("A4", 0x07, "6A80"),
            ("A4", 0x12, "6A80"),
            ("A4", 0x00, "6A80"),
            ("A4", 0x0F, "6A80"),
            ("B4", 0x02, "6A80"),
        ]
    ):
        assert refused(key_fcp([crt(tag, algorithm)])) == sw


@pytest.mark.parametrize("efid", ["0000", "2F00", "2F01", "3F00", "3FFF", "FFFF"])
def test_reserved_identifiers_cannot_be_created(efid: str) -> None:
    assert refused(f"620C8201398302{efid}8C03033000") == "6A80"


@pytest.mark.parametrize("efid", ["A010", "B07F", "B100", "0081"])
def test_a_key_file_has_an_identifier_from_b080_to_b0ff(efid: str) -> None:
    assert refused(EXCHANGE.replace("8302B081", f"8302{efid}")) == "6A80"


@pytest.mark.parametrize("efid", ["B080", "B09E", "B0FF"])
def test_opensc_goes_to_key_id_ff(efid: str) -> None:
    assert isinstance(parse(EXCHANGE.replace("8302B081", f"8302{efid}")), KeyFile)


WRONG = {
    "another template": "640C8201398302A0108C03033000",
    "something after it": "620C8201398302A0108C0303300000",
    "cut off": "620C8201398302A0108C030330",
    "a life cycle": "620F8201398302A0108A01058C03033000",
    "an unknown tag": "620E8201398302A01085008C03033000",
    "no descriptor": "62098302A0108C03033000",
    "no identifier": "62088201398C03033000",
    "no rule": "62078201398302A010",
    "a short identifier": "620B8201398301A08C03033000",
    "a DF": "620C8201388302A0108C03033000",
    "a transparent EF": "620C8201018302A0108C03033000",
    "a long descriptor": "620D820239218302A0108C03033000",
    "an empty rule": "62098201398302A0108C00",
    "a rule without its SCBs": "620A8201398302A0108C0103",
    "a rule of five alternatives": "62138201398302A0108C0A01000100010001000100",
    "a key file without CRTs": "620E8201188302B0818C058F10101000",
    "a key file with empty CRTs": "62108201188302B0818C058F10101000A500",
    "two kinds of key": key_fcp([crt("B6", 0x17), crt("B6", 0x16)]),
    "a CRT without algorithm": "62188201188302B0818C058F10101000A508B606830181950140",
    "a CRT without usage": "62188201188302B0818C058F10101000A508B606800117830181",
    "a CRT with a long algorithm": "621C8201188302B0818C058F10101000A50CB60A80021700830181950140",
    "a CRT with a long usage": "621C8201188302B0818C058F10101000A50CB60A80011783018195024000",
    "a CRT with an empty usage": "621A8201188302B0818C058F10101000A50AB6088001178301819500",
    "a usage counter of one byte": key_fcp([crt("B6", 0x17, more="A303900101")]),
    "a usage counter without value": key_fcp([crt("B6", 0x17, more="A300")]),
    "nothing": "",
}


def test_wrong_parameters_are_6a80() -> None:
    for fcp in each(WRONG.values()):
        assert refused(fcp) == "6A80"


@pytest.mark.parametrize(("counter", "uses"), [("0000", 0), ("0001", 1), ("01F4", 500), ("FFFF", 65535)])
def test_the_key_usage_counter_has_two_bytes(counter: str, uses: int) -> None:
    file = parse(key_fcp([crt("B6", 0x17, more=f"A3049002{counter}")]))
    assert isinstance(file, KeyFile)
    assert file.uses[0].max_uses == uses


@pytest.mark.parametrize("more", ["", "A304900201F4"])
def test_crts_come_back_as_they_are(more: str) -> None:
    raw = bytes.fromhex(crt("B6", 0x17, 0x85, more=more))
    (use,) = parse_uses(raw)
    assert bytes(use.tlv(0x85)) == raw
