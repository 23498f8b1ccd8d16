"""What is said of the first command that the log has no answer to."""

from tests.unit.vsc.replay.samples import of
from vsc.masking.mask import mask
from vsc.replay.report import Report, report

SELECT = "00A4040009A0000003974254465900"


def told(command: str, *pairs: str, position: int = 0) -> Report:
    return report(of(*pairs).entries, position, mask(bytes.fromhex(command)))


def test_the_nearest_has_the_same_header_and_begins_alike() -> None:
    pairs = [f"{SELECT} 9000", "00CBA010045C02DF2300 9000", "00CBA012045C02DF2000 9000", "00CA0000 6A88"]
    found = told("00CBA012045C02DF2100", *pairs)
    assert found.nearest is not None
    assert found.nearest[0] == 3
    assert "nearest in the log: APDU 3, GET DATA" in str(found)
    assert "00CBA012045C02DF2000" in str(found)


def test_there_may_be_none() -> None:
    found = told("00D60000", f"{SELECT} 9000", position=1)
    assert (found.nearest, found.expected) == (None, None)
    assert str(found).splitlines()[1:] == ["  where: after the last of the log's 1 APDUs"]


def test_long_commands_are_shortened_and_secrets_hidden() -> None:
    assert "… of 131 bytes)" in told(f"00DB1234{126:02X}{'AA' * 126}", "00CA0000 9000").command
    found = str(told("00200080083132333435363738", "00200080063132333435 36 9000"))
    assert "VERIFY" in found
    assert "3132" not in found
    assert "(0020008008…)" in found


def test_any_command_can_be_told_of() -> None:
    assert told("00", "00CA0000 9000").command.endswith("(00)")
