"""The card: one whole command in, one whole answer out.

`Card.transmit` is bytes to bytes; `Card.exchange` gives the reason of a refusal beside the answer. The order of checks
is that of ISO/IEC 7816-4: lengths (6700), class (6E00, 6881, 6882), chain (6884, 6883), instruction (6D00), P1-P2
(6A86), data length (6700), then whatever the application says.
"""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.application import Application
from card_os.atr import Atr
from card_os.channel import Channel, Volatile
from card_os.class_byte import ClassByte, class_not_supported
from card_os.command import Session, Table, dispatch
from card_os.env import Env
from card_os.kernel import KERNEL, MAX_AID_BYTES, MIN_AID_BYTES, KernelIns, KernelSession, kernel_row
from card_os.link import Link
from card_os.memory import Memory, Persistent
from card_os.sw import SW, CardError, Reason
from card_os.value import value

_KERNEL = Table(KERNEL)
_NOTHING = Table({})
_INSTRUCTIONS = frozenset(map(int, KERNEL))
_GET_RESPONSE = int(KernelIns.GET_RESPONSE)


@value
class Outcome:
    """An answer and, if the command was refused, why."""

    response: ResponseApdu
    reason: Reason | None = None


def _forget(_: Persistent) -> None:
    """Stores nothing: the card lives as long as the object."""


def default_of(applications: Sequence[Application[Any, Any]], aid: bytes | None) -> Application[Any, Any] | None:
    """The application that a reset selects. aid: None: the first; empty: none. ValueError for one that is not there."""
    if aid is None:
        return applications[0] if applications else None
    found = next((one for one in applications if one.aid == aid), None)
    if found is None and aid:
        raise ValueError(f"the card carries no application {aid.hex().upper()}")
    return found


