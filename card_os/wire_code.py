"""Two plain functions made of a construct struct: one reads its bytes, one writes them.

The struct stays the one definition. Its nodes are walked once, and for each a line or two of Python are written:
integers that stand together become one `unpack_from`, a field is a local variable, `this.lc` is its name. The functions
know the nodes that formats of cards are made of; for a struct with any other `functions` gives None, and construct does
it. Neither says what is wrong with its input: where it has no answer, construct is asked, and says why.
"""

import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from construct import (
    Bytes,
    BytesInteger,
    Check,
    Computed,
    Const,
    Construct,
    FormatField,
    GreedyBytes,
    IfThenElse,
    Padded,
    Pass,
    Renamed,
    Struct,
)

Read = Callable[[bytes, int], tuple[Any, ...]]
"""Bytes and a place in them: the fields in order and, last, the place behind them."""
Write = Callable[..., bytes | None]
"""The fields in order; what does not fit is None or one of FAILURES."""

FAILURES = (struct.error, IndexError, TypeError, ValueError, OverflowError, AttributeError)
_INTEGERS = frozenset("BHLQbhlq")
_FIELD = re.compile(r"this\['(\w+)'\]")


class _Unknown(Exception):
    """A node that no line is written for."""


def functions(declared: Construct, otherwise: Read) -> tuple[Read, Write] | None:
    """Makes the functions; None for a struct with a node that they do not know.

    otherwise: answers for `read` where the bytes do not fit.
    """
    names = field_names(declared)
    if not isinstance(declared, Struct) or len(set(names)) != len(names):
        return None
    writer = _Source({f"v_{name}" for name in names})
    try:
        reads, writes = list(writer.reads(declared)), list(writer.writes(declared))
    except _Unknown:
        return None
    fields = "".join(f"v_{name}, " for name in names)
    source = [
        "def read(raw, at):",
        " start = at",
        " try:",
        *(f"  {line}" for line in reads),
        f"  return {fields}at,",
        " except FAILURES: return otherwise(raw, start)",
        f"def write({fields}):",
        *(f" {line}" for line in writes),
        " return out",
    ]
    space = {**writer.constants, "FAILURES": FAILURES, "otherwise": otherwise}
    exec(compile("\n".join(source), "<wire>", "exec"), space)
    return space["read"], space["write"]


def field_names(declared: Construct) -> tuple[str, ...]:
    """The named fields of a struct, in order; none for anything else."""
    return tuple(node.name for node in declared.subcons if node.name) if isinstance(declared, Struct) else ()


