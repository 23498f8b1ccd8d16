"""card_os.apps.openpgp.life_cycle and kdf: a card becomes as new, and hosts hash what they send."""

from card_os.apps.openpgp.personalisation import factory_state
from card_os.key_kind import KeyKind
from tests.unit.card_os.apps.openpgp.openpgp_card import (
    ADMIN,
    CODE,
    STRICT,
    VERIFY_ADMIN,
    VERIFY_SIGNING,
    VERIFY_USER,
    OpenPgpCard,
    admin_card,
    card_with,
)

SELECT = "00A4040006D27600012401"
USER_HASH = "301F677345A96951D7286DD4461CF85E96F25936883E094478F2BAA720DE0A80"
ADMIN_HASH = "2FBE70F3D4BA5DD277037E2EA84019E750D3A242A071409AA022A663143D86AA"
KDF = (
    "8101038201088304000360008408713A74F8D9579BE6850811111111111111118608"
    "65326B0FF451198D"
    f"8720{USER_HASH}8820{ADMIN_HASH}"
)


def test_gpg_resets_by_spending_all_tries() -> None:
    card = card_with(KeyKind.ED25519)
    for reference in ("81", "83"):
        answers = [card.run(f"002000{reference}20" + "40" * 32) for _ in range(4)]
        assert answers == ["6982", "6982", "6982", "6983"]
    assert card.run("00E60000", "00440000") == "9000"
    assert card.state == factory_state(STRICT, 0x42)


def test_a_stranger_terminates_nothing() -> None:
    card = OpenPgpCard()
    before = card.state
    assert card.run("00E60000") == "6982"
    assert card.run("00440000") == "9000"
    assert card.state == before


def test_a_terminated_card_knows_one_command() -> None:
    card = card_with(KeyKind.ED25519)
    assert card.run(VERIFY_ADMIN, VERIFY_SIGNING, VERIFY_USER, "00E6000000") == "9000"
    assert card.run(SELECT) == "6285"
    for command in ("00CA006E00", "00CA5F5200", VERIFY_ADMIN, "002A9E9A0141", "008400000A", "00DA005B0141", "00200081"):
        assert card.run(command) == "6985"
    card.card.reset()
    assert card.run(SELECT) == "6285"
    assert card.run("00E60000") == "9000"
    assert card.run("0044000000") == "9000"
    assert card.run(SELECT) == "9000"
    assert card.state == factory_state(STRICT, 0x42)
    assert card.run("00200083") == "63C3"


def test_a_kdf_brings_its_passwords() -> None:
    card = admin_card()
    card.put("D3", CODE)
    assert card.put("F9", KDF) == "9000"
    assert card.get("F9") == KDF + "9000"
    assert card.run("00200083") == "63C3"
    assert card.tries == (3, 0, 3)
    assert card.run(VERIFY_ADMIN) == "6982"
    assert card.run("0020008120" + USER_HASH) == card.run("0020008320" + ADMIN_HASH) == "9000"
    assert card.put("F9", "810100") == "9000"
    assert card.run(VERIFY_ADMIN) == card.run(VERIFY_USER) == "9000"


def test_gpg_2_4_changes_the_passwords_first() -> None:
    card = OpenPgpCard()
    assert card.run("0024008328" + ADMIN + ADMIN_HASH, "0020008320" + ADMIN_HASH) == "9000"
    assert card.run("002C028120" + USER_HASH) == "9000"
    assert card.put("F9", KDF) == "9000"
    assert card.run("0020008120" + USER_HASH) == "9000"


def test_what_is_no_kdf() -> None:
    card = admin_card()
    for value in ("", "8101", "810103", KDF.replace("820108", "820109"), KDF.replace("8304", "8303"), KDF[:-2]):
        assert card.put("F9", value) == "6A80"
    assert card.run(VERIFY_USER) == "9000"
