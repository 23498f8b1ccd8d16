"""A private PC/SC service for tests in this process, and a bench in it for each test.

    with Lab() as lab, lab.bench() as bench:
        reader = bench.reader()
        reader.insert(SoftCard.make())
        smartcard.System.readers()

A lab is for the whole run: libpcsclite chooses its service once in the life of a process. A bench is for one test: its
readers are gone when it ends. Neither needs pytest; `vsc.testing.plugin` makes fixtures of them.

The service, with readers and cards, is in a process of its own, which ends with this one; what tests have are handles
(`vsc.testing.served`). A client of PC/SC in this process may hold the interpreter's lock while it waits: a service that
is a thread of this process could then never answer.
"""

import os
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from vsc.pcsc import PcscError, Service, use_in_this_process
from vsc.pcsc.service import VARIABLE
from vsc.reader import Reader, free_name
from vsc.testing.reader import VirtualReader
from vsc.trace.entry import Entry
from vsc.trace.recorder import merged
from vsc.trace.text import Tone, report

if TYPE_CHECKING:
    from vsc.testing.served import ServedService

MAX_TRACE_LINES = 1_000
"""Of a reader, in the report of a failed test: the last ones."""


class CardBugError(PcscError):
    """A card has raised an exception, which no card may do; the PC/SC client was given 6F00. Its cause is that."""


class Lab:
    """A private PC/SC service that this process uses, too, while the lab is open.

    A lab within a lab has the same service, and leaves the readers of the other one alone.

    in_this_process: False leaves PC/SC of this process alone; programs that are started with `environment` use the
        service all the same. Readers and cards are in this process then, so any object is a card.
    stderr: a descriptor, for the stacks of a service process that has got stuck; None: standard error.
    """

    def __init__(self, *, in_this_process: bool = True, stderr: int | None = None) -> None:
        self._in_this_process = in_this_process
        self._stderr = stderr
        self._before: str | None = None
        self._found: tuple[Reader, ...] = ()
        self._service: Service | ServedService | None = None if in_this_process else Service()

    @property
    def service(self) -> "Service | ServedService":
        """What serves. PcscError before the lab is open."""
        if self._service is None:
            raise PcscError("the lab is not open")
        return self._service

    def __enter__(self) -> Self:
        """Starts the service. TooLateError if libpcsclite of this process uses another one already; PcscError."""
        if isinstance(self._service, Service):
            self._service.start()
            return self
        self._before = os.environ.get(VARIABLE)
        self._service = _own_service(self._stderr)
        self._found = self._service.readers
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(self.service, Service):
            self.service.stop()
            return
        os.environ.pop(VARIABLE, None)
        if self._before is not None:
            os.environ[VARIABLE] = self._before
        self.service.close(reader for reader in self.service.readers if reader not in self._found)

    @property
    def environment(self) -> dict[str, str]:
        """A copy of the environment in which programs find the service, and no `vsc run` around this process."""
        from vsc.serving.control import VARIABLE as AROUND  # It brings much with it.

        return {name: value for name, value in self.service.environment.items() if name != AROUND}

    def new_reader(self, name: str | None = None) -> VirtualReader:
        """Plugs an empty reader in; when it returns, PC/SC clients see it. PcscError if the name is taken."""
        name = name or free_name(one.name for one in self.service.readers)
        if not isinstance(self.service, Service):
            return self.service.new_reader(name)
        reader = VirtualReader(name, settle=self.service.settle)
        self.service.add_reader(reader)
        return reader

    def remove_reader(self, reader: VirtualReader) -> None:
        """Takes it away, with its card; when it returns, PC/SC clients see that. PcscError if it is not here."""
        self.service.remove_reader(reader)
        if reader.card is not None:
            reader.eject()

    def close_readers(self, readers: list[VirtualReader]) -> None:
        """Takes readers away, and the faults that wait in them: all of them, whatever a card raises at that."""
        if not isinstance(self.service, Service):
            self.service.close(readers)
            return
        with ExitStack() as last:
            last.callback(self.service.come_back)  # A fault may have made it go.
            for reader in readers:
                if reader in self.service.readers:
                    last.callback(self.service.remove_reader, reader)
                last.callback(reader.close)

    @contextmanager
    def bench(self) -> Iterator["Bench"]:
        """Readers and cards for one test. Ends with `Bench.check`, unless the test has failed already."""
        bench = Bench(self)
        try:
            yield bench
            bench.check()
        finally:
            bench.close()


