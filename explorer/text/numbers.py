"""Words and numbers inside charts. Every name from a file passes through :func:`safe` before Plotly sees it."""

from __future__ import annotations

import math

from explorer.types import Measurement

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"}
_LONGEST = 60


def safe(name: str) -> str:
    """The name as harmless text: Plotly would draw tags, links and $formulas$ found in it.

    One line, at most 60 characters; the middle of a longer name is left out.
    """
    line = " ".join(name.split())
    if len(line) > _LONGEST:
        half = _LONGEST // 2
        line = f"{line[:half]}…{line[-half + 1 :]}"
    return "".join(_ESCAPES.get(c, c) for c in line)


def percent(fraction: float, digits: int = 1) -> str:
    """0.990 -> "99.0%"."""
    return f"{100 * fraction:.{digits}f}%"


def times(ratio: float) -> str:
    """2.53 -> "2.5×"; whole numbers without a fraction."""
    if math.isinf(ratio):
        return "∞×"
    return f"{ratio:.0f}×" if ratio >= 100 or ratio == round(ratio) else f"{ratio:.1f}×"


def bytes_text(n_bytes: float) -> str:
    """133_120 -> "133 kB" (1 kB = 1000 bytes); three digits."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 999.5:
            return f"{n_bytes:.0f} {unit}" if unit == "B" or n_bytes >= 99.5 else f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:,.3g} TB"


def points(fraction: float) -> str:
    """A difference of shares in percentage points with its sign: 0.003 -> "+0.3 pt", zero without one."""
    text = f"{100 * fraction:+.1f} pt".replace("-", "−")
    return "0.0 pt" if text[1:] == "0.0 pt" else text


def in_words(measurement: Measurement) -> str:
    """A measurement of any unit with its interval: "98.2% (97.5 – 99.5%)", "0.0712 (0.0456 – 0.0968)"."""
    if measurement.unit == "fraction":
        bounds = interval(measurement)
        return percent(measurement.value) + (f" ({bounds})" if bounds else "")
    value = f"{measurement.value:.4g}"
    if measurement.low is None or measurement.high is None:
        return value
    return f"{value} ({measurement.low:.3g} – {measurement.high:.3g})"


def interval(measurement: Measurement) -> str:
    """ "97.5 – 99.5%", or nothing where no interval is known."""
    if measurement.low is None or measurement.high is None:
        return ""
    return f"{100 * measurement.low:.1f} – {100 * measurement.high:.1f}%"


def provenance(measurement: Measurement) -> str:
    """ "measured on 450": the origin, and how many samples were looked at."""
    return measurement.origin + (f" on {measurement.n:,}" if measurement.n is not None else "")
