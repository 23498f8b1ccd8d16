"""vsc.testing.served.service: the service there."""

import pytest

from tests.unit.vsc.testing.served.test_card import Plain
from vsc.pcsc import PcscError
from vsc.testing import SoftCard
from vsc.testing.reader import VirtualReader
from vsc.testing.served import ServedReader, ServedService


def test_readers_come_and_go(service: ServedService, reader: ServedReader) -> None:
    assert reader in service.readers
    other = service.new_reader("Other")
    other.insert(SoftCard.make())
    service.remove_reader(other)
    assert other.card is not None
    assert other not in service.readers
    for gone in (other, VirtualReader()):
        with pytest.raises(PcscError, match="is not on this service"):
            service.remove_reader(gone)
    service.close([other, reader])
    assert service.readers == ()
    service.new_reader("One").close()


def test_where_it_is(service: ServedService) -> None:
    assert service.socket_path.parent == service.folder
    assert service.environment["PCSCLITE_CSOCK_NAME"] == str(service.socket_path)
    assert service.clients_of(1) == 0
    service.settle()
    service.come_back()


def test_bugs_of_cards_are_kept_and_are_the_same_each_time(service: ServedService, reader: ServedReader) -> None:
    assert service.faults == ()
    reader.insert(Plain())
    service.set_failing(reader, True)
    service.set_failing(reader, False)
    assert service.faults is service.faults or service.faults == service.faults
