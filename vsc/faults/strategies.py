"""Faults for hypothesis (extra `virtual-smart-card[hypothesis]`)."""

from collections.abc import Collection

from hypothesis import strategies as st

from vsc.faults.bounds import MAX_ATR_BYTES, MAX_DELAY_MS
from vsc.faults.command import ANY, CommandName, application_names, names
from vsc.faults.effect import TABLE, Argument, Effect, Place
from vsc.faults.fault import Fault


def commands() -> st.SearchStrategy[CommandName]:
    """Commands as a fault names them; shrinks to `any`."""
    by_instruction = st.integers(0, 0xFF).map(lambda ins: CommandName(f"INS {ins:02X}"))
    return st.just(ANY) | st.sampled_from(sorted(names())).map(CommandName) | by_instruction


@st.composite
def faults(
    draw: st.DrawFn,
    *,
    effects: Collection[Effect] = tuple(Effect),
    max_delay_ms: int = MAX_DELAY_MS,
    max_count: int = 5,
) -> Fault:
    """Any fault that can be written as a line. effects: only those. max_count: of commands and commits."""
    effect = draw(st.sampled_from(list(effects)))
    row = TABLE[effect]
    place = draw(st.sampled_from(row.places))
    is_reset = place is Place.RESET
    return Fault(
        effect,
        value=draw(_value(row.argument, max_delay_ms, max_count)),
        place=place,
        command=ANY if is_reset else draw(commands()),
        since=draw(commands()) if place is Place.BETWEEN else None,
        application=None if is_reset else draw(st.none() | st.sampled_from(application_names())),
        nth=1 if effect.is_tear else draw(st.integers(1, max_count)),
        every=draw(st.booleans()),
        optional=draw(st.booleans()),
        back=row.goes_back and draw(st.booleans()),
    )


def _value(argument: Argument, max_delay_ms: int, max_count: int) -> st.SearchStrategy[bytes | int | None]:
    status_words = st.sampled_from([0x6F00, 0x6983, 0x6581, 0x63C1, 0x9000]) | st.integers(0, 0xFFFF)
    match argument:
        case Argument.SW:
            return status_words.map(lambda sw: sw.to_bytes(2, "big"))
        case Argument.ANSWER:
            return st.binary(min_size=2, max_size=300)
        case Argument.ATR:
            return st.binary(min_size=2, max_size=MAX_ATR_BYTES)
        case Argument.TIME:
            return st.integers(1, max_delay_ms)
        case Argument.COMMIT:
            return st.integers(1, max_count)
        case Argument.NONE:
            return st.none()
