"""The engine by its messages: each command, each error, and what one client's doing means to another."""

import sys

import pytest

from tests.unit.vsc.pcsc.peer import ANY, Card, Peer, raw_request, states_in
from vsc.pcsc import messages as m
from vsc.pcsc.codes import Attribute, Command, Disposition, Protocol, ReturnCode, ShareMode
from vsc.pcsc.connection import MAX_UNSENT_BYTES
from vsc.pcsc.engine import Engine
from vsc.pcsc.errors import PcscError
from vsc.pcsc.handles import MAX_HANDLES
from vsc.reader import CardRemovedError, Reader
from vsc.reader.part10 import FEATURE_REQUEST

OK = ReturnCode.SUCCESS
SHARED, EXCLUSIVE, DIRECT = ShareMode.SHARED, ShareMode.EXCLUSIVE, ShareMode.DIRECT
RESET, UNPOWER, EJECT = Disposition.RESET, Disposition.UNPOWER, Disposition.EJECT


class TestVersion:
    @pytest.mark.parametrize("minor", [4, 5, 6])
    def test_the_clients_minor_is_echoed(self, engine: Engine, minor: int) -> None:
        peer = Peer(engine, context=False)
        assert peer.ask(Command.VERSION, m.Version(4, minor)) == m.Version(4, minor, OK)

    @pytest.mark.parametrize(("major", "minor"), [(4, 3), (4, 7), (3, 4), (5, 6), (-1, -1)])
    def test_others_hear_what_there_is(self, engine: Engine, major: int, minor: int) -> None:
        peer = Peer(engine, context=False)
        answer = peer.ask(Command.VERSION, m.Version(major, minor))
        assert answer == m.Version(4, 6, ReturnCode.SERVICE_STOPPED)
        assert peer.ask(Command.VERSION, m.Version(4, 6)).rv == OK

    def test_each_connection_has_its_own(self, engine: Engine) -> None:
        old, new = Peer(engine, minor=4), Peer(engine, minor=6)
        assert len(old.wait()) == 1
        assert new.wait() == []


class TestContexts:
    @pytest.mark.parametrize("scope", range(4))
    def test_scopes(self, engine: Engine, scope: int) -> None:
        answer = Peer(engine, context=False).ask(Command.ESTABLISH_CONTEXT, m.EstablishContext(scope))
        assert answer.rv == OK
        assert 0 < answer.context < 1 << 31

    def test_bad_scope(self, engine: Engine) -> None:
        answer = Peer(engine, context=False).ask(Command.ESTABLISH_CONTEXT, m.EstablishContext(4, 77))
        assert answer == m.EstablishContext(4, 0, ReturnCode.INVALID_VALUE)

    def test_a_second_one_replaces_the_first(self, engine: Engine, peer: Peer) -> None:
        answer = peer.ask(Command.ESTABLISH_CONTEXT, m.EstablishContext(2))
        assert answer.context != peer.context
        assert list(engine.contexts) == [answer.context]

    def test_release(self, engine: Engine, peer: Peer, reader: Reader) -> None:
        peer.handle(reader)
        wrong = peer.ask(Command.RELEASE_CONTEXT, m.ReleaseContext(peer.context ^ 1))
        assert wrong.rv == ReturnCode.INVALID_VALUE
        assert peer.states()[0].sharing == 1
        assert peer.ask(Command.RELEASE_CONTEXT, m.ReleaseContext(peer.context)).rv == OK
        assert peer.states()[0].sharing == 0
        assert peer.ask(Command.RELEASE_CONTEXT, m.ReleaseContext(peer.context)).rv == ReturnCode.INVALID_HANDLE
        assert engine.contexts == {}

    def test_numbers_are_never_0_and_never_twice(self) -> None:
        draws = iter([0, 0, 0, 5])
        engine = Engine(random_below=lambda _: next(draws))
        assert [Peer(engine).context, Peer(engine).context] == [1, 6]