class Card:
    """A card in memory, powered for as long as it exists.

    applications: what it carries. persistent: their states. default: AID of the one that is selected after a reset;
    None: the first; empty: none is. store: called with each new state before the answer leaves; an OSError of it
    becomes 6581 and the state stays as it was.
    """

    def __init__(
        self,
        applications: Sequence[Application[Any, Any]],
        persistent: Persistent,
        env: Env,
        *,
        atr: Atr,
        default: bytes | None = None,
        store: Callable[[Persistent], None] = _forget,
    ) -> None:
        self._applications = tuple(applications)
        self._memory = Memory(persistent, store)
        self._env = env
        self._atr = bytes(atr)
        self._default = default_of(self._applications, default)
        self._volatile = Volatile.after_reset(self._default)
        self._last: Outcome | None = None

    @property
    def last_outcome(self) -> Outcome | None:
        """What came of the last command, with the reason if it was refused; None since the last reset."""
        return self._last

    @property
    def atr(self) -> bytes:
        """The answer to reset, 2 to 33 bytes."""
        return self._atr

    @property
    def persistent(self) -> Persistent:
        """The permanent state as it is now."""
        return self._memory.persistent

    @property
    def applications(self) -> tuple[Application[Any, Any], ...]:
        return self._applications

    @property
    def default_application(self) -> Application[Any, Any] | None:
        """The one that is selected after a reset."""
        return self._default

    def reset(self) -> bytes:
        """Forgets everything volatile; returns the ATR."""
        self._last = None
        self._volatile = Volatile.after_reset(self._default)
        return self._atr

    def power_on(self) -> bytes:
        """The same as a reset: the card does not know whether it had power before."""
        return self.reset()

    def power_off(self) -> None:
        """Forgets everything volatile, at once rather than at the next power-on."""
        self.reset()

    def restore(self, persistent: Persistent, env: Env | None = None) -> None:
        """Makes it the card that it was: a state as `persistent` gave it once; everything volatile is forgotten.

        The store has the state when this returns. env: the world from now on; None: the same. ValueError for the
        state of a card with other applications; what the store raises goes through, and then nothing has changed.
        """
        own, other = ([aid for aid, _ in one.applications] for one in (self.persistent, persistent))
        if own != other:
            raise ValueError("that is the state of a card with other applications")
        if persistent != self.persistent:
            self._memory.replace(persistent)
        self._env = self._env if env is None else env
        self.reset()

    def fork(self, env: Env) -> "Card":
        """Returns another card with the same state, freshly reset, which no store keeps. env: its world."""
        other = copy(self)
        other._memory = Memory(self.persistent, _forget)
        other._env = env
        other.reset()
        return other

    def transmit(self, command: bytes) -> bytes:
        """Takes one command of any length; returns at least the two bytes of a status word."""
        return bytes(self.exchange(command).response)

    def exchange(self, command: bytes) -> Outcome:
        """Like `transmit`, as values, with the reason of a refusal."""
        try:
            self._last = self._answer(CommandApdu.parse(command))
        except CardError as error:
            self._last = Outcome(ResponseApdu(sw=error.sw), error.reason)
        return self._last

    def watch_commits(self, around: Callable[[Callable[[], None]], None] | None) -> None:
        """Has `around` called for each commit, in its place, with the function that makes it; None ends that.

        What `around` raises goes through, a power cut for instance: before the commit or after it, there is nothing
        between.
        """
        self._memory.around = around

    # --- one command

    def _answer(self, apdu: CommandApdu) -> Outcome:
        cla = ClassByte.parse(apdu.cla)
        channel = self._volatile.channels.get(cla.channel)
        application = channel.application if channel is not None else None
        table = _NOTHING if application is None else application.table
        if cla.is_proprietary and not table.has_proprietary:
            raise class_not_supported(apdu.cla)
        if channel is None:
            raise CardError(SW.CHANNEL_NOT_SUPPORTED, f"logical channel {cla.channel} is not open")
        if cla.secure_messaging and not (application is not None and application.has_secure_messaging):
            channel.link = Link()
            raise CardError(SW.SECURE_MESSAGING_NOT_SUPPORTED, "this card has no secure messaging")
        if apdu.ins == _GET_RESPONSE:
            channel.link.chain = None
            if cla.chaining:
                raise CardError(SW.CHAINING_NOT_SUPPORTED, "cannot be chained", subject="GET RESPONSE")
            return Outcome(dispatch(_KERNEL, KernelSession(self, cla.channel), apdu))
        channel.link.pending = None
        session = self._session(cla.channel, channel)
        if application is not None:
            application.observe(session, apdu.ins)
        if cla.chaining and not cla.secure_messaging:
            _check_chainable(table, channel, apdu, is_proprietary=cla.is_proprietary)
        refuses = application is not None and application.refuses_broken_chains
        whole = channel.link.collect(apdu, is_last=not cla.chaining, refuses_breaks=refuses)
        if whole is None:
            return Outcome(ResponseApdu())
        if cla.secure_messaging and application is not None:
            outcome = self._run_wrapped(cla.channel, channel, application, session, whole)
        else:
            outcome = Outcome(self._run(cla.channel, channel, session, whole))
        # The last part says how much is wanted: a chain of short commands without Le asks for 256 bytes, not 65 536.
        if len(outcome.response.data) <= apdu.effective_ne:
            return outcome
        return Outcome(channel.link.cut(outcome.response, apdu.effective_ne), outcome.reason)

    def _run_wrapped(
        self,
        number: int,
        channel: Channel,
        application: Application[Any, Any],
        session: Session[Any, Any],
        apdu: CommandApdu,
    ) -> Outcome:
        """Runs a protected command: whatever comes of it, the application that opened it protects the answer."""
        plain = application.unwrap(session, apdu)
        session.is_wrapped = True
        try:
            outcome = Outcome(self._run(number, channel, session, plain))
        except CardError as error:
            outcome = Outcome(ResponseApdu(sw=error.sw), error.reason)
        return Outcome(application.wrap(session, outcome.response), outcome.reason)

    def _run(self, number: int, channel: Channel, session: Session[Any, Any], apdu: CommandApdu) -> ResponseApdu:
        if apdu.ins in _INSTRUCTIONS and apdu.cla < 0x80 and kernel_row(apdu.ins, apdu.p1):
            return dispatch(_KERNEL, KernelSession(self, number), apdu)
        return dispatch(channel.application.table if channel.application else _NOTHING, session, apdu)

    # --- what the kernel's own commands need (`card_os.kernel.Kernel`)

    @property
    def volatile(self) -> Volatile:
        """What a reset forgets."""
        return self._volatile

    def fresh(self, here: int) -> Channel:
        """A channel opened from channel 0 is as after a reset; from another one it has that one's application."""
        return Channel.fresh(self._volatile.channels[here].application if here else self._default)

    def select(self, number: int, apdu: CommandApdu) -> ResponseApdu:
        """SELECT by DF name, full or right-truncated; a name that is not found changes nothing.

        Spec: ISO/IEC 7816-4 section 7.1.1.
        """
        if not apdu.data:
            raise CardError(SW.NC_INCONSISTENT_WITH_P1P2, "a DF name is missing", subject="SELECT")
        channel = self._volatile.channels[number]
        application = self._find(apdu.data, apdu.p2 & 0x03, channel.application)
        if application is None:
            raise CardError(SW.FILE_NOT_FOUND, "no such application", subject=f"AID {apdu.data.hex().upper()}")
        before = channel.application, channel.volatile
        if application is not channel.application or not application.keeps_status_on_reselect:
            channel.application, channel.volatile = application, application.new_volatile()
        try:
            return application.select(self._session(number, channel), apdu)
        except CardError:
            # An application that refuses to be selected must not cost the host the one it had.
            channel.application, channel.volatile = before
            raise

    def _find(
        self, name: bytes, occurrence: int, current: Application[Any, Any] | None
    ) -> Application[Any, Any] | None:
        if not MIN_AID_BYTES <= len(name) <= MAX_AID_BYTES:
            return None
        states = self._memory.persistent
        found = [one for one in self._applications if one.is_named(name, states.state(one.aid))]
        if not found or occurrence == 0:
            return found[0] if found else None
        if occurrence == 1:
            return found[-1]
        if current not in found:
            return found[0] if occurrence == 2 else found[-1]
        index = found.index(current) + (1 if occurrence == 2 else -1)
        return found[index] if 0 <= index < len(found) else None

    def _session(self, number: int, channel: Channel) -> Session[Any, Any]:
        aid = channel.application.aid if channel.application else b""
        volatile = self._volatile
        return Session(
            self._env, channel.volatile, number, self._directory, self._memory, aid, self._beside, volatile.proved
        )

    def _beside(self, number: int) -> list[Any]:
        """What the application of a channel remembers on the other channels on which it is selected."""
        channels = self._volatile.channels
        others = (one for one in channels.values() if one is not channels[number])
        return [one.volatile for one in others if one.application is channels[number].application]

    def _directory(self) -> bytes:
        states = self._memory.persistent
        return b"".join(one.template(states.state(one.aid)) for one in self._applications)


def _check_chainable(table: Table, channel: Channel, apdu: CommandApdu, *, is_proprietary: bool) -> None:
    rows = table.of(apdu.ins, is_proprietary=is_proprietary)
    fitting = [row for row in rows if apdu.p1p2 in row.p1p2] or rows
    if any(row.chaining for row in fitting):
        return
    channel.link.chain = None
    if not rows and (is_proprietary or apdu.ins not in _INSTRUCTIONS):
        raise CardError(SW.INS_NOT_SUPPORTED, f"instruction {apdu.ins:02X} is unknown here")
    raise CardError(SW.CHAINING_NOT_SUPPORTED, f"instruction {apdu.ins:02X} cannot be chained")
