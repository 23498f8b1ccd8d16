"""What an OpenPGP card holds, for whoever knows no application: its passwords, and its places for keys."""

from card_os.apps.openpgp.objects import aid
from card_os.apps.openpgp.rules import Rules
from card_os.apps.openpgp.state import LifeCycle, OpenPgpState
from card_os.apps.openpgp.state import Slot as Kept
from card_os.apps.openpgp.wire import Key
from card_os.outline import Outline, Reference, Slot

NAMES = {Key.SIGNATURE: "SIG", Key.DECRYPTION: "DEC", Key.AUTHENTICATION: "AUT", Key.ATTESTATION: "ATT"}
_USES = {
    Key.SIGNATURE: "signature",
    Key.DECRYPTION: "decryption",
    Key.AUTHENTICATION: "authentication",
    Key.ATTESTATION: "attestation",
}


def outline(state: OpenPgpState, rules: Rules) -> Outline:
    """identity: the full AID, which has the serial number. Slots: those with a key or a certificate."""
    references = [Reference("PIN", state.pin.tries_left, state.pin.try_limit)]
    if state.resetting_code.value is not None:
        code = state.resetting_code
        references.append(Reference("resetting code", code.tries_left, code.try_limit))
    references.append(Reference("admin PIN", state.admin.tries_left, state.admin.try_limit))
    life_cycle = "terminated" if state.life_cycle == LifeCycle.TERMINATED else "operational"
    slots = tuple(_slot(one) for one in state.slots if one.stored is not None or one.certificate)
    return Outline("OpenPGP", life_cycle, aid(state, rules), tuple(references), rules.pin_rules, slots)


def _slot(slot: Kept) -> Slot:
    key, kind = slot.reference, slot.stored.key.kind if slot.stored else None
    return Slot(int(key), NAMES[key], _USES[key], kind, (slot.certificate,) if slot.certificate else ())