class TestReaders:
    def test_the_array_is_filled_up(self, peer: Peer) -> None:
        peer.send(raw_request(Command.GET_READERS_STATE))
        raw = peer.read()
        assert len(raw) == 16 * 184
        assert raw[184:] == bytes(15 * 184)

    def test_an_entry(self, peer: Peer, card: Card) -> None:
        [entry] = peer.states()
        assert (entry.name.rstrip(b"\0"), entry.state, entry.atr[: entry.atr_bytes]) == (b"One 00 00", 0x34, card.atr)
        assert (entry.event_counter, entry.sharing, entry.protocol) == (1, 0, 0)

    def test_cards_come_and_go(self, peer: Peer, reader: Reader) -> None:
        card = reader.eject()
        assert (peer.states()[0].state, peer.states()[0].event_counter, peer.states()[0].atr_bytes) == (2, 2, 0)
        reader.insert(card)
        assert (peer.states()[0].state, peer.states()[0].event_counter) == (0x34, 3)
        reader.swap(Card(bytes.fromhex("3B00")))
        assert (peer.states()[0].state, peer.states()[0].event_counter, peer.states()[0].atr_bytes) == (0x34, 5, 2)

    def test_a_reader_of_an_old_name_counts_on(self, engine: Engine, peer: Peer, reader: Reader) -> None:
        before = peer.states()[0].event_counter
        engine.remove_reader(reader)
        other = Reader(reader.name)
        engine.add_reader(other)
        assert (peer.states()[0].state, peer.states()[0].event_counter) == (2, before + 1)
        engine.remove_reader(other)
        other.insert(Card())
        engine.add_reader(other)
        assert (peer.states()[0].state, peer.states()[0].event_counter) == (0x34, before + 2)

    def test_the_counter_wraps(self, engine: Engine, peer: Peer, reader: Reader) -> None:
        engine.slot_of(reader).event_counter = 0xFFFF
        reader.eject()
        assert peer.states()[0].event_counter == 0

    def test_a_mute_card(self, peer: Peer, reader: Reader) -> None:
        reader.swap(Card(b""))
        assert peer.states()[0].state == 0x0C
        assert peer.connect(reader).rv == ReturnCode.UNPOWERED_CARD
        assert peer.connect(reader, DIRECT).rv == OK

    def test_events_that_nobody_delivered_yet_are_seen(self, reader: Reader) -> None:
        engine = Engine([reader])
        reader.eject()
        reader.insert(Card())
        reader.eject()
        engine.catch_up_all()
        assert (Peer(engine).states()[0].state, Peer(engine).states()[0].event_counter) == (2, 4)

    def test_more_than_16(self, engine: Engine) -> None:
        for number in range(19):
            engine.add_reader(Reader(f"More {number}"))
        old, new = Peer(engine, minor=5), Peer(engine, minor=6)
        assert len(old.states()) == 16
        new.send(raw_request(Command.GET_READERS_STATE_SIZE))
        assert m.ArraySize.parse(new.read()).entries == 20
        new.send(raw_request(Command.GET_READERS_STATE_ARRAY))
        assert len(states_in(new.read())) == 20

    def test_size_and_array_agree_whatever_happens_between(self, engine: Engine) -> None:
        peer = Peer(engine, minor=6)
        peer.send(raw_request(Command.GET_READERS_STATE_SIZE))
        assert m.ArraySize.parse(peer.read()).entries == 16
        for number in range(20):
            engine.add_reader(Reader(f"More {number}"))
        peer.send(raw_request(Command.GET_READERS_STATE_ARRAY))
        assert len(peer.read()) == 16 * 184
        peer.send(raw_request(Command.GET_READERS_STATE_ARRAY))
        assert len(peer.read()) == 21 * 184

    def test_a_place_is_freed_and_used_again(self, engine: Engine, reader: Reader, peer: Peer) -> None:
        more = [Reader(f"More {number}") for number in range(16)]
        for one in more:
            engine.add_reader(one)
        engine.remove_reader(reader)
        assert engine.entries == 17
        assert engine.array(17)[:184] == bytes(184)
        engine.add_reader(Reader("New 00 00"))
        assert engine.array(1).startswith(b"New 00 00\0")
        assert peer.connect(reader).rv == ReturnCode.UNKNOWN_READER

    def test_names_are_unique(self, engine: Engine, reader: Reader) -> None:
        with pytest.raises(PcscError, match="already"):
            engine.add_reader(Reader(reader.name))
        with pytest.raises(PcscError, match="not on"):
            engine.remove_reader(Reader(reader.name))

    def test_unplugging_leaves_handles_that_lead_nowhere(self, engine: Engine, reader: Reader, peer: Peer) -> None:
        card = peer.handle(reader)
        assert peer.begin(card) == OK
        engine.remove_reader(reader)
        for rv in (peer.status(card), peer.begin(card), peer.end(card), peer.reconnect(card).rv):
            assert rv == ReturnCode.INVALID_VALUE
        assert peer.transmit(card)[0].rv == ReturnCode.INVALID_VALUE
        assert peer.control(card, 1)[0].rv == ReturnCode.INVALID_VALUE
        assert peer.attribute(card, Attribute.ATR_STRING).rv == ReturnCode.INVALID_VALUE
        assert peer.disconnect(card) == OK
        reader.eject()
        engine.catch_up_all()

    def test_a_failing_reader(self, engine: Engine, reader: Reader, peer: Peer) -> None:
        card = peer.handle(reader)
        engine.set_failing(reader, True)
        assert peer.states()[0].state == 1
        unavailable = ReturnCode.READER_UNAVAILABLE
        assert peer.connect(reader).rv == unavailable
        assert peer.reconnect(card).rv == unavailable
        assert (peer.status(card), peer.begin(card)) == (unavailable, unavailable)
        assert peer.transmit(card)[0].rv == unavailable
        assert peer.control(card, 1)[0].rv == unavailable
        assert peer.attribute(card, Attribute.ATR_STRING).rv == unavailable
        reader.swap(Card())
        assert peer.states()[0].state == 1
        engine.set_failing(reader, False)
        assert peer.states()[0].state == 0x34
        assert peer.status(card) == ReturnCode.REMOVED_CARD


