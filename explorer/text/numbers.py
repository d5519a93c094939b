"""Numbers in words, for every face: screen, terminal, chart, report.

The rule: shares in percent and differences in points have **one decimal**; a share that is neither none nor all never
reads as such (``<0.1%``, ``>99.9%``), and a difference of zero has no sign. Ratios and bytes have **three digits**,
counts have all, other measured numbers **four**. The minus is a minus (−), not a hyphen. What is asked for reads as it
was asked: ``12.5%``, not rounded. Files and JSON have every digit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.types import Measurement

_MINUS = "\N{MINUS SIGN}"


def percent(share: float, digits: int = 1) -> str:
    """0.990 -> "99.0%"; 0.0001 -> "<0.1%", 0.9999 -> ">99.9%"."""
    text = _fixed(100 * share, digits)
    least = 10.0**-digits
    if 0 < share < 1 and float(text.replace(_MINUS, "-")) in (0, 100):
        return f"<{least:.{digits}f}%" if share < 0.5 else f">{100 - least:.{digits}f}%"
    return f"{text}%"


def percent_asked(share: float) -> str:
    """A share as it was asked for: 0.3 -> "30%", 0.125 -> "12.5%"."""
    return f"{100 * share:.6g}%".replace("-", _MINUS)


def points(difference: float) -> str:
    """A difference of shares in percentage points with its sign: 0.003 -> "+0.3 pt", zero without one."""
    return f"{_signed(100 * difference)} pt"


def points_bare(difference: float) -> str:
    """The same without its unit, for a column whose heading has it: 0.003 -> "+0.3"."""
    return _signed(100 * difference)


def points_asked(difference: float) -> str:
    """A budget in points as it was asked for: 0.02 -> "2 pt"."""
    return f"{100 * difference:.6g} pt".replace("-", _MINUS)


def points_spelled(difference: float) -> str:
    """The same for a sentence: 0.01 -> "1 point", 0.02 -> "2 points"."""
    text = points_asked(difference).removesuffix(" pt")
    return f"{text} point{'s' * (text != '1')}"


def points_apart(difference: float) -> str:
    """The size of a difference: -0.003 -> "0.3 points"; for sentences that say which way it goes."""
    return f"{abs(100 * difference):.1f} points"


def points_at_most(difference: float) -> str:
    """A bound, rounded up so that it holds: 0.0444 -> "4.5 points or less"."""
    return f"{math.ceil(1000 * difference - 1e-9) / 10:.1f} points or less"


def times(ratio: float) -> str:
    """2.534 -> "2.53×", 12 -> "12×", 1234.5 -> "1,234×"."""
    if not math.isfinite(ratio):
        return "∞×" if ratio > 0 else "–"
    return f"{ratio:,.0f}×" if abs(ratio) >= 99.95 else f"{ratio:.3g}×"


def count(n: float) -> str:
    """12345 -> "12,345"."""
    return f"{n:,.0f}"


def number(value: float | None) -> str:
    """Four digits, or a dash for nothing."""
    return "-" if value is None else _digits(value, 4)


def bytes_text(n_bytes: float) -> str:
    """133_120 -> "133 kB" (1 kB = 1000 bytes)."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 999.5:
            return f"{n_bytes:.0f} {unit}" if unit == "B" or n_bytes >= 99.5 else f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:,.3g} TB"


def bytes_counted(n_bytes: float) -> str:
    """133_120 -> "133,120 B": every byte, where a file is named."""
    return f"{count(n_bytes)} B"


def between(low: float | None, high: float | None) -> str:
    """ "97.5 – 99.5%": an interval of a share; nothing where none is there."""
    return "" if low is None or high is None else f"{_fixed(100 * low)} – {_fixed(100 * high)}%"


def points_between(low: float | None, high: float | None) -> str:
    """ "−1.2 to +0.3 pt": an interval of a difference; nothing where none is there."""
    return "" if low is None or high is None else f"{_signed(100 * low)} to {_signed(100 * high)} pt"


def change(difference: float, unit: str) -> str:
    """A difference in its own unit, with its sign: "−0.4 pt" of shares, "+0.031 nats" of anything else."""
    return points(difference) if unit == "fraction" else f"{_signed_digits(difference)}{_unit(unit)}"


def worse_by(difference: float, unit: str) -> str:
    """How much worse something is, or may be, without a sign: "2 points" of shares, "0.031 nats" of anything else."""
    return points_spelled(difference) if unit == "fraction" else f"{_digits(difference, 3)}{_unit(unit)}"


def apart(difference: float, unit: str) -> str:
    """The size of a difference: "0.3 points" of shares, "0.031 nats" of anything else."""
    return points_apart(difference) if unit == "fraction" else f"{_digits(abs(difference), 3)}{_unit(unit)}"


def change_bare(difference: float) -> str:
    """A difference that is no share's, without its unit: 0.0312 -> "+0.0312"."""
    return _signed_digits(difference)


def change_between(low: float | None, high: float | None, unit: str) -> str:
    """The interval of a difference in its own unit; nothing where none is there."""
    if unit == "fraction" or low is None or high is None:
        return points_between(low, high)
    return f"{_signed_digits(low)} to {_signed_digits(high)}{_unit(unit)}"


def level(measurement: Measurement) -> str:
    """A measurement's value: "98.2%" of a share, "0.0712" of anything else."""
    return valued(measurement.value, measurement.unit)


def valued(value: float, unit: str) -> str:
    """A number of this unit: "98.2%", "0.0712"."""
    return percent(value) if unit == "fraction" else number(value)


def duration(seconds: float) -> str:
    """A time that is only roughly known, at the beginning of a sentence: "Less than a minute", "About 3 min"."""
    minutes = math.ceil(seconds / 60)
    if seconds < 60:
        return "Less than a minute"
    return f"About {minutes} min" if minutes < 120 else f"About {round(seconds / 3600)} h"


def interval(measurement: Measurement) -> str:
    """The interval: "97.5 – 99.5%" of a share, "0.0456 – 0.0968" of anything else; nothing where none is there."""
    low, high = measurement.low, measurement.high
    if measurement.unit == "fraction" or low is None or high is None:
        return between(low, high)
    return f"{_digits(low, 3)} – {_digits(high, 3)}"


def in_words(measurement: Measurement) -> str:
    """A measurement of any unit with its interval: "98.2% (97.5 – 99.5%)", "0.0712 (0.0456 – 0.0968)"."""
    bounds = interval(measurement)
    return level(measurement) + (f" ({bounds})" if bounds else "")


def provenance(measurement: Measurement) -> str:
    """ "measured on 450": the origin, and how many samples were looked at."""
    return measurement.origin + (f" on {measurement.n:,}" if measurement.n is not None else "")


def _digits(value: float, most: int) -> str:
    text = f"{value or 0:.{most}g}"
    return f"{_MINUS}{text[1:]}" if text.startswith("-") else text  # the exponent keeps its hyphen: 1e-05


def _fixed(value: float, digits: int = 1) -> str:
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if not float(text) else text.replace("-", _MINUS)


def _signed_digits(value: float) -> str:
    text = _digits(value, 3)
    return text if text.startswith(_MINUS) or not value else f"+{text}"


def _unit(unit: str) -> str:
    return " nats" if unit == "nats" else ""


def _signed(value: float) -> str:
    text = _fixed(value)
    return text if text.startswith(_MINUS) or not float(text) else f"+{text}"
