"""The PC/SC engine whatever clients send, however it is split, and beside a model of what pcscd means."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.vsc.pcsc.peer import ANY, Card, Peer, raw_request, states_in
from vsc.pcsc import messages as m
from vsc.pcsc.codes import Command, Disposition, Protocol, ReturnCode, ShareMode
from vsc.pcsc.engine import Engine
from vsc.pcsc.errors import HangUp
from vsc.pcsc.requests import RequestParser
from vsc.reader import Reader

OK = ReturnCode.SUCCESS
u32 = st.integers(0, 0xFFFF_FFFF)
small = st.sampled_from([0, 1, 2, 3, 4, 8, 0x1000, 0xFFFF_FFFF])
NAME = "R"
ROGUES_CONTEXT = 2  # The victim's is 1, its handle 3; see `seeded`.


def bodies(command: Command) -> st.SearchStrategy[bytes]:
    """Structs that make some sense: the handles and contexts of a seeded engine are small numbers."""
    kind = m.REQUESTS[command]
    if kind is None:
        return st.just(b"")
    if kind is m.Connect:
        names = st.sampled_from([b"R", b"S", b"", b"\xff" * 127])
        return st.builds(m.Connect, small, names.map(m.padded_name), small, small).map(bytes)
    return st.lists(small, min_size=kind.SIZE // 4, max_size=kind.SIZE // 4).map(
        lambda words: b"".join(word.to_bytes(4, "little") for word in words)
    )


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    command = draw(st.sampled_from(Command))
    raw = draw(bodies(command))
    payload = draw(st.binary(max_size=20)) if command in (Command.TRANSMIT, Command.CONTROL) else b""
    if payload:
        at = 12 if command is Command.TRANSMIT else 8
        raw = raw[:at] + len(payload).to_bytes(4, "little") + raw[at + 4 :]
    return raw_request(command, raw, payload)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Requests one after the other; perhaps cut short, or with a byte changed."""
    raw = bytearray(b"".join(draw(st.lists(requests(), max_size=12))))
    if raw and draw(st.booleans()):
        raw[draw(st.integers(0, len(raw) - 1))] ^= draw(st.integers(1, 255))
    return bytes(raw[: draw(st.integers(0, len(raw)))]) if draw(st.booleans()) else bytes(raw)


def chunks(raw: bytes, cuts: Sequence[int]) -> list[bytes]:
    at = [0, *sorted(cut % (len(raw) + 1) for cut in cuts), len(raw)]
    return [raw[start:end] for start, end in pairwise(at)]


def seeded() -> tuple[Engine, Reader]:
    """An engine that gives out 1, 2, 3 ...: so that a stream can be made before it runs."""
    numbers = iter(range(1_000_000))
    reader = Reader(NAME)
    reader.insert(Card())
    return Engine([reader, Reader("S")], random_below=lambda _: next(numbers)), reader


def run(peer: Peer, pieces: Sequence[bytes]) -> bytes:
    """Sends all; a request that is held back is told to come again, so that nothing stays open."""
    for piece in pieces:
        if not peer.is_closed:
            peer.send(piece)
        while peer.is_held:
            peer.connection.may_go_on = True
            before = peer.todo
            peer.go_on(timed_out=True)
            if peer.todo is before:
                peer.hang_up()
    return peer.read()


def connects_raw(mode: int, *, context: int = ROGUES_CONTEXT) -> bytes:
    """A CONNECT to the victim's reader that asks for RAW."""
    return raw_request(Command.CONNECT, bytes(m.Connect(context, m.padded_name(b"R"), mode, Protocol.RAW)))


@given(st.one_of(streams(), st.binary(max_size=400)), st.lists(st.integers(0, 5000), max_size=6))
@example(connects_raw(ShareMode.EXCLUSIVE), [])
@example(connects_raw(ShareMode.DIRECT, context=ROGUES_CONTEXT + 1), [])
@example(connects_raw(ShareMode.SHARED), [])
def test_nothing_that_a_client_sends_raises_or_touches_another(raw: bytes, cuts: list[int]) -> None:
    engine, reader = seeded()
    victim, rogue = Peer(engine), Peer(engine)
    card = victim.handle(reader)
    run(rogue, chunks(raw, cuts))
    rogue.hang_up()
    if victim.status(card) == ReturnCode.RESET_CARD:  # what any client may do to a shared card
        assert victim.reconnect(card).rv == OK
    has_been_given_more = engine.new_number(()) > card + 1
    if has_been_given_more and victim.states()[0].protocol == Protocol.RAW:  # as from pcscd, until a reset
        assert victim.reconnect(card, how=Disposition.RESET).rv == OK
    assert victim.states()[0].sharing == 1
    assert victim.transmit(card)[1] == b"\x90\x00"
    assert victim.begin(card) == OK
    assert engine.connections == {victim.connection}
    assert set(engine.handles) == {card}
    assert rogue.connection.parser.pending_bytes <= len(raw)


