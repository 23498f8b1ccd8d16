"""Faults on demand: one small grammar for Python, the command line and hypothesis.

    plan = inject(reader, "sw 6F00 on VERIFY", "remove after 5")
    ...
    plan.check()                        UnfiredFaultError if one never struck

A fault is one short line of English (`grammar`), parsed to a `Fault`; what it can do is a table (`effect`). The faults
of a reader are its `Plan`, which stands in the reader's line: so they strike alike for hosts in this process, over the
private PC/SC and over vpcd. docs/faults.md says what each host sees.
"""

from vsc.faults.command import CommandName
from vsc.faults.effect import TABLE, Effect, Layer, Place
from vsc.faults.errors import FaultError, FaultSyntaxError, UnfiredFaultError
from vsc.faults.fault import Fault, When
from vsc.faults.plan import Plan, inject

__all__ = [
    "TABLE",
    "CommandName",
    "Effect",
    "Fault",
    "FaultError",
    "FaultSyntaxError",
    "Layer",
    "Place",
    "Plan",
    "UnfiredFaultError",
    "When",
    "inject",
]