@dataclass
class _Source:
    """Writes the lines; `constants` are the objects that they name."""

    variables: set[str]
    constants: dict[str, Any] = field(default_factory=dict)

    def constant(self, value: object) -> str:
        name = f"c_{len(self.constants)}"
        self.constants[name] = value
        return name

    def expression(self, value: object) -> str:
        """A number, or what construct shows of `this.lc & 15` with the fields as variables."""
        text = _FIELD.sub(lambda found: f"v_{found[1]}", repr(value))
        if isinstance(value, int) or set(re.findall(r"[A-Za-z_]\w*", text)) <= self.variables:
            return text
        raise _Unknown

    def integers(self, run: Sequence[FormatField]) -> str:
        """A `struct.Struct` for integers of one byte order that stand together."""
        return self.constant(struct.Struct(run[0].fmtstr[0] + "".join(node.fmtstr[1] for node in run)))

    # --- reading

    def reads(self, declared: Struct) -> Iterator[str]:
        for target, node in _runs(declared):
            if isinstance(node, list):
                yield from self.read_integers(node, target)
            else:
                yield from self.read(node, target)

    def read_integers(self, run: Sequence[FormatField], target: str) -> Iterator[str]:
        if len(run) == 1 and run[0].fmtstr[1] == "B":
            yield f"{target} = raw[at]"
        else:
            yield f"{target}, = {self.integers(run)}.unpack_from(raw, at)"
        yield f"at += {sum(node.length for node in run)}"

    def read(self, node: Construct, target: str) -> Iterator[str]:
        if isinstance(node, FormatField) and node.fmtstr[1] in _INTEGERS:
            yield from self.read_integers([node], target)
        elif isinstance(node, BytesInteger) and not node.signed and node.swapped is False:
            yield from self.slice(node.length, "part", least=1)
            yield f"{target} = int.from_bytes(part, 'big')"
        elif isinstance(node, Bytes) or (isinstance(node, Padded) and node.subcon is Pass):
            yield from self.slice(node.length, target)
        elif node is GreedyBytes:
            yield f"{target} = raw[at:]"
            yield "at = len(raw)"
        elif isinstance(node, Const):
            yield from self.read(node.subcon, target)
            yield f"if {target} != {self.constant(node.value)}: return otherwise(raw, start)"
        elif isinstance(node, Check):
            yield f"if not {self.expression(node.func)}: return otherwise(raw, start)"
        elif isinstance(node, Computed):
            yield f"{target} = {self.expression(node.func)}"
        elif isinstance(node, IfThenElse):
            yield from self.choice(node, lambda inner: self.read(inner, target))
        else:
            raise _Unknown

    def slice(self, length: object, target: str, *, least: int = 0) -> Iterator[str]:
        yield f"size = {self.expression(length)}"
        yield f"{target} = raw[at:at + size]"
        yield f"if len({target}) != size{f' or size < {least}' * bool(least)}: return otherwise(raw, start)"
        yield "at += size"

    def choice(self, node: IfThenElse, lines: Callable[[Construct], Iterator[str]]) -> Iterator[str]:
        yield f"if {self.expression(node.condfunc)}:"
        yield from (f"    {line}" for line in lines(node.thensubcon))
        yield "else:"
        yield from (f"    {line}" for line in lines(node.elsesubcon))

    # --- writing

    def writes(self, declared: Struct) -> Iterator[str]:
        yield "out = b''"
        for target, node in _runs(declared):
            if isinstance(node, list):
                yield f"out += {self.integers(node)}.pack({target})"
            else:
                yield from self.write(node, target)

    def write(self, node: Construct, target: str) -> Iterator[str]:
        if isinstance(node, FormatField) and node.fmtstr[1] in _INTEGERS:
            yield f"out += {self.integers([node])}.pack({target})"
        elif isinstance(node, BytesInteger):
            yield f"out += {target}.to_bytes({self.expression(node.length)}, 'big')"
        elif isinstance(node, Bytes):
            yield f"if len({target}) != {self.expression(node.length)}: return None"
            yield f"out += {target}"
        elif isinstance(node, Padded):
            yield f"out += {self.constant(node.pattern)} * {self.expression(node.length)}"
        elif node is GreedyBytes:
            yield f"out += {target}"
        elif isinstance(node, Const):
            value = self.constant(node.value)
            if target in self.variables:
                yield f"if {target} is not None and {target} != {value}: return None"
            yield from self.write(node.subcon, value)
        elif isinstance(node, Check):
            yield f"if not {self.expression(node.func)}: return None"
        elif isinstance(node, Computed):
            yield f"{target} = {self.expression(node.func)}"
        elif isinstance(node, IfThenElse):
            yield from self.choice(node, lambda inner: self.write(inner, target))
        else:
            raise _Unknown


def _runs(declared: Struct) -> Iterator[tuple[str, Construct | list[FormatField]]]:
    """The nodes with the variable of each; named integers of one byte order that stand together are one list."""
    run: list[FormatField] = []
    names: list[str] = []
    for renamed in declared.subcons:
        node = renamed.subcon if isinstance(renamed, Renamed) else renamed
        is_integer = isinstance(node, FormatField) and node.fmtstr[1] in _INTEGERS and renamed.name
        if run and not (is_integer and node.fmtstr[0] == run[0].fmtstr[0]):
            yield ", ".join(names), run
            run, names = [], []
        if is_integer:
            run.append(node)
            names.append(f"v_{renamed.name}")
        else:
            yield f"v_{renamed.name}" if renamed.name else "_", node
    if run:
        yield ", ".join(names), run
