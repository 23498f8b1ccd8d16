"""vsc.host.port: what hosts have, and the values that pass."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import pytest

from tests.unit.vsc.host.cards import host, new_card
from vsc.errors import UnsupportedCard
from vsc.host import (
    CanFormat,
    CanUnblock,
    CardWithKeys,
    DirectConnection,
    Gids,
    HasCertificates,
    HasChallenge,
    HasKeys,
    HasObjects,
    HostCard,
    KeyUse,
    Reference,
    ReferenceKind,
    Slot,
)
from vsc.host.port import offers, reference_of, verify_pin
from vsc.profiles import PROFILES

PORTS = (HostCard, CanUnblock, HasChallenge, HasKeys, HasCertificates, CardWithKeys, HasObjects, CanFormat)


def test_gids_has_every_port() -> None:
    gids = Gids.connect(DirectConnection(new_card()))
    assert [port.__name__ for port in PORTS if not isinstance(gids, port)] == []


@pytest.mark.parametrize("half", PROFILES.hosts())
def test_every_half_is_a_host(half: type[HostCard]) -> None:
    assert offers(half, HostCard)


def test_what_a_kind_of_card_offers_is_told_without_a_card() -> None:
    class Less:
        references = ()
        connect = tries = policy = verify = change = log_out = card_id = None

    assert all(offers(Gids, port) for port in PORTS)
    assert [port for port in PORTS if offers(Less, port)] == [HostCard]  # type: ignore[arg-type]


def test_the_first_reference_of_a_kind_is_meant() -> None:
    gids = host(new_card())
    found = [reference_of(gids, kind) for kind in ReferenceKind]
    assert list(map(str, found)) == ["PIN", "PUK", "admin key"]


def test_a_host_without_a_pin() -> None:
    class WithoutPin(Gids):
        references: ClassVar[Sequence[Reference]] = ()

    gids = WithoutPin.connect(DirectConnection(new_card()))
    assert reference_of(gids, ReferenceKind.USER) is None
    with pytest.raises(UnsupportedCard, match="have no PIN"):
        verify_pin(gids, b"1234")


def test_a_slot_says_what_is_in_it() -> None:
    slot = Slot(0, "Ada", True, KeyUse.EXCHANGE, "rsa:2048", b"DER")
    assert (slot.key_bits, slot.is_free, slot.public_key()) == (2048, False, None)
    assert replace(slot, kind="ec:p256").key_bits == 256
    empty = replace(slot, kind=None)
    assert (empty.key_bits, empty.is_free, replace(empty, certificate=None).is_free) == (0, False, True)
    assert "DER" not in repr(slot)
