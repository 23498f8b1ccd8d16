"""SELECT and what the FCI says."""

import pytest

from tests.unit.vsc.host.cards import FCI, SELECT, Script, host
from vsc.errors import UnsupportedCard
from vsc.host import AdminForm
from vsc.host.gids.application import Application, parse_fci

AID = bytes.fromhex("A000000397425446590201")


@pytest.mark.parametrize(
    ("fci", "application", "form"),
    [
        ("61124F0BA000000397425446590201730340 01C0", Application(AID, 0xC0), AdminForm.EXTERNAL),
        ("61124F0BA00000039742544659020173034001 40", Application(AID, 0x40), AdminForm.EXTERNAL),
        ("61124F0BA00000039742544659020173034001 80", Application(AID, 0x80), AdminForm.MUTUAL),
        ("61124F0BA00000039742544659020173034001 A0", Application(AID, 0xA0), AdminForm.MUTUAL),
        ("610D4F0BA000000397425446590201", Application(AID, 0x80), AdminForm.MUTUAL),
        ("61154F0BA000000397425446590401730640 01C0410180", None, AdminForm.EXTERNAL),
        ("6102 4F00", Application(b"", 0x80), AdminForm.MUTUAL),
        ("", Application(None, 0x80), AdminForm.MUTUAL),
        ("6F00", Application(None, 0x80), AdminForm.MUTUAL),
        ("61FF4F", Application(None, 0x80), AdminForm.MUTUAL),
        ("6105 7303400100", Application(None, 0x00), AdminForm.MUTUAL),
        ("6104 73024000", Application(None, 0x80), AdminForm.MUTUAL),
    ],
)
def test_the_fci(fci: str, application: Application | None, form: AdminForm) -> None:
    found = parse_fci(bytes.fromhex(fci))
    assert application in (None, found)
    assert found.form is form


def test_connect_selects_by_nine_bytes() -> None:
    script = Script((SELECT, FCI))
    assert host(script).application == Application(AID, 0xC0)
    script.check_done()


def test_a_card_that_says_nothing_of_itself() -> None:
    assert host(Script((SELECT, "9000"))).application.aid is None


@pytest.mark.parametrize("sw", ["6A82", "6999", "6D00", "6E00"])
def test_no_gids_application(sw: str) -> None:
    with pytest.raises(UnsupportedCard, match=f"no GIDS application on this card .{sw}."):
        host(Script((SELECT, sw)))


def test_a_terminated_application() -> None:
    with pytest.raises(UnsupportedCard, match="terminated"):
        host(Script((SELECT, "6285")))
