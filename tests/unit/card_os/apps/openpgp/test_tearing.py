"""A whole life of an OpenPGP card, with every power cut there can be: keys made and put over, PINs, a reset."""

from tests.unit.card_os.apps.openpgp.openpgp_card import ADMIN, CODE, NEW_PIN, PIN, VERIFY_ADMIN, VERIFY_SIGNING
from tests.unit.card_os.apps.openpgp.test_keys import ED25519_SEED, X25519_SCALAR
from vsc.testing import SoftCard, tear_everywhere

SELECT = "00A4040006D27600012401"
LIFE = (
    *(SELECT, VERIFY_ADMIN, "00DA00C10A162B06010401DA470F01", "00DA00C20B122B060104019755010501"),
    *("00DA00C30A162B06010401DA470F01", "0047800002B600", "0047800002B800", "0047800002A400"),
    *("00DA00C714" + "11" * 20, "00DA00CE0401020304", VERIFY_SIGNING, "002A9E9A0141"),
    *(
        f"00DB3FFF2C4D2A{crt}7F480292205F4820{key}"
        for crt, key in (("B600", ED25519_SEED), ("B800", X25519_SCALAR), ("A400", ED25519_SEED))
    ),
    *("00DA00D308" + CODE, "0020008106393939393939", "002C00810E" + CODE + NEW_PIN, "002400810C" + NEW_PIN + PIN),
    *("002C028106" + PIN, "0024008310" + ADMIN + CODE, "0020008308" + CODE, "00DA00F903810100"),
    *(VERIFY_ADMIN, "00E60000", SELECT, "00440000", SELECT),
)


def test_no_power_cut_leaves_a_card_that_is_neither_before_nor_after() -> None:
    def live(card: SoftCard) -> None:
        card.power_on()
        for command in LIFE:
            card.transmit(bytes.fromhex(command))

    for profile in ("openpgp", "openpgp-63cx"):
        tear_everywhere(live, card=SoftCard.make(profile, seed=1))


def test_every_step_of_that_life_does_what_it_should() -> None:
    card = SoftCard.make("openpgp", seed=1)
    card.power_on()
    answers = [card.transmit(bytes.fromhex(command))[-2:].hex() for command in LIFE]
    assert [one for one in answers if one != "9000"] == ["6982", "6285"]
