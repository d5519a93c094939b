"""What each runtime can use of which zeros: the dated table that the library itself reads."""

from __future__ import annotations

from explorer.metrics.sparsity_support import PATTERNS, TABLE, Support

_ABOUT = """# What each runtime can use

Zeros save time only where the software that runs the network knows their pattern. From this table warnings and reports
take their sentences. Each row says where and when it was read; what is not written down anywhere, or
measured, is unknown. Measure on the machine that will run it: `evaluate --latency`."""
_HEAD = "| runtime | hardware | since | faster | condition | read in |\n|---|---|---|---|---|---|"


def page() -> str:
    """One table a pattern of zeros."""
    lines = [_ABOUT]
    for pattern, words in PATTERNS.items():
        rows = [_row(row) for row in TABLE if row.pattern == pattern]
        if rows:
            lines += [f"## {words[0].upper()}{words[1:]}", "\n".join([_HEAD, *rows])]
    return "\n\n".join(lines) + "\n"


def _row(row: Support) -> str:
    source = f"[source]({row.source})" if row.source.startswith("https://") else row.source
    cells = (row.runtime, row.hardware, row.since, row.faster, row.condition, f"{source}, {row.as_of}")
    return f"| {' | '.join(cells)} |"
