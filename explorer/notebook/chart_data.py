"""The trade-off as numbers for the widget's chart."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.text.numbers import in_words, level, provenance, times
from explorer.types import TradeOff, TradeOffPoint
from explorer.types.aliases import JsonDict


def chart_data(curves: Sequence[TradeOff], tried: Sequence[TradeOffPoint], now: TradeOffPoint | None) -> JsonDict:
    """What is drawn, JSON-able, and the same in a sentence; the present setting last, so that it lies on top."""
    series = [_series("control" if curve.is_control else "curve", curve.label, curve.points) for curve in curves]
    series += [_series("tried", "tried", tried)] if tried else []
    series += [_series("now", f"now: {_in_words(now)}", [now])] if now is not None else []
    drawn = [one for one in series if one["points"]]
    sentence = "; ".join(f"{one['label']}, {len(one['points'])} points" for one in drawn if one["kind"] != "now")
    title = f"{_judged(curves, tried, now)} against compression ratio"
    whiskers = "; whiskers: 95 % intervals"
    return {"title": title + whiskers, "series": drawn, "alternative": f"{title}: {sentence or 'nothing yet'}."}


def _judged(curves: Sequence[TradeOff], tried: Sequence[TradeOffPoint], now: TradeOffPoint | None) -> str:
    """What is drawn upwards: accuracy, or what stands in its place."""
    points = [*(point for curve in curves for point in curve.points), *tried, *([now] if now is not None else [])]
    return next((point.accuracy.name for point in points), "accuracy")


def _series(kind: str, label: str, points: Sequence[TradeOffPoint]) -> JsonDict:
    return {"kind": kind, "label": label, "points": [_point(point) for point in points]}


def _point(point: TradeOffPoint) -> JsonDict:
    accuracy = point.accuracy
    return {
        "ratio": point.compression_ratio,
        "share": accuracy.value,
        "low": accuracy.low,
        "high": accuracy.high,
        "text": f"{times(point.compression_ratio)}, {in_words(accuracy)}, {provenance(accuracy)}",
    }


def _in_words(point: TradeOffPoint) -> str:
    return f"{times(point.compression_ratio)}, {level(point.accuracy)}"
