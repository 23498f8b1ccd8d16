"""The lives of GIDS cards, from the first command to the last: scenarios for `tear_everywhere`."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from card_os.apps.gids.state import GidsState, LifeCycle
from card_os.rsa import RsaPrivateKey
from tests.unit.card_os.apps.gids.gids_card import ADMIN_KEY, P_256, create, crt, key_fcp, rsa_key
from tests.unit.card_os.apps.gids.test_personalisation import gids_tool
from vsc.errors import RefusedError
from vsc.host import AdminKeyResponder, Gids
from vsc.host.gids.application import AdminForm
from vsc.profiles import GIDS
from vsc.testing import SoftCard
from vsc.world import SeededEnv

PIN, NEW_PIN, LAST_PIN = b"12345678", b"87654321", b"2468-13579"
PUK = b"99998888"
NEW_ADMIN_KEY = bytes.fromhex("FEDCBA9876543210 1032547698BADCFE 0011223344556677")
ADMIN_TRIES = 3
CERTIFICATE, RENEWED = bytes(range(256)) * 3, bytes(range(100)) * 4


class QuickEnv(SeededEnv):
    """Seeded bytes; RSA keys that are there already."""

    def rsa_key(self, bits: int) -> RsaPrivateKey:
        return rsa_key(bits)


@cache
def imported_key() -> RSAPrivateKey:
    return rsa_key(1024, 1).library_key()


def blank_card() -> SoftCard:
    card = SoftCard.make_blank(tries=3, admin_tries=ADMIN_TRIES)
    return SoftCard(card.profile, card.persistent, QuickEnv("life"))


def unborn_card() -> SoftCard:
    """In the creation state: not even the templates of the application are there."""
    return SoftCard(GIDS, GIDS.persistent(GidsState(LifeCycle.CREATION, template=b"", fmd=b"")), QuickEnv("unborn"))


def card_in_use() -> SoftCard:
    card = SoftCard.make(pin=PIN.decode(), admin_key=ADMIN_KEY, admin_tries=ADMIN_TRIES, card_id=uuid.UUID(int=1))
    return SoftCard(card.profile, card.persistent, QuickEnv("in use"))


def send(card: SoftCard, *commands: str, sw: str = "9000") -> None:
    """Sends commands that must all be answered so (or 61xx for 9000)."""
    for command in commands:
        answer = card.transmit(bytes.fromhex(command)).hex().upper()
        assert answer[-4:] == sw or (sw == "9000" and answer[-4:-2] == "61"), f"{command} is answered {answer[-4:]}"


def a_whole_life(card: SoftCard) -> None:
    """As gids-tool and a minidriver would have it: initialised, used, blocked and reset, filled, emptied.

    What takes long comes late: each power cut runs all that is before it.
    """
    initialise(card)
    host = card.gids()
    the_pin(host)
    the_admin(host)
    files_and_policy(card, host)
    keys_and_certificates(host)
    everything_goes(host)


def with_a_puk(card: SoftCard) -> None:
    """The variant whose PIN is reset with the PUK."""
    initialise(card, puk=PUK)
    host = card.gids()
    for guess in (b"00000000", b"00000001", b"00000002", PIN):
        with suppress(RefusedError):
            host.verify_pin(guess)
    for puk, new in ((b"11111111", NEW_PIN), (PUK, b"123"), (PUK, NEW_PIN)):
        with suppress(RefusedError):
            host.reset_pin_with_puk(puk=puk, new=new)
    host.verify_pin(NEW_PIN)
    # The PUK is changed like a PIN; the command that does all at once, and a wrong PUK in it.
    send(card, "00240081" + f"{len(PUK + PUK):02X}" + PUK.hex() + PUK[::-1].hex())
    send(card, "002C0080" + f"{16:02X}" + (PUK + PIN).hex(), sw="63C2")
    send(card, "002C0080" + f"{16:02X}" + (PUK[::-1] + PIN).hex())
    host.verify_pin(PIN)


def born_and_ended(card: SoftCard) -> None:
    """From the creation state to the end: the application is loaded, made operational, and terminated."""
    send(
        card,
        "00DB00000F610D4F0BA000000397425446590201",
        "00DB000006" + "6404" + "5F2F0140",
        "00DB00000B" + "6209" + "820138" + "8C0423203030",
        *gids_tool(PIN.hex())[2:],
    )
    host = card.gids()
    host.verify_pin(PIN)
    host.import_key(imported_key(), name="last")
    send(card, "00E60000", sw="6982")
    host.authenticate(AdminKeyResponder(ADMIN_KEY))
    send(card, "00E60000")
    send(card, "00200080" + f"{len(PIN):02X}" + PIN.hex(), sw="6985")


def formatted(card: SoftCard) -> None:
    """A card in use that its administrator formats."""
    host = card.gids()
    host.verify_pin(PIN)
    host.write_certificate(host.import_key(imported_key(), name="doomed"), CERTIFICATE)
    host.log_out()
    host.authenticate(AdminKeyResponder(ADMIN_KEY))
    host.format(uuid.UUID(int=7))
    host.log_out()


def initialise(card: SoftCard, *, puk: bytes | None = None) -> None:
    send(card, *gids_tool(PIN.hex(), puk.hex() if puk else None))
    card.reset()


def the_pin(host: Gids) -> None:
    """Wrong, right, changed, changed to one that is refused."""
    for guess in (b"00000000", PIN, b"0"):
        with suppress(RefusedError):
            host.verify_pin(guess)
    for old, new in ((PIN, b"123"), (b"11111111", NEW_PIN), (PIN, NEW_PIN)):
        with suppress(RefusedError):
            host.change_pin(old=old, new=new)
    host.log_out()


def keys_and_certificates(host: Gids) -> None:
    """Made on the card and brought to it, each with a certificate that is replaced."""
    host.verify_pin(LAST_PIN)
    made = host.generate_key(1024, name="made")
    brought = host.import_key(imported_key(), name="brought")
    for number in (made, brought):
        host.write_certificate(number, CERTIFICATE)
        host.write_certificate(number, RENEWED)
    host.sign(made, b"data")
    host.delete_certificate(brought)


def the_admin(host: Gids) -> None:
    """The PIN blocked and reset, with wrong and right responses in both forms; the key changed."""
    for _ in range(4):
        with suppress(RefusedError):
            host.verify_pin(b"00000000")
    for key in (bytes(24), bytes(24), ADMIN_KEY):
        with suppress(RefusedError):
            host.reset_pin(new=PIN, respond=AdminKeyResponder(key))
    host.authenticate(AdminKeyResponder(ADMIN_KEY), form=AdminForm.MUTUAL)
    host.change_admin_key(NEW_ADMIN_KEY)
    host.log_out()
    with suppress(RefusedError):
        host.reset_pin(new=PIN, respond=AdminKeyResponder(ADMIN_KEY))
    host.reset_pin(new=LAST_PIN, respond=AdminKeyResponder(NEW_ADMIN_KEY), form=AdminForm.MUTUAL)


def files_and_policy(card: SoftCard, host: Gids) -> None:
    """A file of a host's own, an elliptic curve key, a PIN policy, and what is refused without a right."""
    send(card, "00E000000E620C8201398302A0208C03031030", sw="6982")
    host.verify_pin(LAST_PIN)
    send(card, "00E000000E620C8201398302A0208C03031030", "00440000", "00DBA02006DF3003010203", "00DBA02003DF3000")
    send(card, "00DBA02006DF3003040506")
    curve_crts = [crt("B6", 0x10 | P_256, 0x90), crt("B8", P_256, 0x90)]
    send(card, create(key_fcp(curve_crts, 0xB090)), "00440000")
    send(card, "0047000008AC0680010C830190")
    host.authenticate(AdminKeyResponder(NEW_ADMIN_KEY))
    policy = "0100000006000000080000000000000000000000000000000000000002000000"
    send(card, "00DBA01223DF7E20" + policy, "00DBA01203DF7E00")