@given(streams(), st.lists(st.integers(0, 5000), max_size=8))
def test_any_split_gives_the_same_replies(raw: bytes, cuts: list[int]) -> None:
    def play(pieces: Sequence[bytes]) -> bytes:
        engine, _ = seeded()
        return run(Peer(engine), pieces)

    assert play(chunks(raw, cuts)) == play([raw])


@given(st.binary(max_size=300))
def test_the_parser_keeps_no_more_than_it_was_given(raw: bytes) -> None:
    parser = RequestParser()
    parser.feed(raw)
    with suppress(HangUp):
        taken = sum(8 + len(bytes(one.body or b"")) + len(one.payload) for one in parser)
        assert taken + parser.pending_bytes == len(raw)
    assert parser.pending_bytes <= len(raw)


class SharedReader(RuleBasedStateMachine):
    """Three clients with up to one handle each on one reader, beside a model of lock, sharing and flags.

    Held-back requests are avoided here (the model says when one would be); test_engine.py has them.
    """

    @initialize()
    def start(self) -> None:
        self.reader = Reader(NAME)
        self.reader.insert(Card())
        self.engine = Engine([self.reader])
        slot = self.engine.slot_of(self.reader)
        self.reader.subscribe(lambda _: self.engine.catch_up(slot))
        self.peers = [Peer(self.engine, minor=minor) for minor in (4, 5, 6)]
        self.handle: dict[int, int] = {}
        self.mode: dict[int, ShareMode] = {}
        self.flag: dict[int, ReturnCode] = {}
        self.owner: int | None = None
        self.depth = 0
        self.present = True
        self.counter = 1

    who = st.integers(0, 2)

    def _flag_all(self, event: ReturnCode) -> None:
        self.flag = dict.fromkeys(self.flag, event)

    @property
    def is_exclusive(self) -> bool:
        return ShareMode.EXCLUSIVE in self.mode.values()

    @rule(who=who, mode=st.sampled_from(ShareMode))
    def connect(self, who: int, mode: ShareMode) -> None:
        if who in self.handle or (self.owner is not None and not self.is_exclusive):
            return
        reply = self.peers[who].connect(self.reader, mode)
        if self.is_exclusive:
            expected = ReturnCode.SHARING_VIOLATION
        elif mode is not ShareMode.DIRECT and not self.present:
            expected = ReturnCode.NO_SMARTCARD
        elif mode is ShareMode.EXCLUSIVE and self.handle:
            expected = ReturnCode.SHARING_VIOLATION
        else:
            expected = OK
            self.handle[who], self.mode[who], self.flag[who] = reply.card, mode, OK
            if mode is ShareMode.EXCLUSIVE:
                self.owner, self.depth = who, 1
        assert reply.rv == expected

    @precondition(lambda self: self.handle)
    @rule(data=st.data(), how=st.sampled_from([Disposition.LEAVE, Disposition.RESET]))
    def disconnect(self, data: st.DataObject, how: Disposition) -> None:
        who = data.draw(st.sampled_from(sorted(self.handle)))
        if how is Disposition.RESET and self.owner not in (None, who):
            return
        assert self.peers[who].disconnect(self.handle[who], how) == OK
        if how is Disposition.RESET:
            self._flag_all(ReturnCode.RESET_CARD)
        self._gone(who)

    @precondition(lambda self: self.handle)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from(sorted(self.handle)))
        locked = self.owner == who and self.flag[who] is OK
        self.peers[who].hang_up()
        if locked:
            self._flag_all(ReturnCode.RESET_CARD)
        self._gone(who)
        self.peers[who] = Peer(self.engine)

    def _gone(self, who: int) -> None:
        if self.owner == who:
            self.owner, self.depth = None, 0
        for table in (self.handle, self.mode, self.flag):
            table.pop(who)

    @precondition(lambda self: self.handle)
    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from(sorted(self.handle)))
        if self.flag[who] is OK and self.owner not in (None, who):
            return
        assert self.peers[who].begin(self.handle[who]) == self.flag[who]
        if self.flag[who] is OK:
            self.owner, self.depth = who, self.depth + 1

    @precondition(lambda self: self.handle)
    @rule(data=st.data(), how=st.sampled_from([Disposition.LEAVE, Disposition.RESET]))
    def end(self, data: st.DataObject, how: Disposition) -> None:
        who = data.draw(st.sampled_from(sorted(self.handle)))
        rv = self.peers[who].end(self.handle[who], how)
        if self.flag[who] is not OK:
            assert rv == self.flag[who]
            return
        if self.owner not in (None, who):
            assert rv == ReturnCode.SHARING_VIOLATION
            return
        if how is Disposition.RESET:
            self._flag_all(ReturnCode.RESET_CARD)
        floor = 1 if self.mode[who] is ShareMode.EXCLUSIVE else 0
        removed = how is Disposition.RESET and not self.present
        if removed:
            assert rv == ReturnCode.REMOVED_CARD
        else:
            assert rv == (OK if self.depth > floor else ReturnCode.NOT_TRANSACTED)
        if self.depth > floor:
            self.depth -= 1
            self.owner = self.owner if self.depth else None

    @precondition(lambda self: self.handle)
    @rule(data=st.data(), how=st.sampled_from([Disposition.LEAVE, Disposition.RESET]))
    def reconnect(self, data: st.DataObject, how: Disposition) -> None:
        who = data.draw(st.sampled_from(sorted(self.handle)))
        mode = self.mode[who]
        rv = self.peers[who].reconnect(self.handle[who], mode, ANY, how).rv
        if self.owner not in (None, who):
            assert rv == ReturnCode.SHARING_VIOLATION
            return
        if how is Disposition.RESET:
            self._flag_all(ReturnCode.RESET_CARD)
        if not self.present:
            assert rv == ReturnCode.NO_SMARTCARD
            return
        assert rv == OK
        self.flag[who] = OK

    @precondition(lambda self: self.present)
    @rule()
    def eject(self) -> None:
        self.reader.eject()
        self.present, self.counter = False, self.counter + 1
        self._flag_all(ReturnCode.REMOVED_CARD)
        self.owner, self.depth = None, 0

    @precondition(lambda self: not self.present)
    @rule()
    def insert(self) -> None:
        self.reader.insert(Card())
        self.present, self.counter = True, self.counter + 1

    @invariant()
    def clients_see_what_is(self) -> None:
        for peer in self.peers:
            entry = peer.states()[0]
            assert entry.state == (0x34 if self.present else 2)
            assert entry.event_counter == self.counter
            assert entry.sharing == (-1 if self.is_exclusive else len(self.handle))

    @invariant()
    def handles_answer_as_their_flags_say(self) -> None:
        for who, handle in self.handle.items():
            expected = ReturnCode.SHARING_VIOLATION if self.owner not in (None, who) else self.flag[who]
            assert self.peers[who].status(handle) == expected

    @invariant()
    def nothing_is_left_over(self) -> None:
        assert set(self.engine.handles) == set(self.handle.values())
        slot = self.engine.slot_of(self.reader)
        assert (slot.calls, slot.queue) == ([], [])
        assert {one.number for one in slot.handles} == set(self.handle.values())


TestSharedReader = SharedReader.TestCase


def test_a_notification_is_never_lost_nor_doubled() -> None:
    """Every insertion and removal while somebody waits is one notification, over many of them."""
    engine, reader = seeded()
    slot = engine.slot_of(reader)
    reader.subscribe(lambda _: engine.catch_up(slot))
    peer = Peer(engine)
    for number in range(500):
        peer.send(raw_request(Command.WAIT_READER_STATE_CHANGE))
        assert states_in(peer.read())[0].event_counter == 2 * number + 1
        card = reader.eject()
        assert peer.read() == bytes(m.Notification())
        reader.insert(card)
        assert peer.read() == b""
