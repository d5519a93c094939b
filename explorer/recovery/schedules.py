"""How sparsity and learning rate change over time: pure functions of the time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from explorer.errors import ExplorerError

SPARSITY_SCHEDULES = ("constant", "linear", "cubic", "one_cycle", "geometric")
RATE_SCHEDULES = ("constant", "cosine", "one_cycle")

# The one-cycle rate: warm-up share, and how far below its peak it begins and ends.
_WARM_UP, _BEGIN, _END = 0.1, 25.0, 1e4
# Its momentum goes the other way.
_MOMENTUM = (0.85, 0.95)


def sparsity_at(schedule: str, share: float, final: float, initial: float = 0.0) -> float:
    """The sparsity when ``share`` (0 to 1) of the pruning phase is over; ``initial`` to ``final``, never falling.

    - constant: ``final`` from the first moment (one shot). Weak where much goes at once;
    - linear: s_i + (s_f - s_i) t. Weak where the last steps are the hard ones: it takes as much then as at first;
    - cubic: s_f + (s_i - s_f) (1 - t)^3, fast at first, while there is much to take. Weak where training is short;
    - one_cycle: slow, fast, slow along a logistic curve. Weak where rises are few: most goes in the middle ones;
    - geometric: the same share of what is left goes each time, 1 - (1 - s_i) ((1 - s_f) / (1 - s_i))^t. Weak where
      ``final`` is 1, which it reaches in one last jump.

    Source: cubic of Zhu & Gupta 2017, arXiv:1710.01878, equation 1; one_cycle of Hubens et al. 2021,
    arXiv:2107.02086; geometric as in iterative pruning by a fixed rate, Frankle & Carbin 2019, arXiv:1803.03635.
    """
    if schedule not in SPARSITY_SCHEDULES:
        raise ExplorerError(
            f"There is no sparsity schedule {schedule!r}.", fix=f"Choose one of: {', '.join(SPARSITY_SCHEDULES)}."
        )
    if not 0.0 <= initial <= final <= 1.0:
        what = f"Sparsity cannot go from {initial:g} to {final:g}."
        raise ExplorerError(what, fix="Give shares from 0 to 1 with the final one no lower.")
    t = min(max(share, 0.0), 1.0)
    if t == 1.0 or schedule == "constant":
        return final
    if schedule == "geometric":
        return _geometric(t, initial, final)
    return initial + (final - initial) * _SHARE_DONE[schedule](t)


def _geometric(t: float, initial: float, final: float) -> float:
    left = 1.0 - initial
    return final if not left else 1.0 - left * ((1.0 - final) / left) ** t


def _logistic(t: float) -> float:
    """(1 + e^(-14 + 5)) / (1 + e^(-14 t + 5)), moved so that it begins at 0."""

    def curve(x: float) -> float:
        return (1.0 + math.exp(-9.0)) / (1.0 + math.exp(-14.0 * x + 5.0))

    return (curve(t) - curve(0.0)) / (1.0 - curve(0.0))


_SHARE_DONE: Mapping[str, Callable[[float], float]] = {
    "linear": lambda t: t,
    "cubic": lambda t: 1.0 - (1.0 - t) ** 3,
    "one_cycle": _logistic,
}


def sparsities(schedule: str, n: int, final: float, initial: float = 0.0) -> tuple[float, ...]:
    """The sparsity after each of ``n`` prunings; the last one is ``final``."""
    if n < 1:
        raise ExplorerError(f"{n} prunings reach nothing.", fix="Ask for at least one.")
    return tuple(sparsity_at(schedule, (i + 1) / n, final, initial) for i in range(n))


def rate_at(schedule: str, step: int, n_steps: int, peak: float) -> float:
    """The learning rate of update ``step`` (from 0) of ``n_steps``; ``one_cycle`` is that of ``OneCycleLR``."""
    if schedule == "constant":
        return peak
    if schedule == "cosine":
        return peak * (1.0 + math.cos(math.pi * step / n_steps)) / 2.0
    begin = peak / _BEGIN
    return _one_cycle(step, n_steps, begin, peak, begin / _END)


def momentum_at(schedule: str, step: int, n_steps: int, usual: float) -> float:
    """Momentum (beta 1 of Adam): high where the one-cycle rate is low; else as ``usual``."""
    low, high = _MOMENTUM
    return _one_cycle(step, n_steps, high, low, high) if schedule == "one_cycle" else usual


def _one_cycle(step: int, n_steps: int, begin: float, middle: float, end: float) -> float:
    turn = float(_WARM_UP * n_steps) - 1.0
    if step <= turn and turn > 0:
        return _eased(begin, middle, step / turn)
    return _eased(middle, end, (step - turn) / (n_steps - 1 - turn))


def _eased(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1.0)