class TestConnect:
    @pytest.mark.parametrize(
        ("mode", "protocols", "rv"),
        [
            (SHARED, 0, ReturnCode.PROTO_MISMATCH),
            (9, 8, ReturnCode.PROTO_MISMATCH),
            (0, ANY, ReturnCode.INVALID_VALUE),
            (4, ANY, ReturnCode.INVALID_VALUE),
            (SHARED, Protocol.T0, ReturnCode.PROTO_MISMATCH),
        ],
    )
    def test_refusals(self, peer: Peer, reader: Reader, mode: int, protocols: int, rv: ReturnCode) -> None:
        answer = peer.connect(reader, mode, protocols)
        assert (answer.rv, answer.card) == (rv, 0)
        assert peer.states()[0].sharing == 0

    def test_unknown_reader(self, peer: Peer) -> None:
        assert peer.connect(Reader("Nobody")).rv == ReturnCode.UNKNOWN_READER

    def test_no_card(self, peer: Peer, reader: Reader) -> None:
        reader.eject()
        assert peer.connect(reader).rv == ReturnCode.NO_SMARTCARD
        direct = peer.connect(reader, DIRECT, 0)
        assert (direct.rv, direct.active_protocol) == (OK, 0)
        assert peer.begin(direct.card) == OK
        assert peer.transmit(direct.card)[0].rv == ReturnCode.NO_SMARTCARD
        assert peer.transmit(direct.card, protocol=Protocol.RAW)[0].rv == ReturnCode.NOT_TRANSACTED

    def test_the_card_gets_power_when_it_is_needed(self, peer: Peer, reader: Reader, card: Card) -> None:
        card.log.clear()
        assert peer.connect(reader).active_protocol == Protocol.T1
        assert card.log == ["on"]
        peer.handle(reader)
        assert card.log == ["on"]

    def test_a_card_that_does_not_power_up(self, engine: Engine, peer: Peer, reader: Reader, card: Card) -> None:
        card.broken = {"on"}
        assert peer.connect(reader).rv == ReturnCode.UNPOWERED_CARD
        assert peer.states()[0].state == 0x0C
        assert [str(one) for one in engine.faults] == ["on"]
        card.broken = set()
        assert peer.connect(reader).rv == OK
        assert peer.states()[0].state == 0x34

    def test_a_context_that_is_not_the_connections(self, engine: Engine, peer: Peer, reader: Reader) -> None:
        assert peer.connect(reader, context=peer.context ^ 1).rv == ReturnCode.INVALID_VALUE
        assert Peer(engine, context=False).connect(reader, context=1).rv == ReturnCode.INVALID_HANDLE
        assert peer.states()[0].sharing == 0

    def test_there_is_a_limit(self, peer: Peer, reader: Reader) -> None:
        for _ in range(MAX_HANDLES):
            assert peer.connect(reader).rv == OK
        assert peer.connect(reader).rv == ReturnCode.NO_MEMORY
        assert peer.states()[0].sharing == MAX_HANDLES

    def test_exclusive(self, peer: Peer, other: Peer, reader: Reader) -> None:
        card = peer.handle(reader, EXCLUSIVE)
        assert other.states()[0].sharing == -1
        for mode in ShareMode:
            assert other.connect(reader, mode).rv == ReturnCode.SHARING_VIOLATION
        assert peer.end(card) == ReturnCode.NOT_TRANSACTED
        assert (peer.begin(card), peer.end(card), peer.end(card)) == (OK, OK, ReturnCode.NOT_TRANSACTED)
        assert peer.disconnect(card) == OK
        assert other.connect(reader).rv == OK
        assert peer.connect(reader, EXCLUSIVE).rv == ReturnCode.SHARING_VIOLATION

    def test_one_that_is_refused_leaves_the_protocol_of_others(
        self, engine: Engine, peer: Peer, other: Peer, reader: Reader
    ) -> None:
        card = peer.handle(reader)
        assert other.connect(reader, EXCLUSIVE, Protocol.RAW).rv == ReturnCode.SHARING_VIOLATION
        for mode in (SHARED, DIRECT):
            assert other.connect(reader, mode, Protocol.RAW, context=other.context ^ 1).rv == ReturnCode.INVALID_VALUE
        assert Peer(engine, context=False).connect(reader, protocols=Protocol.RAW, context=1).rv != OK
        theirs = [other.handle(reader) for _ in range(MAX_HANDLES - 1)]
        assert other.connect(reader, SHARED, Protocol.RAW).rv == ReturnCode.NO_MEMORY
        assert other.reconnect(theirs[0], EXCLUSIVE, Protocol.RAW).rv == ReturnCode.SHARING_VIOLATION
        assert peer.transmit(card, protocol=Protocol.T1)[0].rv == OK

    def test_one_that_gets_raw_has_it_for_all_until_a_reset(self, peer: Peer, other: Peer, reader: Reader) -> None:
        """As from pcscd: the protocol is the card's, not the handle's."""
        card = peer.handle(reader)
        assert other.connect(reader, SHARED, Protocol.RAW).active_protocol == Protocol.RAW
        assert peer.transmit(card, protocol=Protocol.T1)[0].rv == ReturnCode.PROTO_MISMATCH
        assert peer.reconnect(card, how=RESET).active_protocol == Protocol.T1
        assert peer.transmit(card, protocol=Protocol.T1)[0].rv == OK

    def test_it_waits_for_a_transaction_of_another(self, peer: Peer, other: Peer, reader: Reader) -> None:
        card = peer.handle(reader)
        peer.begin(card)
        name = m.padded_name(reader.name.encode())
        other.send(raw_request(Command.CONNECT, bytes(m.Connect(other.context, name, SHARED, ANY))))
        assert other.is_held
        peer.end(card)
        other.go_on()
        assert m.Connect.parse(other.read()).rv == OK

    def test_but_not_for_its_own(self, peer: Peer, reader: Reader) -> None:
        peer.begin(peer.handle(reader))
        assert peer.connect(reader).rv == ReturnCode.SHARING_VIOLATION

    def test_the_reader_goes_while_it_waits(self, engine: Engine, peer: Peer, other: Peer, reader: Reader) -> None:
        peer.begin(peer.handle(reader))
        name = m.padded_name(reader.name.encode())
        other.send(raw_request(Command.CONNECT, bytes(m.Connect(other.context, name, SHARED, ANY))))
        engine.remove_reader(reader)
        other.go_on()
        assert m.Connect.parse(other.read()).rv == ReturnCode.READER_UNAVAILABLE


