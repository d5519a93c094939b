"""The pictures of a card: plain SVG in the page's own colours, each with its content in words."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.text.names import clean_html
from explorer.types.aliases import JsonObject

_SIDE, _PAD, _ROW = 260, 34, 22
_MOST_BARS = 40


def reliability(rows: Sequence[JsonObject]) -> str:
    """Confidence against the share of right answers, before and after, a dot for each bin; nothing without rows."""
    bins = [row for row in rows if "bin" in row]
    if not bins:
        return ""
    inner = _SIDE - 2 * _PAD

    def place(row: JsonObject) -> tuple[float, float]:
        return _PAD + inner * float(row["confidence"]), _SIDE - _PAD - inner * float(row["accuracy"])

    largest = max(int(row["n"]) for row in bins)
    dots = []
    for row in bins:
        x, y = place(row)
        radius = 2 + 6 * (int(row["n"]) / largest) ** 0.5
        dots.append(f'<circle class="{row["when"]}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>')
    box = f'<rect class="frame" x="{_PAD}" y="{_PAD}" width="{inner}" height="{inner}"/>'
    diagonal = f'<line class="frame" x1="{_PAD}" y1="{_SIDE - _PAD}" x2="{_SIDE - _PAD}" y2="{_PAD}"/>'
    words = (
        f'<text x="{_SIDE / 2}" y="{_SIDE - 8}" text-anchor="middle">confidence, 0 to 1</text>'
        f'<text x="{_PAD}" y="{_PAD - 10}">right, 0 to 1</text>'
    )
    title = f"Reliability diagram of {len(bins)} bins: confidence against the share of right answers, before and after."
    return _svg(_SIDE, _SIDE, title, f"{box}{diagonal}{''.join(dots)}{words}")


def bars(rows: Sequence[JsonObject], title: str) -> str:
    """The change of each part with its interval, the worst first; nothing without rows."""
    parts = sorted((row for row in rows if row.get("drop") is not None), key=lambda row: -float(row["drop"]))[
        :_MOST_BARS
    ]
    if not parts:
        return ""
    ends = [abs(float(row[key])) for row in parts for key in ("drop", "low", "high")]
    reach, left, width = max(0.01, *ends), 130, 300
    lines = []
    for i, row in enumerate(parts):
        y = _PAD + _ROW * i
        low, middle, high = (left + width * (0.5 - float(row[k]) / reach / 2) for k in ("high", "drop", "low"))
        change = -100 * float(row["drop"])
        lines.append(
            f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{clean_html(str(row["name"]), 18)}</text>'
            f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="after" cx="{middle:.1f}" cy="{y}" r="4"/>'
            f'<text x="{left + width + 8}" y="{y + 4}">{change:+.1f} pt</text>'
        )
    height = _PAD + _ROW * len(parts)
    zero = f'<line class="frame" x1="{left + width / 2}" x2="{left + width / 2}" y1="{_PAD - 14}" y2="{height - 8}"/>'
    head = f'<text x="{left + width / 2}" y="14" text-anchor="middle">no change</text>'
    return _svg(left + width + 80, height, title, f"{head}{zero}{''.join(lines)}")


def _svg(width: float, height: float, title: str, inside: str) -> str:
    return (
        f'<svg role="img" aria-label="{clean_html(title)}" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}">{inside}</svg>'
    )
