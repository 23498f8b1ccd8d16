"""The readers of PC/SC as a part of a machine: listed, watched, and told of through the machine's herald."""

from collections.abc import Callable

from vsc.errors import NoPcscError
from vsc.machine.herald import Herald
from vsc.machine.pcsc import UNKNOWN, Description, Pcsc, PcscReader
from vsc.machine.pcsc_watch import PcscWatch
from vsc.machine.winscard import scard


class PcscReaders:
    """All readers of PC/SC but those that the machine has itself.

    describe: says what is known of the reader of that name. is_own: whether the machine has that reader itself. must:
    NoPcscError where there is no PC/SC, instead of no readers. settle: called before a reader that was seen is told of;
    returns when it can be described. All are called by several threads, and must not wait for what waits for
    `look_again`.
    """

    def __init__(
        self,
        herald: Herald,
        *,
        describe: Callable[[str], Description] = lambda _: UNKNOWN,
        is_own: Callable[[str], bool] = lambda _: False,
        settle: Callable[[], None] = lambda: None,
        must: bool = True,
    ) -> None:
        self.pcsc = Pcsc()
        self._herald = herald
        self._describe = describe
        self._is_own = is_own
        self._settle = settle
        self._must = must
        self._watch: PcscWatch | None = None

    def names(self) -> tuple[str, ...]:
        """What PC/SC lists, the machine's own included."""
        try:
            return tuple(self.pcsc.states())
        except NoPcscError:
            if self._must:
                raise
            return ()

    def readers(self) -> tuple[PcscReader, ...]:
        return tuple(self.reader(name) for name in self.names() if not self._is_own(name))

    def reader(self, name: str) -> PcscReader:
        """The reader of that name, whether there is one or not."""
        return PcscReader(self.pcsc, name, herald=self._herald, describe=self._describe)

    def start(self) -> Callable[[], None]:
        """Has the herald see the readers from now on; returns what ends that."""
        try:
            scard()
        except NoPcscError:
            return lambda: None  # Without a library for it there never will be any.
        watch = PcscWatch(self.pcsc, see=self._see, lose=self._lose)
        watch.start()
        self._watch = watch

        def end() -> None:
            self._watch = None
            watch.stop()

        return end

    def look_again(self) -> None:
        """Returns when the herald has seen all that had happened before the call, if anybody watches."""
        watch = self._watch
        if watch is not None:
            watch.look_again()

    def shown(self, name: str) -> PcscReader:
        """A reader that has just been plugged in, once it is seen. NoPcscError if PC/SC does not show it here."""
        self.look_again()
        if self.pcsc.state(name) is None:
            raise NoPcscError(f"PC/SC in this process is another one: it does not show {name!r}")
        return self.reader(name)

    def close(self) -> None:
        self.pcsc.close()

    def _see(self, name: str, insertion: int | None) -> None:
        self._settle()
        if not self._is_own(name):
            self._herald.see(self.reader(name), insertion)

    def _lose(self, name: str) -> None:
        self._herald.lose(self.reader(name))