class TestTransactions:
    def test_they_nest(self, peer: Peer, other: Peer, reader: Reader) -> None:
        card, theirs = peer.handle(reader), other.handle(reader)
        assert peer.end(card) == ReturnCode.NOT_TRANSACTED
        assert (peer.begin(card), peer.begin(card), peer.end(card)) == (OK, OK, OK)
        assert other.transmit(theirs)[0].rv == ReturnCode.SHARING_VIOLATION
        assert peer.end(card) == OK
        assert other.transmit(theirs)[0].rv == OK
        assert peer.end(card) == ReturnCode.NOT_TRANSACTED

    def test_others_are_locked_out(self, peer: Peer, other: Peer, reader: Reader) -> None:
        card, theirs = peer.handle(reader), other.handle(reader)
        peer.begin(card)
        violation = ReturnCode.SHARING_VIOLATION
        assert (other.status(theirs), other.reconnect(theirs).rv, other.end(theirs)) == (violation,) * 3
        assert other.end(theirs, RESET) == violation
        assert other.transmit(theirs)[0] == m.Transmit(theirs, 2, 16, 4, 2, 16, 0, violation)
        assert other.control(theirs, FEATURE_REQUEST)[0].rv == violation
        assert other.attribute(theirs, Attribute.ATR_STRING).rv == violation
        assert other.set_attribute(theirs, Attribute.ATR_STRING).rv == violation
        assert other.disconnect(theirs) == OK

    def test_begin_is_held_back_and_served_in_turn(self, engine: Engine, reader: Reader) -> None:
        first, second, third = Peer(engine), Peer(engine), Peer(engine)
        cards = {peer: peer.handle(reader) for peer in (first, second, third)}
        first.begin(cards[first])
        second.begin_later(cards[second])
        third.begin_later(cards[third])
        assert second.is_held
        assert third.is_held
        assert first.end(cards[first]) == OK
        third.go_on()
        assert third.is_held
        second.go_on()
        assert m.BeginTransaction.parse(second.read()).rv == OK
        third.go_on()
        assert third.is_held
        second.end(cards[second])
        third.go_on()
        assert m.BeginTransaction.parse(third.read()).rv == OK

    def test_who_comes_later_does_not_overtake(self, engine: Engine, reader: Reader) -> None:
        first, second, third = Peer(engine), Peer(engine), Peer(engine)
        cards = {peer: peer.handle(reader) for peer in (first, second, third)}
        first.begin(cards[first])
        second.begin_later(cards[second])
        first.end(cards[first])
        third.begin_later(cards[third])
        assert third.is_held

    def test_who_waits_long_is_told_to_come_again(self, peer: Peer, other: Peer, reader: Reader) -> None:
        mine, theirs = peer.handle(reader), other.handle(reader)
        peer.begin(mine)
        other.begin_later(theirs)
        other.go_on(timed_out=True)
        assert m.BeginTransaction.parse(other.read()).rv == ReturnCode.SHARING_VIOLATION

    def test_nobody_waits_for_himself(self, peer: Peer, reader: Reader) -> None:
        one, two = peer.handle(reader), peer.handle(reader)
        peer.begin(one)
        assert peer.begin(two) == ReturnCode.SHARING_VIOLATION

    def test_removal_ends_the_wait(self, peer: Peer, other: Peer, reader: Reader) -> None:
        mine, theirs = peer.handle(reader), other.handle(reader)
        peer.begin(mine)
        other.begin_later(theirs)
        reader.eject()
        other.go_on()
        assert m.BeginTransaction.parse(other.read()).rv == ReturnCode.REMOVED_CARD

    def test_who_waits_may_leave(self, engine: Engine, peer: Peer, other: Peer, reader: Reader) -> None:
        card, theirs = peer.handle(reader), other.handle(reader)
        peer.begin(card)
        other.begin_later(theirs)
        other.hang_up()
        assert engine.slot_of(reader).queue == []
        assert (peer.end(card), peer.begin(card)) == (OK, OK)

    def test_bad_dispositions(self, peer: Peer, reader: Reader) -> None:
        card = peer.handle(reader)
        peer.begin(card)
        assert peer.end(card, 4) == ReturnCode.INVALID_VALUE
        assert peer.end(card, EJECT) == ReturnCode.UNSUPPORTED_FEATURE
        assert peer.end(card) == ReturnCode.NOT_TRANSACTED

    @pytest.mark.parametrize("how", [RESET, UNPOWER])
    def test_reset_at_the_end_is_told_to_all(
        self, peer: Peer, other: Peer, reader: Reader, card: Card, how: Disposition
    ) -> None:
        mine, theirs = peer.handle(reader), other.handle(reader)
        card.log.clear()
        peer.begin(mine)
        assert peer.end(mine, how) == OK
        assert card.log == (["reset"] if how is RESET else ["off", "on"])
        for client, handle in ((peer, mine), (other, theirs)):
            flagged = ReturnCode.RESET_CARD
            assert (client.status(handle), client.begin(handle), client.end(handle)) == (flagged,) * 3
            assert client.transmit(handle)[0].rv == flagged
            assert client.attribute(handle, Attribute.ATR_STRING).rv == flagged
            assert client.control(handle, FEATURE_REQUEST)[0].rv == OK
            assert client.reconnect(handle).rv == OK
            assert client.status(handle) == OK


