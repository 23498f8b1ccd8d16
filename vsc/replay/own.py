"""Our own traces: the JSON lines that `vsc record` and `--trace` write (`vsc.trace.jsonl`)."""

from collections.abc import Iterator

from vsc.replay.log import ATR_BYTES, Draft, LogError, numbered
from vsc.trace import jsonl

NAME = "trace of vsc"


def recognises(text: str) -> bool:
    first = next((line for line in numbered(text) if line.strip()), "")
    try:
        return jsonl.is_trace(first)
    except RecursionError:
        return False


def parse(text: str) -> Draft:
    lines = numbered(text)
    draft, read = Draft(), 0

    def counted() -> Iterator[str]:
        nonlocal read
        for read, line in enumerate(lines, 1):  # noqa: B007 - it is read outside
            yield line

    try:
        for entry in jsonl.parse(counted()):
            if entry.atr and len(entry.atr) not in ATR_BYTES:
                raise LogError(f"line {read}: an ATR has 2 to 33 bytes")
            draft.entries.append(entry)
    except (jsonl.TraceError, OverflowError, RecursionError) as error:
        if read < len(lines) or text.endswith("\n") or read == 1:
            raise LogError(str(error) if isinstance(error, jsonl.TraceError) else f"line {read} is damaged") from None
        draft.warnings.append(f"line {read}: the trace ends in the middle of a line: left out")
    return draft
