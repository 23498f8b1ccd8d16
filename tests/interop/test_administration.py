"""gids-tool: initialise a blank card, unblock its PIN, change its admin key."""

from tests.interop.conftest import PlugIn
from tests.interop.pcscd_harness import PrivatePcscd
from tests.interop.vsc_cards import ADMIN_KEY, PIN, SELECT_GIDS, SERIAL, Attach, PluggedIn, Vsc, answers, initialise

NEW_ADMIN_KEY = "0F1E2D3C4B5A69788796A5B4C3D2E1F0FEDCBA9876543210"
WRONG_ADMIN_KEY = "FF" * 24
REFUSED = "SC_CARDCTL_GIDS_AUTHENTICATE_ADMIN, *) failed with Security status not satisfied"


def image(card: PluggedIn) -> dict[str, bytes]:
    """All that is on disk, to see that nothing changed."""
    return {path.name: path.read_bytes() for path in card.vsc.home.iterdir() if path.is_file()}


def verify(card: PluggedIn, pin: str) -> bool:
    done = card.tool("pkcs15-tool", "--verify-pin", "--pin", pin, check=False)
    assert done.returncode in (0, 255)
    return done.returncode == 0


def unblock(card: PluggedIn, admin_key: str, pin: str) -> str | None:
    """None when it worked, else what gids-tool said."""
    done = card.tool("gids-tool", "--unblock", "--admin-key", admin_key, "--pin", pin, check=False)
    if done.returncode == 0:
        assert "Unblock PIN done successfully" in done.stdout
        return None
    return done.stderr


def change_admin_key(card: PluggedIn, old: str, new: str) -> str | None:
    keys = ["--admin-key", old, "--new-admin-key", new]
    done = card.tool("gids-tool", "--change-admin-key", *keys, check=False)
    return None if done.returncode == 0 else done.stderr


def block(card: PluggedIn) -> None:
    wrong = ["--send-apdu", "0020008005" + b"wrong".hex()]
    sent = card.tool("opensc-tool", "--send-apdu", SELECT_GIDS, *5 * wrong).stdout
    assert answers(sent) == ["9000", "63C4", "63C3", "63C2", "63C1", "63C0"]


def test_a_blank_card_is_no_token_yet(plug_in: PlugIn) -> None:
    card = plug_in("--blank")
    assert card.tool("pkcs15-tool", "--dump", check=False).stderr == "PKCS#15 binding failed: Unsupported card\n"
    assert card.vsc.show("card")["serial"] is None


def test_gids_tool_initialises_a_blank_card(plug_in: PlugIn) -> None:
    card = plug_in("--blank")
    assert initialise(card, pin="4711abcd").stderr == ""
    shown = card.tool("pkcs15-tool", "--dump").stdout
    assert "PKCS#15 Card [GIDS card]" in shown
    assert f"Serial number  : {SERIAL.lower()}\n" in shown
    assert "Tries left     : 5\n" in shown
    assert not verify(card, PIN)
    assert verify(card, "4711abcd")
    state = card.vsc.show("card")
    assert (state["life_cycle"], state["serial"], state["containers"]) == ("operational", SERIAL, [])
    assert card.vsc("admin-key", "show", "card").stdout.strip() == ADMIN_KEY


def test_a_second_initialisation_changes_nothing(plug_in: PlugIn) -> None:
    card = plug_in("--blank")
    initialise(card)
    before = image(card)
    again = initialise(card, pin="another1", serial="FF" * 16)
    assert (
        again.stderr
        == "sc_card_ctl(*, SC_CARDCTL_GIDS_INITIALIZE, *) failed with Card is invalid or cannot be handled\n"
    )
    assert image(card) == before
    assert verify(card, PIN)
    assert f"Serial number  : {SERIAL.lower()}\n" in card.tool("pkcs15-tool", "--dump").stdout


def test_a_created_card_refuses_initialisation(plug_in: PlugIn) -> None:
    card = plug_in()
    before = image(card)
    assert "Card is invalid or cannot be handled" in initialise(card, pin="another1").stderr
    assert image(card) == before


def test_the_admin_key_unblocks_the_pin(card: PluggedIn) -> None:
    block(card)
    assert not verify(card, PIN)  # the right one, too late
    assert unblock(card, ADMIN_KEY, "87654321") is None
    assert card.tries_left() == 5
    assert not verify(card, PIN)
    assert verify(card, "87654321")


def test_a_wrong_admin_key_changes_nothing(card: PluggedIn) -> None:
    block(card)
    before = image(card)
    assert REFUSED in (unblock(card, WRONG_ADMIN_KEY, "87654321") or "")
    assert REFUSED in (change_admin_key(card, WRONG_ADMIN_KEY, NEW_ADMIN_KEY) or "")
    assert image(card) == before
    assert card.tries_left() == 0
    assert unblock(card, ADMIN_KEY, "87654321") is None


def test_the_admin_key_can_be_changed(card: PluggedIn) -> None:
    assert change_admin_key(card, ADMIN_KEY, NEW_ADMIN_KEY) is None
    assert card.vsc("admin-key", "show", "card").stdout.strip() == NEW_ADMIN_KEY
    before = image(card)
    assert REFUSED in (unblock(card, ADMIN_KEY, "87654321") or "")
    assert REFUSED in (change_admin_key(card, ADMIN_KEY, WRONG_ADMIN_KEY) or "")
    assert image(card) == before
    assert verify(card, PIN)
    assert unblock(card, NEW_ADMIN_KEY, "87654321") is None
    assert verify(card, "87654321")


def test_administration_needs_no_pin_and_gives_none(card: PluggedIn) -> None:
    """After an unblock all rights are gone: the new PIN must be shown before a key can be made."""
    assert unblock(card, ADMIN_KEY, PIN) is None
    card.tool("opensc-tool", "--reset")
    refused = card.pkcs11("--keypairgen", "--key-type", "rsa:1024", login=False, check=False)
    assert "CKR_USER_NOT_LOGGED_IN" in refused.stderr
    assert card.vsc.containers("card") == []


def test_both_ways_to_make_a_card_give_the_same_files(pcscd: PrivatePcscd, vsc: Vsc, attach: Attach) -> None:
    """What gids-tool writes to a blank card and what `vsc create` does are one file system."""
    vsc.create("created")
    vsc.create("blank", "--blank")
    attached = attach(pcscd, "created", "blank")
    created, blank = (
        PluggedIn(pcscd, vsc, attach, name, vsc.home, slot=slot, attached=attached)
        for slot, name in enumerate(("created", "blank"))
    )
    initialise(blank)
    dump = created.tool("gids-tool").stdout
    assert "Found 5 entries in the masterfile" in dump
    for name in ("\\cardid", "\\cardapps", "\\cardcf", "mscp\\cmapfile"):
        assert f"File: {name}\n" in dump
    assert blank.tool("gids-tool").stdout == dump