_own: "list[ServedService]" = []


def _own_service(stderr: int | None) -> "ServedService":
    """The one of this process, running and in use. It lives as long as the process.

    libpcsclite would never look for another one. And a connection that nobody closed is closed by its finalizer, at
    any time later: whom it talks to must still be there, or pyscard raises in the midst of something else.
    """
    from vsc.serving.owner import ServiceProcess
    from vsc.testing.served import ServedService

    if _own:
        use_in_this_process(_own[0])
        return _own[0]
    process = ServiceProcess(stderr=stderr)
    process.start()
    service = ServedService(process)
    try:
        use_in_this_process(service)
    except PcscError:
        process.stop()
        raise
    _own.append(service)
    return service


class Bench:
    """The readers of one test."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.readers: list[VirtualReader] = []
        """All that there have been."""
        self._known = list(lab.service.faults)
        self._struck: list[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """A copy of the environment in which programs see the readers."""
        return self.lab.environment

    def reader(self, name: str | None = None) -> VirtualReader:
        """Plugs an empty reader in; when it returns, PC/SC clients see it. PcscError if the name is taken."""
        reader = self.lab.new_reader(name)
        self.readers.append(reader)
        return reader

    def unplug(self, reader: VirtualReader) -> None:
        """Takes a reader away, with its card; when it returns, PC/SC clients see that."""
        self.lab.remove_reader(reader)

    def bugs(self) -> list[Exception]:
        """What cards have raised since the last call; of very many the last hundred."""
        new = [bug for bug in self.lab.service.faults if not any(bug is known for known in self._known)]
        self._known += new
        return new

    def check(self) -> None:
        """CardBugError if a card has raised an exception, UnfiredFaultError if a fault has not fired."""
        self.check_cards()
        for reader in self.readers:
            reader.check()

    def check_cards(self) -> None:
        """CardBugError if a card has raised an exception."""
        for bug in self.bugs():
            raise CardBugError(f"a card has raised {type(bug).__name__}, and its client was given 6F00") from bug

    @property
    def why_it_ended(self) -> str:
        """A sentence, if the process that serves has ended before this one; empty as a rule."""
        service = self.lab.service
        return "" if isinstance(service, Service) else service.process.why_it_ended

    def sections(self) -> Iterator[tuple[str, str]]:
        """What is to be known of a test that has failed: titles and texts. No PIN is in them."""
        if sentence := self.why_it_ended:
            yield "the service", sentence
            return
        for reader in self.readers:
            told = list(report(reader.trace.entries))
            head = [text for tone, text in told if tone is Tone.SUMMARY]
            lines = [text for tone, text in told if tone is not Tone.SUMMARY] or ["nothing has happened"]
            left_out = len(lines) - MAX_TRACE_LINES
            if left_out > 0:
                lines = [f"({left_out} lines before these)", *lines[left_out:]]
            yield f"APDU trace of {reader.name}", "\n".join([*head, *lines])
        for bug in self.bugs():
            yield "exception of a card", "".join(traceback.format_exception(bug))

    def entries(self) -> list[Entry]:
        """What has passed through all readers, in its order."""
        return merged(reader.trace for reader in self.readers)

    def struck(self) -> list[str]:
        """The faults that have struck, each as it was injected, and in which reader; also when the bench is closed."""
        plans = ((reader.name, reader.plan) for reader in self.readers if reader.plan is not None)
        if self._struck is not None:
            return self._struck
        return [f"{name}: {fault}" for name, plan in plans for fault in plan.fired]

    def tell(self, report: Any) -> None:
        """Adds the sections to pytest's report of a failure.

        They become part of the failure itself where it has parts: that is what junit's XML holds, and what
        --show-capture leaves alone.
        """
        for title, text in self.sections():
            if hasattr(report.longrepr, "addsection"):
                report.longrepr.addsection(title, text)
            elif isinstance(report.longrepr, str):
                report.longrepr += f"\n--- {title} ---\n{text}"
            else:
                report.sections.append((title, text))

    def close(self) -> None:
        """Takes the readers away, and the faults that wait in them: all of them, whatever a card raises at that."""
        # The plans go with their readers.
        self._struck = [] if self.why_it_ended else self.struck()
        self.lab.close_readers(self.readers)
