"""The table of a check's time in the docs, from what ``benchmarks.check`` printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.analysis.check import CHECKS

_LEAST = 0.05


def table(result: Mapping[str, Any]) -> str:
    """One line of Markdown a check that takes a moment, the longest first, and all of them together."""
    each = sorted(result["each"].items(), key=lambda item: -item[1])
    lines = ["| check | seconds |", "|---|---|"]
    lines += [f"| {CHECKS.members[key].label} | {seconds:.1f} |" for key, seconds in each if seconds >= _LEAST]
    return "\n".join([*lines, f"| all {len(each)} | {result['seconds']:.1f} |"])
