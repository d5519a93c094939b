"""Numbers from outside: links, events of the browser, files, flags. One reading for all of them, with bounds.

Python's own ``int`` and ``float`` take "²" apart in three ways, fail on 5,000 digits, and overflow at 309. Here a
number is ASCII digits of reasonable length or a Python number, finite, and between its bounds; all else is a
``ValueError``, which the caller turns into a sentence about what was asked for.
"""

from __future__ import annotations

import math
import re

MOST = 2**63 - 1  # what a signed counter and a tensor hold
_LONGEST = 400
_REAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,4})?")
_WHOLE = re.compile(r"[-+]?[0-9]{1,20}")


def real(value: object, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number from ``low`` to ``high``, out of a number or its text; ValueError otherwise."""
    number = _as_float(value)
    if not math.isfinite(number) or not low <= number <= high:
        raise ValueError
    return number


def whole(value: object, low: int = 0, high: int = MOST) -> int:
    """A whole number from ``low`` to ``high``, out of a number (also 3.0) or its digits; ValueError otherwise."""
    if isinstance(value, str):
        text = value.strip()
        if not _WHOLE.fullmatch(text):
            raise ValueError
        number = int(text)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value  # a float would lose the last digits of a large one
    else:
        exact = _as_float(value)
        if not exact.is_integer():  # also infinity and NaN
            raise ValueError
        number = int(exact)
    if not low <= number <= high:
        raise ValueError
    return number


def short(value: object, most: int = 80) -> str:
    """What was given instead of a number, as text for a sentence: never long, and never a failure itself."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "a number of too many digits"
    return text if len(text) <= most else text[: most - 1] + "…"


def _as_float(value: object) -> float:
    if isinstance(value, str):
        text = value.strip()
        if len(text) > _LONGEST or not _REAL.fullmatch(text):
            raise ValueError
        return float(text)
    if isinstance(value, bool | bytes | bytearray) or not hasattr(value, "__float__"):
        raise ValueError
    try:
        return float(value)  # type: ignore[arg-type]  # numbers of NumPy and torch, too
    except (TypeError, OverflowError, RuntimeError):
        raise ValueError from None
