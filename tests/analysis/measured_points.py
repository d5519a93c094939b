"""Points of a trade-off made by hand."""

from __future__ import annotations

from typing import Any

from explorer.types import Measurement, TradeOff, TradeOffPoint

DENSE = 0.98


def point(
    ratio: float, accuracy: float, *, seed: int = 0, key: str = "random", n: int = 450, **more: Any
) -> TradeOffPoint:
    """A point that was asked for ``ratio`` and reached it."""
    measured = Measurement("accuracy", accuracy, "fraction", "measured", accuracy - 0.02, accuracy + 0.01, n)
    drop = Measurement("drop", DENSE - accuracy, "fraction", "measured", n=n)
    spec = {
        "granularity": {"key": "weight"},
        "criterion": {"key": key} | ({"seed": seed} if key == "random" else {}),
        "allocation": {"key": "global", "sparsity": 1 - 1 / ratio + seed / 1000},
        "limits": {},
    }
    given: dict[str, Any] = {"asked_ratio": ratio, **more}
    return TradeOffPoint(
        spec, key, 1 - 1 / ratio, 1 - 1 / ratio, ratio, ratio, int(300_000 / ratio), measured, drop, seed, **given
    )


def curve(label: str, *points: TradeOffPoint) -> TradeOff:
    """A curve through these points."""
    return TradeOff(label, points)