class TestReconnect:
    @pytest.mark.parametrize(
        ("mode", "protocols", "how", "rv"),
        [
            (SHARED, ANY, EJECT, ReturnCode.INVALID_VALUE),
            (9, 0, 9, ReturnCode.INVALID_VALUE),
            (0, ANY, 0, ReturnCode.INVALID_VALUE),
            (SHARED, 0, 0, ReturnCode.PROTO_MISMATCH),
            (SHARED, Protocol.T0, 0, ReturnCode.PROTO_MISMATCH),
            (EXCLUSIVE, ANY, 0, ReturnCode.SHARING_VIOLATION),
        ],
    )
    def test_refusals(self, peer: Peer, reader: Reader, mode: int, protocols: int, how: int, rv: ReturnCode) -> None:
        card = peer.handle(reader)
        peer.handle(reader)
        assert peer.reconnect(card, mode, protocols, how).rv == rv

    @pytest.mark.parametrize("how", [RESET, UNPOWER])
    def test_its_own_flag_is_cleared(self, peer: Peer, other: Peer, reader: Reader, how: Disposition) -> None:
        mine, theirs = peer.handle(reader), other.handle(reader)
        assert peer.reconnect(mine, how=how) == m.Reconnect(mine, SHARED, ANY, how, Protocol.T1, OK)
        assert peer.status(mine) == OK
        assert other.status(theirs) == ReturnCode.RESET_CARD

    def test_only_reconnect_clears_a_removal(self, peer: Peer, reader: Reader) -> None:
        card = peer.handle(reader)
        reader.insert(reader.eject())
        assert peer.status(card) == ReturnCode.REMOVED_CARD
        assert peer.reconnect(card).rv == OK
        assert peer.status(card) == OK

    def test_without_a_card(self, peer: Peer, reader: Reader) -> None:
        card = peer.handle(reader)
        reader.eject()
        for how in (0, RESET, UNPOWER):
            assert peer.reconnect(card, how=how).rv == ReturnCode.NO_SMARTCARD

    def test_with_a_mute_one(self, peer: Peer, reader: Reader, card: Card) -> None:
        handle = peer.handle(reader)
        card.broken = {"reset"}
        for how in (RESET, 0):
            assert peer.reconnect(handle, how=how).rv == ReturnCode.UNRESPONSIVE_CARD
        assert peer.states()[0].state == 0x0C

    def test_exclusive_and_back(self, peer: Peer, other: Peer, reader: Reader) -> None:
        card = peer.handle(reader)
        assert peer.reconnect(card, EXCLUSIVE).rv == OK
        assert peer.reconnect(card, EXCLUSIVE).rv == OK
        assert other.connect(reader).rv == ReturnCode.SHARING_VIOLATION
        assert peer.reconnect(card, SHARED).rv == OK
        assert peer.states()[0].sharing == 1
        # The lock stays, as in pcscd: there its release comes while the mode is still exclusive, and does nothing.
        assert peer.end(card) == OK
        assert other.connect(reader).rv == OK

    def test_direct_to_raw(self, peer: Peer, reader: Reader) -> None:
        card = peer.handle(reader, DIRECT)
        assert peer.reconnect(card, DIRECT, Protocol.RAW).active_protocol == Protocol.RAW
        assert peer.transmit(card, protocol=Protocol.RAW)[0].rv == OK


