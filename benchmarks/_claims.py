"""What published claims say, and what the rows of the methods benchmark show of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

Row = Mapping[str, Any]


def claims(rows: Sequence[Row], dense: Mapping[str, float]) -> list[dict[str, Any]]:
    """Each claim with its source, the figures, and whether they agree with it: yes, no, in part or not measured."""
    return [_little_loss(rows, dense), _iterative(rows), _tickets(rows), _better_than_random(rows)]


def of(rows: Iterable[Row], **wanted: Any) -> list[float]:
    """Test accuracies of the rows with these values."""
    return [r["test_accuracy"] for r in rows if all(r[name] == value for name, value in wanted.items())]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, standard deviation and number, in points."""
    deviation = stdev(values) if len(values) > 1 else 0.0
    return {"mean": round(100 * fmean(values), 2), "sd": round(100 * deviation, 2), "n": len(values)}


def difference(first: Sequence[float], second: Sequence[float]) -> dict[str, float]:
    """First minus second in points, with twice its standard error over seeds."""
    a, b = spread(first), spread(second)
    error = math.sqrt(a["sd"] ** 2 / max(1, a["n"]) + b["sd"] ** 2 / max(1, b["n"]))
    return {"points": round(a["mean"] - b["mean"], 2), "twice_its_error": round(2 * error, 2)}


def _verdict(agree: Iterable[bool]) -> str:
    found = list(agree)
    return "not measured" if not found else "yes" if all(found) else "in part" if any(found) else "no"


def _little_loss(rows: Sequence[Row], dense: Mapping[str, float]) -> dict[str, Any]:
    found = {}
    for model, whole in dense.items():
        kept = {ratio: of(rows, model=model, unit="weight", criterion="lp_norm", way="finetuned", ratio=ratio)
                for ratio in (4.0, 8.0)}  # fmt: skip
        found[model] = {f"{ratio:g}x": {**spread(v), "drop": round(100 * whole - spread(v)["mean"], 2)}
                        for ratio, v in kept.items() if v}  # fmt: skip
    drops = [entry["8x"]["drop"] for entry in found.values() if "8x" in entry]
    return {
        "claim": "80-90 % of the weights go with little loss after fine-tuning (at most 1 point, 8x)",
        "source": "Han et al. 2015, arXiv:1506.02626",
        "figures": found,
        "reproduces": _verdict(drop <= 1.0 for drop in drops),
    }


def _compared(rows: Sequence[Row], first: str, second: str, ratios: Sequence[float]) -> dict[str, Any]:
    found = {}
    for model in dict.fromkeys(r["model"] for r in rows):
        for ratio in ratios:
            shared = {"model": model, "unit": "weight", "criterion": "lp_norm", "ratio": ratio}
            a, b = of(rows, way=first, **shared), of(rows, way=second, **shared)
            if a and b:
                found[f"{model} {ratio:g}x"] = {first: spread(a), second: spread(b), **difference(a, b)}
    return found


def _clear(found: Mapping[str, Any], test: Callable[[float, float], bool]) -> str:
    return _verdict(test(entry["points"], entry["twice_its_error"]) for entry in found.values())


def _iterative(rows: Sequence[Row]) -> dict[str, Any]:
    found = _compared(rows, "iterative", "finetuned", (8.0, 16.0, 32.0))
    return {
        "claim": "iterative pruning is better than one shot at equal epochs",
        "source": "Han et al. 2015, arXiv:1506.02626",
        "figures": found,
        "reproduces": _clear(found, lambda points, error: points > error),
    }


def _tickets(rows: Sequence[Row]) -> dict[str, Any]:
    found = {}
    for control in ("ticket:reinit", "ticket:shuffle_mask"):
        found |= {f"{name} against {control}": entry
                  for name, entry in _compared(rows, "ticket", control, (8.0, 32.0)).items()}  # fmt: skip
    return {
        "claim": "winning tickets train better than the same mask on fresh random weights, and than random masks",
        "source": "Frankle and Carbin 2019, arXiv:1803.03635",
        "figures": found,
        "reproduces": _clear(found, lambda points, error: points > error),
    }


def _better_than_random(rows: Sequence[Row]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for model, unit, key in dict.fromkeys((r["model"], r["unit"], r["criterion"]) for r in rows):
        if key == "random":
            continue
        for way in ("one_shot", "finetuned"):
            shared = {"model": model, "unit": unit, "way": way, "ratio": 4.0}
            a, b = of(rows, criterion=key, **shared), of(rows, criterion="random", **shared)
            if a and b:
                found[f"{model} {unit} {key} {way} 4x"] = difference(a, b)
    return {
        "claim": "every criterion is better than random, as pruned and fine-tuned, at 4x",
        "source": "the control of Blalock et al. 2020, arXiv:2003.03033",
        "figures": found,
        "reproduces": _clear(found, lambda points, error: points > error),
    }
