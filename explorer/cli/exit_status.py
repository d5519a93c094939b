"""Findings as an exit status, for whoever runs a command unattended."""

from __future__ import annotations

from collections.abc import Iterable

from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.flags.failing import LEVELS
from explorer.types import Finding

PASSED, FAILED = 0, 1


def status_of(args: Arguments, findings: Iterable[Finding]) -> int:
    """1 where ``--fail-on`` names a level and there are findings of it, or worse ones; else 0."""
    if args.fail_on is None:
        return PASSED
    counted = LEVELS[: LEVELS.index(args.fail_on) + 1]
    n = sum(finding.level in counted for finding in findings)
    if not n:
        return PASSED
    printing.note(f"{n} finding{'s' * (n > 1)} of level {' or '.join(counted)}: exit status {FAILED}.")
    return FAILED