class TestDisconnect:
    def test_twice_is_a_foreign_handle(self, peer: Peer, reader: Reader) -> None:
        card = peer.handle(reader)
        assert peer.disconnect(card, 4) == ReturnCode.INVALID_VALUE
        assert peer.disconnect(card, EJECT) == OK
        peer.send(raw_request(Command.DISCONNECT, bytes(m.Disconnect(card, 0))))
        assert peer.is_closed

    @pytest.mark.parametrize(("how", "state"), [(RESET, 0x34), (UNPOWER, 0x04)])
    def test_others_hear_of_the_reset(
        self, peer: Peer, other: Peer, reader: Reader, how: Disposition, state: int
    ) -> None:
        mine, theirs = peer.handle(reader), other.handle(reader)
        assert peer.disconnect(mine, how) == OK
        assert other.states()[0].state == state
        assert other.status(theirs) == ReturnCode.RESET_CARD
        assert other.disconnect(theirs) == OK
        assert other.connect(reader).rv == OK
        assert other.states()[0].state == 0x34

    def test_with_a_reset_it_waits_for_the_lock(self, peer: Peer, other: Peer, reader: Reader) -> None:
        mine, theirs = peer.handle(reader), other.handle(reader)
        peer.begin(mine)
        other.send(raw_request(Command.DISCONNECT, bytes(m.Disconnect(theirs, RESET))))
        assert other.is_held
        peer.end(mine)
        other.go_on()
        assert m.Disconnect.parse(other.read()).rv == OK
        assert peer.status(mine) == ReturnCode.RESET_CARD

    def test_unless_the_lock_is_its_own_clients(self, peer: Peer, reader: Reader) -> None:
        one, two = peer.handle(reader), peer.handle(reader)
        peer.begin(one)
        assert peer.disconnect(two, RESET) == ReturnCode.SHARING_VIOLATION

    def test_the_lock_goes_with_the_handle(self, peer: Peer, other: Peer, reader: Reader) -> None:
        mine, theirs = peer.handle(reader), other.handle(reader)
        peer.begin(mine)
        peer.begin(mine)
        assert peer.disconnect(mine) == OK
        assert other.begin(theirs) == OK