def everything_goes(host: Gids) -> None:
    """Keys and certificates deleted one by one."""
    for container in host.containers():
        host.delete_container(container.number)
    host.log_out()


@dataclass(frozen=True, slots=True)
class Life:
    """A scenario, the card that it begins with, how many power cuts there are in it, and some of what is in it."""

    scenario: Callable[[SoftCard], None]
    card: Callable[[], SoftCard]
    cuts: int
    answers: frozenset[str]


LIVES = (
    Life(
        a_whole_life,
        blank_card,
        220,
        frozenset(
            {
                *("CREATE FILE 9000", "CREATE FILE 6982", "ACTIVATE FILE 9000", "PUT DATA 9000", "DELETE FILE 9000"),
                *("VERIFY 9000", "VERIFY 63C2", "VERIFY 63C0", "VERIFY 6983", "CHANGE REFERENCE DATA 9000"),
                *("CHANGE REFERENCE DATA 6A80", "RESET RETRY COUNTER 9000", "GENERAL AUTHENTICATE 6982"),
                *("GENERAL AUTHENTICATE 9000", "GENERATE ASYMMETRIC KEY PAIR 9000", "PERFORM SECURITY OPERATION 9000"),
            }
        ),
    ),
    Life(
        with_a_puk,
        blank_card,
        94,
        frozenset({"VERIFY 63C2", "RESET RETRY COUNTER 63C2", "RESET RETRY COUNTER 9000", "VERIFY 6983"}),
    ),
    Life(formatted, card_in_use, 48, frozenset({"DELETE FILE 9000", "PUT DATA 9000", "SELECT 6A82"})),
    Life(born_and_ended, unborn_card, 70, frozenset({"PUT DATA 9000", "TERMINATE DF 6982", "TERMINATE DF 9000"})),
)
