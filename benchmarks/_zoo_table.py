"""The table of published architectures in the docs, from the rows of ``benchmarks.zoo``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """One line of Markdown an architecture, with the date of its run."""
    lines = ["| network | removed here | by torch-pruning | largest difference | date |", "|---|---|---|---|---|"]
    for row in rows:
        ours, theirs = row["ours"], row["theirs"]
        cells = (
            _removed(ours),
            _removed(theirs),
            f"{ours['difference']:.0e}" if "difference" in ours else "",
            row["date"],
        )
        name = row["name"] if row["library"] == "torchvision" else f"{row['name']} ({row['library']})"
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _removed(result: Mapping[str, Any]) -> str:
    return (
        f"{result['removed']:.1%}"
        if "removed" in result
        else "does not finish"
        if "answer" in result["error"]
        else "fails"
    )