class TestDeath:
    def test_a_locked_card_is_reset(self, peer: Peer, other: Peer, reader: Reader, card: Card) -> None:
        theirs = other.handle(reader)
        peer.begin(peer.handle(reader))
        card.log.clear()
        other.begin_later(theirs)
        peer.hang_up()
        assert card.log == ["reset"]
        other.go_on()
        assert m.BeginTransaction.parse(other.read()).rv == ReturnCode.RESET_CARD
        assert other.states()[0].sharing == 1

    def test_others_are_left_alone(self, peer: Peer, other: Peer, reader: Reader, card: Card) -> None:
        theirs = other.handle(reader)
        peer.handle(reader)
        card.log.clear()
        peer.hang_up()
        peer.hang_up()
        assert card.log == []
        assert other.status(theirs) == OK

    def test_what_was_reset_is_not_reset_again(self, peer: Peer, reader: Reader, card: Card) -> None:
        handle = peer.handle(reader)
        peer.begin(handle)
        reader.reset()
        card.log.clear()
        peer.hang_up()
        assert card.log == []

    def test_everything_is_given_back(self, engine: Engine, peer: Peer, reader: Reader) -> None:
        peer.begin(peer.handle(reader))
        peer.wait()
        peer.hang_up()
        slot = engine.slot_of(reader)
        assert (engine.connections, engine.contexts, engine.handles) == (set(), {}, {})
        assert (slot.handles, slot.owner, slot.sharing, slot.calls, slot.queue) == (set(), None, 0, [], [])

    @pytest.mark.parametrize(
        "raw",
        [
            raw_request(0x03),
            raw_request(Command.STATUS, size=9),
            raw_request(Command.STATUS, bytes(m.Status(77))),
            raw_request(Command.TRANSMIT, bytes(m.Transmit(77, 2, 16, 0, 2, 16, 0))),
            raw_request(Command.TRANSMIT, bytes(m.Transmit(77, 2, 16, 65_549, 2, 16, 0))),
        ],
        ids=["unknown", "size", "handle", "handle, late", "payload"],
    )
    def test_rubbish_costs_the_connection_and_no_other(
        self, peer: Peer, other: Peer, reader: Reader, raw: bytes
    ) -> None:
        theirs = other.handle(reader)
        peer.handle(reader)
        peer.send(raw)
        assert peer.is_closed
        peer.send(raw_request(Command.GET_READERS_STATE))
        assert peer.read() == b""
        assert other.status(theirs) == OK
        assert other.states()[0].sharing == 1

    def test_a_handle_of_somebody_else(self, peer: Peer, other: Peer, reader: Reader) -> None:
        theirs = other.handle(reader)
        peer.send(raw_request(Command.STATUS, bytes(m.Status(theirs))))
        assert peer.is_closed
        assert other.status(theirs) == OK

    def test_who_never_reads_is_cut_off(self, peer: Peer) -> None:
        peer.send(raw_request(Command.GET_READERS_STATE) * (MAX_UNSENT_BYTES // 2944 + 1))
        assert peer.is_closed
        assert len(peer.connection.unsent) <= MAX_UNSENT_BYTES + 2944


class TestWaiting:
    def test_a_change_is_told_once(self, peer: Peer, reader: Reader) -> None:
        assert peer.wait()[0].state == 0x34
        card = reader.eject()
        assert peer.read() == bytes(m.Notification())
        reader.insert(card)
        assert peer.read() == b""
        peer.send(raw_request(Command.STOP_WAITING_READER_STATE_CHANGE))
        assert peer.read() == b""

    def test_stop_is_answered_while_waiting(self, peer: Peer, reader: Reader) -> None:
        peer.wait()
        peer.send(raw_request(Command.STOP_WAITING_READER_STATE_CHANGE))
        assert peer.read() == bytes(m.Notification())
        reader.eject()
        assert peer.read() == b""

    def test_sharing_and_readers_are_changes_too(self, engine: Engine, peer: Peer, other: Peer, reader: Reader) -> None:
        peer.wait()
        handle = other.handle(reader)
        assert peer.read() == bytes(m.Notification())
        peer.wait()
        other.disconnect(handle)
        assert peer.read() == bytes(m.Notification())
        more = Reader("More")
        for change in (engine.add_reader, engine.remove_reader):
            peer.wait()
            change(more)
            assert peer.read() == bytes(m.Notification())

    def test_resets_are_none(self, peer: Peer, other: Peer, reader: Reader) -> None:
        handle = other.handle(reader)
        peer.wait()
        other.reconnect(handle, how=RESET)
        reader.reset()
        assert peer.read() == b""

    def test_cancel(self, engine: Engine, peer: Peer) -> None:
        canceller = Peer(engine, context=False)
        peer.wait()
        assert canceller.ask(Command.CANCEL, m.Cancel(peer.context)).rv == OK
        assert peer.read() == bytes(m.Notification(rv=ReturnCode.CANCELLED))
        assert canceller.ask(Command.CANCEL, m.Cancel(peer.context)).rv == OK
        assert peer.read() == b""
        assert canceller.ask(Command.CANCEL, m.Cancel(peer.context ^ 1)).rv == ReturnCode.INVALID_HANDLE

    def test_reader_events(self, engine: Engine, peer: Peer) -> None:
        def count() -> int:
            peer.send(raw_request(Command.GET_READER_EVENTS))
            return m.ReaderEvents.parse(peer.read()).count

        assert count() == 1
        more = Reader("More")
        engine.add_reader(more)
        engine.remove_reader(more)
        assert count() == 3
        engine.reader_events = 0x7FFF
        engine.add_reader(more)
        assert count() == 1

    def test_4_6_keeps_a_notification_until_the_array_is_out(self, engine: Engine, reader: Reader) -> None:
        peer = Peer(engine, minor=6)
        assert peer.wait() == []
        reader.eject()
        assert peer.read() == b""
        peer.send(raw_request(Command.GET_READERS_STATE_SIZE))
        assert peer.read() == bytes(m.ArraySize(16))
        peer.send(raw_request(Command.GET_READERS_STATE_ARRAY))
        raw = peer.read()
        assert raw[16 * 184 :] == bytes(m.Notification())
        assert states_in(raw[: 16 * 184])[0].state == 2
        peer.send(raw_request(Command.STOP_WAITING_READER_STATE_CHANGE))
        assert peer.read() == b""

    def test_4_6_stop_before_the_array(self, engine: Engine, reader: Reader) -> None:
        peer = Peer(engine, minor=6)
        peer.wait()
        reader.eject()
        peer.send(raw_request(Command.STOP_WAITING_READER_STATE_CHANGE))
        assert peer.read() == bytes(m.Notification())


class TestCard:
    def test_transmit(self, peer: Peer, reader: Reader, card: Card) -> None:
        handle = peer.handle(reader)
        card.answer = b"x" * 65_000 + b"\x90\x00"
        reply, payload = peer.transmit(handle, b"\0" * 60_000)
        assert (reply.rv, reply.receive_bytes, payload) == (OK, 65_002, card.answer)
        assert peer.transmit(handle, protocol=Protocol.ANY_OLD)[0].rv == OK
        assert peer.transmit(handle, protocol=Protocol.RAW)[0].rv == OK
        for protocol in (0, Protocol.T0, 99):
            assert peer.transmit(handle, protocol=protocol)[0].rv == ReturnCode.PROTO_MISMATCH

    def test_no_room(self, peer: Peer, reader: Reader) -> None:
        reply, payload = peer.transmit(peer.handle(reader), room=1)
        assert (reply.rv, reply.receive_bytes, payload) == (ReturnCode.INSUFFICIENT_BUFFER, 2, b"")

    @pytest.mark.parametrize("answer", [b"", b"x", b"x" * 65_549, None])
    def test_a_fault_of_the_card_is_6f00(
        self, engine: Engine, peer: Peer, reader: Reader, card: Card, answer: bytes | None
    ) -> None:
        card.broken, card.answer = (set(), answer) if answer is not None else ({"transmit"}, b"")
        reply, payload = peer.transmit(peer.handle(reader))
        assert (reply.rv, payload) == (OK, b"\x6f\x00")
        assert len(engine.faults) == 1

    def test_removed_while_it_computes(self, peer: Peer, reader: Reader, card: Card) -> None:
        handle = peer.handle(reader)
        card.transmit = lambda command: (reader.eject(), b"\x90\x00")[1]  # type: ignore[method-assign]
        reply, payload = peer.transmit(handle)
        assert (reply.rv, reply.receive_bytes, payload) == (ReturnCode.REMOVED_CARD, 0, b"")
        assert peer.disconnect(handle) == OK

    def test_nobody_gets_the_lock_while_a_command_runs(
        self, peer: Peer, other: Peer, reader: Reader, card: Card
    ) -> None:
        mine, theirs = peer.handle(reader), other.handle(reader)
        held = []

        def transmit(command: bytes) -> bytes:
            other.begin_later(theirs)
            held.append(other.is_held)
            return b"\x90\x00"

        card.transmit = transmit  # type: ignore[method-assign]
        assert peer.transmit(mine)[0].rv == OK
        other.go_on()
        assert (held, m.BeginTransaction.parse(other.read()).rv) == ([True], OK)

    def test_a_reset_by_somebody_in_the_process(self, peer: Peer, reader: Reader) -> None:
        handle = peer.handle(reader)
        reader.power_off()
        assert peer.states()[0].state == 4
        assert peer.status(handle) == ReturnCode.RESET_CARD
        reader.power_on()
        assert peer.states()[0].state == 0x34
        assert peer.reconnect(handle).rv == OK
        reader.reset(warm=False)
        assert peer.status(handle) == ReturnCode.RESET_CARD


class TestControlAndAttributes:
    def test_a_reader_of_ours_has_properties(self, peer: Peer, reader: Reader) -> None:
        handle = peer.handle(reader)
        features = bytes.fromhex("120442330012")
        assert peer.control(handle, FEATURE_REQUEST) == (
            m.Control(handle, FEATURE_REQUEST, 0, 65_548, len(features), OK),
            features,
        )
        # wLcdLayout, bPPDUSupport, dwMaxAPDUDataSize
        assert peer.control(handle, 0x4233_0012)[1] == bytes.fromhex("01020000 090100 0A0400000100")
        assert peer.control(handle, 1)[0].rv == ReturnCode.UNSUPPORTED_FEATURE

    def test_a_reader_with_answers(self, engine: Engine, peer: Peer) -> None:
        class Pad(Reader):
            def control(self, code: int, data: bytes) -> bytes | None:
                if code == 9:
                    raise RuntimeError("9")
                if code == 10:
                    raise CardRemovedError("10")
                return data * 2

        pad = Pad("Pad")
        engine.add_reader(pad)
        handle = peer.handle(pad, DIRECT)
        assert peer.control(handle, 5, b"ab") == (m.Control(handle, 5, 2, 65_548, 4, OK), b"abab")
        short, payload = peer.control(handle, 5, b"ab", room=3)
        assert (short.rv, short.returned_bytes, payload) == (ReturnCode.INSUFFICIENT_BUFFER, 4, b"")
        for code in (9, 10):
            assert peer.control(handle, code)[0].rv == ReturnCode.NOT_TRANSACTED
        assert [str(one) for one in engine.faults] == ["9"]

    def test_attributes(self, peer: Peer, reader: Reader, card: Card) -> None:
        handle = peer.handle(reader)
        for attribute, value in (
            (Attribute.ATR_STRING, card.atr),
            (Attribute.VENDOR_NAME, b"vsc"),
            (Attribute.FRIENDLY_NAME, b"One 00 00\0"),
            (Attribute.SYSTEM_NAME, b"One 00 00\0"),
            (Attribute.VENDOR_IFD_VERSION, (0x0100_0000).to_bytes(4, sys.byteorder)),
            (Attribute.VENDOR_IFD_SERIAL_NO, b"VSC6CB90C1D"),
            (Attribute.CHANNEL_ID, (0x00F0_0C1D).to_bytes(4, sys.byteorder)),
            (Attribute.MAXINPUT, (65_544).to_bytes(4, sys.byteorder)),
            (Attribute.ICC_PRESENCE, b"\2"),
            (Attribute.ICC_INTERFACE_STATUS, b"\1"),
        ):
            reply = peer.attribute(handle, attribute)
            assert (reply.rv, reply.value[: reply.value_bytes]) == (OK, value)
        reader.eject()
        empty = peer.handle(reader, DIRECT)
        for attribute in (Attribute.ICC_PRESENCE, Attribute.ICC_INTERFACE_STATUS):
            assert peer.attribute(empty, attribute).value[:1] == b"\0"
        reader.insert(card)
        handle = peer.handle(reader)
        assert peer.attribute(handle, 0x12345678).rv == ReturnCode.UNSUPPORTED_FEATURE
        short = peer.ask(Command.GET_ATTRIB, m.GetSetAttribute(handle, Attribute.VENDOR_NAME, value_bytes=2))
        assert (short.rv, short.value_bytes) == (ReturnCode.INSUFFICIENT_BUFFER, 3)
        assert peer.set_attribute(handle, Attribute.VENDOR_NAME).rv == ReturnCode.NOT_TRANSACTED
